"""rnncli generate"""

import itertools
from pathlib import Path
from typing import Any

import click

from .options import Count, Text, load_model, model_option
from .output import for_stdout, put, send, warn_of_unknown


@click.command("generate")
@click.argument("prompt", default="")
@model_option
@click.option(
    "-n",
    "words",
    type=Count(0),
    help="How many words to write, at most.  [default: 50; 200 for each of the --sentences]",
)
@click.option("--sentences", type=click.IntRange(1), metavar="N", help="End after so many sentences.")
@click.option("--stop", type=Text(), multiple=True, metavar="TEXT", help="End before this text; may be repeated.")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=0.8,
    show_default=True,
    help="Below 1 the likely words become likelier still; 0: always the likeliest.",
)
@click.option(
    "--top-k", type=click.IntRange(0), default=0, help="Draw only from the N likeliest words.  [default: all]"
)
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Draw only from the likeliest words that together hold this probability.",
)
@click.option(
    "--min-p",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Draw only from words at least this share as likely as the likeliest one.",
)
@click.option(
    "--repetition-penalty",
    type=click.FloatRange(1),
    default=1.0,
    show_default=True,
    help="Multiply the log-probability of words that stand in the text already.",
)
@click.option("--no-repeat", type=click.IntRange(1), metavar="N", help="Write no N words twice in the same order.")
@click.option("--seed", type=click.IntRange(0), help="The same seed gives the same text.")
@click.option("--samples", type=click.IntRange(1), default=1, show_default=True, help="How many texts to write.")
@click.option(
    "--novelty", is_flag=True, help="Tell what share of the 3-, 4- and 5-word sequences stands in the training text."
)
def command(
    prompt: str,
    model_path: Path | None,
    words: int | None,
    sentences: int | None,
    stop: tuple[str, ...],
    seed: int | None,
    samples: int,
    novelty: bool,
    no_repeat: int | None,
    **sampling: Any,
) -> None:
    """Write on after a prompt, or from nothing.

    Samples are separated by a blank line. What --novelty tells goes to standard error, and comes from the model's
    n-grams: of a long training text, or after train --prune, those that occurred once are not among them, and count
    as new.

    \b
    rnncli generate "Tom is not good at science, so he will" -n 30
    rnncli generate "Dear Tom," --sentences 3 --min-p 0.05 --no-repeat 3
    rnncli generate --samples 3 --seed 7 --novelty
    """
    from numpy.random import SeedSequence

    from ..generation import copied
    from ..generation import generate as write_on

    model = load_model(model_path, checked=False)
    ngram = model.ngram if novelty else None
    beginning = prompt if model.tokenizer.kind == "char" else prompt.rstrip()  # a word brings its own space
    warn_of_unknown(model.encode(prompt)[1])
    seeds = SeedSequence(seed)
    for place in range(samples):
        writer = write_on(
            model,
            prompt,
            words,
            sentences=sentences or 0,
            stop=stop,
            seed=seeds.spawn(1)[0] if place else seeds,
            no_repeat=no_repeat or 0,
            **sampling,
        )
        if place:
            put("\n")
        for piece in itertools.chain([beginning], writer):
            put("\n".join(map(for_stdout, piece.split("\n"))))
            send()
        put("\n")
        if ngram:
            shares = copied(ngram, writer).items()
            told = ", ".join(f"{n} words {'-' if share is None else f'{share:.0%}'}" for n, share in shares)
            send()
            click.echo(f"Sequences that stand in the training text: {told}", err=True)
