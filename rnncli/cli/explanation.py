"""Showing why a word is predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.reserved import EOS
from .formats import field
from .output import unknown_words_warning
from .tables import ColouredWords, Table, format_probability, readable_word

if TYPE_CHECKING:
    from ..tasks.explain import Explanation


class ExplanationAnswer(NamedTuple):
    """What each word of a prompt, and each part of the model, adds to the probability of a word.

    As TSV: one row for the word, with its probability and the parts, then one for each word of the prompt.
    """

    explanation: Explanation
    unit: str  # of the model

    def warnings(self) -> Iterable[str]:
        return filter(None, [unknown_words_warning(self.explanation.unknown_words)])

    def records(self) -> Iterable[dict[str, Any]]:
        return [asdict(self.explanation)]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        parts = [f"{name}={field(value)}" for name, value in self.explanation.parts.items()]
        yield (self.explanation.word, self.explanation.probability, *parts)
        for influence in self.explanation.influences:
            yield (influence.word, influence.change)

    def tables(self) -> Iterable[ColouredWords | Table | str]:
        word = readable_word(self.explanation.word, self.unit)
        influences = self.explanation.influences
        largest = max((abs(influence.change) for influence in influences), default=0) or 1
        relative = [(influence.word, influence.change / largest) for influence in influences]
        yield ColouredWords([*relative, (word, None)])
        rows = [
            (readable_word(influence.word, self.unit), f"{influence.change:+.4f}", max(0.0, influence.change / largest))
            for influence in influences
        ]
        yield Table(rows, ["~", ">", "|"], header=["word", "adds", ""])
        parts = ", ".join(f"{name} {format_probability(value)}" for name, value in self.explanation.parts.items())
        yield Table([(word, format_probability(self.explanation.probability), parts)], ["~", ">", "<"])
        if evidence := list(self._evidence()):
            yield ""
            yield Table(evidence, ["<", "~", "<"], header=["part", "has seen", ""])

    def _evidence(self) -> Iterable[tuple[str, str, str]]:
        """What the n-grams and the cache have seen, and the lines of the sources."""
        for sequence in self.explanation.sequences:
            if sequence.is_exact:
                often = f"{sequence.count:,} time{'' if sequence.count == 1 else 's'}"
            else:
                often = f"after {sequence.count:,} different word{'' if sequence.count == 1 else 's'}"
            yield (sequence.part, _written(sequence.words), often)
        for place in self.explanation.cached:
            words = [*place.before, f"[{place.word}]", *place.after]
            yield ("cache", _written(words), f"{place.fraction:.0%}")
        for line in self.explanation.lines:
            yield (f"{line.source}:{line.number}", line.text, "")


def _written(words: Sequence[str]) -> str:
    """Words as the evidence shows them: | is the end of a unit."""
    return " ".join("|" if word == EOS else word for word in words)
