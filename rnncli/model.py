"""A language model with its words: what a model file holds. What can be asked of it is in `rnncli.tasks`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .errors import ModelError
from .lm.mixture import Mixture, MixtureState
from .lm.ngram import NGram
from .text.completion import Completer
from .text.tokenizers import Tokenizer
from .text.vocabulary import UNK_ID, Vocabulary


@dataclass(frozen=True)
class Model:
    """A language model, its vocabulary and its tokenizer."""

    lm: Mixture
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    unit: str = "line"  # what a text is cut into, "line" or "paragraph"
    about: dict[str, Any] = field(default_factory=dict)  # facts: the corpus, the settings and the history of training

    @cached_property
    def completer(self) -> Completer:
        """What completes half-typed words. Raises `SettingError` for a model of characters."""
        return Completer(self.vocabulary.words, self.tokenizer)

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

    def encode(self, text: str) -> tuple[np.ndarray, list[str]]:
        """Return the numbers (T, 1) of a text's words, and those of the words that are unknown."""
        return self.encode_tokens(self.tokenizer.tokenize(text))

    def encode_tokens(self, tokens: list[str]) -> tuple[np.ndarray, list[str]]:
        """Return the numbers (T, 1) of words, and those of them that are unknown."""
        numbers = [self.vocabulary.find(token) for token in tokens]
        unknown = [token for token, number in zip(tokens, numbers, strict=True) if number == UNK_ID]
        return np.array(numbers, np.int32)[:, None], unknown

    def state_after(self, text: str) -> tuple[MixtureState, list[str]]:
        """Return the language model's state after a unit has begun with `text`, and the unknown words of the text."""
        ids, unknown = self.encode(text)
        state = self.lm.initial_state(1)
        return (self.lm.read(ids, state) if len(ids) else state), unknown
