"""Divides the work of a step: each worker has some of the batch's sequences, and gives a gradient to be summed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..lm.network import Network, NetworkState
from ..lm.noise import StepNoise
from ..nn.buffers import Buffers
from ..nn.threads import Threads

# Milliseconds for one sequence of a batch on one core, with the default network: 1.4 in a batch of 20, 1.5 of 10, 1.9
# of 4, 2.8 of 2, 4.6 of one.
MIN_SEQUENCES = 4


class Worker:
    """A slice of a batch's sequences, and a network with gradients of its own that learns from them."""

    def __init__(self, network: Network, worker_slice: slice):
        self.network = network
        self.worker_slice = worker_slice
        self.buffers = Buffers()

    def learn(
        self, inputs: np.ndarray, targets: np.ndarray, state: NetworkState, noise: StepNoise
    ) -> tuple[float, NetworkState]:
        """Do this worker's slice of a step on a whole batch: return its part of the loss, and its state after it."""
        mine = self.worker_slice
        self.buffers.reset()
        self.network.clear()
        self.network.use(inputs, noise.sample)
        own_inputs = inputs[:, mine]
        own_targets = targets[:, mine]
        batch_fraction = own_targets.size / targets.size
        own_state = tuple(type(layer)(*(field[mine] for field in layer)) for layer in state)
        with np.errstate(over="ignore", invalid="ignore"):  # the trainer deals with what is not finite
            loss, after, backward = self.network.loss(
                own_inputs, own_targets, own_state, noise.for_sequences(mine), self.buffers.empty
            )
            backward(batch_fraction)
        return loss * batch_fraction, after


class Team:
    """Workers who share the values of one network, which is that of the first of them.

    There are as many as threads, but each has at least `MIN_SEQUENCES`: products of few rows are slow.
    """

    def __init__(self, network: Network, batch: int, threads: Threads):
        count = min(threads.count, max(1, batch // MIN_SEQUENCES))
        self.threads = threads
        self.workers = [
            Worker(network.replica() if number else network, _slice(batch, number, count)) for number in range(count)
        ]

    def learn(
        self, inputs: np.ndarray, targets: np.ndarray, state: NetworkState, noise: StepNoise
    ) -> tuple[float, NetworkState]:
        """Return the mean loss on a batch (T, B) and the state after it; the gradient is in the first network."""
        results = self.threads.map(lambda worker: worker.learn(inputs, targets, state, noise), self.workers)
        if len(self.workers) > 1:
            self._sum_gradients()
        return sum(loss for loss, _ in results), _joined([after for _, after in results])

    def _sum_gradients(self) -> None:
        """Sum all gradients into those of the first worker, each thread one slice of every gradient.

        The order is fixed, so that the same number of workers gives the same result.
        """
        gradients = [[parameter.grad for parameter in worker.network.parameters.values()] for worker in self.workers]

        def sum_slice(number: int) -> None:
            for total, *others in zip(*gradients, strict=True):
                rows = _slice(len(total), number, len(self.workers))
                for gradient in others:
                    with np.errstate(over="ignore", invalid="ignore"):
                        np.add(total[rows], gradient[rows], out=total[rows])

        self.threads.map(sum_slice, range(len(self.workers)))


def _slice(size: int, number: int, count: int) -> slice:
    """Return one of `count` about equal slices of `size` things."""
    return slice(size * number // count, size * (number + 1) // count)


def _joined(states: Sequence[NetworkState]) -> NetworkState:
    """Join the states of several slices of a batch, layer by layer and field by field."""
    layers = zip(*states, strict=True)
    return tuple(type(parts[0])(*map(np.concatenate, zip(*parts, strict=True))) for parts in layers)
