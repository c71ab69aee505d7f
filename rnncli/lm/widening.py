"""Adds words to the parts of a mixture, and takes them away again.

New words have the last numbers. To a network or an n-gram model a new word is `<unk>`: it has the vectors of `<unk>`,
no n-gram, and an equal part of a probability as large as that of `<unk>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..text.vocabulary import UNK_ID
from .ensemble import Ensemble
from .interface import Part
from .network import Network
from .network_config import WORD_TABLES
from .ngram import NGram
from .ngram_beside import BaseNGram, ngram_of
from .voice import Voice


def widened(part: Part, count: int) -> Part:
    """Return a part that knows `count` more words."""
    if not count:
        return part
    if isinstance(part, Ensemble):
        return Ensemble([_widened_network(network, count) for network in part.networks])
    if isinstance(part, Network):
        return _widened_network(part, count)
    if isinstance(part, BaseNGram):
        return BaseNGram(widened_ngram(part.ngram, count))
    if isinstance(part, Voice):
        return _widened_voice(part, count)
    return widened_ngram(part, count) if isinstance(part, NGram) else part


def narrowed(part: Part, size: int, unigrams: Mapping[str, np.ndarray]) -> Part:
    """Return a part as it was when it knew `size` words, to the last digit.

    `unigrams` (V,) are those that it had then, by the name of the part: see `unigrams_of`.
    """
    if isinstance(part, Ensemble):
        return Ensemble([_narrowed_network(network, size) for network in part.networks])
    if isinstance(part, Network):
        return _narrowed_network(part, size)
    if isinstance(part, BaseNGram):
        return BaseNGram(_narrowed_ngram(part.ngram, size, unigrams[part.name]))
    if isinstance(part, Voice):
        fractions = part.fractions[:size].copy()
        fractions[UNK_ID] *= 2 if size < len(part.numbers) else 1
        return type(part)(part.lm, part.numbers[:size], fractions)
    return _narrowed_ngram(part, size, unigrams[part.name]) if isinstance(part, NGram) else part


def unigrams_of(parts: Iterable[Part]) -> dict[str, np.ndarray]:
    """Return the unigrams (V,) of each part with n-grams, by its name."""
    return {part.name: ngram.unigrams for part in parts if (ngram := ngram_of(part)) is not None}


def widened_ngram(ngram: NGram, count: int) -> NGram:
    """Return an n-gram model that knows `count` more words."""
    unigrams = np.append(ngram.unigrams, np.full(count, ngram.unigrams[UNK_ID] / max(1, count)))
    bigrams = [
        replace(
            level,
            starts=np.append(level.starts, np.repeat(level.starts[-1:], count)),
            pruned_counts=np.append(level.pruned_counts, np.zeros(count, level.pruned_counts.dtype)),
        )
        for level in ngram.levels[:1]
    ]
    return NGram(unigrams / unigrams.sum() if count else unigrams, [*bigrams, *ngram.levels[1:]])


def _narrowed_ngram(ngram: NGram, size: int, unigrams: np.ndarray) -> NGram:
    bigrams = [
        replace(level, starts=level.starts[: size + 1], pruned_counts=level.pruned_counts[: size + 1])
        for level in ngram.levels[:1]
    ]
    return NGram(unigrams, [*bigrams, *ngram.levels[1:]])


def _widened_voice(voice: Voice, count: int) -> Voice:
    """Give the new words half of what `<unk>` has."""
    numbers = np.append(voice.numbers, np.full(count, UNK_ID, voice.numbers.dtype))
    fractions = np.append(voice.fractions, np.full(count, voice.fractions[UNK_ID] / 2 / count))
    fractions[UNK_ID] /= 2
    return type(voice)(voice.lm, numbers, fractions)


def _widened_network(network: Network, count: int) -> Network:
    size = network.config.vocabulary_size
    wider = _with_words(network, np.append(np.arange(size), np.full(count, UNK_ID)), size + count)
    wider.softmax.bias.value[size:] -= np.log(count)
    return wider


def _narrowed_network(network: Network, size: int) -> Network:
    return _with_words(network, slice(size), size)


def _with_words(network: Network, rows: np.ndarray | slice, size: int) -> Network:
    """Return a network that has so many `rows` of the tables of words of another one, each stored as it is."""
    values = {
        name: parameter.picked(rows) if name in WORD_TABLES else parameter.value
        for name, parameter in network.parameters.items()
    }
    return Network(replace(network.config, vocabulary_size=size), values, network.bits)
