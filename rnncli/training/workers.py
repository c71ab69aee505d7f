"""Divides the work of a step: each worker has some of the batch's sequences, and gives a gradient to be summed.

The ranks of a training have equally much of the batch for each of their threads, and each divides its own among them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import SettingError
from ..lm.network import Network, NetworkState
from ..lm.noise import StepNoise
from ..nn.buffers import Buffers
from ..nn.optimizers import SGD, Adam
from .average import MAX_PERIOD
from .crew import Crew

# Milliseconds for one sequence of a batch on one core, with the default network: 1.4 in a batch of 20, 1.5 of 10, 1.9
# of 4, 2.8 of 2, 4.6 of one.
MIN_SEQUENCES = 4
RECENT_USE = 2 * MAX_PERIOD  # steps since its last use after which a row hardly moves any more


class Worker:
    """A slice of a batch's sequences, and a network with gradients of its own that learns from them."""

    def __init__(self, network: Network, worker_slice: slice, bptt: int):
        self.network = network
        self.worker_slice = worker_slice
        self.bptt = bptt
        self.buffers = Buffers()

    def learn(
        self, inputs: np.ndarray, targets: np.ndarray, state: NetworkState, noise: StepNoise, words: int
    ) -> tuple[float, NetworkState]:
        """Do this worker's slice of a step on a whole batch: return its part of the loss, and its state after it.

        The loss is a mean over so many `words`. Back-propagation goes back to the beginning of each window.
        """
        mine = self.worker_slice
        self.network.clear()
        self.network.use(inputs, noise.sample)
        own_noise = noise.for_sequences(mine)
        after = tuple(type(layer)(*(field[mine] for field in layer)) for layer in state)
        total = 0.0
        for begin in range(0, len(inputs), self.bptt):
            window = slice(begin, begin + self.bptt)
            own_targets = targets[window, mine]
            self.buffers.reset()
            with np.errstate(over="ignore", invalid="ignore"):  # the trainer deals with what is not finite
                loss, after, backward = self.network.loss(
                    inputs[window, mine], own_targets, after, own_noise.for_window(window), self.buffers.empty
                )
                backward(own_targets.size / words)
            total += loss * own_targets.size / words
        return total, after


class Team:
    """Workers who share the values of one network, which is that of the first of them.

    There are as many as threads, but each has at least `MIN_SEQUENCES`: products of few rows are slow.
    """

    def __init__(self, network: Network, batch: int, crew: Crew, bptt: int, local_steps: int = 1):
        """Average the networks of the ranks after so many `local_steps`; 1: sum the gradients in each step.

        Raises `SettingError` for a batch of which some rank would have nothing.
        """
        ranks = crew.ranks
        self.threads = crew.threads
        self.ranks = ranks
        self.batch = batch
        ends = [batch * sum(crew.counts[: number + 1]) // crew.count for number in range(ranks.count)]
        shares = [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
        if any(share.start == share.stop for share in shares):
            raise SettingError(
                f"a batch of {batch} sequences cannot be shared by {ranks.count} ranks: start fewer, or set batch_size"
                " and bptt so that the text gives more"
            )
        self.share = shares[ranks.number]  # of this rank
        own = self.share.stop - self.share.start
        count = min(self.threads.count, max(1, own // MIN_SEQUENCES))
        self.workers = [
            Worker(network.replica() if number else network, _slice(own, number, count, self.share.start), bptt)
            for number in range(count)
        ]
        self.local_steps = local_steps
        self.is_local = local_steps > 1 and ranks.count > 1
        self._steps = 0  # since the networks were averaged
        self._is_finite = True  # whether all steps of this rank were, since the ranks last told each other
        self._rows: dict[str, list[np.ndarray]] = {}  # by parameter, those that have changed since

    def learn(
        self, inputs: np.ndarray, targets: np.ndarray, state: NetworkState, noise: StepNoise
    ) -> tuple[float, NetworkState]:
        """Return the mean loss on a batch (T, B) and the state after it; the gradient is in the first network."""
        own = self.share.stop - self.share.start
        words = len(targets) * (own if self.is_local else self.batch)
        results = self.threads.map(lambda worker: worker.learn(inputs, targets, state, noise, words), self.workers)
        if len(self.workers) > 1:
            self._sum_gradients()
        loss = sum(loss for loss, _ in results)
        after = _joined([after for _, after in results])
        if self.ranks.count == 1:
            return loss, after
        whole = tuple(type(layer)(*map(self._among_zeros, layer)) for layer in after)
        return (loss, whole) if self.is_local else (self._sum_over_ranks(loss, whole), whole)

    def _sum_over_ranks(self, loss: float, state: NetworkState) -> float:
        """Sum the gradients of all ranks, and their parts of the loss, which is returned; put their states together.

        So each rank has the whole state, and can keep the training when others are lost.
        """
        total = np.array([loss])
        gradients = [parameter.grad for parameter in self.workers[0].network.parameters.values()]
        self.ranks.sum([*gradients, *(field for layer in state for field in layer), total])
        return float(total[0])

    def after_local_step(
        self, is_finite: bool, state: NetworkState, optimizer: Adam | SGD
    ) -> tuple[bool, NetworkState]:
        """Average the networks if it is time. Returns whether those of all ranks are finite, and the whole state.

        In between, what was not finite on one rank is only taken down, and its state is that of its own sequences.
        """
        self._steps += 1
        self._is_finite = self._is_finite and is_finite
        for name, parameter in self.workers[0].network.parameters.items():
            if parameter.rows is not None:
                self._rows.setdefault(name, []).append(parameter.rows)
        if self._steps < self.local_steps:
            return True, state
        broken = np.array([0.0 if self._is_finite else 1.0])
        self.ranks.sum([*(field for layer in state for field in layer), broken])
        if broken[0]:  # all go back; the ranks have taken other numbers of steps, and have other rows to average
            self.begin_anew()
            return False, state
        recent = RECENT_USE + self.local_steps
        for name, rows in optimizer.catch_up(within=recent).items():  # what moves later would differ among the ranks
            self._rows.setdefault(name, []).append(rows)
        self._average()
        return True, state

    @property
    def is_whole(self) -> bool:
        """Whether this rank's network and state are those of all ranks."""
        return self._steps == 0

    def agree(self, state: NetworkState) -> NetworkState:
        """Give all ranks one network: their average, or that of the first one, as rounding may differ on processors.

        Returns the state of all sequences.
        """
        if not self.is_local:
            self.ranks.copy_first(self.workers[0].network.values().values())
            return state
        own = (type(layer)(*(field[self.share] for field in layer)) for layer in state)
        whole = tuple(type(layer)(*map(self._among_zeros, layer)) for layer in own)
        self.ranks.sum([field for layer in whole for field in layer])
        self._average(everything=True)
        return whole

    def _average(self, *, everything: bool = False) -> None:
        """Average the networks of all ranks: what the steps since the last time have changed, or everything.

        Each rank counts by its share of the batch.
        """
        parameters = self.workers[0].network.parameters
        changed = {
            name: slice(None) if everything or name not in self._rows else np.unique(np.concatenate(self._rows[name]))
            for name in parameters
        }
        weight = np.float32((self.share.stop - self.share.start) / self.batch)
        parts = {name: weight * parameters[name].value[rows] for name, rows in changed.items()}
        self.ranks.sum(list(parts.values()))
        for name, rows in changed.items():
            parameters[name].value[rows] = parts[name]
        self._steps = 0
        self._rows.clear()

    def begin_anew(self) -> None:
        """Forget the steps since the ranks had one network: all have gone back to an earlier one."""
        self._steps = 0
        self._rows.clear()
        self._is_finite = True

    def _among_zeros(self, own: np.ndarray) -> np.ndarray:
        """Return an array (B, ...) with the rows of this rank's sequences, and zeros for those of the others."""
        whole = np.zeros((self.batch, *own.shape[1:]), own.dtype)
        whole[self.share] = own
        return whole

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


def _slice(size: int, number: int, count: int, begin: int = 0) -> slice:
    """Return one of `count` about equal slices of `size` things, the first of which is at `begin`."""
    return slice(begin + size * number // count, begin + size * (number + 1) // count)


def _joined(states: Sequence[NetworkState]) -> NetworkState:
    """Join the states of several slices of a batch, layer by layer and field by field."""
    layers = zip(*states, strict=True)
    return tuple(type(parts[0])(*map(np.concatenate, zip(*parts, strict=True))) for parts in layers)
