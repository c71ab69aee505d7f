"""Mixes two models into one that follows whichever predicts the text better."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..errors import SettingError
from ..lm.voice import Voice, mixed
from ..model import Model
from ..text.vocabulary import UNK_ID, Vocabulary

M = TypeVar("M", bound=Model)


def mix(first: M, second: Model) -> M:
    """Return a model that knows the words of both, and weighs them by how well each has predicted the last words.

    It writes words as the `first` one does. Raises `SettingError` for models that cut text in different ways, and for
    one that is a mix itself.
    """
    if first.tokenizer != second.tokenizer or first.unit != second.unit:
        raise SettingError(
            f"the models cut text in different ways: {_cut(first)}, and {_cut(second)}: train both in the same way"
        )
    if first.lm.find(Voice) or second.lm.find(Voice):  # type: ignore[type-abstract]
        raise SettingError("one of the models is a mix itself: mix the two that it was made of with others")
    known = first.vocabulary.numbers
    vocabulary = Vocabulary([*first.vocabulary.words, *(word for word in second.vocabulary.words if word not in known)])
    numbers = (_numbers(first, vocabulary), _numbers(second, vocabulary))
    lm = mixed(first.lm, second.lm, numbers, len(vocabulary))
    return replace(first, lm=lm, vocabulary=vocabulary, about={})


def _cut(model: Model) -> str:
    tokenizer = model.tokenizer
    return f"one into {tokenizer.kind}s{' in lower case' if tokenizer.lowercase else ''} by {model.unit}"


def _numbers(model: Model, vocabulary: Vocabulary) -> np.ndarray:
    """Return which word of a model each word of a larger vocabulary is."""
    found = map(model.vocabulary.exactly, vocabulary.words)
    return np.array([UNK_ID if number is None else number for number in found], np.int32)
