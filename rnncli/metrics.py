"""Measures of prediction, over probabilities of all words in N places of a text: arrays in, numbers out."""

import math
from collections.abc import Sequence

import numpy as np

from .text.completion import beginning_alike
from .text.vocabulary import EOS_ID, UNK_ID

BINS = 10  # of the calibration error
OFFERED = 3  # words that a keyboard shows
HOPELESS = 690.0  # nats a word: e^690 is about as large as a number can be


def perplexity(loss: float) -> float:
    """exp(loss), of a loss in nats; infinite where that has no number."""
    return math.exp(loss) if loss < HOPELESS else math.inf if loss == loss else math.nan


def perplexity_of_parts(names: Sequence[str], p: np.ndarray) -> dict[str, float | None]:
    """The perplexity of each part alone, by what it gave to words (parts, N); None where that was no chance at all."""
    with np.errstate(divide="ignore"):
        losses = zip(names, -np.log(p).mean(axis=1), strict=True)
    return {name: perplexity(loss) if loss < HOPELESS else None for name, loss in losses}


def ranks(p: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The place (N,), from 0 on, of each of the `targets` (N,) among the words that can be named; V for `<unk>`.

    Of equally likely words the one with the smaller number comes first, as in `rnncli.prediction.rank`.
    """
    wanted = p[np.arange(len(targets)), targets][:, None]
    better = np.count_nonzero(p > wanted, axis=1) - (p[:, UNK_ID] > wanted[:, 0])
    ties = np.flatnonzero(np.count_nonzero(p == wanted, axis=1) > 1)  # seldom any
    for row in ties:
        before = p[row, : targets[row]] == wanted[row]
        better[row] += np.count_nonzero(before) - (targets[row] > UNK_ID and before[UNK_ID])
    better[targets == UNK_ID] = p.shape[1]
    return better


def likeliest(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest word (N,) that can be named, and its probability (N,)."""
    hidden = p[:, UNK_ID].copy()
    p[:, UNK_ID] = -1
    best = p.argmax(axis=1)
    p[:, UNK_ID] = hidden
    return best, p[np.arange(len(best)), best]


def calibration(confidence: np.ndarray, right: np.ndarray) -> tuple[float, list[tuple[float, float, int]]]:
    """The expected calibration error of predictions made with some `confidence` (N,), of which some were `right` (N,).

    The mean distance between confidence and accuracy over bins of equal width (Naeini et al. 2015), and of each bin
    that is not empty the mean confidence, the accuracy and the number of predictions.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sizes = np.bincount(bins, minlength=BINS)
    filled = np.flatnonzero(sizes)
    means, accuracies = (np.bincount(bins, values, BINS)[filled] / sizes[filled] for values in (confidence, right))
    error = float(np.sum(np.abs(means - accuracies) * sizes[filled]) / max(1, len(bins)))
    return error, list(zip(means.tolist(), accuracies.tolist(), sizes[filled].tolist(), strict=True))


class Keyboard:
    """Counts the keys that it takes to write words where the likeliest ones are offered as one types.

    The three likeliest words that begin with the letters typed so far are offered; one key accepts one of them, with
    the space after it. The end of a unit is one key.
    """

    def __init__(self, words: Sequence[str]):
        self.words = words
        offered = [number for number in range(len(words)) if number not in (EOS_ID, UNK_ID)]
        self.order = np.array(sorted(offered, key=words.__getitem__), np.int64)  # alphabetical
        self.sorted = [words[number] for number in self.order]

    def keys(self, p: np.ndarray, target: int) -> int:
        """How many keys it takes to write the word number `target`, by probabilities (V,); with the one to accept it.

        A word that is never offered is typed to its end, and a space.
        """
        if target == EOS_ID:
            return 1
        word, wanted = self.words[target], p[target]
        better = np.count_nonzero(p > wanted) - (p[EOS_ID] > wanted) - (p[UNK_ID] > wanted)
        typed = 0
        while better >= OFFERED and typed < len(word):
            typed += 1
            better = np.count_nonzero(p[self.order[beginning_alike(self.sorted, word[:typed])]] > wanted)
        return typed + 1
