"""Makes a model smaller: fewer bits for the numbers of its network, and fewer n-grams."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..callbacks import OnProgress
from ..errors import SettingError
from ..learned import after_learning, before_learning, check_not_adapted
from ..lm.cache import Cache
from ..lm.ensemble import Ensemble, joined, networks_of
from ..lm.interface import Part
from ..lm.mixture import Mixture
from ..lm.network import Network
from ..lm.ngram import NGram
from ..lm.ngram_beside import BaseNGram, ngram_of
from ..lm.ngram_pruning import ngram_count, pruned
from ..lm.packing import SIZES
from ..lm.perplexity import mean_loss, perplexity
from ..lm.tuning import MAX_TUNING_WORDS, tune, tuning_pieces
from ..lm.voice import FirstVoice
from ..model import Model
from ..nn.threads import on_all_cores
from ..text.vocabulary import Tokens

TUNING = "tuning"  # what a model tells of the text that its weights were tuned on
M = TypeVar("M", bound=Model)


def compress(
    model: M, bits: int | None = None, ngrams: int | None = None, *, progress: OnProgress = lambda fraction: None
) -> M:
    """Return a model with 8, 16 or 32 `bits` for each number of a matrix, and at most so many `ngrams`.

    The n-grams that stay are those whose loss would cost most. `progress` is told the fraction of their choice that is
    done. What the model has learned stays, and its weights are tuned anew.
    """
    if bits is not None and bits not in SIZES:
        raise SettingError(f"bits is {bits}, and must be one of {', '.join(map(str, SIZES))}")
    if ngrams is not None and ngrams < 0:
        raise SettingError(f"ngrams is {ngrams}, and must be 0 or more")

    if ngrams:  # what was read is kept in numbers of the n-grams
        check_not_adapted(model)
    if model.lm.find(FirstVoice):
        raise SettingError("the model is a mix: compress the two that it was made of, and mix them")
    base, texts = before_learning(model)
    about = {name: value for name, value in base.about.items() if name != TUNING}
    small = replace(base, lm=_smaller(base.lm, bits, ngrams, progress), about=about)
    return after_learning(small, texts)


def _smaller(lm: Mixture, bits: int | None, ngrams: int | None, progress: OnProgress) -> Mixture:
    """Return a mixture with so many `bits` and `ngrams`."""
    if ngrams == 0:
        lm = lm.without(NGram, BaseNGram)
    total = max(1, sum(ngram_count(ngram) for ngram in map(ngram_of, lm.parts) if ngram))

    def smaller(part: Part) -> Part:
        if isinstance(part, Network | Ensemble) and bits is not None:
            return joined([network.with_bits(bits) for network in networks_of(lm)])
        own = ngram_of(part)
        if own is None or ngrams is None:
            return part
        fewer = pruned(own, ngrams * ngram_count(own) // total, progress)
        return BaseNGram(fewer) if isinstance(part, BaseNGram) else fewer

    return Mixture(list(map(smaller, lm.parts)), lm.vocabulary_size, lm.weights, lm.beginning)


def retuned(model: M, tokens: Tokens) -> M:
    """Tune the weights of a model's parts on a held-out text, but that of what it has learned on this, as usual."""
    base, learned = before_learning(model)
    pieces = _pieces(base, tokens)
    tuned = tune(base.lm.parts, base.lm.vocabulary_size, pieces, on_all_cores, choose=False)
    about = base.about | {TUNING: {"words": sum(map(len, pieces)), "perplexity": perplexity(tuned.loss)}}
    return after_learning(replace(base, lm=tuned.mixture, about=about), learned)


def perplexity_on(model: Model, tokens: Tokens) -> float:
    """Return the perplexity of a model on the part of a held-out text that `retuned` tunes it on."""
    return perplexity(mean_loss(model.lm, _pieces(model, tokens), on_all_cores))


def _pieces(model: Model, tokens: Tokens) -> list[np.ndarray]:
    """Return pieces (N,) of a text, as many words as it takes to tune a mixture."""
    ids = model.vocabulary.encode(tokens)
    cache = model.lm.find(Cache)
    return tuning_pieces(ids, min(len(ids), MAX_TUNING_WORDS), cache.size if cache else 0)
