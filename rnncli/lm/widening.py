"""Adds words to the parts of a mixture, and takes them away again.

New words have the last numbers. To a network or an n-gram model a new word is `<unk>`: it has the vectors of `<unk>`,
no n-gram, and an equal part of a probability as large as that of `<unk>`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..text.vocabulary import UNK_ID
from .ensemble import Ensemble, joined
from .interface import Part
from .network import Network
from .network_config import WORD_TABLES
from .ngram import NGram


def widened(part: Part, count: int) -> Part:
    """Return a part that knows `count` more words."""
    if not count:
        return part
    if isinstance(part, Ensemble):
        return joined([_widened_network(network, count) for network in part.networks])
    if isinstance(part, Network):
        return _widened_network(part, count)
    return _widened_ngram(part, count) if isinstance(part, NGram) else part


def narrowed(part: Part, size: int, unigrams: np.ndarray | None) -> Part:
    """Return a part as it was when it knew `size` words, to the last digit; `unigrams` (V,) are those it had then."""
    if isinstance(part, Ensemble):
        return joined([_narrowed_network(network, size) for network in part.networks])
    if isinstance(part, Network):
        return _narrowed_network(part, size)
    if not isinstance(part, NGram) or unigrams is None:
        return part
    bigrams, longer = part.levels[:1], part.levels[1:]
    bigrams = [
        replace(level, starts=level.starts[: size + 1], pruned_counts=level.pruned_counts[: size + 1])
        for level in bigrams
    ]
    return NGram(unigrams, [*bigrams, *longer])


def _widened_network(network: Network, count: int) -> Network:
    values = network.values()
    for name in set(WORD_TABLES) & set(values):
        values[name] = np.concatenate([values[name], np.repeat(values[name][[UNK_ID]], count, axis=0)])
    values["softmax.bias"][len(values["softmax.bias"]) - count :] -= np.log(count)
    config = network.config
    return Network(replace(config, vocabulary_size=config.vocabulary_size + count), values, network.bits)


def _narrowed_network(network: Network, size: int) -> Network:
    values = network.values()
    for name in set(WORD_TABLES) & set(values):
        values[name] = values[name][:size]
    return Network(replace(network.config, vocabulary_size=size), values, network.bits)


def _widened_ngram(ngram: NGram, count: int) -> NGram:
    unigrams = np.append(ngram.unigrams, np.full(count, ngram.unigrams[UNK_ID] / count))
    bigrams, longer = ngram.levels[:1], ngram.levels[1:]
    bigrams = [
        replace(
            level,
            starts=np.append(level.starts, np.repeat(level.starts[-1:], count)),
            pruned_counts=np.append(level.pruned_counts, np.zeros(count, level.pruned_counts.dtype)),
        )
        for level in bigrams
    ]
    return NGram(unigrams / unigrams.sum(), [*bigrams, *longer])
