"""Counts the n-grams of a text and estimates a Kneser-Ney model from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..callbacks import OnProgress
from ..errors import SettingError, TrainingError
from ..ranks import Ranks
from ..text.columns import Column, Store, release
from ..text.vocabulary import EOS_ID, UNK_ID
from .ngram_columns import NoRoomError, columns, folders
from .ngram_counter import Counted, NgramCounter
from .ngram_level import Level
from .ngram_ranges import compact

MAX_WORDS_IN_MEMORY = 4_000_000  # of a text whose columns are kept in memory, some 20 bytes for each word
PIECES = 23  # of a text of which a part is counted; a prime, so that of a text in copies each gives other pieces
MAX_WORDS = 2**31 - 2  # n-grams have numbers of 32 bits


def count_ngrams(
    ids: np.ndarray,
    vocabulary_size: int,
    order: int,
    prune: bool,
    *,
    folder: Path | None = None,
    progress: OnProgress | None = None,
    most_in_memory: int = MAX_WORDS_IN_MEMORY,
    range_size: int = 0,
    ranks: Ranks | None = None,
) -> tuple[np.ndarray, list[Level]]:
    """Estimate the unigrams (V,) and the levels of an n-gram model from a text (N,), whose units end in `<eos>`.

    `prune` leaves out the n-grams of three words and more that occurred once: most of those of a large text.

    A text of more than `most_in_memory` words needs some 20 bytes for each of them in files without a name, in `folder`
    or else in the folder for temporary files; in memory where neither has room. `progress` is told which fraction of
    the work is done; what it raises ends the counting. `range_size` is how many places of the text are sorted
    at once, if not the usual number. Several `ranks` share the sorting.
    """
    if len(ids) > MAX_WORDS:
        raise SettingError(f"n-grams can be counted of {MAX_WORDS:,} words, and this text holds {len(ids):,}")
    for place in folders(folder) if len(ids) > most_in_memory else []:
        with suppress(NoRoomError) if ranks is None or ranks.count == 1 else _room_for_all():
            return _estimated(NgramCounter(ids, vocabulary_size, order, prune, progress, range_size, ranks), place)
    return _estimated(NgramCounter(ids, vocabulary_size, order, prune, progress, range_size, ranks), None)


@contextmanager
def _room_for_all() -> Iterator[None]:
    """Raise `TrainingError` where a folder has no room: one of several ranks cannot begin again by itself."""
    try:
        yield
    except NoRoomError as error:
        raise TrainingError(
            "a folder has no room for counting n-grams: name one with more by cache_dir=FOLDER, or set ngram_order=0"
        ) from error


def _estimated(counter: NgramCounter, folder: Path | None) -> tuple[np.ndarray, list[Level]]:
    """Count the n-grams with columns in a folder, or in memory. Raises `NoRoomError` where it has no room for them."""
    with columns(counter.column_size, counter.column_types, folder) as opened:
        counted = counter.counted(opened)
        unigrams = next(counted).counts.astype(np.int64)
        levels = [_level(ngrams) for ngrams in counted]
    if not unigrams[UNK_ID]:
        # A new word is as likely as all those together that followed one word only (Good 1953).
        unigrams[UNK_ID] = np.count_nonzero(unigrams == 1)
    return _unigram_probabilities(unigrams), levels


def _level(ngrams: Counted) -> Level:
    """Make the level of the n-grams of one length."""
    starts = np.zeros(len(ngrams.sizes) + 1, np.min_scalar_type(len(ngrams.words)))
    np.cumsum(ngrams.sizes, dtype=starts.dtype, out=starts[1:])
    return Level(
        words=compact(ngrams.words),
        counts=compact(ngrams.counts),
        starts=starts,
        pruned_counts=compact(np.append(ngrams.pruned, np.zeros(1, ngrams.pruned.dtype))),
        discounts=discounts(ngrams.counts, ngrams.once),
    )


def counted_part(ids: np.ndarray, words: int, store: Store) -> np.ndarray:
    """Take about so many words of a text (N,), in pieces of whole units from all over it; all of a shorter one.

    Of a unit that is longer than a piece, a part is taken as a unit of its own. The part is kept in a `store`.
    """
    if words >= len(ids):
        return ids
    size = max(1, words // PIECES)
    starts = np.arange(PIECES + 1) * len(ids) // PIECES
    part = Column(store, ids.dtype)
    for begin, end in pairwise(starts.tolist()):
        part.append(_units(ids, begin, end, size))
        release(ids)
    return part.array()


def _units(ids: np.ndarray, begin: int, end: int, size: int) -> np.ndarray:
    """Take the units of about so many words from the part between two places of a text."""
    ends = np.flatnonzero(ids[max(0, begin - 1) : begin + size // 2] == EOS_ID)
    if begin and len(ends):
        begin += int(ends[0])  # the place after it
    piece = np.array(ids[begin : min(begin + size, end)])
    ends = np.flatnonzero(piece == EOS_ID)
    if len(ends):
        return piece[: ends[-1] + 1]
    piece[-1:] = EOS_ID
    return piece


def context_lengths(ids: np.ndarray) -> np.ndarray:
    """Count the words (N,) before each word of a text (N,) in its unit, with the `<eos>` before the unit."""
    places = np.arange(len(ids))
    begins = np.concatenate([[True], ids == EOS_ID])[:-1]
    return 1 + places - np.maximum.accumulate(np.where(begins, places, 0))


def discounts(counts: np.ndarray, once: int = 0) -> np.ndarray:
    """Estimate the discount for a count of 0, 1, 2, and 3 or more, (4,), from all `counts` (Chen and Goodman 1998).

    Counts of one may be given by their number, `once`, instead.
    A text too small for that discounts half of the count, at most one and a half. No discount is below a tenth, so
    that unseen words keep some probability.
    """
    n = np.array([np.count_nonzero(counts == count) for count in range(5)])
    n[1] += once
    if not n[1:].all():
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n[1] / (n[1] + 2 * n[2])
    k = np.arange(1, 4)
    return np.concatenate([[0.0], np.clip(k - (k + 1) * y * n[2:] / n[1:4], 0.1, k)])


def _unigram_probabilities(counts: np.ndarray) -> np.ndarray:
    """Return the probabilities (V,) of words without context; all words share the discounts evenly."""
    p = np.maximum(counts - discounts(counts)[np.minimum(counts, 3)], 0) / counts.sum()
    smoothed: np.ndarray = p + (1 - p.sum()) / len(p)
    return smoothed
