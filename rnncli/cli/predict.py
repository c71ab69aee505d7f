"""rnncli predict"""

import sys
from pathlib import Path

import click

from .options import encoding_option, format_option, load_model, model_option
from .output import chosen_format, on_terminal, print_json, print_table, print_tsv, warn_of_unknown


@click.command()
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@model_option
@click.option("-n", "count", type=click.IntRange(0), default=10, show_default=True, help="How many words; 0: all.")
@format_option
@encoding_option
def predict(
    prompts: tuple[str, ...], model_path: Path | None, count: int, output_format: str | None, encoding: str
) -> None:
    """Rank the words that may come next, with their probabilities.

    Prompts are read from standard input, one a line, where none is given; each is answered at once.

    \b
    rnncli predict "Tom is not good at science, so he will"
    rnncli predict -n 3 --format jsonl < prompts.txt
    """
    from ..prediction import rank
    from ..text.reading import STDIN, read_lines

    model = load_model(model_path)
    chosen = chosen_format(output_format)
    if not prompts and on_terminal(sys.stdin):
        click.echo("Type a prompt, then Enter; Ctrl-D ends.", err=True)
    first = True
    for prompt in prompts or read_lines(STDIN, encoding):
        ranking = rank(model, prompt, count)
        warn_of_unknown(ranking.unknown_words)
        if chosen == "jsonl":
            print_json(
                {
                    "prompt": ranking.prompt,
                    "predictions": [prediction._asdict() for prediction in ranking.predictions],
                    "unknown_words": ranking.unknown_words,
                }
            )
            continue
        if not first:
            click.echo()
        first = False
        if chosen == "tsv":
            print_tsv(ranking.predictions)
        else:
            best = ranking.predictions[0].probability if ranking.predictions else 1.0
            rows = [
                (str(place), word if word.strip() else repr(word), f"{probability:.4f}", probability / best)
                for place, (word, probability) in enumerate(ranking.predictions, 1)
            ]
            title = prompt if len(prompts) != 1 else ""
            print_table(rows, [">", "~", ">", "|"], title=title, header=["rank", "word", "probability", ""])
