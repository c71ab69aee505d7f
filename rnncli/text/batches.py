"""Arranges texts for a network: parallel sequences, and the windows of truncated back-propagation."""

from collections.abc import Sequence

import numpy as np

from .columns import release
from .vocabulary import EOS_ID
from .weights import TrainingText

READS_PER_RELEASE = 256  # of a text that is in a file, after which its memory is let go of


class Sequences:
    """The parallel sequences (L + 1, B) of a text, which are read side by side; slices of them are arrays (T, B).

    They are those of an `epoch`. Nothing is copied but what is asked for: the text may be in a file.
    """

    def __init__(self, text: TrainingText, batch: int):
        self.shape = (len(text) // batch + 1, batch)
        self.epoch = 0
        self._text = text
        self._starts = np.arange(batch) * (len(text) // batch) - 1
        self._reads = 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        begin, end, step = rows.indices(len(self))
        places = self._starts + np.arange(begin, end, step)[:, None]
        words: np.ndarray = self._text.words(np.maximum(places, 0), self.epoch).astype(np.int32)
        words[places < 0] = EOS_ID  # before the text
        self._reads += 1
        if self._reads % READS_PER_RELEASE == 0:
            release(self._text.ids)
        return words


def parallel_sequences(ids: np.ndarray | TrainingText, batch: int) -> Sequences:
    """Cut a text (N,) into `batch` parallel sequences (L + 1, B), which are read side by side.

    Row t is input t and target t - 1. The first sequence begins with `<eos>`, each other one with the word before it in
    the text, so every word is a target once. The remainder at the end, less than `batch` words, is dropped.
    """
    return Sequences(ids if isinstance(ids, TrainingText) else TrainingText(ids), batch)


def window(words: Sequences, start: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the inputs and the targets, (T, B) each, of `steps` rows of sequences from `start` on; fewer at the end."""
    rows = words[start : start + steps + 1]
    return rows[:-1], rows[1:]


def padded(texts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Put texts (N,) side by side as a batch (T, B), padded with `<eos>`; returns it and their lengths (B,)."""
    lengths = np.array([len(text) for text in texts])
    words = np.full((lengths.max(), len(texts)), EOS_ID, np.int32)
    for sequence, text in enumerate(texts):
        words[: len(text), sequence] = text
    return words, lengths


def prefix_numbers(words: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Number the prefixes of padded texts (T, B): positions get the same number where all words before are the same.

    Positions in the padding get the number of the empty prefix, 0.
    """
    numbers = np.zeros(words.shape, np.int64)
    prefix = np.zeros(words.shape[1], np.int64)
    known = 1  # how many numbers are taken
    size = int(words.max()) + 1
    for step in range(len(words) - 1):
        # The next prefix is this prefix and this word.
        _, prefix = np.unique(prefix * size + words[step], return_inverse=True)
        numbers[step + 1] = np.where(step + 1 < lengths, known + prefix, 0)
        known += prefix.max() + 1
    return numbers


def excerpts(ids: np.ndarray, words: int, count: int) -> list[np.ndarray]:
    """Take about `words` words of a text (N,) in at most `count` pieces, which begin where units do.

    They are spread evenly over the text. Of a text that is no longer, the pieces are the whole. There are fewer where
    the text has few units, and no empty ones.
    """
    begins = np.append(0, np.flatnonzero(ids[:-1] == EOS_ID) + 1)
    wanted = np.arange(max(1, count)) * (len(ids) / max(1, count))
    starts = np.unique(begins[np.searchsorted(begins, wanted, "right") - 1])
    ends = np.append(starts[1:], len(ids))
    if words < len(ids):
        ends = np.minimum(ends, starts + max(1, words // len(starts)))
    return [ids[start:end] for start, end in zip(starts, ends, strict=True)]
