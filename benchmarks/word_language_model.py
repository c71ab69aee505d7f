"""The peer of several benchmarks: the network and the training of PyTorch's `word_language_model` example.

Two layers of 200 units, untied, dropout 0.2, uniform initial values of at most 0.1; 20 sequences, windows of 35 steps,
plain SGD from a learning rate of 20 that is divided by 4 after an epoch without progress, gradients clipped at 0.25.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

BATCH, BPTT, UNITS, LAYERS, DROPOUT, CLIP = 20, 35, 200, 2, 0.2, 0.25
CELLS = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Model(nn.Module):
    """A network whose result is the loss of each word of a window."""

    def __init__(self, vocabulary_size: int, cell: str = "lstm", softmax: str = "full"):
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.embedding = nn.Embedding(vocabulary_size, UNITS)
        self.layers = CELLS[cell](UNITS, UNITS, LAYERS, dropout=DROPOUT)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        if softmax == "full":
            self.adaptive, self.output = None, nn.Linear(UNITS, vocabulary_size)
            nn.init.uniform_(self.output.weight, -0.1, 0.1)
            nn.init.zeros_(self.output.bias)
        else:
            self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(UNITS, vocabulary_size, [2000, 10000])

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor, state):
        out, state = self.layers(self.dropout(self.embedding(inputs)), state)
        rows, targets = self.dropout(out).flatten(0, 1), targets.flatten()
        if self.adaptive is not None:
            return -self.adaptive(rows, targets).output, state
        log_p = nn.functional.log_softmax(self.output(rows), dim=-1)
        return nn.functional.nll_loss(log_p, targets, reduction="none"), state


def windows(ids: np.ndarray, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Cut a text into `batch` sequences, and yield the inputs and the targets (T, B) of each window."""
    sequences = torch.from_numpy(ids[: len(ids) // batch * batch].astype(np.int64)).view(batch, -1).T.contiguous()
    for start in range(0, len(sequences) - 1, BPTT):
        end = min(start + BPTT, len(sequences) - 1)
        yield sequences[start:end], sequences[start + 1 : end + 1]


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def train_epoch(model: Model, ids: np.ndarray, learning_rate: float) -> Iterator[int]:
    """Train on a text, and yield the number of words after each step."""
    state = None
    for inputs, targets in windows(ids, BATCH):
        model.train()
        model.zero_grad()
        losses, state = model(inputs, targets, state)
        losses.mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(parameter.grad, alpha=-learning_rate)
        state = detached(state)
        yield targets.numel()


@torch.no_grad()
def mean_loss(model: Model, ids: np.ndarray, batch: int = 10) -> float:
    """Return the mean loss over a text in nats, read in `batch` sequences as the example does it."""
    model.eval()
    total = words = 0
    state = None
    for inputs, targets in windows(ids, batch):
        losses, state = model(inputs, targets, state)
        total += losses.double().sum().item()
        words += losses.numel()
    return total / words
