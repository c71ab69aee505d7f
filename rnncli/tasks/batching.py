"""Reads texts side by side: which of them together, and how many."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..nn.threads import usable_cores


def length_groups(
    lengths: Sequence[int], *, max_rows: float = math.inf, max_words: float = math.inf, max_spread: float = math.inf
) -> list[list[int]]:
    """Group texts of similar lengths, longest first: each group holds the places of its texts in `lengths`.

    A group has at most `max_rows` texts and, each filled up to the longest, `max_words` words; the shortest is at most
    `max_spread` words shorter than the longest. A text that is too long for these bounds is a group of its own. The
    longest come first so that several cores, each taking the next group, finish at about the same time.
    """
    groups: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        group = groups[-1] if groups else []
        is_full = len(group) >= max_rows or longest * (len(group) + 1) > max_words
        if not groups or is_full or longest - lengths[place] > max_spread:
            groups.append([])
            longest = lengths[place]
        groups[-1].append(place)
    return groups


def even_rows(count: int, most: int) -> int:
    """Return how many of `count` texts to read side by side, `most` at most, so that all cores have equally much."""
    groups = math.ceil(count / most)
    if groups > 1:
        groups += -groups % usable_cores()
    return math.ceil(count / max(1, groups))


def chunks(count: int, size: int) -> Iterator[slice]:
    """Yield ranges of at most `size`, which cover `count` things."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
