"""rnncli learn"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .answering import check_stdin_once, named_texts
from .learning import FILE, LOCK_SECONDS, check_replaced, has_learned, learned_file
from .options import FILE_PATH, encoding_option, find_model, model_option
from .output import escape_controls, tell, warn
from .progress import MIN_TELLING_WORDS, format_perplexity
from .texts import warn_of_text

if TYPE_CHECKING:
    from ..model import Model


@click.command("learn")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@model_option
@click.option(
    "-o",
    "--output",
    type=FILE_PATH,
    help="Where to write the model; one that has learned before learns there, unless --model names another."
    f"  [default: models/{FILE}, or in place of a model that has learned before]",
)
@encoding_option
def command(texts: tuple[str, ...], model_path: Path | None, output: Path | None, encoding: str) -> None:
    """Learn texts of your own in seconds: their words, and which follow which.

    A model that has learned nothing stays as it is: what it becomes is written to models/personal.npz. One that has
    learned before is replaced, and keeps what it had learned. Prints the path of the model that has learned. Each TEXT
    is a file, a folder, or - for standard input, and has a name, by which `rnncli forget` takes it away again.

    \b
    rnncli learn notes.txt mails/
    rnncli learn more.txt
    rnncli info
    """
    from ..learned import learned_texts
    from ..storage.atomic import MODEL, check_folder, check_writable
    from ..storage.locks import locked
    from ..storage.model_file import load, save
    from ..tasks.learn import learn

    check_stdin_once(texts)
    texts = named_texts(texts, "[TEXT]...")
    is_named = output is not None
    if output and model_path is None and has_learned(output):
        model_path = output
    path = find_model(model_path)
    output = output or learned_file(path, load(path, checked=False))
    check_folder(output)
    check_writable(output, MODEL)
    with locked(output, "output", LOCK_SECONDS):
        model = load(path)
        check_replaced(output, path, model, is_named)
        before = {(text.name, text.sha256) for text in learned_texts(model)}
        learned = learn(model, texts, encoding, warn=warn_of_text)
        save(learned, output)
    known = model.vocabulary.numbers
    words = sum(word not in known for word in learned.vocabulary.words)
    names = [text.name for text in learned_texts(learned) if (text.name, text.sha256) not in before]
    told = ", ".join(map(escape_controls, names)) or "nothing new"
    tell(f"Learned {told}: {words:,} new words.{_gain(learned)}")
    click.echo(escape_controls(str(output)))


def _gain(model: Model) -> str:
    """What it is worth to have learned, on the held-out ends of all texts that were learned."""
    from ..lm.perplexity import perplexity
    from ..lm.personal import Personal

    personal = model.lm.find(Personal)
    gain = personal.gain if personal else None
    if gain is None or math.isnan(gain.loss):
        return ""
    if gain.words < MIN_TELLING_WORDS:
        warn(f"only {gain.words:.0f} words were held out, which tell little")
    old, new, old_known, new_known = (format_perplexity(perplexity(loss)) for loss in gain[:4])
    known = f"; of known words {old_known} and {new_known} ({gain.unknown:.1%} were unknown)"
    told = f"Perplexity of the last lines: {old} before learning, {new} after"
    return f" {told}{known if gain.unknown else ''}."
