"""rnncli score"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import TextError, quoted
from .answering import answer_lines
from .formats import Verbatim, format_option, print_answers, print_result
from .options import WholeNumber, encoding_option, load_model, model_option, named_in_command
from .output import on_terminal, tell, unknown_words_warning
from .ranks import all_ranks, timeout_option
from .tables import FixedRow, Table, readable_word

if TYPE_CHECKING:
    from ..model import Model
    from ..ranks import Ranks
    from ..tasks.score import Score

LINES_PER_BATCH = 2000
LOG_BASES = {"e": math.e, "2": 2.0, "10": 10.0}
COLUMNS = {"log-prob": 11, "words": 5, "unknown": 7, "perplexity": 10}  # their widths; the line takes the rest


@click.command("score")
@click.argument("file", default="-", metavar="[FILE]", type=click.Path())
@model_option
@click.option("--words", is_flag=True, help="Show the log-probability of each word.")
@click.option(
    "--log-base", type=click.Choice(list(LOG_BASES)), default="e", show_default=True, help="The base of the logarithms."
)
@click.option("--field", type=WholeNumber(1), metavar="N", help="Score only the Nth of the tab-separated fields.")
@click.option(
    "--best-by",
    type=WholeNumber(1),
    metavar="N",
    help="With --field: of all lines with the same Nth field, print only the likeliest.",
)
@format_option
@encoding_option
@timeout_option
def command(
    file: str,
    model_path: Path | None,
    words: bool,
    log_base: str,
    field: int | None,
    best_by: int | None,
    output_format: str,
    encoding: str,
    mpi_timeout: float,
) -> None:
    """Tell how likely each line of a text is.

    For each line, in order, score prints its log-probability, its number of words, its number of unknown words, its
    perplexity per word, and the line itself. The end of the line counts as a word of the log-probability and the
    perplexity. With --words it prints each word of the line with its log-probability, then the end (<eos> in
    a pipe), then a blank line. FILE is a text file, or - for standard input, whose lines are answered as they come.

    \b
    rnncli score sentences.txt | sort -rn | head
    echo "The keys are here." | rnncli score --words
    rnncli score --field 2 --best-by 1 nbest.tsv
    """
    from ..tasks.alike import check_same_model
    from ..text.reading import read_batches, source_name

    words, best_by = _checked(words, best_by, field)
    with all_ranks(mpi_timeout) as job:
        model = load_model(model_path, checked=False)
        check_same_model(job.ranks, model)
        if not job.ranks.is_first:
            _help_to_score(model, job.ranks)
            return
        if file == "-" and on_terminal(sys.stdin):
            tell("Type a sentence, then Enter; Ctrl-D ends.")
        if not words:
            print_result(Heading(), output_format)
        unit = math.log(LOG_BASES[log_base])
        ask = partial(_score, model, job.ranks, field=field, key_field=best_by, unit=unit, by_word=words)
        batches = read_batches(file, encoding, "surrogateescape")
        failed = partial(UnscoredLine, by_word=words)
        answers = answer_lines(batches, ask, failed, lines_per_call=LINES_PER_BATCH, source=source_name(file))
        print_answers(_best_of_each_key(answers) if best_by else answers, output_format, separated=False)
        job.ranks.first(None)  # there are no more lines


def _help_to_score(model: Model, ranks: Ranks) -> None:
    """Score lines with the first rank, which reads them and prints the scores."""
    from ..tasks.score import score_all

    while (lines := ranks.first(None)) is not None:
        score_all(model, lines, ranks)


def _checked(words: bool, best_by: int | None, field: int | None) -> tuple[bool, int | None]:
    """--words and --best-by. Refuses options that do not go together; one from the environment gives way."""
    if words and best_by:
        if named_in_command("words") == named_in_command("best_by"):
            raise click.UsageError("--words and --best-by do not go together: choose one of them.")
        words = named_in_command("words")
        best_by = best_by if named_in_command("best_by") else None
    if best_by and not field:
        if named_in_command("best_by"):
            raise click.UsageError("--best-by needs --field, the number of the field that is scored.")
        best_by = None
    return words, best_by


def _score(
    model: Model,
    ranks: Ranks,
    lines: list[str],
    *,
    field: int | None,
    key_field: int | None,
    unit: float,
    by_word: bool,
) -> Iterable[ScoredLine]:
    from ..tasks.score import score_all

    texts = _fields(lines, field)
    keys = _fields(lines, key_field)
    scores = score_all(model, ranks.first(texts), ranks)
    return [
        ScoredLine(line, key, score, unit, by_word, model.unit)
        for line, key, score in zip(lines, keys, scores, strict=True)
    ]


def _fields(lines: list[str], place: int | None) -> list[str]:
    """The field of each line at this place, from 1; without a place the whole lines."""
    if place is None:
        return lines
    fields = []
    for line in lines:
        columns = line.split("\t")
        if len(columns) < place:
            raise TextError(f"there is no field {place} in {quoted(line)}: fields are separated by tabs")
        fields.append(columns[place - 1])
    return fields


def _best_of_each_key(answers: Iterable[ScoredLine | UnscoredLine]) -> Iterable[ScoredLine]:
    """The likeliest of all lines with the same key, in the order of the first ones."""
    best: dict[str, ScoredLine] = {}
    for answer in answers:
        if isinstance(answer, ScoredLine):
            kept = best.setdefault(answer.key, answer)
            if answer.score.log_probability > kept.score.log_probability:
                best[answer.key] = answer
    return best.values()


class Heading(NamedTuple):
    """The heading of the table of lines."""

    def records(self) -> Iterable[dict[str, Any]]:
        return ()

    def rows(self) -> Iterable[tuple[Any, ...]]:
        return ()

    def tables(self) -> Iterable[FixedRow]:
        return [_row(tuple(COLUMNS), "line")]


class ScoredLine(NamedTuple):
    """A line and how likely it is, as a whole or word by word."""

    line: str
    key: str  # the field that says which lines it is compared with
    score: Score
    unit: float  # nats, of the log-probabilities shown
    by_word: bool
    model_unit: str

    @property
    def log_probability(self) -> float:
        return self.score.log_probability / self.unit

    @property
    def words(self) -> list[tuple[str, float]]:
        """Each word with its log-probability, the end of the line as the last."""
        from ..text.vocabulary import EOS

        names = [*self.score.words, EOS]
        return [(name, p / self.unit) for name, p in zip(names, self.score.word_log_probabilities, strict=True)]

    def warnings(self) -> Iterable[str]:
        return [unknown_words_warning(self.score.unknown_words)] if self.score.unknown_words else ()

    def records(self) -> Iterable[dict[str, Any]]:
        record = {
            "line": self.line,
            "log_probability": self.log_probability,
            "words": len(self.score.words),
            "unknown_words": self.score.unknown_words,
            "perplexity": self.score.perplexity,
        }
        return [record | ({"word_log_probabilities": self.words} if self.by_word else {})]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        if self.by_word:
            return [*self.words, ()]
        counts = (len(self.score.words), len(self.score.unknown_words))
        return [(self.log_probability, *counts, self.score.perplexity, *map(Verbatim, self.line.split("\t")))]

    def tables(self) -> Iterable[Table | FixedRow | str]:
        if self.by_word:
            lowest = min(p for _, p in self.words) or -1
            rows = [(readable_word(word, self.model_unit), f"{p:.4f}", p / lowest) for word, p in self.words]
            return [Table(rows, ["~", ">", "|"], title=self.line), ""]
        counts = (str(len(self.score.words)), str(len(self.score.unknown_words)))
        return [_row((f"{self.log_probability:.4f}", *counts, f"{self.score.perplexity:.4g}"), self.line)]


class UnscoredLine(NamedTuple):
    """A line that has no score, and why."""

    line: str
    error: str
    by_word: bool

    def warnings(self) -> Iterable[str]:
        return ()

    def records(self) -> Iterable[dict[str, Any]]:
        return [{"line": self.line, "error": self.error}]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        return [() if self.by_word else (*[None] * len(COLUMNS), *map(Verbatim, self.line.split("\t")))]

    def tables(self) -> Iterable[FixedRow | str]:
        return ["" if self.by_word else _row("-" * len(COLUMNS), self.line)]


def _row(cells: tuple[str, ...] | str, line: str) -> FixedRow:
    return FixedRow(cells, tuple(COLUMNS.values()), line.replace("\t", "  "))
