"""Running mean squares of a gradient, to scale the steps of a network that learns from the text it reads."""

from __future__ import annotations

import numpy as np

DECAY = 0.999  # of the squares, in a step
EPSILON = 1e-8


class MeanSquares:
    """The mean squares of the gradients of one parameter; of a matrix by row and by column.

    The mean square of one number of a matrix is then estimated as that of its row times that of its column, over that
    of the whole (Shazeer and Stern 2018): that costs a step little.
    """

    def __init__(self, shape: tuple[int, ...]):
        """Begin for a parameter (N,) or (N, M), without any gradient."""
        self.by_row = np.zeros(shape[0])
        self.by_column = np.zeros(shape[1:])
        self.steps = 0

    def add(self, grad: np.ndarray, rows: np.ndarray | None = None) -> None:
        """Take in a gradient: of all rows, or of those of some numbers, where the others are zero."""
        self.steps += 1
        where = slice(None) if rows is None else rows
        self.by_row *= DECAY
        self.by_column *= DECAY
        if grad.ndim == 1:
            self.by_row[where] += (1 - DECAY) * np.square(grad, dtype=np.float64)
            return
        squares = np.square(grad)
        self.by_row[where] += (1 - DECAY) * squares.mean(axis=1)
        self.by_column += (1 - DECAY) * squares.sum(axis=0) / len(self.by_row)

    def divide(self, grad: np.ndarray, rows: np.ndarray | None = None) -> None:
        """Divide a gradient, in place, by the root of its mean squares."""
        seen = 1 - DECAY**self.steps  # by which the sums are too small
        of_rows = self.by_row if rows is None else self.by_row[rows]
        if grad.ndim == 1:
            grad /= (np.sqrt(of_rows / seen) + EPSILON).astype(grad.dtype)
            return
        grad /= (np.sqrt(self.by_column / seen) + EPSILON).astype(grad.dtype)
        relative = np.sqrt(of_rows / max(self.by_row.mean(), np.finfo(np.float64).tiny))
        grad /= np.maximum(relative, EPSILON).astype(grad.dtype)[:, None]
