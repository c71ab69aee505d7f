"""Options that several commands share, and which model a command uses."""

import re
from pathlib import Path
from typing import ClassVar

import click
from click.core import ParameterSource

from ..errors import ModelError
from .output import visible

PACKAGE = Path(__file__).resolve().parents[1]
FORMATS = click.Choice(["table", "tsv", "jsonl"])


class Duration(click.ParamType):
    """Seconds, written as a number with s, m or h behind it, or several of these: 90s, 10m, 1h30m."""

    name = "duration"
    UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600}

    def convert(self, value, param, ctx) -> float:
        if isinstance(value, float):
            return value
        text = value.strip().lower()
        pieces = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
        seconds = sum(float(number) * self.UNITS[unit] for number, unit in pieces)
        if "".join(map("".join, pieces)) != text or not seconds:
            self.fail(f"{value!r} is no time: write a number and s, m or h, such as 90s, 10m or 1h30m.", param, ctx)
        return seconds


class Text(click.types.StringParamType):
    """A text, of which a variable of the environment may hold several, one a line."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line for line in rv.split("\n") if line]


class Count(click.IntRange):
    """A whole number, which may be written as 20k, 1.5M or 20,000."""

    name = "number"
    UNITS: ClassVar = {"k": 10**3, "m": 10**6}
    PATTERN = r"(\d{1,30}(?:[,_]\d{3})*(?:\.\d{1,30})?)([km]?)"

    def convert(self, value, param, ctx) -> int:
        if isinstance(value, str) and (found := re.fullmatch(self.PATTERN, value.strip().lower())):
            whole, _, fraction = re.sub("[,_]", "", found[1]).partition(".")
            number, rest = divmod(int(whole + fraction) * self.UNITS.get(found[2], 1), 10 ** len(fraction))
            if not rest:
                value = number
        return super().convert(value, param, ctx)


DURATION = Duration()


class ModelPath(click.Path):
    """The file of a model, or the word for the one that comes with the program (a file of that name: `./bundled`)."""

    BUNDLED = "bundled"

    def convert(self, value, param, ctx) -> Path:
        found = _bundled() if value == self.BUNDLED else super().convert(value, param, ctx)
        if found is None:
            self.fail("this installation came without a model: name the file of one.", param, ctx)
        return Path(found)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list:
        """The models in `models/`, and the bundled one where its word is meant; else any file."""
        from click.shell_completion import CompletionItem

        found = [name for name in sorted(map(str, Path("models").glob("*.npz"))) if name.startswith(incomplete)]
        if self.BUNDLED.startswith(incomplete) and _bundled():
            files = any(path.name.startswith(incomplete) for path in Path().iterdir())
            found += [self.BUNDLED] if found or not files else []
        return list(map(CompletionItem, found)) or [CompletionItem(incomplete, type="file")]


MODEL_PATH = ModelPath()
model_option = click.option(
    "-m",
    "--model",
    "model_path",
    type=MODEL_PATH,
    envvar="RNNCLI_MODEL",
    help="A model file, or bundled: the English model that comes with rnncli. By default the newest .npz in models/,"
    " else bundled.",
)
format_option = click.option(
    "--format", "output_format", type=FORMATS, help="By default a table on a terminal, and TSV in a pipe."
)


class Words(click.ParamType):
    """Words with commas between them."""

    name = "words"

    def convert(self, value, param, ctx) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in value.split(","))
        if not all(words):
            self.fail(f"{value!r} holds an empty word: write words with commas between them.", param, ctx)
        return words


def words_option(name: str, **options):
    """An option that takes words with commas between them; without it, none."""
    return click.option(name, type=Words(), default=(), metavar="WORD,...", **options)


encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, metavar="NAME", help="The encoding of the text."
)


def given(*names: str) -> bool:
    """Whether one of these parameters stands in the command itself, and does not come from elsewhere."""
    source = click.get_current_context().get_parameter_source
    return any(source(name) is ParameterSource.COMMANDLINE for name in names)


def load_model(path: Path | None, *, checked: bool = True):
    """Load the model at `path`, or the one that is found without.

    Unless it is `checked`, no more of it is read than is used (see `rnncli.checkpoint.load`).
    """
    from ..checkpoint import load

    return load(find_model(path), checked=checked)


def find_model(path: Path | None) -> Path:
    """The `path` of a model; without one, look for it. Say which one it is, unless it was named in the command."""
    bundled = _bundled()
    found = path or _newest(bundled) or bundled
    if found is None:
        raise ModelError("there is no model yet: train one with `rnncli train corpus.txt`, or name one with --model")
    if not given("model_path"):
        click.echo(f"Model: {'the bundled English one' if found == bundled else visible(str(found))}", err=True)
    return found


def _newest(bundled: Path | None) -> Path | None:
    """The newest model in `models/` of the current folder, but for the bundled one in that of the source tree."""
    found = [path for path in Path("models").glob("*.npz") if path.is_file() and path.resolve() != bundled]
    return max(found, key=lambda path: (path.stat().st_mtime, path.name), default=None)


def _bundled() -> Path | None:
    """The bundled model: installed inside of the package, in the source tree beside it."""
    places = (folder / "models" / "english.npz" for folder in (PACKAGE, PACKAGE.parent))
    return next((path for path in places if path.exists()), None)
