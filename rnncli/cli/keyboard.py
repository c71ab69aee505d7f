"""rnncli type"""

import itertools
import shlex
import sys
from pathlib import Path

import click

from ..errors import RnncliError
from ..nn.threads import without_blas_threads
from .answering import STDIN, is_piped, stdin_lines
from .learning import learning, learning_options
from .options import WholeNumber, encoding_option, find_model, model_option
from .output import for_stdout, on_terminal


@click.command("type")
@click.argument("text", required=False)
@model_option
@click.option("-n", type=WholeNumber(1, 9), default=5, show_default=True, help="How many words to offer at a time.")
@learning_options("the line")
@encoding_option
def command(
    text: str | None, model_path: Path | None, n: int, learn: bool, learn_to: Path | None, encoding: str
) -> None:
    """Write a line with the next words on offer under the cursor.

    Tab accepts the first word, a digit the word with that number; the letters you type narrow the offer. To type a
    digit itself, press Ctrl-Q before it. Enter prints the line, Ctrl-C leaves without printing it. TEXT is the
    beginning of the line. Without it, or for -, the beginning comes from standard input, unless that is a terminal.

    \b
    rnncli type
    rnncli type "Dear Tom," >> letter.txt
    tail -n 1 letter.txt | rnncli type
    """
    without_blas_threads()
    try:
        from .editor import edit
    except ImportError:
        install = f"{shlex.quote(sys.executable)} -m pip install prompt_toolkit"  # where rnncli is, not anywhere else
        raise RnncliError(f"`rnncli type` needs prompt_toolkit: {install}") from None
    from ..storage.model_file import load
    from ..tasks.suggest import Suggester

    if not on_terminal(sys.stderr):
        raise RnncliError("`rnncli type` needs a terminal: to complete words in a pipe, use rnncli predict --complete")
    beginning = _beginning(encoding) if text in (None, STDIN) else text
    path = find_model(model_path)
    model = load(path, checked=False)
    with learning(path, model, learn, learn_to) as learner:
        line = edit(Suggester(model, n), beginning or "")
        try:
            if learn or learn_to:
                learner.add([line])  # first: nobody may read the line any more
        finally:
            click.echo(for_stdout(line))


def _beginning(encoding: str) -> str:
    """The line in standard input, if that is piped."""
    lines = list(itertools.islice(stdin_lines(encoding), 2)) if is_piped() else []
    if len(lines) > 1:
        raise RnncliError("standard input has several lines: `rnncli type` edits one, such as that of tail -n 1")
    if None in lines:
        sys.exit(1)
    return (lines[0] or "") if lines else ""
