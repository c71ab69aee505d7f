"""Reads the n-gram model of a model file, so that nothing in it points to where there is nothing."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from .interface import StoredParts
from .ngram_level import Level, array_name


def levels_from_file(stored: StoredParts, order: int) -> tuple[np.ndarray, list[Level]]:
    """Return the unigrams and the levels. Raises `ValueError` or `KeyError` for arrays that make no sense."""
    unigrams = stored.arrays["ngram.unigrams"]
    contexts = stored.vocabulary_size
    is_sound = unigrams.shape == (contexts,) and unigrams.dtype.kind == "f" and (unigrams > 0).all()
    if not (is_sound and np.isclose(unigrams.sum(), 1)):
        raise ValueError(f"ngram.unigrams is not a distribution over {contexts} words")
    levels = []
    for n in range(2, order + 1):
        level = Level(**{entry.name: stored.arrays[array_name(n, entry.name)] for entry in fields(Level)})
        _check_arrays(level, n, contexts)
        if not _is_sound(level, stored):
            raise ValueError(f"its n-grams of {n} words make no sense")
        _check_discounts(level, n)
        levels.append(level)
        contexts = len(level.words)
    return unigrams, levels


def _check_arrays(level: Level, n: int, contexts: int) -> None:
    """Raise `ValueError` for an array of another shape or type than a level of so many `contexts` has."""
    size = len(level.words)
    shapes = {"words": (size,), "counts": (size,), "starts": (contexts + 1,), "pruned_counts": (contexts + 1,)}
    for name, shape in shapes.items():
        array = getattr(level, name)
        if array.shape != shape or array.dtype.kind != "u" or array.itemsize > 4:
            raise ValueError(f"{array_name(n, name)} is {array.dtype} {array.shape}")


def _is_sound(level: Level, stored: StoredParts) -> bool:
    """Whether contexts, words and counts make sense; of an unchecked file only the first and the last boundary."""
    starts = level.starts
    if starts[0] != 0 or starts[-1] != len(level.words):
        return False
    if not stored.is_checked:
        return True
    return bool(
        (starts[1:] >= starts[:-1]).all()
        and (level.words < stored.vocabulary_size).all()
        and (level.counts > 0).all()
        and _is_in_order(level)
    )


def _is_in_order(level: Level) -> bool:
    """Whether the words of each context rise; where its n-grams begin and end must be sound."""
    is_rising = level.words[1:] > level.words[:-1]
    begins = level.starts[(level.starts > 0) & (level.starts < len(level.words))].astype(np.int64)
    is_rising[begins - 1] = True  # from one context to the next they need not rise
    return bool(is_rising.all())


def _check_discounts(level: Level, n: int) -> None:
    off = level.discounts
    is_sound = off.shape == (4,) and off.dtype.kind == "f" and off[0] == 0
    if not (is_sound and (off[1:] > 0).all() and (off <= np.arange(4)).all()):
        raise ValueError(f"ngram.{n}.discounts are no discounts")
