"""rnncli score"""

import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ..errors import TextError
from .answering import answered
from .options import encoding_option, load_model, model_option
from .output import number, on_terminal, print_json, print_tsv, visible, warn_of_unknown

AT_ONCE = 2000  # lines that are scored together
BASES = {"e": math.e, "2": 2.0, "10": 10.0}


@click.command("score")
@click.argument("file", default="-", metavar="[FILE]", type=click.Path())
@model_option
@click.option("--words", is_flag=True, help="Show the log-probability of each word.")
@click.option(
    "--log-base", type=click.Choice(list(BASES)), default="e", show_default=True, help="The base of the logarithms."
)
@click.option("--field", type=click.IntRange(1), metavar="N", help="Score the Nth of the fields that tabs separate.")
@click.option(
    "--best-by",
    type=click.IntRange(1),
    metavar="N",
    help="Of all lines with the same Nth field print only the likeliest.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["tsv", "jsonl"]),
    default="tsv",
    show_default=True,
    help="Columns with tabs between, or JSON lines.",
)
@encoding_option
def command(
    file: str,
    model_path: Path | None,
    words: bool,
    log_base: str,
    field: int | None,
    best_by: int | None,
    output_format: str,
    encoding: str,
) -> None:
    """Tell how likely each line of a text is.

    For each line, in order: its log-probability, with that of its end; how many words it has; how many of them are
    unknown; its perplexity per word, the end counting as one; and the line itself. With --words a line for each word
    and its log-probability, the end being <eos>, and a blank line after them. FILE is a text file, or - for standard
    input, whose lines are answered as they come.

    \b
    rnncli score sentences.txt | sort -rn | head
    echo "The keys are here." | rnncli score --words
    rnncli score --field 2 --best-by 1 nbest.tsv
    """
    from ..text.reading import read_batches

    if words and best_by:
        raise click.UsageError("--words and --best-by do not go together: choose one of them.")
    if best_by and not field:
        raise click.UsageError("--best-by needs --field, the number of the field that is scored.")
    model = load_model(model_path, checked=False)
    if file == "-" and on_terminal(sys.stdin):
        click.echo("Type a sentence, then Enter; Ctrl-D ends.", err=True)
    scored = _scored(model, read_batches(file, encoding), field)
    for line, found in _best(scored, best_by) if best_by else scored:
        warn_of_unknown(found.unknown_words)
        _print(line, found, math.log(BASES[log_base]), words, output_format)


def _scored(model, batches: Iterable[list[str]], field: int | None) -> Iterator[tuple[str, Any]]:
    """Every line and its score."""
    from ..scoring import score_all

    def ask(lines: list[str]) -> Iterable[tuple[str, Any]]:
        texts = [_field(line, field) for line in lines] if field else lines
        return zip(lines, score_all(model, texts), strict=True)

    return answered(batches, ask, AT_ONCE)


def _best(scored: Iterable[tuple[str, Any]], place: int) -> Iterable[tuple[str, Any]]:
    """Of all lines with the same field in some place the likeliest, in the order of the first ones."""
    best: dict[str, tuple[str, Any]] = {}
    for line, found in scored:
        key = _field(line, place)
        if key not in best or found.log_probability > best[key][1].log_probability:
            best[key] = line, found
    return best.values()


def _field(line: str, place: int) -> str:
    fields = line.split("\t")
    if len(fields) < place:
        raise TextError(f"there is no field {place} in {line[:40]!r}: fields are separated by tabs")
    return fields[place - 1]


def _print(line: str, found, unit: float, words: bool, output_format: str) -> None:
    from ..text.vocabulary import EOS

    total = found.log_probability / unit
    each = zip([*found.words, EOS], (value / unit for value in found.word_log_probabilities), strict=True)
    if output_format == "jsonl":
        record = {
            "line": line,
            "log_probability": total,
            "words": len(found.words),
            "unknown_words": found.unknown_words,
            "perplexity": found.perplexity,
        }
        print_json(record | ({"word_log_probabilities": [list(pair) for pair in each]} if words else {}))
    elif words:
        print_tsv(list(each))
        click.echo()
    else:
        columns = (total, len(found.words), len(found.unknown_words), found.perplexity)
        shown = visible if on_terminal(sys.stdout) else str
        click.echo("\t".join([*map(number, columns), *map(shown, line.split("\t"))]))
