"""Offering words as somebody types: the next ones, or those that the letters typed so far may become."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from .prediction import Prediction, best_words, of_real_words
from .text.tokenizers import is_unspaced

if TYPE_CHECKING:
    from .model import Model


class Suggester:
    """Offers words for a line that grows by a letter at a time, and is read no further than it has changed."""

    def __init__(self, model: Model, n: int = 5):
        """Offer `n` words at most. Raises `SettingError` for a model of characters."""
        self.model, self.n, self.completer = model, n, model.completer
        # What was read: the words, the state before each of them and after the last, and the probabilities there.
        self._words: list[int] = []
        self._states: list[Any] = [model.lm.start(1)]
        self._p: np.ndarray | None = None

    def offer(self, text: str) -> list[Prediction]:
        """The likeliest words that may come next, or that the last word of `text` may become, best first.

        Their probabilities are those among the words that fit.
        """
        before, fitting = self.completer.split(text)
        p = self._after(self.model.encode(before)[0][:, 0].tolist())
        best = best_words(p, self.n, fitting)
        chances = p[best] / p[fitting].sum()
        names = self.model.vocabulary.words
        return [Prediction(names[word], chance) for word, chance in zip(best.tolist(), chances.tolist(), strict=True)]

    def accepted(self, text: str, word: str, after: str = "") -> tuple[str, str]:
        """A line once `word` has taken the place of what is half typed at the end of `text`, and what is `after` that.

        What is half typed may be in the middle of a word: then its rest goes too.
        """
        tokenizer, before = self.model.tokenizer, self.completer.split(text)[0]
        half = text[len(before) :]
        if half:
            rest = unicodedata.normalize("NFC", half + after)  # as the tokenizer reads it
            whole = tokenizer.tokenize(rest.split(maxsplit=1)[0])[0]
            after = rest[max(len(unicodedata.normalize("NFC", half)), len(whole)) :]
        after = after.lstrip()
        spacer = tokenizer.spacer()
        for token in tokenizer.tokenize(before):
            spacer.next(token)
        piece = spacer.next(word)
        glued = half and before and not before[-1].isspace()  # as it was typed: (st or x=st
        before = before + piece.lstrip() if glued else before.rstrip() + piece
        if after:
            spaced = spacer.next(tokenizer.tokenize(after)[0]).startswith(" ")
        else:
            spaced = not (spacer.glued or (tokenizer.kind == "word" and is_unspaced(word)))
        return before + " " * spaced, after

    def _after(self, words: list[int]) -> np.ndarray:
        """The probabilities (V,) of the words that may come after `words`."""
        same = 0
        for old, new in zip(self._words, words, strict=False):
            if old != new:
                break
            same += 1
        if same < len(self._words) or same < len(words) or self._p is None:
            del self._words[same:], self._states[same + 1 :]
            for word in words[same:]:
                self._words.append(word)
                self._states.append(self.model.lm.read(np.array([[word]]), self._states[-1]))
            self._p = of_real_words(self.model.lm.prob(self._states[-1])[0])
        return self._p
