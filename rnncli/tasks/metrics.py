"""Measures of prediction, from the probabilities of all words in N places of a text: arrays in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ..lm.perplexity import perplexity
from ..text.annotation import plain
from ..text.completion import beginning_alike
from ..text.vocabulary import EOS_ID, UNK_ID

CALIBRATION_BINS = 10
SUGGESTED_WORDS = 3  # that a keyboard shows


def perplexity_of_parts(names: Sequence[str], p: np.ndarray) -> dict[str, float | None]:
    """Return the perplexity of each part alone, from what it gave to words (parts, N); None where that was zero."""
    with np.errstate(divide="ignore"):
        losses = -np.log(p).mean(axis=1)
    perplexities = zip(names, map(perplexity, losses.tolist()), strict=True)
    return {name: value if math.isfinite(value) else None for name, value in perplexities}


def ranks(p: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the rank (N,), from 0 on, of each of the `targets` (N,) among the words that can be named; V for `<unk>`.

    Of equally likely words the one with the smaller number comes first, as in `rnncli.tasks.predict`.
    """
    wanted = p[np.arange(len(targets)), targets][:, None]
    better: np.ndarray = np.count_nonzero(p > wanted, axis=1) - (p[:, UNK_ID] > wanted[:, 0])
    ties = np.flatnonzero(np.count_nonzero(p == wanted, axis=1) > 1)  # seldom any
    for row in ties:
        is_tied = p[row, : targets[row]] == wanted[row]
        better[row] += np.count_nonzero(is_tied) - (targets[row] > UNK_ID and is_tied[UNK_ID])
    better[targets == UNK_ID] = p.shape[1]
    return better


def likeliest(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the likeliest word (N,) that can be named, and its probability (N,)."""
    hidden = p[:, UNK_ID].copy()
    p[:, UNK_ID] = -1
    best = p.argmax(axis=1)
    p[:, UNK_ID] = hidden
    return best, p[np.arange(len(best)), best]


def calibration(confidence: np.ndarray, is_right: np.ndarray) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error of predictions with some `confidence` (N,), right or not (N,).

    It is the mean distance between confidence and accuracy over bins of equal width (Naeini et al. 2015). Then come the
    mean confidence, the accuracy and the number of predictions of each bin that is not empty.
    """
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    sizes = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = np.flatnonzero(sizes)
    means, accuracies = (
        np.bincount(bins, values, CALIBRATION_BINS)[filled] / sizes[filled] for values in (confidence, is_right)
    )
    error = float(np.sum(np.abs(means - accuracies) * sizes[filled]) / max(1, len(bins)))
    return error, list(zip(means.tolist(), accuracies.tolist(), sizes[filled].tolist(), strict=True))


class KeystrokeCounter:
    """Counts the keys that it takes to write words where the likeliest ones are suggested as one types.

    The three likeliest words that begin with the letters typed so far are suggested; one key accepts one of them, with
    the space after it. The end of a unit is one key.
    """

    def __init__(self, words: Sequence[str], variants: Iterable[int] = ()):
        words = [plain(word) for word in words]
        self.words = words
        hidden = {EOS_ID, UNK_ID, *map(int, variants)}  # of the variants of a mark, one is suggested
        suggestible = [number for number in range(len(words)) if number not in hidden]
        self.order = np.array(sorted(suggestible, key=words.__getitem__), np.int64)  # alphabetical
        self.sorted = [words[number] for number in self.order]

    def keys(self, p: np.ndarray, target: int) -> int:
        """Count the keys to write the word of number `target`, by probabilities (V,), with the one to accept it.

        A word that is never suggested is typed to its end, and a space.
        """
        if target == EOS_ID:
            return 1
        word = self.words[target]
        wanted = p[target]
        better = int(np.count_nonzero(p > wanted)) - int(p[EOS_ID] > wanted) - int(p[UNK_ID] > wanted)
        typed = 0
        while better >= SUGGESTED_WORDS and typed < len(word):
            typed += 1
            better = int(np.count_nonzero(p[self.order[beginning_alike(self.sorted, word[:typed])]] > wanted))
        return typed + 1
