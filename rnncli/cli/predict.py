"""rnncli predict"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .options import encoding_option, format_option, load_model, model_option
from .output import chosen_format, on_terminal, print_json, print_table, print_tsv, warn_of_unknown
from .progress import reading


@click.command()
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@model_option
@click.option("-n", "count", type=click.IntRange(0), default=10, show_default=True, help="How many words; 0: all.")
@click.option("--parts", is_flag=True, help="Show what each part of the model gives to each word.")
@click.option(
    "--adapt",
    "texts",
    type=click.Path(),
    multiple=True,
    help="A text to read and learn from before; may be repeated.",
)
@format_option
@encoding_option
def predict(
    prompts: tuple[str, ...],
    model_path: Path | None,
    count: int,
    parts: bool,
    texts: tuple[str, ...],
    output_format: str | None,
    encoding: str,
) -> None:
    """Rank the words that may come next, with their probabilities.

    Prompts are read from standard input, one a line, where none is given; each is answered at once.

    \b
    rnncli predict "Tom is not good at science, so he will"
    rnncli predict --adapt letters.txt "Dear Tom,"
    rnncli predict -n 3 --format jsonl < prompts.txt
    """
    from ..prediction import rank
    from ..text.reading import STDIN, read_lines

    model = load_model(model_path)
    if texts:
        with reading() as progress:
            model = model.adapted(texts, encoding, progress=progress)
    chosen = chosen_format(output_format)
    if not prompts and on_terminal(sys.stdin):
        click.echo("Type a prompt, then Enter; Ctrl-D ends.", err=True)
    names = model.lm.parts if parts else ()
    first = True
    for prompt in prompts or read_lines(STDIN, encoding):
        ranking = rank(model, prompt, count, parts)
        warn_of_unknown(ranking.unknown_words)
        if chosen != "jsonl" and not first:
            click.echo()
        first = False
        if chosen == "jsonl":
            _print_json(ranking)
        elif chosen == "tsv":
            print_tsv([(*prediction, *given.values()) for prediction, given in _rows(ranking)])
        else:
            _print_table(ranking, names, title=prompt if len(prompts) != 1 else "")


def _rows(ranking) -> list[tuple[Any, dict[str, float]]]:
    """Each word that is predicted with what each part gave it, if that was asked for."""
    return list(zip(ranking.predictions, ranking.parts or [{}] * len(ranking.predictions), strict=True))


def _print_json(ranking) -> None:
    predictions = [prediction._asdict() | ({"parts": given} if given else {}) for prediction, given in _rows(ranking)]
    print_json({"prompt": ranking.prompt, "predictions": predictions, "unknown_words": ranking.unknown_words})


def _print_table(ranking, names: Sequence[str], title: str) -> None:
    best = ranking.predictions[0].probability if ranking.predictions else 1.0
    rows = [
        (
            str(place),
            word if word.strip() else repr(word),
            f"{probability:.4f}",
            *([f"{part:.4f}" for part in given.values()] if names else [probability / best]),
        )
        for place, ((word, probability), given) in enumerate(_rows(ranking), 1)
    ]
    last = [">"] * len(names) if names else ["|"]
    print_table(rows, [">", "~", ">", *last], title=title, header=["rank", "word", "probability", *(names or [""])])
