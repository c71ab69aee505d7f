"""Adapts a model to a text: it reads the text, and its network learns from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..callbacks import OnProgress
from ..errors import TextError
from ..lm.adaptation import adapted
from ..model import Model
from ..text.corpus import Sources
from ..text.reading import listed, source_name
from ..text.vocabulary import UNK_ID
from .texts import tokens_for

M = TypeVar("M", bound=Model)


def adapt(
    model: M,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    progress: OnProgress = lambda fraction: None,
    warn: Callable[[str], object] = lambda warning: None,
) -> M:
    """Return a model that has read the texts in `sources` just now and learned from them; `model` stays as it is.

    It knows the same words: `about["adapted_to"]` says how many of the text's words are unknown. `progress` is told the
    fraction of them that is done, and `warn` of the files that were left out.
    """
    sources = listed(sources)
    tokens = tokens_for(model, sources, encoding, warn)
    if tokens.words() == 0:
        raise TextError(f"{source_name(sources[0])} holds no word to adapt to")
    ids = model.vocabulary.encode(tokens)
    counts = {"words": len(ids), "unknown_words": int(np.count_nonzero(ids == UNK_ID))}
    return replace(model, lm=adapted(model.lm, ids, progress), about=model.about | {"adapted_to": counts})
