"""The beginning of a training, and of each network in it: the first values, and the state around them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ..lm.ensemble import networks_of
from ..lm.network import Network
from ..lm.network_config import extended_values, initial_values
from ..lm.ngram_counts import counted_part
from ..lm.word_vectors import word_vectors
from ..model import Model
from ..nn.optimizers import OPTIMIZERS
from ..text.columns import Store
from ..text.corpus import Corpus
from . import recovery
from .average import Average
from .crew import Crew
from .interpolation import fraction_of_way
from .plan import Plan
from .state import Best, SinceReport, TrainingState

WORDS_FOR_VECTORS = 2_000_000  # of the training text
Values = dict[str, np.ndarray]


class Beginning:
    """Begins the networks of a training, with random values and word vectors, or with those of the model `init`."""

    def __init__(self, plan: Plan, corpus: Corpus, crew: Crew, init: Model | None = None):
        self.plan = plan
        self.corpus = corpus
        self.crew = crew
        self.networks = networks_of(init.lm) if init else ()

    def state(self) -> TrainingState:
        """Return the state before the first step of the first network."""
        training = self.plan.training
        values, noise = self._values(0)
        network = Network(self.plan.network, values)
        optimizer = OPTIMIZERS[training.optimizer](network.parameters, training.weight_decay)
        carried = network.zero_state(training.batch_size)
        state = TrainingState(network, optimizer, noise, carried, Average(network.values()))
        self._keep_beginning(state)
        recovery.keep_best(state, math.inf)
        return state

    def next_network(self, state: TrainingState) -> None:
        """Turn the state after a network's last step into that before the first step of another one."""
        state.trained.append(state.best)
        values, state.rng = self._values(len(state.trained))
        for name, parameter in state.network.parameters.items():
            parameter.value[...] = values[name]
        self._keep_beginning(state)
        state.average.restart(values)
        state.optimizer.reset()
        state.carried = state.network.zero_state(self.plan.training.batch_size)
        state.epochs = 0
        state.position = 0
        state.fraction = 0.0
        state.rate_scale = 1.0
        state.recent = SinceReport()
        state.best = Best()
        state.cooldown = None
        state.gave_up = False
        recovery.keep_best(state, math.inf)

    def _keep_beginning(self, state: TrainingState) -> None:
        """Keep the values of a network before its first step, where it is to go only a part of the way from them."""
        if self.networks and fraction_of_way(len(self.corpus.train)) < 1:
            state.begun_with.append({name: value.copy() for name, value in state.network.values().items()})

    def _values(self, number: int) -> tuple[Values, np.random.Generator]:
        """Return the first values of a network, and what its noise is drawn from."""
        seeds = np.random.SeedSequence(self.plan.training.seed).spawn(2 * number + 2)[2 * number :]
        initial, noise = (np.random.default_rng(seed) for seed in seeds)
        if self.networks:
            values: Mapping[str, np.ndarray] = extended_values(self.networks[number].values(), self.corpus.counts())
            return {name: value.copy() for name, value in values.items()}, noise
        # Among the threads, where products have one each: in a small QR, several would only wait for each other.
        (values,) = self.crew.map(self._random_values, [initial])
        return dict(values), noise

    def _random_values(self, rng: np.random.Generator) -> Values:
        return initial_values(self.plan.network, rng, self.corpus.counts(), self._word_vectors)

    @cached_property
    def _word_vectors(self) -> np.ndarray:
        part = counted_part(self.corpus.once(Store()), WORDS_FOR_VECTORS, Store())
        return word_vectors(part, self.corpus.counts(), self.plan.network.embedding_size)
