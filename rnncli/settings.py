"""How a network learns."""

import math
from dataclasses import dataclass

from .errors import SettingError
from .nn.optimizers import OPTIMIZERS
from .nn.schedules import SCHEDULES


@dataclass(frozen=True)
class Settings:
    """The numbers of a training. What is trained, is a `rnncli.lm.network.Config`."""

    batch_size: int = 20
    bptt: int = 35
    optimizer: str = "adam"
    lr: float | None = None  # None: 4e-3 for Adam (1e-3 with an Elman cell), 1 for SGD
    schedule: str = "cosine"
    clip: float = 1.0
    weight_decay: float = 0.0
    epochs: int | None = None  # None: as many as read some six million words, from 3 to 12
    patience: int = 3
    seed: int = 1

    def __post_init__(self):
        for name in ("batch_size", "bptt", "epochs", "patience"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise SettingError(f"{name} is {value}, and must be a whole number from 1 on")
        for name in ("clip", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"{name} is {getattr(self, name)}, and must be a finite number from 0 on")
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise SettingError(f"lr is {self.lr}, and must be a finite number above 0")
        for name, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in known:
                raise SettingError(f"no {name} is called {getattr(self, name)!r}: choose from {', '.join(known)}")
