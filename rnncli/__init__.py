"""A next-word predictor that learns from your own text on your own CPU.

import rnncli

model = rnncli.train("corpus.txt")
model.predict("Tom is not good at science, so he will", n=5)
rnncli.save(model, "models/corpus.npz")
model = rnncli.load("models/corpus.npz")
"""

from __future__ import annotations

from .version import __version__

TYPE_CHECKING = False  # not that of `typing`: the program imports little before it handles Ctrl-C
if TYPE_CHECKING:
    from typing import Any

    from .api import Predictor, load, save, start_training, train
    from .errors import ModelError, RnncliError, SettingError, TextError, TrainingError
    from .model import Model

# Where each public name is defined. It is looked up on first use, so that `rnncli --help` need not wait for NumPy.
_HOMES = {
    "Model": "model",
    "ModelError": "errors",
    "Predictor": "api",
    "RnncliError": "errors",
    "SettingError": "errors",
    "TextError": "errors",
    "TrainingError": "errors",
    "load": "api",
    "save": "api",
    "start_training": "api",
    "train": "api",
}
__all__ = [
    "Model",
    "ModelError",
    "Predictor",
    "RnncliError",
    "SettingError",
    "TextError",
    "TrainingError",
    "__version__",
    "load",
    "save",
    "start_training",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
