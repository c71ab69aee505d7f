"""The beginning of a training: the first values of the network, and the state around it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..lm.network import Network
from ..lm.network_config import initial_values
from ..lm.ngram_counts import counted_part
from ..lm.word_vectors import word_vectors
from ..nn.optimizers import OPTIMIZERS
from ..nn.threads import Threads
from ..text.columns import Store
from ..text.corpus import Corpus
from .plan import Plan
from .state import TrainingState

WORDS_FOR_VECTORS = 2_000_000  # of the training text


def initial_state(
    plan: Plan, corpus: Corpus, threads: Threads, values: Mapping[str, np.ndarray] | None = None
) -> TrainingState:
    """Return the state before the first step, with the network's `values`, or with random ones and word vectors."""
    training = plan.training
    initial, noise = (np.random.default_rng(s) for s in np.random.SeedSequence(training.seed).spawn(2))

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        counts = corpus.counts()
        part = counted_part(corpus.train, WORDS_FOR_VECTORS, Store())
        return initial_values(plan.network, rng, counts, word_vectors(part, counts, plan.network.embedding_size))

    if values is None:
        # Among the threads, where products have one each: in a small QR, several would only wait for each other.
        (values,) = threads.map(draw, [initial])
    network = Network(plan.network, {name: value.copy() for name, value in values.items()})
    optimizer = OPTIMIZERS[training.optimizer](network.parameters, training.weight_decay)
    return TrainingState(network, optimizer, noise, network.zero_state(training.batch_size))
