"""rnncli type"""

import sys
from pathlib import Path

import click

from ..errors import RnncliError
from .options import load_model, model_option
from .output import for_stdout, on_terminal


@click.command("type")
@click.argument("text", default="")
@model_option
@click.option("-n", type=click.IntRange(1, 9), default=5, show_default=True, help="How many words to offer at a time.")
def command(text: str, model_path: Path | None, n: int) -> None:
    """Write a line with the next words on offer under the cursor.

    Tab accepts the first word, a digit the word with that number; the letters you type narrow the offer. To type a
    digit itself, press Ctrl-Q before it. Enter prints the line, Ctrl-C leaves without printing it. TEXT is the
    beginning of the line.

    \b
    rnncli type
    rnncli type "Dear Tom," >> letter.txt
    """
    try:
        from .editor import edit
    except ImportError:
        raise RnncliError("`rnncli type` needs prompt_toolkit: pip install prompt_toolkit") from None
    from ..tasks.suggest import Suggester

    if not on_terminal(sys.stderr):
        raise RnncliError("`rnncli type` needs a terminal: to complete words in a pipe, use rnncli predict --complete")
    click.echo(for_stdout(edit(Suggester(load_model(model_path, checked=False), n), text)))
