"""rnncli evaluate"""

from dataclasses import asdict
from pathlib import Path

import click

from .options import encoding_option, format_option, load_model, model_option
from .output import print_record


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@model_option
@encoding_option
@format_option
def evaluate(texts: tuple[str, ...], model_path: Path | None, encoding: str, output_format: str | None) -> None:
    """Measure how well a model predicts a text.

    Perplexity is per word, the end of each line counting as one; the accuracies are the shares of words that were
    among the 1, 3, 5 and 10 likeliest next words. A TEXT is a file, a folder, or - for standard input.

    \b
    rnncli evaluate test.txt
    rnncli evaluate -m models/corpus.npz test.txt --format jsonl
    """
    from ..evaluation import evaluate as measure

    evaluation = measure(load_model(model_path), texts, encoding)
    print_record(asdict(evaluation), output_format, title=f"{texts[0]}{' ...' if texts[1:] else ''}")
