"""rnncli forget"""

from __future__ import annotations

from pathlib import Path

import click

from .learning import LOCK_SECONDS
from .options import FILE_PATH, find_model, model_option
from .output import escape_controls, tell


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
    from ..errors import ModelError
    from ..learned import learned_texts
    from ..lm.voice import FirstVoice
    from ..storage.atomic import MODEL, check_folder, check_writable
    from ..storage.locks import locked
    from ..storage.model_file import load, save
    from ..tasks.learn import forget

    if everything == bool(texts):
        raise click.UsageError("name the texts to forget, or --all.")
    path = find_model(model_path)
    output = output or path
    check_folder(output)
    check_writable(output, MODEL)
    with locked(output, "output", LOCK_SECONDS):
        model = load(path)
        known = {text.name for text in learned_texts(model)}
        if not known and model.lm.find(FirstVoice):
            raise ModelError(f"{path} is a mix, which has learned nothing: forget it in the two models, and mix these")
        if not known:
            raise ModelError(f"{path} has learned no text: name another model with -m")
        shorter = forget(model, None if everything else texts)
        save(shorter, output)
    left = {text.name for text in learned_texts(shorter)}
    tell(f"Forgot {', '.join(map(escape_controls, sorted(known - left)))}.")
    click.echo(escape_controls(str(output)))
