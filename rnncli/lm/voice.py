"""Two models in one: each is a part, a voice, and the better one has predicted the last words, the more it counts.

Several words of the larger vocabulary may be one word of a voice: those that it does not know are its `<unk>`, and a
mark with notes may be a mark without. They share that word's probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..text.vocabulary import UNK_ID
from .cache import Cache
from .ensemble import Ensemble
from .interface import Part, StoredParts, pick
from .mixture import Mixture, MixtureContext, MixtureState
from .ngram import NGram
from .ngram_beside import BaseNGram
from .personal import LEARNED, Personal

if TYPE_CHECKING:
    from typing_extensions import Self

KINDS: list[type[Part]] = [Ensemble, NGram, BaseNGram, Personal, Cache]  # of the parts that a voice may hold, in order
OWN_FRACTION = 0.95  # of a word's probability, which stays with the word that is written like it,
OWN_FRACTION_OF_UNK = 0.5  # or with words that neither voice knows
MAX_SUM = 1 + 1e-6  # of the fractions of one word
KEPT = 0.85  # of the odds, from one word to the next
# Bounds of the log-odds by which the second voice has predicted the last words better than the first, from likely to be
# spoken by the first to likely to be spoken by the second; and the middles of what is between them.
BOUNDS = (-8.0, -4.0, -2.0, -0.5, 0.5, 2.0, 4.0, 8.0)
MIDDLES = (-10.0, -6.0, -3.0, -1.25, 0.0, 1.25, 3.0, 6.0, 10.0)
# Arrays in a model file.
NUMBERS = "numbers"
FRACTIONS = "fractions"
SHARES = "shares"  # the mixture weights

VoiceState = tuple[tuple[Any, ...], np.ndarray]  # the states of the voice's parts, and the log-odds (B,)


class VoiceContext:
    """What a voice predicts from in T * B places."""

    def __init__(self, own: MixtureContext, odds: np.ndarray, log_p: np.ndarray | None = None):
        """Take the context of the voice's parts, the log-odds (T, B), and the log-probability (T, B) of known words."""
        self.own = own
        self.odds = odds
        self.log_p = log_p

    def pick(self, places: np.ndarray) -> VoiceContext:
        """Pick one of the T places of each sequence, by `places` (B,)."""
        return VoiceContext(self.own.pick(places), pick(self.odds, places))


class Voice(Part):
    """A model as a part of another one, with a larger vocabulary."""

    prior_weight: ClassVar[float] = 0.5
    least_weight: ClassVar[float] = 1e-5

    def __init__(self, lm: Mixture, numbers: np.ndarray, fractions: np.ndarray):
        """Take a model; which of its words each word of the larger vocabulary (V,) is, and what fraction of it."""
        self.lm = lm
        self.numbers = numbers
        self.fractions = fractions

    # Predicting.

    def initial_state(self, batch: int) -> VoiceState:
        """Return the state at the beginning of a unit."""
        return self.lm.initial_state(batch).states, np.zeros(batch)

    def advance(
        self, words: np.ndarray, state: VoiceState, before: Mapping[str, Any]
    ) -> tuple[VoiceContext, VoiceState]:
        """Read `words` (T, B)."""
        states, odds = state
        context, after = self.lm.advance(self.numbers[words], MixtureState(len(odds), states))
        log_p = np.log(np.maximum(self._probability(words, context), np.finfo(float).tiny))
        all_odds = self._odds(odds, log_p, before)
        return VoiceContext(context, all_odds[:-1], log_p), (after.states, all_odds[-1])

    def _odds(self, odds: np.ndarray, log_p: np.ndarray, before: Mapping[str, Any]) -> np.ndarray:
        """Return the log-odds (T + 1, B) before each word and after the last: those of the first voice do not count."""
        return np.broadcast_to(odds, (len(log_p) + 1, *odds.shape))

    def context(self, state: VoiceState, before: Mapping[str, Any]) -> VoiceContext:
        """Return the context after the last word that was read."""
        states, odds = state
        return VoiceContext(self.lm.context(MixtureState(len(odds), states)), odds[None])

    def probability(self, words: np.ndarray, context: VoiceContext, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B)."""
        return self._probability(words, context.own, prefixes)

    def _probability(
        self, words: np.ndarray, context: MixtureContext, prefixes: np.ndarray | None = None
    ) -> np.ndarray:
        p = np.sum(context.weights * self.lm.probabilities(self.numbers[words], context, prefixes), axis=0)
        found: np.ndarray = p * self.fractions[words]
        return found

    def add_to(self, p: np.ndarray, context: VoiceContext, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        own = self.lm.distribution(context.own)[..., self.numbers]
        own *= self.fractions.astype(own.dtype)
        own *= weight[..., None]
        p += own

    # Storing and showing.

    def stored_config(self) -> dict[str, Any]:
        """Return what the parts of the voice tell of themselves."""
        config: dict[str, Any] = {"vocabulary_size": self.lm.vocabulary_size}
        for part in self.lm.parts:
            config |= part.stored_config()
        return {self.name: config}

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the parts, under names that begin with that of the voice."""
        arrays = {NUMBERS: self.numbers, FRACTIONS: self.fractions, SHARES: self.lm.weights}
        for part in self.lm.parts:
            arrays |= part.stored_arrays()
        return {f"{self.name}.{name}": array for name, array in arrays.items()}

    def stored_names(self) -> list[str]:
        """Return the names of these arrays."""
        names = [NUMBERS, FRACTIONS, SHARES, *(name for part in self.lm.parts for name in part.stored_names())]
        return [f"{self.name}.{name}" for name in names]

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the voice of a model file."""
        config = stored.config.get(cls.name)
        if config is None:
            return None
        begin = f"{cls.name}."
        arrays = {name.removeprefix(begin): array for name, array in stored.arrays.items() if name.startswith(begin)}
        size = config["vocabulary_size"]
        numbers = arrays[NUMBERS]
        fractions = arrays[FRACTIONS]
        if numbers.shape != (stored.vocabulary_size,) or numbers.dtype.kind not in "iu" or not isinstance(size, int):
            raise ValueError(f"the words of its part {cls.name} make no sense")
        if fractions.shape != numbers.shape or fractions.dtype.kind != "f" or not (fractions > 0).all():
            raise ValueError(f"the fractions of its part {cls.name} make no sense")
        if numbers.min() < 0 or numbers.max() >= size or (np.bincount(numbers, fractions) > MAX_SUM).any():
            raise ValueError(f"the words of its part {cls.name} make no sense")
        own = StoredParts(config, arrays, size, stored.is_checked)
        lm = Mixture([part for kind in KINDS if (part := kind.from_file(own)) is not None], size, arrays[SHARES])
        lm.check_weights()
        return cls(lm, numbers, fractions)

    def facts(self) -> dict[str, Any]:
        """Return what the parts of the voice tell, under names that begin with its own; and what was learned."""
        facts = {name: value for part in self.lm.parts for name, value in part.facts().items()}
        learned = {LEARNED: facts.pop(LEARNED)} if LEARNED in facts else {}
        return {f"{self.name}_{name}": value for name, value in facts.items()} | learned

    def description(self) -> str:
        """Describe the parts of the voice in a few words."""
        return f"{self.name} voice ({', '.join(part.description() for part in self.lm.parts)})"


class FirstVoice(Voice):
    """The first of two models."""

    name = "first"


class SecondVoice(Voice):
    """The second of two models: it keeps how much better than the first one it has predicted the last words."""

    name = "second"
    kind_of_context = "odds of the second"

    def _odds(self, odds: np.ndarray, log_p: np.ndarray, before: Mapping[str, Any]) -> np.ndarray:
        gains = log_p - before[FirstVoice.name].log_p
        found = np.empty((len(log_p) + 1, *odds.shape))
        found[0] = odds
        for place, gain in enumerate(gains):
            found[place + 1] = KEPT * found[place] + gain
        return found

    @property
    def groups(self) -> int:
        """One kind of context for each range of the odds."""
        return len(MIDDLES)

    def group(self, context: VoiceContext) -> np.ndarray:
        """Return the range (T, B) of the odds."""
        found: np.ndarray = np.digitize(context.odds, BOUNDS)
        return found


def shared_fractions(numbers: np.ndarray, is_own: np.ndarray) -> np.ndarray:
    """Return the fraction (V,) that each word has of the word that it is to a voice, by `numbers` (V,).

    `is_own` (V,) are the words that are written like that word: at most one for each.
    """
    count = np.bincount(numbers)[numbers]
    has_own = np.bincount(numbers, is_own)[numbers] > 0
    own = np.where(numbers == UNK_ID, OWN_FRACTION_OF_UNK, OWN_FRACTION)
    shared = np.where(is_own, own, (1 - own) / np.maximum(count - 1, 1))
    return np.where(count == 1, 1.0, np.where(has_own, shared, 1 / count))


def mixed(first: Voice, second: Voice, size: int) -> Mixture:
    """Mix two voices that know a vocabulary of so many words."""
    of_second = 1 / (1 + np.exp(-np.array(MIDDLES)))
    return Mixture([first, second], size, np.stack([1 - of_second, of_second], axis=1))
