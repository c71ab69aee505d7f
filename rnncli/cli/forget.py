"""rnncli forget"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ModelError
from .learning import FILE, LOCK_SECONDS, check_replaced
from .options import FILE_PATH, find_model, model_option
from .output import escape_controls, tell

if TYPE_CHECKING:
    from ..model import Model


@click.command("forget")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--all", "everything", is_flag=True, help="Forget all that was learned.")
@model_option
@click.option("-o", "--output", type=FILE_PATH, help="Where to write the model.  [default: in place of the model]")
def command(texts: tuple[str, ...], everything: bool, model_path: Path | None, output: Path | None) -> None:
    """Forget texts that were learned: the model then answers as if it had never learned them.

    `rnncli info` lists what a model has learned. Prints the path of the model.

    \b
    rnncli forget notes.txt
    rnncli forget --all
    """
    from ..learned import learned_texts
    from ..storage.atomic import DEFAULT_FOLDER, MODEL, check_folder, check_writable
    from ..storage.locks import locked
    from ..storage.model_file import load, save
    from ..tasks.learn import forget

    if everything == bool(texts):
        raise click.UsageError("name the texts to forget, or --all.")
    path = find_model(model_path)
    _check_has_learned(path, load(path, checked=False))  # before anything is written beside it
    output = output or path
    check_folder(output)
    check_writable(output, MODEL)
    with locked(output, "output", LOCK_SECONDS):
        model = load(path)
        _check_has_learned(path, model)
        known = {text.name for text in learned_texts(model)}
        shorter = forget(model, None if everything else texts)
        check_replaced(output, path, model, is_named=True)
        save(shorter, output)
    left = {text.name for text in learned_texts(shorter)}
    tell(f"Forgot {', '.join(map(escape_controls, sorted(known - left)))}.")
    if not left and output.resolve() != (DEFAULT_FOLDER / FILE).resolve():
        file = escape_controls(shlex.quote(str(output)))
        tell(f"It has learned nothing now. To learn into this file again: rnncli learn TEXT -m {file} -o {file}")
    click.echo(escape_controls(str(output)))


def _check_has_learned(path: Path, model: Model) -> None:
    """Raise `ModelError` for a model that has learned no text."""
    from ..learned import learned_texts
    from ..lm.voice import FirstVoice

    if learned_texts(model):
        return
    if model.lm.find(FirstVoice):
        raise ModelError(f"{path} is a mix, which has learned nothing: forget it in the two models, and mix these")
    raise ModelError(f"{path} has learned no text: name another model with -m")
