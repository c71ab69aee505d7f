"""A language model together with its words: what one model file holds, and what people work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ModelError, TextError
from .lm.mixture import Mixture
from .lm.ngram import NGram
from .prediction import Prediction, rank
from .text.completion import Completer
from .text.reading import listed, source_name
from .text.tokenizers import Tokenizer
from .text.vocabulary import UNK_ID, Vocabulary

if TYPE_CHECKING:
    from .evaluation import Evaluation
    from .text.corpus import Sources


@dataclass(frozen=True)
class Model:
    """Made by `rnncli.train` and by `rnncli.load`."""

    lm: Mixture
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    unit: str = "line"  # what a text is cut into, "line" or "paragraph"
    about: dict[str, Any] = field(default_factory=dict)  # the corpus, the settings and the course of the training

    @cached_property
    def completer(self) -> Completer:
        """What completes half-typed words. Raises `SettingError` for a model of characters."""
        return Completer(self.vocabulary.words, self.tokenizer)

    @property
    def ngram(self) -> NGram:
        """The n-grams. Raises `ModelError` where the model holds none."""
        if self.lm.ngram is None:
            raise ModelError("the model holds no n-grams: train one with --ngram-order 5")
        return self.lm.ngram

    def knows(self, word: str) -> bool:
        """Whether the vocabulary holds a word, as written or in another case."""
        return self.vocabulary.find(word) != UNK_ID

    def encode(self, text: str) -> tuple[np.ndarray, list[str]]:
        """The numbers (T, 1) of a text's words, and those of its words that are unknown."""
        return self.number(self.tokenizer.tokenize(text))

    def number(self, tokens: list[str]) -> tuple[np.ndarray, list[str]]:
        """The numbers (T, 1) of words, and those of them that are unknown."""
        numbers = [self.vocabulary.find(token) for token in tokens]
        unknown = [token for token, number in zip(tokens, numbers, strict=True) if number == UNK_ID]
        return np.array(numbers, np.int32)[:, None], unknown

    def begin(self, text: str) -> tuple[Any, list[str]]:
        """The language model's state after a unit has begun with `text`, and those of its words that are unknown."""
        ids, unknown = self.encode(text)
        state = self.lm.start(1)
        return (self.lm.read(ids, state) if len(ids) else state), unknown

    def predict(self, prompt: str, n: int = 10, **options: Any) -> list[Prediction]:
        """The `n` likeliest next words after `prompt`, best first, each with its probability (0: all words).

        A prompt that holds `___` asks for what may stand there. `among=["study", "play"]` ranks these words only;
        `complete=True` takes the last word as half typed: see `rnncli.prediction.rank_all`.
        """
        return rank(self, prompt, n, **options).predictions

    def generate(self, prompt: str = "", words: int | None = None, **options: Any) -> str:
        """The text that goes on after `prompt`, `words` words long (50 if left open).

        The options are those of `rnncli.generation.generate`: a `seed`, the `temperature` and so on.
        """
        from .generation import generate

        return "".join(generate(self, prompt, words, **options))

    def adapted(
        self,
        sources: Sources,
        encoding: str = "utf-8",
        *,
        progress: Callable[[float], object] = lambda share: None,
    ) -> Model:
        """A model that has read the texts in `sources` just now and learned from them; this one stays as it is.

        It knows the same words: in `about["adapted_to"]` stands how many of the text's are unknown. `progress` is told
        which share of them is done, from 0 to 1.
        """
        from .lm.adaptation import adapted
        from .text.corpus import read_tokens

        sources = listed(sources)
        _, tokens = read_tokens(sources, self.tokenizer, self.unit, encoding)
        if tokens.words() == 0:
            raise TextError(f"{source_name(sources[0])} holds no word to adapt to")
        ids = self.vocabulary.encode(tokens)
        counts = {"words": len(ids), "unknown_words": int(np.count_nonzero(ids == UNK_ID))}
        return replace(self, lm=adapted(self.lm, ids, progress), about=self.about | {"adapted_to": counts})

    def evaluate(self, sources: Sources, encoding: str = "utf-8", **options: Any) -> Evaluation:
        """How well this model predicts the texts in `sources`: see `rnncli.evaluation.evaluate`."""
        from .evaluation import evaluate

        return evaluate(self, sources, encoding, **options)
