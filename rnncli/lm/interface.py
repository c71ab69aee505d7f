"""The interface of a part: whatever gives P(next word | all words before).

    state = part.initial_state(batch)                       after <eos>, at the beginning of a unit
    context, state = part.advance(words, state, before)     words (T, B): the contexts of T places, the state after them
    context = part.context(state, before)                   the one place (T = 1) after all words that were read
    p = part.probability(words, context)                    (T, B), of one word in each place
    part.add_to(p, context, weight)                         p (T, B, V) += weight (T, B) * the whole distribution

Words are numbers (see `rnncli.text.vocabulary`). A state is a value: it is never changed in place, so it can be kept,
shared and compared. Its arrays have the batch as first axis; those of a context have the places (T, B). Both are arrays
or tuples of them. A context may be an object instead, with a method `pick` like the function here.

`before` holds the contexts of the parts earlier in the mixture, by name: the cache goes by the network's features.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..callbacks import OnProgress
    from ..options import TrainingOptions
    from ..ranks import Ranks
    from .network_config import NetworkConfig


class PartLearner(Protocol):
    """A part that goes on learning from the text it reads."""

    @property
    def part(self) -> Part:
        """The learning part."""

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1) of a text, after they were predicted."""


class StoredParts(NamedTuple):
    """What a model file holds of its parts."""

    config: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    vocabulary_size: int
    is_checked: bool  # whether arrays are to be looked through for values that make no sense


class Part(Protocol):
    """A language model that a mixture can hold. A new part defines `name`, `prior_weight` and the abstract methods."""

    name: ClassVar[str]
    prior_weight: ClassVar[float]  # before any text has tuned it, in proportion to the other parts'
    least_weight: ClassVar[float] = 0.0  # tuning leaves it at least this much

    # Predicting.

    @abstractmethod
    def initial_state(self, batch: int) -> Any:
        """Return the state at the beginning of a unit, after the `<eos>` of another one."""

    @abstractmethod
    def advance(self, words: np.ndarray, state: Any, before: Mapping[str, Any]) -> tuple[Any, Any]:
        """Read `words` (T, B): return the contexts before each of them, and the state after the last."""

    @abstractmethod
    def context(self, state: Any, before: Mapping[str, Any]) -> Any:
        """Return the context (T = 1) after all words that were read."""

    @abstractmethod
    def probability(self, words: np.ndarray, context: Any, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B) in its place.

        Where the same number stands in `prefixes` (T, B), all words before the place are the same, and so is the
        context: a part may compute it once.
        """

    @abstractmethod
    def add_to(self, p: np.ndarray, context: Any, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""

    def weighted(self, context: Any, weight: np.ndarray, vocabulary_size: int) -> np.ndarray:
        """Return the probabilities of all words, times `weight` (T, B), in a new array (T, B, V) of float32."""
        p = np.zeros((*weight.shape, vocabulary_size), np.float32)
        self.add_to(p, context, weight)
        return p

    def examine(self, p: np.ndarray, context: Any, weight: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Do `add_to` and `probability` in one pass."""
        self.add_to(p, context, weight)
        return self.probability(words, context)

    def mass(self, context: Any) -> np.ndarray | float:
        """Return what the probabilities of all words sum to (T, B): at most one."""
        return 1.0

    # Weighing: the weights of a mixture may depend on what its parts know of a context.

    kind_of_context: ClassVar[str] = "words known"  # what the number of a kind tells

    @property
    def groups(self) -> int:
        """How many kinds of contexts this part tells apart."""
        return 1

    def group(self, context: Any) -> np.ndarray | int:
        """Return the kind (T, B) of each context, from 0 to `groups` - 1."""
        return 0

    def variants(self) -> Sequence[Part]:
        """Return versions of this part to choose from on held-out text, the usual one first.

        They share states and contexts.
        """
        return (self,)

    # Learning from the text that is read.

    def learner(self, state: Any | None) -> PartLearner | None:
        """Return what makes a copy of this part learn; None if it cannot.

        `state` (of one sequence) is that after a text that was read before, if there is one.
        """
        return None

    # Making, storing and showing.

    @classmethod
    def fit(
        cls,
        ids: np.ndarray,
        config: NetworkConfig,
        options: TrainingOptions,
        *,
        folder: Path | None = None,
        progress: OnProgress | None = None,
        ranks: Ranks | None = None,
    ) -> Self | None:
        """Make the part from a training text (N,); None if the options leave it out.

        `config` is that of the network that the part will stand beside. What is too long for memory goes to files
        without a name in `folder`, or else where temporary files are. `progress` is told which fraction of the work is
        done, if it takes long; what it raises ends the work. Several `ranks` may share it.
        """
        return None

    @abstractmethod
    def stored_config(self) -> dict[str, Any]:
        """Return the entries of this part in the JSON configuration of a model file."""

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to store, under names of their own."""
        return {}

    def stored_names(self) -> Iterable[str]:
        """Return the names of these arrays."""
        return self.stored_arrays()

    @classmethod
    @abstractmethod
    def from_file(cls, stored: StoredParts) -> Part | None:
        """Make the part that a model file holds; None if it holds none.

        Raises `ValueError` or `KeyError` for what makes no sense.
        """

    def description(self) -> str:
        """Describe the part in a few words."""
        return self.name

    def facts(self) -> dict[str, Any]:
        """Return what `info` shows of this part alone."""
        return {}


def pick(context: Any, places: np.ndarray) -> Any:
    """Pick one of the T places of each sequence, by `places` (B,): a context of one place, (1, B)."""
    if context is None:
        return None
    if isinstance(context, np.ndarray):
        return context[places, np.arange(len(places))][None]
    if isinstance(context, tuple):
        parts = (pick(part, places) for part in context)
        return type(context)(*parts) if hasattr(context, "_fields") else tuple(parts)
    return context.pick(places)


def repeat(state: Any, batch: int) -> Any:
    """Repeat the state of one sequence for a whole batch."""
    if isinstance(state, np.ndarray):
        return np.repeat(state, batch, axis=0)
    if isinstance(state, tuple):
        parts = (repeat(part, batch) for part in state)
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state
