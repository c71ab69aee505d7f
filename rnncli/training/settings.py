"""How a network learns."""

import math
from dataclasses import dataclass, replace

from ..errors import SettingError
from ..lm.cache import LARGEST
from ..lm.ngram import LONGEST
from ..nn.optimizers import OPTIMIZERS
from ..nn.schedules import SCHEDULES
from ..threads import usable_cores

SOFTMAXES = ("full", "sampled")
MOST_EPOCHS = 40  # of a text that is read as often as there is time for


@dataclass(frozen=True)
class Settings:
    """The numbers of a training. What is trained, is a `rnncli.lm.network.Config`."""

    batch_size: int = 20
    bptt: int = 35
    optimizer: str = "adam"
    lr: float | None = None  # None: 4e-3 for Adam (1e-3 with an Elman cell, or one that has learned before), 1 for SGD
    schedule: str = "cosine"
    clip: float = 1.0
    weight_decay: float = 0.0
    softmax: str | None = None  # None: sampled where more words are known than twice the samples, else full
    samples: int = 500  # how many words a sampled softmax draws in a step, about; at the end six times as many
    time: float | None = None  # seconds, all told; None: ten minutes, or where `epochs` are given no limit
    epochs: int | None = None  # None: as many as there is time for, up to 40
    patience: int = 3  # reports without progress that end a training: there is one for each epoch, or ten in all
    threads: int | None = None  # None: as many as there are cores to use; no more than one for four streams work
    seed: int = 1
    ngram_order: int = 5  # words of the longest n-grams that are counted beside the network; 0: none
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
        for name in ("clip", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"{name} is {getattr(self, name)}, and must be a finite number from 0 on")
        if self.time is not None and not 0 < self.time < math.inf:
            raise SettingError(f"time is {self.time}, and must be a finite number of seconds above 0")
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise SettingError(f"lr is {self.lr}, and must be a finite number above 0")
        for name, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("softmax", (*SOFTMAXES, None))):
            if getattr(self, name) not in known:
                choices = ", ".join(filter(None, known))
                raise SettingError(f"no {name} is called {getattr(self, name)!r}: choose from {choices}")

    def settled(self, vocabulary_size: int, cell: str, fine_tuning: bool = False) -> "Settings":
        """These settings with all that was left open decided: for a vocabulary and a cell, new or trained."""
        adam = 1e-3 if cell == "elman" or fine_tuning else 4e-3
        return replace(
            self,
            lr=self.lr or (adam if self.optimizer == "adam" else 1.0),
            softmax=self.softmax or ("sampled" if vocabulary_size > 2 * self.samples else "full"),
            time=self.time or (None if self.epochs else 600.0),
            epochs=self.epochs or MOST_EPOCHS,
            threads=self.threads or usable_cores(),
        )
