"""How a network learns."""

import math
from dataclasses import dataclass, replace

from ..errors import SettingError
from ..lm.cache import LARGEST
from ..lm.network import Config
from ..lm.ngram import LONGEST
from ..nn.optimizers import OPTIMIZERS
from ..nn.schedules import SCHEDULES
from ..threads import usable_cores
from . import recipe

SOFTMAXES = ("full", "sampled")


@dataclass(frozen=True)
class Settings:
    """The numbers of a training. What is trained, is a `rnncli.lm.network.Config`."""

    batch_size: int | None = None  # None: see `recipe`; fewer for a small text
    bptt: int = 35
    optimizer: str = "adam"
    lr: float | None = None  # None: see `recipe`
    schedule: str = "cosine"
    clip: float = 1.0
    weight_decay: float = 0.0
    softmax: str | None = None  # None: see `recipe`
    samples: int | None = None  # how many words a sampled softmax draws in a step, about; None: see `recipe`
    time: float | None = None  # seconds, all told; None: ten minutes, or where `epochs` are given no limit
    epochs: int | None = None  # None: as many as there is time for, up to 20 or 40: see `recipe`
    patience: int = 3  # reports without progress, after which it ends soon: there is one for each epoch, or ten in all
    threads: int | None = None  # None: as many as there are cores to use; no more than one for four streams work
    seed: int = 1
    ngram_order: int = 5  # words of the longest n-grams that are counted beside the network; 0: none
    prune: bool | None = None  # whether of three words and more those that occurred once are left out; None: `recipe`
    cache_size: int = 2000  # the last words that the cache looks back to; 0: no cache

    def __post_init__(self):
        for name in ("batch_size", "bptt", "samples", "epochs", "patience", "threads"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise SettingError(f"{name} is {value}, and must be a whole number from 1 on")
        if not isinstance(self.ngram_order, int) or not 0 <= self.ngram_order <= LONGEST:
            raise SettingError(f"ngram_order is {self.ngram_order}, and must be from 0 (none) to {LONGEST}")
        if not isinstance(self.cache_size, int) or not 0 <= self.cache_size <= LARGEST:
            raise SettingError(f"cache_size is {self.cache_size}, and must be from 0 (none) to {LARGEST:,}")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise SettingError(f"seed is {self.seed}, and must be a whole number from 0 on")
        for name in ("clip", "weight_decay"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise SettingError(f"{name} is {value}, and must be a finite number from 0 on")
        for name, kind in (("time", "number of seconds"), ("lr", "number")):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int | float) or not 0 < value < math.inf):
                raise SettingError(f"{name} is {value}, and must be a finite {kind} above 0")
        for name, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("softmax", (*SOFTMAXES, None))):
            if getattr(self, name) not in known:
                choices = ", ".join(filter(None, known))
                raise SettingError(f"no {name} is called {getattr(self, name)!r}: choose from {choices}")

    @property
    def seconds(self) -> float | None:
        """How long a training may take; None where that is as long as its epochs take."""
        return self.time or (None if self.epochs else recipe.USUAL)

    def settled(self, network: Config, words: int, fine_tuning: bool = False) -> "Settings":
        """These settings with all that was left open decided: for a network, new or trained, and so many words."""
        samples = self.samples or recipe.samples(network.hidden_size)
        streams = self.batch_size or recipe.batch_size(network.hidden_size)
        return replace(
            self,
            batch_size=min(streams, recipe.most_streams(words, self.bptt)),
            lr=self.lr or recipe.learning_rate(self.optimizer, network.cell, fine_tuning),
            softmax=self.softmax or recipe.softmax(network.vocabulary_size, samples),
            samples=samples,
            time=self.seconds,
            epochs=self.epochs or recipe.most_epochs(words),
            threads=self.threads or usable_cores(),
            prune=recipe.prunes(words) if self.prune is None else self.prune,
        )
