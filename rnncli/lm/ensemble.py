"""Several networks that were trained apart, and predict together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..network_options import MAX_NETWORKS
from ..nn.threads import on_all_cores
from .interface import Part, PartLearner, StoredParts
from .network import LearnedNetwork, Network, NetworkState

if TYPE_CHECKING:
    from .mixture import Mixture


COUNT = "networks"  # in the configuration of a model file


class Ensemble(Part):
    """The mean of some networks of one shape: what each has made of chance averages out (Hansen and Salamon 1990).

    Its state and its context are tuples, with those of each network.
    """

    name: ClassVar[str] = Network.name
    prior_weight: ClassVar[float] = Network.prior_weight
    least_weight: ClassVar[float] = Network.least_weight

    def __init__(self, networks: Sequence[Network]):
        self.networks = tuple(networks)

    # Predicting.

    def initial_state(self, batch: int) -> tuple[NetworkState, ...]:
        """Return the states at the beginning of a unit: after `<eos>`."""
        return tuple(network.initial_state(batch) for network in self.networks)

    def advance(
        self, words: np.ndarray, state: tuple[NetworkState, ...], before: Mapping[str, Any]
    ) -> tuple[tuple[np.ndarray, ...], tuple[NetworkState, ...]]:
        """Read `words` (T, B): return the features (T, B, D) before each of them, and the states after them."""
        pairs = [network.advance(words, own, before) for network, own in zip(self.networks, state, strict=True)]
        contexts, states = zip(*pairs, strict=True)
        return contexts, states

    def context(self, state: tuple[NetworkState, ...], before: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        """Return the features (1, B, D) after the last word that was read."""
        return tuple(network.context(own, before) for network, own in zip(self.networks, state, strict=True))

    def probability(
        self, words: np.ndarray, context: tuple[np.ndarray, ...], prefixes: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B)."""
        own = zip(self.networks, context, strict=True)
        p: np.ndarray = np.mean([network.probability(words, features, prefixes) for network, features in own], axis=0)
        return p

    def add_to(self, p: np.ndarray, context: tuple[np.ndarray, ...], weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        for network, features in zip(self.networks, context, strict=True):
            network.add_to(p, features, weight / len(self.networks))

    def examine(
        self, p: np.ndarray, context: tuple[np.ndarray, ...], weight: np.ndarray, words: np.ndarray
    ) -> np.ndarray:
        """Do `add_to` and `probability`: each softmax is computed once."""
        weight = weight / len(self.networks)
        own = zip(self.networks, context, strict=True)
        probability: np.ndarray = np.mean([network.examine(p, mine, weight, words) for network, mine in own], axis=0)
        return probability

    def weighted(self, context: tuple[np.ndarray, ...], weight: np.ndarray, vocabulary_size: int) -> np.ndarray:
        """Return the probabilities of all words, times `weight` (T, B), in a new array (T, B, V)."""
        p = self.networks[0].weighted(context[0], weight / len(self.networks), vocabulary_size)
        for network, features in zip(self.networks[1:], context[1:], strict=True):
            network.add_to(p, features, weight / len(self.networks))
        return p

    def learner(self, state: tuple[NetworkState, ...] | None) -> PartLearner:
        """Return what makes a copy of each network learn from the text it reads."""
        states = state or [None] * len(self.networks)
        return EnsembleLearner([network.learner(own) for network, own in zip(self.networks, states, strict=True)])

    # Storing and showing.

    def stored_config(self) -> dict[str, Any]:
        """Return the shape and the dropouts, and how many networks there are."""
        config = self.networks[0].stored_config()
        config[self.name][COUNT] = len(self.networks)
        return config

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return every parameter under its name: those of the second network as `network2.NAME`, and so on."""
        return {
            _prefix(number) + name: value
            for number, network in enumerate(self.networks)
            for name, value in network.stored_arrays().items()
        }

    def stored_names(self) -> list[str]:
        """Return the names of these arrays."""
        return [_prefix(n) + name for n, network in enumerate(self.networks) for name in network.stored_names()]

    @classmethod
    def from_file(cls, stored: StoredParts) -> Part | None:
        """Make the networks of a model file; one alone is a part by itself."""
        config = stored.config.get(cls.name)
        count = config.get(COUNT, 1) if config else 1
        if not isinstance(count, int) or not 1 <= count <= MAX_NETWORKS:
            raise ValueError(f"it holds {count!r:.40} networks")
        if count == 1:
            return Network.from_file(stored)
        networks = []
        for number in range(count):
            prefix = _prefix(number)
            own = {name.removeprefix(prefix): array for name, array in stored.arrays.items() if name.startswith(prefix)}
            networks.append(Network.from_file(stored._replace(arrays=own)))
        return joined([network for network in networks if network])

    def description(self) -> str:
        """Tell how many networks there are."""
        return f"{len(self.networks)} networks"

    def facts(self) -> dict[str, Any]:
        """Return the shape of each network, the dropouts, and the number of all parameters."""
        facts = self.networks[0].facts()
        return {COUNT: len(self.networks), **facts, "parameters": len(self.networks) * facts["parameters"]}


class LearnedEnsemble(Ensemble):
    """Copies of some networks that learn from what they read."""

    name = LearnedNetwork.name


class EnsembleLearner:
    """Networks that learn from the text they read, each by itself."""

    def __init__(self, learners: Sequence[PartLearner]):
        self.learners = learners
        self.part = LearnedEnsemble([part for learner in learners if isinstance(part := learner.part, Network)])

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1) of a text, after they were predicted."""
        on_all_cores(lambda learner: learner.learn(words), self.learners)


def joined(networks: Sequence[Network]) -> Network | Ensemble:
    """Return the part that some networks make."""
    return networks[0] if len(networks) == 1 else Ensemble(networks)


def networks_of(mixture: Mixture) -> tuple[Network, ...]:
    """Return the networks that a mixture holds, but for those that learn from what is read."""
    for part in mixture.parts:
        if isinstance(part, Ensemble):
            return part.networks
        if isinstance(part, Network):
            return (part,)
    return ()


def _prefix(number: int) -> str:
    """Return what the names of a network's arrays begin with: nothing for the first."""
    return f"{Network.name}{number + 1}." if number else ""
