"""Suggests words as somebody types: the next ones, or those that the letters typed so far may become."""

from __future__ import annotations

import numpy as np

from ..lm.mixture import MixtureState
from ..model import Model
from ..text.annotation import is_mark
from ..text.characters import is_unspaced
from ..text.folding import composed
from .predict import Prediction, best_words, of_words

ANY_WORD = "a"  # stands for a word that is not known yet
APOSTROPHES = "'’"


class Suggester:
    """Suggests words for a line that grows by a letter at a time, and reads only what has changed."""

    def __init__(self, model: Model, n: int = 5):
        """Suggest at most `n` words. Raises `SettingError` for a model of characters."""
        self.model = model
        self.n = n
        self.completer = model.completer
        # What was read: the words, the state before each of them and after the last, and the probabilities there.
        self._words: list[int] = []
        self._states: list[MixtureState] = [model.lm.initial_state(1)]
        self._p: np.ndarray | None = None

    def suggest(self, text: str) -> list[Prediction]:
        """Return the likeliest words that may come next, or that the last word of `text` may become, best first.

        Their probabilities are those among the words that fit.
        """
        before, fitting = self.completer.split(text)
        p = self._probabilities_after(self.model.encode(before)[0][:, 0].tolist())
        best = best_words(p, self.n, fitting)
        probabilities = p[best] / p[fitting].sum()
        typed = text[len(before) :]
        names = (self.model.completion(typed, number) for number in best.tolist())
        return [Prediction(name, p) for name, p in zip(names, probabilities.tolist(), strict=True)]

    def accept(self, text: str, word: str, after: str = "") -> tuple[str, str]:
        """Return the line with `word` in place of the half-typed word at the end of `text`, and the text `after` it.

        Where the cursor is inside of a word, the rest of that word goes too.
        """
        tokenizer = self.model.tokenizer
        before = self.completer.split(text)[0]
        half = text[len(before) :]
        if half:
            rest = composed(half + after)  # as the tokenizer reads it
            whole = tokenizer.tokenize(rest.split(maxsplit=1)[0])[:1]  # none: it is invisible
            after = rest[max([len(composed(half)), *map(len, whole)]) :]
        after = after.lstrip()
        spacer = self.model.spacer()
        spacer.read(tokenizer.segment(before))
        (piece,) = spacer.write([word])
        is_glued = half and before and not before[-1].isspace()  # as it was typed: (st or x=st
        before = before + piece.lstrip() if is_glued else before.rstrip() + piece
        if following := tokenizer.tokenize(after)[:1]:
            is_spaced = spacer.gap_before(following[0]) != ""
        else:
            is_spaced = spacer.gap_before(ANY_WORD) != "" and (tokenizer.is_pretokenized or not is_unspaced(word))
        return before + " " * is_spaced, after

    def joins(self, text: str, typed: str) -> bool:
        """Whether a typed character is joined to the end of `text`: punctuation, or an apostrophe after a letter."""
        if typed in APOSTROPHES and text[-1:].isalpha():
            return True
        spacer = self.model.spacer()
        spacer.read(self.model.tokenizer.segment(text))
        return is_mark(typed) and not typed.isspace() and spacer.gap_before(typed) == ""

    def _probabilities_after(self, words: list[int]) -> np.ndarray:
        """Return the probabilities (V,) of the words that may come after `words`."""
        same = 0
        for old, new in zip(self._words, words, strict=False):
            if old != new:
                break
            same += 1
        if same < len(self._words) or same < len(words) or self._p is None:
            del self._words[same:], self._states[same + 1 :]
            lm = self.model.lm
            for word in words[same:]:
                self._words.append(word)
                self._states.append(lm.read(np.array([[word]]), self._states[-1]))
            self._p = of_words(lm.distribution(lm.context(self._states[-1]))[0, 0], self.model.vocabulary)
        return self._p
