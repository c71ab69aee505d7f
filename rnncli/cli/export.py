"""rnncli export"""

from __future__ import annotations

import itertools
from pathlib import Path

import click

from .options import load_model, model_option
from .output import escape_controls, for_stdout, write

LINES_PER_WRITE = 10_000


@click.command("export")
@model_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["arpa"]),
    default="arpa",
    show_default=True,
    help="arpa: the n-grams, for SRILM, KenLM and others.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: standard output]",
)
def command(model_path: Path | None, kind: str, output: Path | None) -> None:
    """Write a part of a model in a format of other programs.

    \b
    rnncli export --format arpa -o corpus.arpa
    rnncli export -m models/corpus.npz | gzip > corpus.arpa.gz
    """
    from ..lm.arpa import arpa_lines
    from ..storage.atomic import ARPA, write_lines

    model = load_model(model_path)
    lines = arpa_lines(model.ngram, model.vocabulary.words)
    if output is None or str(output) == "-":
        while block := "".join(f"{for_stdout(line)}\n" for line in itertools.islice(lines, LINES_PER_WRITE)):
            write(block)
        return
    write_lines(lines, output, ARPA)
    click.echo(escape_controls(str(output)))
