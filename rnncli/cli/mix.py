"""rnncli mix"""

from __future__ import annotations

from pathlib import Path

import click

from .options import FILE_PATH, MODEL_PATH
from .output import escape_controls

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
    from ..storage.model_file import load, save
    from ..tasks.mix import mix

    output = output or DEFAULT_FOLDER / FILE
    check_folder(output)
    check_writable(output, MODEL)
    save(mix(load(first), load(second)), output)
    click.echo(escape_controls(str(output)))
