"""rnncli compress"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .learning import check_learned_stays
from .options import FILE_PATH, MODEL_PATH, Count, encoding_option, load_model
from .output import escape_controls, tell
from .progress import format_perplexity, reading
from .texts import format_bytes, warn_of_text

if TYPE_CHECKING:
    from ..model import Model
    from ..text.vocabulary import Tokens

ADDED = "-small"  # to the name of a model


@click.command("compress")
@click.argument("model_path", metavar="MODEL", type=MODEL_PATH)
@click.option("-o", "--output", type=FILE_PATH, help="Where to write the model.  [default: models/<name>-small.npz]")
@click.option(
    "--bits",
    type=click.Choice(["8", "16", "32"]),
    help="Bits for each number of the network's matrices.  [default: as they are]",
)
@click.option(
    "--ngrams",
    type=Count(min=0),
    metavar="N",
    help="How many n-grams to keep at most; 0: none.  [default: as many as there are]",
)
@click.option(
    "--valid",
    multiple=True,
    type=click.Path(),
    metavar="TEXT",
    help="Tune the weights of the parts anew on this held-out text, and tell the perplexity before and after; may be"
    " repeated.",
)
@encoding_option
def command(
    model_path: Path,
    output: Path | None,
    bits: str | None,
    ngrams: int | None,
    valid: tuple[str, ...],
    encoding: str,
) -> None:
    """Make a model smaller: numbers of 8 or 16 bits instead of 32, and fewer n-grams.

    The n-grams that stay are those whose loss would cost most. Prints the path of the new file.

    \b
    rnncli compress models/corpus.npz --bits 8
    rnncli compress models/corpus.npz --bits 8 --ngrams 1M --valid held-out.txt -o models/small.npz
    """
    from ..storage.atomic import DEFAULT_FOLDER, MODEL, check_folder, check_writable
    from ..storage.model_file import save
    from ..tasks.compress import compress, perplexity_on, retuned

    if bits is None and ngrams is None:
        raise click.UsageError("there is nothing to do: name --bits, --ngrams, or both.")
    output = output or DEFAULT_FOLDER / f"{model_path.stem}{ADDED}.npz"
    check_folder(output)
    check_writable(output, MODEL)
    model = load_model(model_path)
    check_learned_stays(output, model_path)
    text = _held_out(model, valid, encoding) if valid else None
    with reading() as progress:
        small = compress(model, int(bits) if bits else None, ngrams, progress=progress)
    cost = ""
    if text is not None:
        small = retuned(small, text)
        # Both are tuned on the text, so that their difference is what the compression costs.
        before, after = (perplexity_on(one, text) for one in (retuned(model, text), small))
        old, new = map(format_perplexity, (before, after))
        cost = f"Perplexity {old} before, {new} now ({after / before - 1:+.1%})."
    size = model_path.stat().st_size
    save(small, output)
    tell(f"{format_bytes(size)} before, {format_bytes(output.stat().st_size)} now.")
    if cost:
        tell(cost)
    click.echo(escape_controls(str(output)))


def _held_out(model: Model, sources: tuple[str, ...], encoding: str) -> Tokens:
    """Return the words of some texts."""
    from ..errors import TextError
    from ..tasks.texts import tokens_for

    tokens = tokens_for(model, sources, encoding, warn_of_text)
    if tokens.words() == 0:
        raise TextError(f"{sources[0]} holds no word to tune on")
    return tokens
