"""Rankings of the words that may come next, as they are printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import quoted
from ..text.reserved import EOS
from .output import unknown_words_warning

if TYPE_CHECKING:
    from ..tasks.predict import Ranking
    from .tables import Table


class RankingAnswer(NamedTuple):
    """The words that may follow a prompt; in a table the `n` likeliest, or all for 0, under the prompt if `titled`.

    A person wants words: a table leaves out the end of a unit, unless that is the likeliest.
    """

    ranking: Ranking
    n: int
    titled: bool
    with_parts: bool
    unit: str  # of the model

    def warnings(self) -> Iterable[str]:
        if self.ranking.unknown_words:
            yield unknown_words_warning(self.ranking.unknown_words)
        if not self.ranking.predictions:
            yield f"no word fits {quoted(self.ranking.prompt)}"

    def records(self) -> Iterable[dict[str, Any]]:
        predictions = [
            prediction._asdict() | ({"parts": parts} if self.with_parts else {}) for prediction, parts in self._words()
        ]
        yield {
            "prompt": self.ranking.prompt,
            "predictions": predictions,
            "unknown_words": self.ranking.unknown_words,
        }

    def rows(self) -> Iterable[tuple[Any, ...]]:
        if not self.with_parts:
            return self.ranking.predictions
        return [(*prediction, *parts.values()) for prediction, parts in self._words()]

    def tables(self) -> Iterable[Table]:
        from .tables import Table, format_probability, readable_word

        best = self.ranking.predictions[0].probability if self.ranking.predictions else 1.0
        words = [entry for place, entry in enumerate(self._words()) if not place or entry[0].word != EOS]
        rows = [
            (
                str(place),
                readable_word(word, self.unit),
                format_probability(probability),
                *(map(format_probability, parts.values()) if self.with_parts else [probability / best]),
            )
            for place, ((word, probability), parts) in enumerate(words[: self.n or None], 1)
        ]
        names = list(self.ranking.parts[0]) if self.ranking.parts else []
        yield Table(
            rows,
            [">", "~", ">", *([">"] * len(names) if self.with_parts else ["|"])],
            header=["rank", "word", "probability", *(names if self.with_parts else [""])],
            title=self.ranking.prompt if self.titled else "",
        )

    def _words(self) -> Iterable[tuple[Any, dict[str, float]]]:
        """Each prediction with what the parts of the model give to it."""
        parts = self.ranking.parts or [{}] * len(self.ranking.predictions)
        return zip(self.ranking.predictions, parts, strict=True)


class NoAnswer(NamedTuple):
    """A prompt that has no answer, and why. Only JSON shows it; the error is on standard error already."""

    prompt: str
    error: str

    def warnings(self) -> Iterable[str]:
        return ()

    def records(self) -> Iterable[dict[str, Any]]:
        return [{"prompt": self.prompt, "error": self.error}]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        return ()

    def tables(self) -> Iterable[Table]:
        return ()
