"""Measures how far back a model looks: its perplexity where it sees only the last few words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..callbacks import OnProgress
from ..errors import OverflowedError, TextError
from ..lm.mixture import WORDS_PER_PASS
from ..lm.perplexity import perplexity
from ..model import Model
from ..text.corpus import Sources
from ..text.reading import listed, source_name
from .batching import chunks
from .metrics import perplexity_of_parts
from .texts import tokens_for

CONTEXT_LENGTHS = (1, 2, 4, 8, 16, 32, 64)  # words
MAX_PLACES = 5000  # of a text, at which the next word is predicted; spread evenly over it
PLACES_PER_GROUP = 250  # that are read side by side


@dataclass(frozen=True)
class ContextPoint:
    """A point of the context curve: how well the words are predicted from so many words before them."""

    seen: int | None  # words; None: all words before
    words: int  # that were predicted
    perplexity: float
    perplexity_of_parts: dict[str, float | None]  # None where a part gives a word no probability at all


ContextCurve = list[ContextPoint]


def context_curve(
    model: Model,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    progress: OnProgress = lambda fraction: None,
    warn: Callable[[str], object] = lambda warning: None,
) -> ContextCurve:
    """Measure how well words are predicted from the last 1, 2, 4, ... words, and from all words before them.

    The words seen are read as the beginning of a unit. The words predicted are the same for all points, `MAX_PLACES`
    at most, spread over the texts in `sources`. `progress` is told the fraction of the work that is
    done, and `warn` of the files that were left out.
    """
    sources = listed(sources)
    tokens = tokens_for(model, sources, encoding, warn)
    ids = model.vocabulary.encode(tokens)
    longest = CONTEXT_LENGTHS[-1]
    if len(ids) <= longest:
        raise TextError(f"{source_name(sources[0])} is too short: a text of more than {longest} words is needed")
    places = np.unique(np.linspace(longest, len(ids) - 1, min(MAX_PLACES, len(ids) - longest)).astype(np.int64))
    work = (sum(CONTEXT_LENGTHS) + len(CONTEXT_LENGTHS)) * len(places) + len(ids)
    done = 0

    def report(words: int) -> None:
        nonlocal done
        done += words
        progress(done / work)

    curve = []
    for seen in CONTEXT_LENGTHS:
        pieces = []
        for chunk in chunks(len(places), PLACES_PER_GROUP):
            group = places[chunk]
            state = model.lm.read(ids[group - np.arange(seen, 0, -1)[:, None]], model.lm.initial_state(len(group)))
            context = model.lm.context(state)
            p = model.lm.probabilities(ids[group][None], context)
            pieces.append((p[:, 0], context.weights[:, 0]))
            report((seen + 1) * len(group))
        curve.append(_point(model, seen, pieces))
    pieces = []
    state = model.lm.initial_state(1)
    for chunk in chunks(len(ids), WORDS_PER_PASS):
        words = ids[chunk, None]
        context, state = model.lm.advance(words, state)
        p = model.lm.probabilities(words, context)
        pieces.append((p[:, :, 0], context.weights[:, :, 0]))
        report(chunk.stop - chunk.start)
    return [*curve, _point(model, None, pieces, places)]


def _point(
    model: Model,
    seen: int | None,
    pieces: list[tuple[np.ndarray, np.ndarray]],
    places: np.ndarray | slice = slice(None),
) -> ContextPoint:
    """Sum up the probabilities and the weights (parts, N) of each piece of a text, at some of its places."""
    p, weights = (np.concatenate(arrays, axis=1)[:, places] for arrays in zip(*pieces, strict=True))
    loss = -np.log(np.maximum((weights * p).sum(axis=0), np.finfo(float).tiny)).mean()
    if not np.isfinite(loss):
        raise OverflowedError
    return ContextPoint(seen, p.shape[1], perplexity(loss), perplexity_of_parts(model.lm.names, p))
