"""Makes sure that all ranks that answer together have the same model."""

from __future__ import annotations

import hashlib
import json

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
    check_alike(ranks, {"another version of rnncli": __version__, "another model": digest.hexdigest()})
