"""One step of a training: noise, gradient, update."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import RankLostError
from ..lm.noise import draw_noise
from ..nn.optimizers import clip_by_global_norm
from ..nn.sampling import Sampler
from ..nn.schedules import SCHEDULES
from ..text.batches import Sequences, window
from .crew import Crew
from .plan import Plan
from .recipe import LATE_FRACTION, LATE_SAMPLES
from .state import TrainingState
from .workers import RECENT_USE, Team


class Stepper:
    """Takes steps of a training on the sequences (L + 1, B) of a text, with word `counts` (V,).

    `now` is the clock of this rank, by which the steps are timed.
    """

    def __init__(
        self,
        plan: Plan,
        state: TrainingState,
        sequences: Sequences,
        counts: np.ndarray,
        crew: Crew,
        now: Callable[[], float],
    ):
        self.plan = plan
        self.state = state
        self.sequences = sequences
        self.now = now
        training = plan.training
        self.team = Team(state.network, sequences.shape[1], crew, training.bptt, training.local_steps)
        self.samplers: list[Sampler] = []
        if plan.training.softmax == "sampled":
            samples = plan.training.samples
            self.samplers = [Sampler(counts, size) for size in (samples, max(samples, LATE_SAMPLES))]

    def learning_rate(self) -> float:
        """Return the learning rate at this point of the training."""
        schedule = SCHEDULES[self.plan.training.schedule]
        return self.plan.training.lr * self.state.rate_scale * schedule(self.state.fraction)

    def agree(self) -> None:
        """Give all ranks one network, one average of it and one state."""
        self.state.carried = self.team.agree(self.state.carried)
        self.team.ranks.copy_first(self.state.average.values.values())

    def settle(self) -> None:
        """Bring the values of all words up to date, and the average; all ranks agree on them."""
        state = self.state
        with np.errstate(over="ignore", invalid="ignore"):
            state.optimizer.catch_up(everything=True)
        self.agree()
        if state.average.steps > state.average.taken:
            state.average.take(state.network.values(), self.team.threads)

    def step(self) -> bool:
        """Learn from the next words of each sequence; return whether loss and gradient were finite.

        If they were not, the parameters stay as they are.
        """
        state = self.state
        began = self.now()
        self.sequences.epoch = state.epochs
        training = self.plan.training
        inputs, targets = window(self.sequences, state.position, training.bptt * training.accumulate)
        sampler = self.samplers[state.fraction >= LATE_FRACTION] if self.samplers else None
        dtype = state.network.softmax.bias.value.dtype.type
        before = state.rng.bit_generator.state
        noise = draw_noise(state.network.config, inputs, targets, state.rng, sampler, dtype)
        state.network.use(inputs, noise.sample)
        with np.errstate(over="ignore", invalid="ignore"):
            state.optimizer.catch_up()
            try:
                loss, carried = self.team.learn(inputs, targets, state.carried, noise)
            except RankLostError:  # the training is kept as it was before this step
                state.rng.bit_generator.state = before
                raise
            norm = clip_by_global_norm(state.network.parameters, training.clip)
            is_finite = math.isfinite(loss) and math.isfinite(norm)
            if is_finite:
                state.optimizer.step(self.learning_rate())
            lost: RankLostError | None = None
            if self.team.is_local:
                try:
                    is_finite, carried = self.team.after_local_step(is_finite, carried, state.optimizer)
                except RankLostError as error:  # this rank has taken its step
                    lost = error
            if is_finite:
                state.carried = carried
            if is_finite and self.team.is_whole and state.average.count():
                if not self.team.is_local:
                    state.optimizer.catch_up(within=RECENT_USE)
                state.average.take(state.network.values(), self.team.threads)
            if is_finite and math.isfinite(loss):
                state.recent.loss += loss * targets.size
                state.recent.words += targets.size
        state.step += 1
        state.words += targets.size
        state.position += len(targets)
        elapsed = self.now() - began
        state.seconds += elapsed
        state.recent.seconds += elapsed
        if lost:
            raise lost
        return is_finite
