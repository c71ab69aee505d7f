"""Tells where a prediction comes from: what the n-grams have seen, what the cache found, and which lines hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..lm.cache import Cache, CacheAttention
from ..lm.interface import Part
from ..lm.mixture import MixtureContext
from ..lm.ngram import NGram, NGramContext
from ..lm.ngram_beside import NGramBeside
from ..lm.ngram_level import UNSEEN
from ..model import Model
from ..text.corpus import Sources
from ..text.reading import listed, read_batches, source_name
from ..text.vocabulary import EOS, EOS_ID

CACHED_PLACES = 3  # that are told of
WORDS_BEFORE = 4  # of a place in the cache
WORDS_AFTER = 2
MAX_LINES = 3  # of a source


@dataclass(frozen=True)
class SeenSequence:
    """The longest sequence of words that n-grams have seen: the last words of a context, and the predicted word."""

    part: str
    words: list[str]
    count: int  # how often it occurred; of one that is shorter than the longest n-grams, after how many words
    is_longest: bool  # whether it is as long as the longest n-grams


@dataclass(frozen=True)
class CachedPlace:
    """A place in the cache where the predicted word stood."""

    before: list[str]
    word: str
    after: list[str]
    fraction: float  # of what the cache gives to the word


@dataclass(frozen=True)
class SourceLine:
    """A line of a text that holds a sequence."""

    source: str
    number: int
    text: str


def seen_sequences(model: Model, context: MixtureContext, before: np.ndarray, target: int) -> list[SeenSequence]:
    """Return the longest sequence that each n-gram part has seen, of the words `before` (N,) and the `target`."""
    found = []
    for part in model.lm.parts:
        if (ngram := ngram_of(part)) is not None:
            numbers, counts = _known(ngram, context.contexts[part.name], target)
            length = max((n for n, number in enumerate(numbers, 1) if number != UNSEEN), default=1)
            if length > 1:
                words = [*before[len(before) - length + 1 :].tolist(), target]
                count = counts[length - 1]
                found.append(SeenSequence(part.name, list(map(model.word, words)), count, length == ngram.order))
    return found


def ngram_of(part: Part) -> NGram | None:
    """Return the n-grams that a part holds."""
    if isinstance(part, NGramBeside):
        return part.ngram
    return part if isinstance(part, NGram) else None


def _known(ngram: NGram, context: NGramContext, target: int) -> tuple[list[int], list[int]]:
    """Return by length the number of the n-gram that ends in the `target`, and its count."""
    contexts = context.contexts[0, 0].tolist()
    numbers = [target]
    counts = [0]
    for level, number in zip(ngram.levels, contexts, strict=False):
        numbers.append(level.find_one(number, target))
        counts.append(0 if numbers[-1] == UNSEEN else int(level.counts[numbers[-1]]))
    return numbers, counts


def cached_places(model: Model, context: MixtureContext, target: int) -> list[CachedPlace]:
    """Return the places in the cache that give most to the `target`."""
    cache = model.lm.find(Cache)
    if cache is None:
        return []
    attention: CacheAttention = context.contexts[cache.name].within(cache.size)
    weights, _ = attention.weights(cache.sharpness)
    ids = attention.words[0]
    places = np.flatnonzero((ids == target) & (weights[0, 0] > 0))
    own = weights[0, 0, places]
    found = []
    for place in places[np.argsort(-own, kind="stable")][:CACHED_PLACES].tolist():
        before = ids[max(0, place - WORDS_BEFORE) : place].tolist()
        after = ids[place + 1 : min(place + 1 + WORDS_AFTER, len(ids) - 1)].tolist()  # the last one is not known
        fraction = float(weights[0, 0, place] / own.sum())
        found.append(
            CachedPlace(list(map(model.word, before)), model.word(target), list(map(model.word, after)), fraction)
        )
    return found


def lines_with(model: Model, sources: Sources, words: list[str], encoding: str = "utf-8") -> list[SourceLine]:
    """Return the first lines of some texts that hold `words` in a row, as the model reads them."""
    return list(islice(_lines_with(model, sources, words, encoding), MAX_LINES))


def _lines_with(model: Model, sources: Sources, words: list[str], encoding: str) -> Iterator[SourceLine]:
    wanted = np.array([model.number_of(word) for word in words])
    longest = max((word for word in words if word != EOS), key=len, default="").lower()
    for source in listed(sources):
        number = 0
        for batch in read_batches(source, encoding, "replace"):
            for line in batch:
                number += 1
                if longest in line.lower() and _holds(model, line, wanted):
                    yield SourceLine(source_name(source), number, line.strip())


def _holds(model: Model, line: str, wanted: np.ndarray) -> bool:
    """Whether a line holds words (N,) in a row; its beginning counts as the end of the line before."""
    ids = np.concatenate([[EOS_ID], model.vocabulary.unnoted(model.encode(line)[0][:, 0])])
    return any((ids[begin : begin + len(wanted)] == wanted).all() for begin in range(len(ids) - len(wanted) + 1))
