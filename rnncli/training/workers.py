"""A step's work, shared out: a worker is a share of the batch and a gradient to be summed."""

from collections.abc import Sequence

import numpy as np

from ..lm.network import Draw, Network, State
from ..nn.buffers import Buffers
from ..threads import Threads

# Measured with the default network, on one core for one stream of a batch: 1.4 ms with 20 of them, 1.5 with 10, 1.9
# with 4, 2.8 with 2, 4.6 with a single one.
FEWEST_STREAMS = 4


class Worker:
    """Some of a batch's streams, and a network with gradients of its own that learns from them."""

    def __init__(self, network: Network, streams: slice):
        self.network, self.streams, self.buffers = network, streams, Buffers()

    def learn(self, inputs: np.ndarray, targets: np.ndarray, state: State, draw: Draw) -> tuple[float, State]:
        """Do this worker's share of a step, all of which is given: its part of the loss and of the state after it."""
        mine, words = self.streams, targets.size
        self.buffers.reset()
        self.network.clear()
        self.network.use(inputs, draw.sample)
        inputs, targets = inputs[:, mine], targets[:, mine]
        state = tuple(type(layer)(*(field[mine] for field in layer)) for layer in state)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is the trainer's business
            loss, state, backward = self.network.loss(inputs, targets, state, draw.share(mine), self.buffers.empty)
            backward(targets.size / words)
        return loss * targets.size / words, state


class Team:
    """Workers who share the values of one network, which is that of the first of them.

    There are as many as threads, but no more than have a few streams each: products of few rows are slow.
    """

    def __init__(self, network: Network, batch: int, threads: Threads):
        count = min(threads.count, max(1, batch // FEWEST_STREAMS))
        self.threads = threads
        self.workers = [Worker(network.replica() if k else network, _share(batch, k, count)) for k in range(count)]

    def learn(self, inputs: np.ndarray, targets: np.ndarray, state: State, draw: Draw) -> tuple[float, State]:
        """The mean loss on a batch (T, B) and the state after it; the gradient is in the first worker's network."""
        parts = self.threads.map(lambda worker: worker.learn(inputs, targets, state, draw), self.workers)
        gradients = [[p.grad for p in worker.network.named_parameters().values()] for worker in self.workers]

        def add_up(share: int) -> None:
            for total, *others in zip(*gradients, strict=True):
                rows = _share(len(total), share, len(self.workers))
                for grad in others:  # in a fixed order, so that the same number of workers gives the same result
                    with np.errstate(over="ignore", invalid="ignore"):
                        np.add(total[rows], grad[rows], out=total[rows])

        if len(self.workers) > 1:
            self.threads.map(add_up, range(len(self.workers)))
        return sum(loss for loss, _ in parts), _joined([state for _, state in parts])


def _share(size: int, number: int, count: int) -> slice:
    """One of `count` about equal parts of `size` things."""
    return slice(size * number // count, size * (number + 1) // count)


def _joined(states: Sequence[State]) -> State:
    """The states of several streams as one, layer by layer and field by field."""
    layers = zip(*states, strict=True)
    return tuple(type(parts[0])(*map(np.concatenate, zip(*parts, strict=True))) for parts in layers)
