"""Mixes two models into one that follows whichever predicts the text better."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..errors import SettingError
from ..learned import check_not_adapted
from ..lm.mixture import Mixture
from ..lm.voice import FirstVoice, SecondVoice, mixed, shared_fractions
from ..model import Model, license_of
from ..text.vocabulary import UNK_ID, Vocabulary

M = TypeVar("M", bound=Model)


def mix(first: M, second: Model) -> M:
    """Return a model that knows the words of both, and weighs them by how well each has predicted the last words.

    It writes words as the `first` one does. Raises `SettingError` for models that cut text in different ways, and for
    one that is a mix itself.
    """
    if _cut(first) != _cut(second):
        raise SettingError(
            f"the models cut text in different ways: one {_cut(first)}, and one {_cut(second)}: train both the same way"
        )
    for model in (first, second):
        check_not_adapted(model)
    if first.lm.find(FirstVoice) or second.lm.find(FirstVoice):
        which = "first" if first.lm.find(FirstVoice) else "second"
        raise SettingError(f"the {which} of the models is a mix itself: name two models that are not")
    known = first.vocabulary.numbers
    vocabulary = Vocabulary([*first.vocabulary.words, *(word for word in second.vocabulary.words if word not in known)])
    voices = FirstVoice(*_voice(first, vocabulary)), SecondVoice(*_voice(second, vocabulary))
    lm = mixed(*voices, len(vocabulary))
    about = license_of(first, second) | {name: first.about[name] for name in ["reading"] if name in first.about}
    # A model of an earlier version does not fold lookalikes.
    tokenizer = replace(first.tokenizer, fold=first.tokenizer.fold or second.tokenizer.fold)
    return replace(first, lm=lm, vocabulary=vocabulary, tokenizer=tokenizer, about=about)


def _cut(model: Model) -> str:
    tokenizer = model.tokenizer
    return (
        f"by tokenizer={tokenizer.kind}{', in lower case' if tokenizer.lowercase else ''}, {model.unit} by {model.unit}"
    )


def _voice(model: Model, vocabulary: Vocabulary) -> tuple[Mixture, np.ndarray, np.ndarray]:
    """Return what makes a voice of a model, for a larger vocabulary (V,)."""
    found = map(model.vocabulary.exactly, vocabulary.words)
    numbers = np.array([UNK_ID if number is None else number for number in found], np.int32)
    own = model.vocabulary.words
    is_own = np.array([own[number] == word for number, word in zip(numbers.tolist(), vocabulary.words, strict=True)])
    return model.lm, numbers, shared_fractions(numbers, is_own)
