"""rnncli generate"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .answering import STDIN, is_piped, stdin_lines
from .options import Count, Number, TextType, WholeNumber, encoding_option, gives_way, load_model, model_option
from .output import flush, for_stdout, on_terminal, tell, unknown_words_warning, warn, write

if TYPE_CHECKING:
    from ..lm.ngram import NGram
    from ..model import Model
    from ..tasks.generate import Writer


DEFAULT_TEMPERATURE = 0.8


@click.command("generate")
@click.argument("prompt", required=False)
@model_option
@encoding_option
@click.option(
    "-n",
    "words",
    type=Count(0),
    help="The most words to write.  [default: 50; 200 for each of the --sentences]",
)
@click.option("--sentences", type=WholeNumber(1), metavar="N", help="End after N sentences.")
@click.option("--stop", type=TextType(), multiple=True, metavar="TEXT", help="End before this text; may be repeated.")
@click.option(
    "--temperature",
    type=Number(0),
    default=DEFAULT_TEMPERATURE,
    show_default=True,
    help="Below 1, likely words become more likely; 0 always takes the likeliest.",
)
@click.option("--top-k", type=WholeNumber(0), default=0, help="Draw only from the N likeliest words.  [default: all]")
@click.option(
    "--top-p",
    type=Number(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Draw only from the likeliest words that together have this probability.",
)
@click.option(
    "--min-p",
    type=Number(0, 1),
    default=0.0,
    show_default=True,
    help="Draw only from words with at least this fraction of the likeliest word's probability.",
)
@click.option(
    "--repetition-penalty",
    type=Number(1),
    default=1.0,
    show_default=True,
    help="Multiply the log-probability of words that the text already holds by this number.",
)
@click.option(
    "--no-repeat",
    type=WholeNumber(1),
    metavar="N",
    help="Never repeat N words in a row that the text so far holds, the prompt included.",
)
@click.option("--seed", type=WholeNumber(0), help="The same seed gives the same text.")
@click.option("--samples", type=WholeNumber(1), default=1, show_default=True, help="How many texts to write.")
@click.option(
    "--novelty", is_flag=True, help="Tell what fraction of the 3-, 4- and 5-word sequences have been seen before."
)
def command(
    prompt: str | None,
    model_path: Path | None,
    encoding: str,
    words: int | None,
    sentences: int | None,
    no_repeat: int | None,
    stop: tuple[str, ...],
    seed: int | None,
    samples: int,
    novelty: bool,
    **options: Any,
) -> None:
    """Continue a prompt, or write a text from nothing.

    Without a PROMPT, generate reads prompts from standard input, one a line, unless that is a terminal; for - it always
    does. Each line begins a text of its own, and a blank line separates the texts, and their samples. --novelty writes
    to standard error. It looks sequences up in the model's n-grams. In a model of a long training text, or one trained
    with --prune, these lack the sequences that occurred once, which then count as new.

    \b
    rnncli generate "I would like to" -n 30
    rnncli generate "Dear Tom," --sentences 3 --no-repeat 3
    rnncli generate --samples 3 --seed 7 --novelty
    echo "Dear Tom," | rnncli generate
    """
    from numpy.random import SeedSequence

    from ..tasks.generate import Limits, generate
    from ..tasks.sampling import Sampling

    limits = Limits(words, sentences or 0, stop)
    sampling = Sampling(no_repeat=no_repeat or 0, **_checked(options))
    model = load_model(model_path, checked=False)
    ngrams = _ngrams(model) if novelty else []
    is_first = True
    for beginning in _prompts(prompt, encoding):
        if warning := unknown_words_warning(model.encode(beginning)[1]):
            warn(warning)
        seeds = SeedSequence(seed)  # a prompt's text does not depend on the prompts before it
        for place in range(samples):
            if not is_first:
                write("\n")
            is_first = False
            writer = generate(model, beginning, limits, sampling, seeds.spawn(1)[0] if place else seeds)
            _write_text(model, beginning, writer)
            if novelty:
                _print_novelty(ngrams, writer)


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options of sampling. Refuses what a temperature of 0 makes meaningless, or lets that give way."""
    because = "--temperature 0 always takes the likeliest word: leave out {others}."
    if options["temperature"] == 0 and gives_way("temperature", "top_k", "top_p", "min_p", "samples", because=because):
        return options | {"temperature": DEFAULT_TEMPERATURE}
    return options


def _prompts(prompt: str | None, encoding: str) -> Iterator[str]:
    """The prompt in the command, else the lines of standard input; an empty prompt if there is neither."""
    if prompt not in (None, STDIN):
        return iter([prompt])
    if prompt is None and not is_piped():
        return iter([""])
    if on_terminal(sys.stdin):
        tell("Type a prompt, then Enter; Ctrl-D ends.")
    lines = stdin_lines(encoding)
    first = next(lines, "")
    return (line for line in itertools.chain([first], lines) if line is not None)


def _write_text(model: Model, prompt: str, writer: Writer) -> None:
    """Write a text word by word."""
    beginning = prompt if model.tokenizer.is_char else prompt.rstrip()  # a word brings its own space
    for piece in itertools.chain([beginning], writer):
        write("\n".join(map(for_stdout, piece.split("\n"))))
        flush()
    write("\n")


def _ngrams(model: Model) -> list[NGram]:
    """The n-grams of all parts, those of what was learned too. Raises `ModelError` where there are none."""
    from ..lm.ngram_beside import ngram_of

    return [ngram for part in model.lm.parts if (ngram := ngram_of(part)) is not None] or [model.ngram]


def _print_novelty(ngrams: Sequence[NGram], writer: Writer) -> None:
    from ..tasks.generate import copied_fractions

    found = copied_fractions(ngrams, writer)
    fractions = ", ".join(f"{n} words {'-' if value is None else f'{value:.0%}'}" for n, value in found.items())
    flush()
    tell(f"Sequences that the n-grams have seen: {fractions}")
