"""rnncli mix"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ModelError
from .learning import LOCK_SECONDS, check_nothing_lost, replaced_texts
from .options import FILE_PATH, MODEL_PATH
from .output import escape_controls

if TYPE_CHECKING:
    from ..model import Model

FILE = "mix.npz"


@click.command("mix")
@click.argument("first", metavar="MODEL", type=MODEL_PATH)
@click.argument("second", metavar="MODEL", type=MODEL_PATH)
@click.option("-o", "--output", type=FILE_PATH, help=f"Where to write the model.  [default: models/{FILE}]")
def command(first: Path, second: Path, output: Path | None) -> None:
    """Mix two models into one: of two languages, or of two people.

    It knows the words of both, and follows the one that has predicted the last words better. Prints the path of the new
    file.

    \b
    rnncli mix bundled models/german.npz -o models/both.npz
    """
    from ..storage.atomic import DEFAULT_FOLDER, MODEL, check_folder, check_writable
    from ..storage.locks import locked
    from ..storage.model_file import load, save
    from ..tasks.mix import mix

    is_named = output is not None
    output = output or DEFAULT_FOLDER / FILE
    check_folder(output)
    check_writable(output, MODEL)
    if output.resolve() in (first.resolve(), second.resolve()):
        raise ModelError(f"{output} would be lost: name another file with -o")
    with locked(output, "output", LOCK_SECONDS):
        models = load(first), load(second)
        if output.exists():
            _check_replaced(output, models, is_named)
        save(mix(*models), output)
    click.echo(escape_controls(str(output)))


def _check_replaced(output: Path, models: Iterable[Model], is_named: bool) -> None:
    """Refuse to replace what has learned other texts than two models, and what is no mix unless it `is_named`."""
    from ..lm.voice import FirstVoice
    from ..storage.model_file import load

    is_mix = load(output).lm.find(FirstVoice) is not None
    texts = replaced_texts(output, is_named or is_mix)
    check_nothing_lost(output, texts, models, "name another file with -o, or remove that one")
