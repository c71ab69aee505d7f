"""How far back a model looks: its perplexity where it sees only the last few words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import OverflowedError, TextError
from .lm.mixture import STEPS
from .metrics import perplexity, perplexity_of_parts
from .text.corpus import Sources, read_tokens
from .text.reading import listed, source_name

if TYPE_CHECKING:
    from .model import Model

SEEN = (1, 2, 4, 8, 16, 32, 64)  # words
PLACES = 5000  # words of a text that are foreseen, at most; spread evenly over it
STREAMS = 250  # of them side by side


@dataclass(frozen=True)
class Reach:
    """How well the same words of a text were foreseen by so many words before them."""

    seen: int | None  # words; None: all that stand before
    words: int  # that were foreseen
    perplexity: float
    perplexity_of_parts: dict[str, float | None]  # None where a part gives a word no chance at all


def reach(
    model: Model,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    progress: Callable[[float], object] = lambda share: None,
) -> list[Reach]:
    """How well words are foreseen where only the last 1, 2, 4, ... words before them are seen, and where all are.

    What is seen is read as the beginning of a unit. The words foreseen are the same for all, `PLACES` at most, spread
    over the texts in `sources`. `progress` is told which share of the work is done.
    """
    sources = listed(sources)
    _, tokens = read_tokens(sources, model.tokenizer, model.unit, encoding)
    ids = model.vocabulary.encode(tokens)
    if len(ids) <= SEEN[-1]:
        raise TextError(f"{source_name(sources[0])} is too short: a text of more than {SEEN[-1]} words is needed")
    places = np.unique(np.linspace(SEEN[-1], len(ids) - 1, min(PLACES, len(ids) - SEEN[-1])).astype(np.int64))
    work, done, found = (sum(SEEN) + len(SEEN)) * len(places) + len(ids), 0, []

    def tell(words: int) -> None:
        nonlocal done
        done += words
        progress(done / work)

    for seen in SEEN:
        p, shares = [], []
        for start in range(0, len(places), STREAMS):
            some = places[start : start + STREAMS]
            before = ids[some - np.arange(seen, 0, -1)[:, None]]
            state = model.lm.read(before, model.lm.start(len(some)))
            given, parts_shares, _ = model.lm.score_parts(ids[some][None], state)
            p.append(given[:, 0])
            shares.append(parts_shares[:, 0])
            tell((seen + 1) * len(some))
        found.append(_reach(model, seen, np.concatenate(p, axis=1), np.concatenate(shares, axis=1)))
    p, shares, state = [], [], model.lm.start(1)
    for start in range(0, len(ids), STEPS):
        part = ids[start : start + STEPS, None]
        given, parts_shares, state = model.lm.score_parts(part, state)
        p.append(given[:, :, 0])
        shares.append(parts_shares[:, :, 0])
        tell(len(part))
    whole, shares_of_all = np.concatenate(p, axis=1)[:, places], np.concatenate(shares, axis=1)[:, places]
    return [*found, _reach(model, None, whole, shares_of_all)]


def _reach(model: Model, seen: int | None, p: np.ndarray, shares: np.ndarray) -> Reach:
    loss = -np.log(np.maximum((shares * p).sum(axis=0), np.finfo(float).tiny)).mean()
    if not np.isfinite(loss):
        raise OverflowedError
    return Reach(seen, p.shape[1], perplexity(loss), perplexity_of_parts(model.lm.parts, p))
