"""rnncli score"""

import math
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..errors import TextError
from .answering import Unanswered, answered
from .options import encoding_option, format_option, given, load_model, model_option
from .output import (
    chosen_format,
    for_stdout,
    number,
    on_terminal,
    print_json,
    print_row,
    print_table,
    print_tsv,
    put,
    warn_of_unknown,
)

AT_ONCE = 2000  # lines that are scored together
BASES = {"e": math.e, "2": 2.0, "10": 10.0}
WIDTHS = (11, 5, 7, 10)  # of a table's columns; the line takes the rest


class Scored(NamedTuple):
    """A line, the field that tells which other lines it is compared with, and how likely it is."""

    line: str
    key: str
    score: Any  # an `rnncli.scoring.Score`

    @property
    def merit(self) -> tuple[int, float]:
        """What lines are compared by. An unknown word costs little by itself, as it may be any: so it comes first."""
        return -len(self.score.unknown_words), self.score.log_probability


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
    help="Of all lines with the same Nth field print only the likeliest of those with the fewest unknown words.",
)
@format_option
@encoding_option
def command(
    file: str,
    model_path: Path | None,
    words: bool,
    log_base: str,
    field: int | None,
    best_by: int | None,
    output_format: str | None,
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
    from ..text.reading import read_batches, source_name

    if words and best_by:
        if given("words") == given("best_by"):
            raise click.UsageError("--words and --best-by do not go together: choose one of them.")
        words, best_by = given("words"), best_by if given("best_by") else None  # the environment gives way
    if best_by and not field:
        if given("best_by"):
            raise click.UsageError("--best-by needs --field, the number of the field that is scored.")
        best_by = None
    model = load_model(model_path, checked=False)
    if file == "-" and on_terminal(sys.stdin):
        click.echo("Type a sentence, then Enter; Ctrl-D ends.", err=True)
    chosen = chosen_format(output_format)
    show = partial(_print, unit=math.log(BASES[log_base]), words=words, output_format=chosen)
    if chosen == "table" and not words:
        print_row(("log-prob", "words", "unknown", "perplexity"), WIDTHS, "line")
    best: dict[str, Scored] = {}  # of all lines with the same field, in the order of the first ones
    asked = partial(_ask, model, field=field, key_field=best_by)
    for answer in answered(read_batches(file, encoding, "surrogateescape"), asked, AT_ONCE, source_name(file)):
        if not best_by:
            show(answer)
        elif isinstance(answer, Scored):
            before = best.setdefault(answer.key, answer)
            if answer.merit > before.merit:
                best[answer.key] = answer
    for answer in best.values():
        show(answer)


def _ask(model, lines: list[str], field: int | None, key_field: int | None) -> Iterable[Scored]:
    from ..scoring import score_all

    texts, keys = ([_field(line, place) for line in lines] if place else lines for place in (field, key_field))
    return map(Scored, lines, keys, score_all(model, texts))


def _field(line: str, place: int) -> str:
    fields = line.split("\t")
    if len(fields) < place:
        raise TextError(f"there is no field {place} in {line[:40]!r}: fields are separated by tabs")
    return fields[place - 1]


def _print(answer: Scored | Unanswered, unit: float, words: bool, output_format: str) -> None:
    if isinstance(answer, Unanswered):
        if output_format == "jsonl":
            print_json({"line": answer.line, "error": answer.error})
        elif words:
            put("\n")
        else:
            _print_columns((None,) * len(WIDTHS), answer.line, output_format)
        return
    from ..text.vocabulary import EOS

    line, _, score = answer
    warn_of_unknown(score.unknown_words)
    total = score.log_probability / unit
    each = [(word, p / unit) for word, p in zip([*score.words, EOS], score.word_log_probabilities, strict=True)]
    if output_format == "jsonl":
        record = {
            "line": line,
            "log_probability": total,
            "words": len(score.words),
            "unknown_words": score.unknown_words,
            "perplexity": score.perplexity,
        }
        print_json(record | ({"word_log_probabilities": each} if words else {}))
    elif words:
        _print_words(each, line, output_format)
    else:
        columns = (total, len(score.words), len(score.unknown_words), score.perplexity)
        _print_columns(columns, line, output_format)


def _print_words(each: list[tuple[str, float]], line: str, output_format: str) -> None:
    if output_format == "tsv":
        print_tsv(each)
    else:
        least = min(p for _, p in each) or -1
        print_table([(word, f"{p:.4f}", p / least) for word, p in each], ["~", ">", "|"], title=line)
    put("\n")


def _print_columns(columns: tuple[Any, ...], line: str, output_format: str) -> None:
    if output_format == "table":
        total, *counts, perplexity = columns
        shown = (f"{total:.4f}", *map(str, counts), f"{perplexity:.4g}") if perplexity else "-" * len(columns)
        print_row(shown, WIDTHS, line.replace("\t", "  "))
    else:
        put("\t".join([*map(number, columns), *map(for_stdout, line.split("\t"))]) + "\n")
