"""A long row of words as parallel streams, and as the windows of truncated back-propagation."""

from collections.abc import Sequence

import numpy as np

from .vocabulary import EOS_ID


def streams(ids: np.ndarray, batch: int) -> np.ndarray:
    """Cut a text (N,) into `batch` parallel streams (L + 1, B): one text's parts, read side by side.

    Row t is input t and target t - 1. The text's beginning is preceded by `<eos>`, each other stream by the word
    before it, so every word is a target once; what is left over at the end, less than `batch` words, is dropped.
    """
    length = len(ids) // batch
    preceded = np.concatenate([[EOS_ID], ids])
    starts = np.arange(batch) * length
    return preceded[starts[None, :] + np.arange(length + 1)[:, None]].astype(np.int32)


def window(words: np.ndarray, start: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The inputs and the targets, (T, B) each, of `steps` rows of `streams` from `start` on; fewer at the end."""
    end = min(start + steps, len(words) - 1)
    return words[start:end], words[start + 1 : end + 1]


def padded(texts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Several texts (N,) as the streams (T, B) of a batch, each filled up with `<eos>`; and their lengths (B,)."""
    lengths = np.array([len(text) for text in texts])
    words = np.full((lengths.max(), len(texts)), EOS_ID, np.int32)
    for stream, text in enumerate(texts):
        words[: len(text), stream] = text
    return words, lengths


def prefix_numbers(words: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A number for each place of texts side by side (T, B), the same where all words before it are the same.

    What stands behind a text's end counts as its beginning.
    """
    numbers, past, known = np.zeros(words.shape, np.int64), np.zeros(words.shape[1], np.int64), 1
    size = int(words.max()) + 1
    for step in range(len(words) - 1):
        # The past of the next place is this past and this word.
        _, past = np.unique(past * size + words[step], return_inverse=True)
        numbers[step + 1] = np.where(step + 1 < lengths, known + past, 0)
        known += past.max() + 1
    return numbers


def excerpt(ids: np.ndarray, words: int, pieces: int) -> np.ndarray:
    """About so many `words` of a text (N,), in some `pieces` from all over it; the whole text where it has no more."""
    length = words // pieces
    if words >= len(ids) or not length:
        return ids
    starts = ((np.arange(pieces) + 0.5) * len(ids) / pieces - length / 2).astype(int)  # the middles of equal parts
    return np.concatenate([ids[start : start + length] for start in starts])
