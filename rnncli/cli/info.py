"""rnncli info"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .formats import format_option, print_result
from .options import find_model, model_option
from .tables import Table, record_table

# How a fact is told of what a model remembers of reading.
READING = {
    "unit": "by {}",
    "read_as": "as {}",
    "field": "field {}",
    "column": "column {}",
    "chat": "chat",
    "stanzas": "stanzas",
}

if TYPE_CHECKING:
    from ..model import Model

SHOWN_OF_HASH = 12  # digits, in a table
MIN_BAR = 0.1  # of the longest


@click.command("info")
@model_option
@format_option
def command(model_path: Path | None, output_format: str) -> None:
    """Show what a model file holds, and how its training went.

    \b
    rnncli info
    rnncli info -m models/corpus.npz --format jsonl
    """
    from ..storage.model_file import load

    path = find_model(model_path)
    print_result(describe(path, load(path)), output_format)


def describe(path: Path, model: Model) -> ModelInfo:
    """What `info` shows of a model. Nothing else in this file asks the model."""
    from ..lm.interface import Part
    from ..lm.personal import LEARNED
    from ..model import license_of

    corpus = model.about.get("corpus", {})
    tuning = model.about.get("tuning", {})
    history = model.about.get("history", [])
    told = [part.facts() for part in model.lm.parts]
    learned = [text for facts in told for text in facts.pop(LEARNED, [])]
    part_facts = {name: value for facts in told for name, value in facts.items()}
    facts = {
        "file": str(path),
        **license_of(model),
        **part_facts,
        "parts": ", ".join(part.description() for part in model.lm.parts),
        "vocabulary": len(model.vocabulary),
        "tokenizer": model.tokenizer.kind + (", lowercase" if model.tokenizer.lowercase else ""),
        "unit": model.unit,
        **reads(model),
        "corpus": corpus.get("name"),
        "train_words": corpus.get("train_words"),
        "valid_words": corpus.get("valid_words"),
        "counted_words": corpus.get("counted_words"),
        "watched_words": corpus.get("watched_words"),
        "tuned_words": tuning.get("words"),
        "corpus_sha256": corpus.get("sha256"),
        "valid_perplexity_of_network": model.about.get("best_valid_perplexity"),
        "tuned_perplexity": tuning.get("perplexity"),
        "tuned_unknown_words": tuning.get("unknown_words"),
        "tuned_perplexity_of_known_words": tuning.get("perplexity_of_known_words"),
        "tuned_perplexity_of_network": tuning.get("perplexity_of_network"),
        "readings": history[-1]["epoch"] if history else None,
    }
    # What a stranger's file calls a setting must not take the place of a fact.
    settings = {name: value for name, value in model.about.get("settings", {}).items() if name not in facts}
    written_by = " ".join(f"{name} {version}" for name, version in model.about.get("versions", {}).items())
    facts |= settings | {"written_by": written_by}
    parts = [part for part in model.lm.parts if part.groups > 1]
    kinds = [range(part.groups) for part in parts] or [range(1)]
    numbers = [", ".join(map(str, group)) for group in itertools.product(*kinds)]
    told_by = ", ".join(dict.fromkeys(part.kind_of_context for part in parts)) or Part.kind_of_context
    weights = dict(zip(numbers, model.lm.weights.tolist(), strict=True))
    return ModelInfo(facts, learned, model.lm.names, told_by, weights, history)


def reads(model: Model) -> dict[str, str]:
    """What a model remembers of how its text was read, where that is not the usual way."""
    from ..text.formats import ReadOptions

    usual = ReadOptions().remembered()
    own = ReadOptions.of_text(model.about, "auto").remembered()
    told = [READING[name].format(value) for name, value in own.items() if value != usual[name]]
    return {"reads": ", ".join(told)} if told else {}


class ModelInfo(NamedTuple):
    """What a model file holds."""

    facts: dict[str, Any]
    learned: list[dict[str, Any]]  # the texts that were learned since the training
    parts: Sequence[str]
    kinds: str  # what tells the kind of a context, such as the number of words that each n-gram model knows of it
    weights: dict[str, list[float]]  # of the parts, by the kind of context
    history: list[dict[str, Any]]  # the reports of the training

    def records(self) -> Iterable[dict[str, Any]]:
        weights = [dict(zip(self.parts, row, strict=True)) for row in self.weights.values()]
        learned = {"learned": self.learned} if self.learned else {}
        return [self.facts | learned | {"shares": weights, "history": self.history}]

    def rows(self) -> Iterable[tuple[str, Any]]:
        yield from self.facts.items()
        for number, text in enumerate(self.learned, 1):
            yield from ((f"learned_{number}_{name}", value) for name, value in text.items())
        if len(self.parts) > 1:
            for known, row in self.weights.items():
                for part, weight in zip(self.parts, row, strict=True):
                    yield f"share_of_{part}_{known.replace(', ', '_')}", weight

    def tables(self) -> Iterable[Table | str]:
        yield record_table(self.facts, "Model")
        if self.learned:
            texts = [
                (text["name"], text["date"], f"{text['words']:,}", text["sha256"][:SHOWN_OF_HASH])
                for text in self.learned
            ]
            yield ""
            yield Table(texts, ["~", "<", ">", "<"], ["name", "date", "words", "sha256"], "Learned")
        if len(self.parts) > 1:
            rows = [(known, *(f"{weight:.3f}" for weight in row)) for known, row in self.weights.items()]
            yield ""
            yield Table(rows, [">"] * (1 + len(self.parts)), [self.kinds, *self.parts], "Shares")
        if self.history:
            yield ""
            yield Table(
                self._epochs(), [">", ">", ">", "|"], ["epoch", "training", "validation", ""], title="Perplexity"
            )

    def _epochs(self) -> list[tuple[str, str, str, float]]:
        """A row for each report. The bars grow with the logarithm of the validation perplexity, from best to worst."""
        rows = []
        for report, length in zip(self.history, self._bar_lengths(), strict=True):
            train, valid = (
                f"{report[name]:.1f}" if report[name] else "-" for name in ("train_perplexity", "valid_perplexity")
            )
            network = f"{report['network']}: " if self.history[-1].get("network", 1) > 1 else ""
            rows.append((f"{network}{round(report['epoch'], 2):g}", train, valid, length))
        return rows

    def _bar_lengths(self) -> list[float]:
        losses = [report["valid_perplexity"] and math.log(report["valid_perplexity"]) for report in self.history]
        known = [loss for loss in losses if loss is not None]
        low = min(known, default=0.0)
        span = max(known, default=0.0) - low
        return [
            0.0 if loss is None else MIN_BAR + (1 - MIN_BAR) * ((loss - low) / span if span else 0.0) for loss in losses
        ]
