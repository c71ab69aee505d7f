"""Tells where a prediction comes from: what the n-grams have seen, what the cache found, and which lines hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from ..lm.cache import Cache, CacheAttention
from ..lm.mixture import MixtureContext
from ..lm.ngram import NGram, NGramContext
from ..lm.ngram_beside import ngram_of
from ..lm.ngram_level import UNSEEN
from ..model import Model
from ..text.corpus import Sources
from ..text.folding import folded
from ..text.formats import ReadOptions
from ..text.reading import TextsRead, listed, read_batches, source_name, text_files
from ..text.vocabulary import EOS, EOS_ID, UNK_ID

CACHED_PLACES = 3  # that are told of
WORDS_BEFORE = 4  # of a place in the cache
WORDS_AFTER = 2
MAX_LINES = 3  # of a source
WORDS_OF_LINES = 5  # that are looked for in a row; where no line holds them, fewer, but two at least


@dataclass(frozen=True)
class SeenSequence:
    """The longest sequence of words that n-grams have seen: the last words of a context, and the predicted word."""

    part: str
    words: list[str]
    count: int  # how often it occurred
    is_exact: bool  # if not, `count` is the number of different words that it occurred after, as n-grams keep it


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
            counts = _counts(ngram, context.contexts[part.name], _alike(model, target))
            length = max((n for n, count in counts.items() if count), default=1)
            if length > 1:
                words = [*before[len(before) - length + 1 :].tolist(), target]
                is_exact = length == ngram.order or words[0] == EOS_ID
                found.append(SeenSequence(part.name, list(map(model.word, words)), counts[length], is_exact))
    return found


def _alike(model: Model, target: int) -> list[int]:
    """Return the numbers of all variants of a mark that a person reads as one, or of the word itself."""
    noted, standard = model.vocabulary.noted
    return sorted({target, *noted[standard == target].tolist()})


def _counts(ngram: NGram, context: NGramContext, targets: Iterable[int]) -> dict[int, int]:
    """Return by length the count of the n-grams that end in one of the `targets`."""
    counts = {}
    for length, (level, number) in enumerate(zip(ngram.levels, context.contexts[0, 0].tolist(), strict=False), 2):
        found = [level.find_one(number, target) for target in targets]
        counts[length] = sum(int(level.counts[place]) for place in found if place != UNSEEN)
    return counts


def cached_places(model: Model, context: MixtureContext, target: int) -> list[CachedPlace]:
    """Return the places in the cache that give most to the `target`."""
    cache = model.lm.find(Cache)
    if cache is None:
        return []
    attention: CacheAttention = context.contexts[cache.name].within(cache.size)
    weights, _ = attention.weights(cache.sharpness)
    ids = attention.words[0]
    places = np.flatnonzero(np.isin(ids, _alike(model, target)) & (weights[0, 0] > 0))
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


def source_lines(sources: Sources, encoding: str = "utf-8") -> list[SourceLine]:
    """Return all lines of some texts. Raises `TextError` for one that cannot be read."""
    found = []
    options = ReadOptions(encoding=encoding)
    for source in listed(sources):
        for path in text_files(source, options, TextsRead()):
            lines = chain.from_iterable(read_batches(path, encoding, "replace"))
            found += [SourceLine(source_name(path), number, line.strip()) for number, line in enumerate(lines, 1)]
    return found


def lines_of(model: Model, lines: Sequence[SourceLine], before: np.ndarray, target: int) -> list[SourceLine]:
    """Return the first lines that hold the `target` after the most of the last known words `before` (N,)."""
    unknown = np.flatnonzero(before == UNK_ID)
    known = before[unknown[-1] + 1 :] if len(unknown) else before
    words = [*map(model.word, known[-WORDS_OF_LINES + 1 :].tolist()), model.word(target)]
    found = (lines_with(model, lines, words[start:]) for start in range(len(words) - 1))
    return next(filter(None, found), [])


def lines_with(model: Model, lines: Iterable[SourceLine], words: Sequence[str]) -> list[SourceLine]:
    """Return the first lines that hold `words` in a row, as the model reads them."""
    return list(islice(_lines_with(model, lines, words), MAX_LINES))


def _lines_with(model: Model, lines: Iterable[SourceLine], words: Sequence[str]) -> Iterator[SourceLine]:
    wanted = np.array([model.number_of(word) for word in words])
    longest = folded(max((word for word in words if word != EOS), key=len, default="")).lower()
    for line in lines:
        if longest in folded(line.text).lower() and _holds(model, line.text, wanted):
            yield line


def _holds(model: Model, line: str, wanted: np.ndarray) -> bool:
    """Whether a line, between the ends of the one before it and its own, holds words (N,) in a row."""
    ids = np.concatenate([[EOS_ID], model.vocabulary.unnoted(model.encode(line)[0][:, 0]), [EOS_ID]])
    return any((ids[begin : begin + len(wanted)] == wanted).all() for begin in range(len(ids) - len(wanted) + 1))
