"""rnncli learn"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .answering import check_stdin_once, named_texts
from .options import FILE_PATH, encoding_option, find_model, model_option
from .output import escape_controls, tell
from .progress import format_perplexity
from .texts import warn_of_text

if TYPE_CHECKING:
    from ..model import Model

FILE = "personal.npz"


@click.command("learn")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@model_option
@click.option("-o", "--output", type=FILE_PATH, help=f"Where to write the model.  [default: models/{FILE}]")
@encoding_option
def command(texts: tuple[str, ...], model_path: Path | None, output: Path | None, encoding: str) -> None:
    """Learn texts of your own in seconds: their words, and which follow which.

    The model stays as it is; the one that has learned is written beside it, and its path printed. Learning again adds
    to what was learned before. Each TEXT is a file, a folder, or - for standard input, and has a name, by which
    `rnncli forget` takes it away again.

    \b
    rnncli learn notes.txt mails/
    rnncli learn more.txt
    rnncli info
    """
    from ..storage.atomic import MODEL, check_folder, check_writable
    from ..storage.model_file import load, save
    from ..tasks.learn import learn

    check_stdin_once(texts)
    texts = named_texts(texts, "[TEXT]...")
    path = find_model(model_path)
    output = output or personal_file()
    check_folder(output)
    check_writable(output, MODEL)
    model = load(path)
    check_replaced(output, path, model)
    learned = learn(model, texts, encoding, warn=warn_of_text)
    save(learned, output)
    words = len(learned.vocabulary) - len(model.vocabulary)
    tell(f"Learned {', '.join(map(escape_controls, texts))}: {words:,} new words{_gain(learned)}.")
    click.echo(escape_controls(str(output)))


def _gain(model: Model) -> str:
    """What it is worth to have learned, on the held-out ends of the texts."""
    from ..lm.perplexity import perplexity
    from ..lm.personal import Personal

    personal = model.lm.find(Personal)
    gain = personal.before.gain if personal else None
    if gain is None or math.isnan(gain.loss):
        return ""
    old, new, old_known, new_known = (format_perplexity(perplexity(loss)) for loss in gain[:4])
    known = f"; of the words known before {old_known} and {new_known} ({gain.unknown:.1%} were unknown)"
    return f"; perplexity of their last lines {old} before, {new} now{known if gain.unknown else ''}"


def personal_file() -> Path:
    """The file of what was learned, unless another one is named."""
    from ..storage.atomic import DEFAULT_FOLDER

    return DEFAULT_FOLDER / FILE


def check_replaced(output: Path, path: Path, model: Model) -> None:
    """Refuse to replace a model that has learned texts which this one has not."""
    from ..errors import ModelError
    from ..learned import before_learning
    from ..storage.model_file import load

    if not output.exists() or output.resolve() == path.resolve():
        return
    known = {text.sha256 for text in before_learning(model)[1]}
    lost = [text.name for text in before_learning(load(output))[1] if text.sha256 not in known]
    if lost:
        raise ModelError(
            f"{output} has learned {', '.join(lost)}, which would be lost: go on from it with -m {output}, or name"
            " another file with -o"
        )
