"""rnncli evaluate"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..callbacks import OnProgress
from .answering import check_stdin_once, named_texts
from .formats import format_option, print_result
from .options import encoding_option, load_model, model_option, named_in_command
from .output import warn
from .progress import MIN_TELLING_WORDS, reading
from .ranks import all_ranks, timeout_option
from .tables import Table, record_table
from .texts import warn_of_text

if TYPE_CHECKING:
    from ..model import Model
    from ..ranks import Ranks
    from ..tasks.context import ContextPoint
    from ..tasks.evaluate import Evaluation


@click.command("evaluate")
@click.argument("texts", nargs=-1, metavar="[TEXT]...", type=click.Path())
@model_option
@encoding_option
@format_option
@click.option("--dynamic", is_flag=True, help="Let the model learn from the text as it reads: several times slower.")
@click.option(
    "--context",
    is_flag=True,
    help="Instead: show the perplexity given only the last 1, 2, 4, ... words, and given all.",
)
@timeout_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the calibration, and the perplexity by word frequency; with --context draw its curve. A .png, .svg or"
    " .pdf file.",
)
def command(
    texts: tuple[str, ...],
    model_path: Path | None,
    encoding: str,
    output_format: str,
    dynamic: bool,
    context: bool,
    mpi_timeout: float,
    plot: Path | None,
) -> None:
    """Measure how well a model predicts a text.

    Perplexity is per word, of the whole model and of each of its parts alone; the end of each unit (a line or a
    paragraph) counts as a word. Accuracy at k is the fraction of words that were among the k likeliest next words.
    Keystrokes saved is the fraction of keys that a writer need not press if the three likeliest words that begin with
    the letters typed so far are on offer, and one key accepts one. The calibration error is the mean distance between
    the probability of the likeliest word and how often it is right. A TEXT is a file, a folder, or - for standard
    input.

    \b
    rnncli evaluate test.txt
    rnncli evaluate -m models/corpus.npz test.txt --format jsonl
    rnncli evaluate --context test.txt --plot context.png
    """
    from ..tasks.context import context_curve
    from ..text.reading import source_name

    texts = named_texts(texts, "TEXT")
    check_stdin_once(texts)
    if context and dynamic:
        if named_in_command("context") == named_in_command("dynamic"):
            raise click.UsageError("--context and --dynamic do not go together: choose one of them.")
        context = named_in_command("context")  # the other one comes from the environment and gives way
    title = f"{source_name(texts[0])}{' ...' if texts[1:] else ''}"
    with all_ranks(mpi_timeout) as job:
        if plot:
            from .plot import check

            check(plot)
        model = load_model(model_path)
        result: ContextResult | EvaluationResult
        with reading() as progress:
            if context:
                found = context_curve(model, texts, encoding, progress=progress, warn=warn_of_text)
                result = ContextResult(found, title)
            else:
                result = EvaluationResult(_evaluated(model, texts, encoding, dynamic, job.ranks, progress), title)
        print_result(result, output_format)
        if plot and job.ranks.is_first:
            result.draw(plot)


def _evaluated(
    model: Model,
    texts: Sequence[str],
    encoding: str,
    dynamic: bool,
    ranks: Ranks,
    progress: OnProgress,
) -> Evaluation:
    from ..tasks.evaluate import evaluate

    found = evaluate(model, texts, encoding, dynamic=dynamic, ranks=ranks, progress=progress, warn=warn_of_text)
    if found.words < MIN_TELLING_WORDS:
        warn(f"only {found.words} words were measured, which tell little")
    return found


class EvaluationResult(NamedTuple):
    """How well a model predicts a text."""

    evaluation: Evaluation
    title: str

    def records(self) -> Iterable[dict[str, Any]]:
        return [asdict(self.evaluation)]

    def rows(self) -> Iterable[tuple[str, Any]]:
        record = self._flat()
        for band in self.evaluation.bands:
            for name in ("words", "perplexity", "accuracy_at_1"):
                record[f"{name}_of_rank_{band.frequency_rank}"] = getattr(band, name)
        return record.items()

    def tables(self) -> Iterable[Table | str]:
        rows = [
            (band.frequency_rank, f"{band.words:,}", f"{band.perplexity:.4g}", f"{band.accuracy_at_1:.4f}")
            for band in self.evaluation.bands
        ]
        header = ["frequency rank", "words", "perplexity", "accuracy at 1"]
        return [record_table(self._flat(), self.title), "", Table(rows, ["<", ">", ">", ">"], header)]

    def draw(self, picture: Path) -> None:
        from .plot import draw_evaluation

        draw_evaluation(self.evaluation, self.title, picture)

    def _flat(self) -> dict[str, Any]:
        """One name for each value, without the bands; the parts only if there are several."""
        record = asdict(self.evaluation)
        del record["bands"]
        del record["calibration"]
        parts = record.pop("perplexity_of_parts")
        if len(parts) > 1:
            named = {f"perplexity_of_{name}": value for name, value in parts.items()}
            record = {"perplexity": record.pop("perplexity"), **named, **record}
        return record


class ContextResult(NamedTuple):
    """The perplexity given only the last few words, for several numbers of words."""

    curve: Sequence[ContextPoint]
    title: str

    def records(self) -> Iterable[dict[str, Any]]:
        return map(asdict, self.curve)

    def rows(self) -> Iterable[tuple[Any, ...]]:
        parts = self._parts()
        yield ("seen", "perplexity", *parts)
        for point in self.curve:
            yield (str(point.seen or "all"), point.perplexity, *map(point.perplexity_of_parts.get, parts))

    def tables(self) -> Iterable[Table]:
        _, *points = self.rows()
        rows = [(seen, *("-" if value is None else f"{value:.4g}" for value in values)) for seen, *values in points]
        header = ["words seen", "perplexity", *self._parts()]
        yield Table(rows, [">"] * len(header), header, f"{self.title}: {self.curve[0].words:,} of its words")

    def draw(self, picture: Path) -> None:
        from .plot import draw_context

        draw_context(self.curve, self.title, picture)

    def _parts(self) -> list[str]:
        """The names of the parts if there are several."""
        parts = list(self.curve[0].perplexity_of_parts)
        return parts if len(parts) > 1 else []
