"""A language model with its words: what a model file holds. What can be asked of it is in `rnncli.tasks`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .errors import ModelError
from .lm.mixture import Mixture, MixtureState
from .lm.ngram import NGram
from .text.annotation import is_mark, plain
from .text.completion import Completer
from .text.detokenizer import Detokenizer
from .text.reserved import unit_segments
from .text.spacer import Spacer, noted_tokens
from .text.tokenizers import Segments, Tokenizer
from .text.vocabulary import UNK_ID, Vocabulary

LICENSE = "license"  # in what a model says about itself: what may be done with it, and with models made of it


@dataclass(frozen=True)
class Model:
    """A language model, its vocabulary and its tokenizer."""

    lm: Mixture
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    unit: str = "line"  # what a text is cut into, "line" or "paragraph"
    about: dict[str, Any] = field(default_factory=dict)  # facts: the corpus, the settings and the history of training
    detokenizer: Detokenizer = field(default_factory=Detokenizer)  # how the corpus writes its words

    @cached_property
    def completer(self) -> Completer:
        """What completes half-typed words. Raises `SettingError` for a model of characters."""
        return Completer(self.vocabulary.words, self.tokenizer, self.vocabulary.noted[0])

    @property
    def ngram(self) -> NGram:
        """The n-grams. Raises `ModelError` where the model holds none."""
        ngram = self.lm.find(NGram)
        if ngram is None:
            raise ModelError("the model holds no n-grams: train one with ngram_order=5")
        return ngram

    def knows(self, word: str) -> bool:
        """Whether the vocabulary holds a word, as written or in another case."""
        return self.vocabulary.find(word) != UNK_ID

    def word(self, number: int) -> str:
        """Return the word with a number as the corpus writes it: a mark without notes, a word with its apostrophe."""
        if number not in self._written:
            word = plain(self.vocabulary.word(number))
            self._written[number] = word if is_mark(word) else self.detokenizer.forms.get((word,), word)
        return self._written[number]

    @cached_property
    def _written(self) -> dict[int, str]:
        """The words that were asked for, by their numbers."""
        return {}

    def completion(self, typed: str, number: int) -> str:
        """Return the word that half a word becomes: as the corpus writes it, or with the capital that was `typed`."""
        word = plain(self.vocabulary.word(number))
        written = self.completer.written(typed, word)
        return self.word(number) if written == word else written

    def number_of(self, word: str) -> int:
        """Return the number of a word that a person writes: of a mark, without notes."""
        return int(self.vocabulary.unnoted(np.array(self.vocabulary.find(plain(word)))))

    def spacer(self) -> Spacer:
        """Return what writes words as text."""
        return Spacer(self.detokenizer, self.tokenizer)

    def detokenize(self, words: Iterable[str]) -> str:
        """Write words as the corpus wrote its own: with its spaces, quotation marks and apostrophes."""
        return "".join(self.spacer().write(words))

    def encode(self, text: str) -> tuple[np.ndarray, list[str]]:
        """Return the numbers (T, 1) of a text's words, and those of the words that are unknown."""
        ids, _, unknown = self.encode_segments(self.tokenizer.segment(text))
        return ids, unknown

    def encode_unit(self, text: str) -> tuple[np.ndarray, list[str], list[str]]:
        """Return the numbers (T, 1) of a whole unit's words, the words, and those of them that are unknown."""
        return self.encode_segments(unit_segments(self.tokenizer, text), ends_text=False)

    def encode_segments(self, segments: Segments, *, ends_text: bool = True) -> tuple[np.ndarray, list[str], list[str]]:
        """Return the numbers (T, 1) of words as they stand in a text, the words, and those that are unknown.

        If they are the beginning of a text, which ends with the last one, what follows that one is not known.
        """
        words = segments.tokens
        if segments.gaps and self.vocabulary.variants:
            words = noted_tokens(self.detokenizer, self.tokenizer, segments)
        numbers = [self.vocabulary.find(word) for word in words]
        if (
            ends_text
            and words
            and self.vocabulary.variants
            and (last := self.vocabulary.variant(words[-1], ends_text=True)) is not None
        ):
            numbers[-1] = last
        unknown = [word for word, number in zip(segments.tokens, numbers, strict=True) if number == UNK_ID]
        return np.array(numbers, np.int32)[:, None], segments.tokens, unknown

    def state_after(self, text: str) -> tuple[MixtureState, list[str]]:
        """Return the language model's state after a unit has begun with `text`, and the unknown words of the text."""
        ids, unknown = self.encode(text)
        state = self.lm.initial_state(1)
        return (self.lm.read(ids, state) if len(ids) else state), unknown


def license_of(*models: Model) -> dict[str, str]:
    """Return what a model that is made of others says about its license."""
    found = dict.fromkeys(str(model.about[LICENSE]) for model in models if LICENSE in model.about)
    return {LICENSE: "; ".join(found)} if found else {}
