"""rnncli generate"""

import sys
from pathlib import Path

import click

from .options import load_model, model_option
from .output import on_terminal, visible, warn_of_unknown


@click.command()
@click.argument("prompt", default="")
@model_option
@click.option("-n", "words", type=click.IntRange(0), default=50, show_default=True, help="How many words to write.")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=0.8,
    show_default=True,
    help="Below 1 the likely words become likelier still; 0: always the likeliest.",
)
@click.option("--top-k", type=click.IntRange(0), default=0, help="Only of the K likeliest words.  [default: all]")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Only of the likeliest words that together hold this probability.",
)
@click.option("--seed", type=click.IntRange(0), help="The same seed gives the same text.")
@click.option("--samples", type=click.IntRange(1), default=1, show_default=True, help="How many texts to write.")
def generate(
    prompt: str,
    model_path: Path | None,
    words: int,
    temperature: float,
    top_k: int,
    top_p: float,
    seed: int | None,
    samples: int,
) -> None:
    """Write on after a prompt, or from nothing.

    Samples are separated by a blank line.

    \b
    rnncli generate "Tom is not good at science, so he will" -n 30
    rnncli generate --samples 3 --seed 7
    """
    from numpy.random import SeedSequence

    from ..generation import generate as write_on

    model = load_model(model_path)
    shown = visible if on_terminal(sys.stdout) else str
    beginning = prompt if model.tokenizer.kind == "char" else prompt.rstrip()  # a word brings its own space
    warn_of_unknown(model.encode(prompt)[1])
    seeds = SeedSequence(seed)
    for place, sample_seed in enumerate([seeds, *seeds.spawn(samples - 1)]):
        if place:
            click.echo()
        click.echo("\n".join(map(shown, beginning.split("\n"))), nl=False)
        pieces = write_on(model, prompt, words, temperature=temperature, top_k=top_k, top_p=top_p, seed=sample_seed)
        for piece in pieces:
            click.echo(piece if piece == "\n" else shown(piece), nl=False)
        click.echo()
