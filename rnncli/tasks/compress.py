"""Makes a model smaller: fewer bits for the numbers of its network, and fewer n-grams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..errors import SettingError
from ..lm.ensemble import Ensemble, joined, networks_of
from ..lm.interface import Part
from ..lm.mixture import Mixture
from ..lm.network import Network
from ..lm.ngram import NGram
from ..lm.ngram_beside import BaseNGram
from ..lm.ngram_pruning import ngram_count, pruned
from ..lm.packing import SIZES
from ..lm.perplexity import perplexity
from ..lm.tuning import tune
from ..model import Model
from ..nn.threads import on_all_cores
from ..text.batches import excerpts

MAX_WORDS = 100_000  # of a held-out text
MAX_PIECES = 8  # of it
M = TypeVar("M", bound=Model)
Progress = Callable[[float], object]  # is told the fraction that is done


def compress(
    model: M, bits: int | None = None, ngrams: int | None = None, *, progress: Progress = lambda fraction: None
) -> M:
    """Return a model with 8, 16 or 32 `bits` for each number of a matrix, and at most so many `ngrams`.

    The n-grams that stay are those whose loss would cost most; what the model has learned stays. `progress` is told the
    fraction of their choice that is done.
    """
    if bits is not None and bits not in SIZES:
        raise SettingError(f"bits is {bits}, and must be one of {', '.join(map(str, SIZES))}")
    if ngrams is not None and ngrams < 0:
        raise SettingError(f"ngrams is {ngrams}, and must be 0 or more")

    lm = model.lm
    if ngrams == 0:
        lm = lm.without(NGram, BaseNGram)
    total = max(1, sum(ngram_count(ngram) for ngram in map(_ngrams, lm.parts) if ngram))

    def smaller(part: Part) -> Part:
        if isinstance(part, Network | Ensemble) and bits is not None:
            return joined([network.with_bits(bits) for network in networks_of(lm)])
        own = _ngrams(part)
        if own is None or ngrams is None:
            return part
        fewer = pruned(own, ngrams * ngram_count(own) // total, progress)
        return BaseNGram(fewer) if isinstance(part, BaseNGram) else fewer

    return replace(model, lm=Mixture(list(map(smaller, lm.parts)), lm.vocabulary_size, lm.weights, lm.beginning))


def _ngrams(part: Part) -> NGram | None:
    """Return the n-grams of a part that counts in `ngrams`."""
    if isinstance(part, BaseNGram):
        return part.ngram
    return part if isinstance(part, NGram) else None


def retuned(model: M, ids: np.ndarray) -> tuple[M, float]:
    """Tune the weights of a model's parts on a held-out text (N,): return it with them, and its perplexity there."""
    texts = excerpts(ids, MAX_WORDS, MAX_PIECES)
    tuned = tune(model.lm.parts, model.lm.vocabulary_size, texts, on_all_cores, choose=False)
    return replace(model, lm=tuned.mixture), perplexity(tuned.loss)
