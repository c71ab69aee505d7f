"""Makes sure that all ranks that answer together have the same model."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from ..model import Model
from ..ranks import Ranks
from ..ranks.agreement import check_alike
from ..version import __version__


def check_same_model(ranks: Ranks, model: Model) -> None:
    """Raise `SettingError` on all ranks where one has another model or version than the first."""
    if ranks.count == 1:
        return
    digest = hashlib.sha256(model.vocabulary.text() + model.lm.weights.tobytes())
    digest.update(json.dumps(model.about, sort_keys=True, default=str).encode())
    for part in model.lm.parts:
        for name, array in part.stored_arrays().items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    check_alike(ranks, {"another version of rnncli": __version__, "another model": digest.hexdigest()})
