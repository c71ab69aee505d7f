"""Finds the different n-grams of a text and numbers them, in memory that does not grow with the text.

An n-gram is the number of its context, which is an n-gram one shorter, and its last word. The contexts are cut into
ranges that occur about equally often. For each length, one pass over the text gives every place to the range of its
context. The places of a range are sorted, and their n-grams numbered from those of the ranges before. The next pass
takes the numbers back in the order of the text, where they are contexts.

What grows with the text lies in columns (see `rnncli.lm.ngram_columns`). Where an n-gram is left out of the model, as
it occurred once, so did those that are one longer: their places are given to no range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from ..callbacks import OnProgress
from ..nn.threads import on_all_cores
from ..ranks import Ranks
from ..text.columns import release
from ..text.vocabulary import EOS_ID
from .ngram_columns import FixedColumn
from .ngram_ranges import LEFT_OUT, NOTHING, OUTSIDE, Found, Ranges, compact, count_range, kind_type, sort_range

RANGE = 2**18  # the most places of a range of several contexts, and of a block that is read: some 60 bytes each
RANGES = 256  # of a text that is longer than so many `RANGE`, about
RANGES_AT_ONCE = 4  # that are sorted by threads
PASS_COST = 0.5  # of a place, for the progress: in proportion to what it costs to sort one


class Columns(NamedTuple):
    """What is kept of the places of a text."""

    keys: FixedColumn  # by range: context and word
    suffixes: FixedColumn  # by range: the n-gram one shorter that ends there
    numbers: FixedColumn  # by range: the n-gram that ends there
    kinds: FixedColumn  # in the order of the text: the range


@dataclass
class Counted:
    """The n-grams of one length that are in the model, in the order of their numbers, M in all."""

    words: np.ndarray  # (M,), the last word of each
    counts: np.ndarray  # (M,), how often each occurred; for all but the longest, the different words before it instead
    sizes: np.ndarray  # of each context, how many n-grams it has
    pruned: np.ndarray  # of each context, how many more it has that occurred once and were left out
    once: int = 0  # how many n-grams occurred once and were left out, of all contexts


class NgramCounter:
    """Counts the n-grams of a text (N,), length by length, with columns for `column_size` places.

    Several ranks that count the same text each sort some of the ranges.
    """

    def __init__(
        self,
        ids: np.ndarray,
        vocabulary_size: int,
        order: int,
        prune: bool,
        report: OnProgress | None = None,
        range_size: int = 0,
        ranks: Ranks | None = None,
    ):
        self.ranks = ranks or Ranks()
        self.ids = ids
        self.vocabulary_size = vocabulary_size
        self.order = order
        self.prune = prune
        self.word_bits = max(1, (vocabulary_size - 1).bit_length())
        # What is sorted are whole numbers of 63 bits: the context, the word, and the place.
        self.range_size = min(range_size or max(RANGE, len(ids) // RANGES), 2 ** ((63 - self.word_bits) // 2))
        self.column_size = len(ids) + vocabulary_size + 1
        self.most_ranges = 2 * self.column_size // self.range_size + 2  # of two neighbours, one is more than half full
        self.progress = CountingProgress(len(ids), order, report)

    @property
    def column_types(self) -> list[np.dtype]:
        """The types of the columns."""
        return [np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.int32), kind_type(self.most_ranges)]

    def counted(self, columns: Sequence[FixedColumn]) -> Iterator[Counted]:
        """Yield the n-grams of each length, from single words on."""
        self._columns = Columns(*columns)
        counted = Counted(np.arange(self.vocabulary_size), self._occurrences(), NOTHING, NOTHING)
        contexts = counted.counts.astype(np.int64)
        contexts[EOS_ID] += 1  # before the first unit
        before = None
        for n in range(2, self.order + 1):
            ranges = Ranges(contexts, self.range_size)
            # No n-gram has more different words before it, nor after it, than it occurred.
            different_before = np.zeros_like(counted.counts)
            once = np.zeros_like(counted.counts)
            longer_once = self._distribute(before, ranges, different_before, once)
            longer = self._sort(n, ranges, different_before)
            longer.pruned = compact(longer.pruned + once)
            longer.once = longer_once + int(longer.pruned.sum())
            contexts = longer.counts
            np.copyto(counted.counts, different_before, where=different_before > 0)
            yield counted
            counted = longer
            before = ranges
        yield counted

    def _blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the words of the text in blocks, and where each begins."""
        for begin in range(0, len(self.ids), self.range_size):
            yield begin, self.ids[begin : begin + self.range_size].astype(np.int64)
            release(self.ids)

    def _occurrences(self) -> np.ndarray:
        """Return how often each word occurs."""
        occurrences = np.zeros(self.vocabulary_size, np.int64)
        for _, words in self._blocks():
            occurrences += np.bincount(words, minlength=self.vocabulary_size)
        return compact(occurrences)

    def _distribute(self, before: Ranges | None, ranges: Ranges, different_before: np.ndarray, once: np.ndarray) -> int:
        """Give the places of the text to the ranges of their contexts; `before` are those of the contexts one shorter.

        N-grams whose context or suffix was left out occurred once themselves. They are counted here: by suffix in
        `different_before`, by context in `once`. Returns how many contexts of theirs were left out.
        """
        columns = self._columns
        kinds_of_contexts = ranges.kinds()
        taken = np.zeros(before.count if before else 0, np.int64)
        last = np.array([EOS_ID if before is None else OUTSIDE], np.int64)
        without_context = 0
        for begin, words in self._blocks():
            suffixes = words if before is None else self._take_numbers(before, taken, begin, len(words))
            contexts = np.concatenate([last, suffixes])
            if before is not None:
                contexts[1:][words == EOS_ID] = OUTSIDE
            last = contexts[-1:]
            contexts = contexts[:-1]
            kinds = kinds_of_contexts[contexts]
            if self.prune and before is not None:
                kinds[(suffixes == LEFT_OUT) & (contexts != OUTSIDE)] = ranges.count
            order, sizes = ranges.grouped(kinds)
            keys = ((contexts << self.word_bits) + words)[order]
            by_range = suffixes[order]
            columns.kinds.write(begin, kinds)
            for place, piece in ranges.pieces(ranges.filled, sizes):
                columns.keys.write(place, keys[piece])
                columns.suffixes.write(place, by_range[piece])
            ranges.filled += sizes[:-2]
            places = order[len(order) - sizes[-2:].sum() :][: sizes[-2]]
            add_one(different_before, suffixes[places])
            add_one(once, contexts[places])
            without_context += np.count_nonzero(contexts[places] == LEFT_OUT)
            self.progress.passed(len(words))
        return without_context

    def _take_numbers(self, ranges: Ranges, taken: np.ndarray, begin: int, size: int) -> np.ndarray:
        """Return the numbers of the n-grams that end in a block, of which so many were `taken` from each range."""
        order, sizes = ranges.grouped(self._columns.kinds.read(begin, size))
        numbers = np.full(size, OUTSIDE, np.int64)
        by_range = np.full(size - sizes[-1], LEFT_OUT, np.int64)
        for place, piece in ranges.pieces(taken, sizes):
            by_range[piece] = self._columns.numbers.read(place, piece.stop - piece.start)
        numbers[order[: len(by_range)]] = by_range
        taken += sizes[:-2]
        return numbers

    def _sort(self, n: int, ranges: Ranges, different_before: np.ndarray) -> Counted:
        """Find and number the n-grams of length `n`, and count the different ones that end in each one shorter."""
        pieces: tuple[list[np.ndarray], ...] = ([], [], [], [])  # words, occurrences, sizes, pruned
        size = 0
        least = 2 if self.prune and n > 2 else 1
        work = partial(self._find, ranges, least, n < self.order)
        self.progress.next_length(int(ranges.filled.sum()))
        at_once = RANGES_AT_ONCE * self.ranks.count
        for first in range(0, ranges.count, at_once):
            numbers = range(first, min(first + at_once, ranges.count))
            for number, found in zip(numbers, self.ranks.map(on_all_cores, work, numbers), strict=True):
                add_one(different_before, found.suffixes)
                place = int(ranges.begins[number])
                for piece in found.numbers:
                    piece[piece != LEFT_OUT] += size
                    self._columns.numbers.write(place, piece)
                    place += len(piece)
                size += len(found.words)
                for column, array in zip(pieces, found[:4], strict=True):
                    column.append(array)
                self.progress.sorted(int(ranges.filled[number]))
        words, occurrences, sizes, pruned = map(joined, pieces)
        return Counted(words, occurrences, sizes, pruned)

    def _find(self, ranges: Ranges, least: int, is_numbered: bool, number: int) -> Found:
        """Find the n-grams of a range."""
        size = int(ranges.filled[number])
        begin = int(ranges.begins[number])
        first, end = ranges.bounds[number : number + 2].tolist()

        def read(begin: int, size: int) -> tuple[np.ndarray, np.ndarray]:
            keys = self._columns.keys.read(begin, size) - (first << self.word_bits)
            return keys, self._columns.suffixes.read(begin, size)

        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for place in range(begin, begin + size, self.range_size):
                yield read(place, min(self.range_size, begin + size - place))

        if size > self.range_size:  # it has one context
            found = count_range(blocks, self.vocabulary_size, least, is_numbered)
            return found if self.ranks.count == 1 else found._replace(numbers=list(found.numbers))
        return sort_range(*read(begin, size), end - first, self.word_bits, least, is_numbered)


class CountingProgress:
    """Reports which fraction of the work is done; it expects as many places to sort for each length as for the last."""

    def __init__(self, places: int, order: int, report: OnProgress | None):
        self._report = report
        self._done = 0.0
        self._to_pass = places * (order - 1)
        self._to_sort = 0
        self._lengths = order - 1  # that are not yet begun to be sorted
        self._places = places

    def passed(self, places: int) -> None:
        """Count places of the text that were given to a range."""
        self._to_pass -= places
        self._advance(places * PASS_COST)

    def next_length(self, places: int) -> None:
        """Begin to sort so many places."""
        self._lengths -= 1
        self._places = places
        self._to_sort = places

    def sorted(self, places: int) -> None:
        """Count places that were sorted."""
        self._to_sort -= places
        self._advance(places)

    def _advance(self, cost: float) -> None:
        self._done += cost
        if self._report:
            ahead = self._to_pass * PASS_COST + self._to_sort + self._lengths * self._places
            self._report(self._done / (self._done + ahead))


def add_one(counts: np.ndarray, numbers: np.ndarray) -> None:
    """Count each of the n-grams (N,) that is not `LEFT_OUT` once more, as often as it is named."""
    np.add.at(counts, numbers[numbers != LEFT_OUT].astype(np.intp), counts.dtype.type(1))


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    """Join arrays, and let go of them."""
    whole = np.concatenate(pieces)
    pieces.clear()
    return whole
