"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click
from click.core import ParameterSource

from ..errors import ModelError
from .output import escape_controls, tell

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..model import Model

Function = TypeVar("Function", bound=Callable[..., Any])

PACKAGE = Path(__file__).resolve().parents[1]


# Click's `ParamType` takes a type argument from Click 8.5 on, and older ones, which refuse it, are supported too.
class Duration(click.ParamType):  # type: ignore[type-arg]
    """Seconds, written as a number followed by s, m or h, or as several of these: 90s, 10m, 1h30m."""

    name = "duration"
    SECONDS: ClassVar = {"s": 1, "m": 60, "h": 3600}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = value.strip().lower()
        pieces = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
        seconds = sum(float(number) * self.SECONDS[unit] for number, unit in pieces)
        if "".join(map("".join, pieces)) != text or not 0 < seconds < math.inf:
            self.fail(f"{value!r} is no time: write a number and s, m or h, such as 90s, 10m or 1h30m.", param, ctx)
        return seconds


class TextType(click.types.StringParamType):
    """A text. A variable of the environment may hold several, one a line."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line for line in rv.split("\n") if line]


class WholeNumber(click.IntRange):
    """A whole number."""

    name = "n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is no whole number{_bounds(self)}.", param, ctx)


class Number(click.FloatRange):
    """A number with decimals."""

    name = "x"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is no number{_bounds(self)}.", param, ctx)


def _bounds(numbers: click.IntRange | click.FloatRange) -> str:
    """Which numbers a type takes, in words, such as " from 1 to 9"."""
    low = numbers.min
    high = numbers.max
    below = "" if low is None else f" {'above' if numbers.min_open else 'from'} {low:g}"
    if high is None:
        return below + (" on" if below and not numbers.min_open else "")
    if numbers.max_open:
        return f"{below} and below {high:g}"
    return f"{below} to {high:,}"


class Count(WholeNumber):
    """A whole number, which may be written as 20k, 1.5M or 20,000."""

    FACTORS: ClassVar = {"k": 10**3, "m": 10**6}
    PATTERN = r"(\d{1,30}(?:[,_]\d{3})*(?:\.\d{1,30})?)([km]?)"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and (found := re.fullmatch(self.PATTERN, value.strip().lower())):
            whole, _, fraction = re.sub("[,_]", "", found[1]).partition(".")
            number, rest = divmod(int(whole + fraction) * self.FACTORS.get(found[2], 1), 10 ** len(fraction))
            if not rest:
                value = number
        return super().convert(value, param, ctx)


class Words(click.ParamType):  # type: ignore[type-arg]
    """Words separated by commas."""

    name = "words"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in value.split(","))
        if not all(words):
            self.fail(f"{value!r} holds an empty word: write words with commas between them.", param, ctx)
        return words


class ModelPath(click.Path):
    """The file of a model, or the word "bundled". A file with that name is written ./bundled."""

    BUNDLED = "bundled"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if value == "-":
            self.fail(
                "a model is not read from standard input, nor written to standard output: name a file.", param, ctx
            )
        if value != self.BUNDLED:
            return Path(str(super().convert(value, param, ctx)))
        found = bundled_model()
        if found is None:
            self.fail("this installation came without a model: name the file of one.", param, ctx)
        return found

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The models in `models/`, and "bundled" unless it could be a file; if there are none, any file."""
        from click.shell_completion import CompletionItem

        found = [name for name in sorted(map(str, Path("models").glob("*.npz"))) if name.startswith(incomplete)]
        if self.BUNDLED.startswith(incomplete) and bundled_model():
            files = any(path.name.startswith(incomplete) for path in Path().iterdir())
            found += [self.BUNDLED] if found or not files else []
        return list(map(CompletionItem, found)) or [CompletionItem(incomplete, type="file")]


class FilePath(click.Path):
    """A file to write, which is not standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False, readable=False)  # it is written

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "-":
            self.fail("standard output gets the path of the model only: name a file.", param, ctx)
        if not value:
            self.fail("the name is empty: name a file.", param, ctx)
        return super().convert(value, param, ctx)


DURATION = Duration()
FILE_PATH = FilePath()
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
encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, metavar="NAME", help="The encoding of the text."
)


def words_option(name: str, **attributes: Any) -> Callable[[Function], Function]:
    """An option that takes words separated by commas. By default there are none."""
    return click.option(name, type=Words(), default=(), metavar="WORD,...", **attributes)


def named_in_command(*names: str) -> bool:
    """Whether the user wrote one of these parameters in the command. A value from the environment does not count."""
    source = click.get_current_context().get_parameter_source
    return any(source(name) is ParameterSource.COMMANDLINE for name in names)


def is_given(*names: str) -> bool:
    """Whether one of these parameters has a value in the command or in the environment."""
    source = click.get_current_context().get_parameter_source
    return any(source(name) not in (None, ParameterSource.DEFAULT) for name in names)


def gives_way(option: str, *others: str, because: str) -> bool:
    """Whether an option gives way to others in the command, as it comes from the environment.

    Where it is in the command as well, that is refused. `because` says why they do not go together; those of the
    others that are in the command take the place of {others} in it.
    """
    if not named_in_command(*others):
        return False
    if named_in_command(option):
        raise click.UsageError(because.format(others=_flags(others)))
    return True


def _flags(names: Sequence[str]) -> str:
    """Those of some parameters that are in the command, such as "--top-k and --min-p"."""
    *first, last = (
        max(param.opts, key=len)
        for param in click.get_current_context().command.params
        if param.name in names and named_in_command(param.name)
    )
    return f"{', '.join(first)} and {last}" if first else last


def load_model(path: Path | None, *, checked: bool = True) -> Model:
    """Load the model at `path`, or the default model.

    Unless it is `checked`, only what is used of it is read (see `rnncli.storage.model_file.load`).
    """
    from ..storage.model_file import load

    return load(find_model(path), checked=checked)


def find_model(path: Path | None) -> Path:
    """The `path` of a model, or that of the default model. Prints which model it is unless the command names it."""
    bundled = bundled_model()
    found = path or _newest_model(bundled) or bundled
    if found is None:
        raise ModelError("there is no model yet: train one with `rnncli train corpus.txt`, or name one with --model")
    if not named_in_command("model_path"):
        name = "the bundled English one" if found == bundled else escape_controls(str(found))
        tell(f"Model: {name}")
    return found


def _newest_model(bundled: Path | None) -> Path | None:
    """The newest model in `models/` of the current folder, except the bundled one of the source tree.

    A checkpoint of a training is no model.
    """
    from ..storage.model_file import CHECKPOINT_SUFFIX

    names = (path for path in Path("models").glob("*.npz") if not path.name.endswith(CHECKPOINT_SUFFIX))
    found = [path for path in names if path.is_file() and path.resolve() != bundled]
    return max(found, key=lambda path: (path.stat().st_mtime, path.name), default=None)


def bundled_model() -> Path | None:
    """The bundled model: inside the installed package, or beside the package in the source tree."""
    places = (folder / "models" / "english.npz" for folder in (PACKAGE, PACKAGE.parent))
    return next((path for path in places if path.exists()), None)
