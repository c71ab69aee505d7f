"""Cuts contexts into ranges, and sorts the places of one range to find its n-grams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

LEFT_OUT = -1  # the number of an n-gram that is not in the model
OUTSIDE = -2  # where there is no n-gram, as its unit begins later
NOTHING = np.empty(0, np.uint8)


class Ranges:
    """The contexts of one length, cut into ranges."""

    def __init__(self, occurrences: np.ndarray, most: int):
        """Cut contexts so that those of one range occurred at most `most` times, unless it is a single one."""
        bounds = [0]
        begins = [0]
        total = 0
        for first in range(0, len(occurrences), most):  # not all at once, for the sake of the memory
            occurred = np.maximum(occurrences[first : first + most], 1)
            totals = np.append(total, total + np.cumsum(occurred, dtype=np.int64))  # before each context
            while (size := int(np.searchsorted(totals, begins[-1] + most, side="right")) - 1) < len(occurred):
                bounds.append(max(first + size, bounds[-1] + 1))
                begins.append(int(totals[bounds[-1] - first]))
            total = int(totals[-1])
        if bounds[-1] < len(occurrences) or len(bounds) == 1:
            bounds.append(len(occurrences))
        self.count = len(bounds) - 1
        self.bounds = np.array(bounds)  # of contexts
        self.begins = np.array(begins[: self.count])  # of the places of each range, in a column
        self.filled = np.zeros(self.count, np.int64)  # how many places each has got
        self.kind_type = kind_type(self.count)

    def kinds(self) -> np.ndarray:
        """Return the range of each context, by its number; after the last one for `LEFT_OUT`, and then `OUTSIDE`."""
        kinds = np.repeat(np.arange(self.count, dtype=self.kind_type), np.diff(self.bounds))
        return np.append(kinds, np.array([self.count + 1, self.count], self.kind_type))  # for -2 and -1

    def grouped(self, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of a block in the order of their ranges, and how many each kind has."""
        order = np.argsort(kinds, kind="stable")  # a radix sort
        return order, np.bincount(kinds, minlength=self.count + 2)

    def pieces(self, begins: np.ndarray, sizes: np.ndarray) -> Iterator[tuple[int, slice]]:
        """Yield, of the ranges in a block, where they go on in a column and where they are among the `grouped`."""
        ends = np.cumsum(sizes[:-2])
        for number in np.flatnonzero(sizes[:-2]).tolist():
            size = int(sizes[number])
            end = int(ends[number])
            yield int(self.begins[number] + begins[number]), slice(end - size, end)


def kind_type(ranges: int) -> np.dtype:
    """Return the type for the numbers of so many ranges, and two more: 16 bits, by which NumPy sorts fastest."""
    return np.promote_types(np.uint16, np.min_scalar_type(ranges + 1))


class Found(NamedTuple):
    """The n-grams of one range: those that are in the model, and where they stand."""

    words: np.ndarray  # of each that is in the model, the last word
    occurrences: np.ndarray  # and how often it occurred
    sizes: np.ndarray  # of each context, how many n-grams in the model it has
    pruned: np.ndarray  # of each context, how many others it has
    suffixes: np.ndarray  # of all different n-grams, the n-gram one shorter that each ends in
    numbers: Iterable[np.ndarray]  # in pieces, the n-gram in each place, from 0, or `LEFT_OUT`

    @classmethod
    def of(
        cls, contexts: np.ndarray, all_contexts: int, words: np.ndarray, occurrences: np.ndarray, is_kept: np.ndarray
    ) -> Found:
        """Describe the different n-grams of a range, by their contexts from 0 to `all_contexts`."""
        return cls(
            compact(words[is_kept]),
            compact(occurrences[is_kept]),
            compact(np.bincount(contexts[is_kept], minlength=all_contexts)),
            compact(np.bincount(contexts[~is_kept], minlength=all_contexts)),
            NOTHING,
            (),
        )


def sort_range(
    keys: np.ndarray, suffixes: np.ndarray, contexts: int, word_bits: int, least: int, is_numbered: bool
) -> Found:
    """Find the n-grams in the places of a range, by their `keys`: context, from 0 to `contexts`, and word.

    `keys` are changed. `suffixes` are the n-grams one shorter that end in the places. N-grams that occurred less than
    `least` times are left out.
    """
    size = len(keys)
    place_bits = max(size - 1, 0).bit_length()
    # Each number gets its place as last bits: to sort numbers is faster than to sort places by them.
    keys <<= place_bits
    keys += np.arange(size)
    keys.sort()
    places = keys & (2**place_bits - 1)
    keys >>= place_bits
    is_first = np.ones(size, bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    firsts = np.flatnonzero(is_first)
    occurrences = np.diff(firsts, append=size)
    is_kept = occurrences >= least
    ngrams = keys[firsts]
    found = Found.of(ngrams >> word_bits, contexts, ngrams & (2**word_bits - 1), occurrences, is_kept)
    found = found._replace(suffixes=suffixes[places[firsts]])
    if not is_numbered:
        return found
    numbers = np.empty(size, np.int32)
    numbers[places] = np.repeat(_numbered(is_kept), occurrences)
    return found._replace(numbers=[numbers])


def count_range(
    blocks: Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]], vocabulary_size: int, least: int, is_numbered: bool
) -> Found:
    """Do `sort_range` for a range of one context, which may be too large to be sorted.

    `blocks` yields the words and the suffixes of its places, block by block, whenever it is called.
    """
    occurrences = np.zeros(vocabulary_size, np.int64)
    suffixes = np.empty(vocabulary_size, np.int32)
    for words, suffixes_of_block in blocks():
        occurrences += np.bincount(words, minlength=vocabulary_size)
        suffixes[words] = suffixes_of_block
    words = np.flatnonzero(occurrences)
    is_kept = occurrences[words] >= least
    found = Found.of(np.zeros_like(words), 1, words, occurrences[words], is_kept)._replace(suffixes=suffixes[words])
    if not is_numbered:
        return found
    numbers = np.empty(vocabulary_size, np.int32)
    numbers[words] = _numbered(is_kept)
    return found._replace(numbers=(numbers[words_of_block] for words_of_block, _ in blocks()))


def _numbered(is_kept: np.ndarray) -> np.ndarray:
    """Number what is kept, from 0; the rest is `LEFT_OUT`."""
    numbers = np.full(len(is_kept), LEFT_OUT, np.int32)
    numbers[is_kept] = np.arange(np.count_nonzero(is_kept))
    return numbers


def compact(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)), copy=False)
