"""Holds a part of each text out for validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .columns import Store
from .reserved import EOS_ID
from .tokens import Tokens
from .weights import Weighted, laid_out


def split_texts(
    tokens: Tokens, texts: Sequence[Weighted], fraction: float, store: Store
) -> tuple[Tokens, Tokens, tuple[Weighted, ...]]:
    """Split the last units off each text, about `fraction` of it: returns the training part and the held-out part.

    Of small texts, only some lose a unit. The texts have the same shares of the held-out part as of an epoch: of those
    that weigh less than the heaviest one, a part of the units that were split off is left out of both. Returns also the
    texts in the training part.
    """
    if len(texts) == 1:
        train, valid = tokens.split(fraction)
        return train, valid, (Weighted(0, len(train), texts[0].weight),)
    heaviest = max(text.weight for text in texts)
    kept: list[Tokens] = []
    held_out: list[Tokens] = []
    wanted = 0.0  # units to be held out
    for text in texts:
        own = tokens.part(text.begin, text.end)
        units = int(own.counts()[EOS_ID])
        wanted += units * fraction
        if wanted >= 1 and own.words() >= 2:
            own, valid = own.split(int(wanted) / units)
            held_out.append(_share(valid, text.weight / heaviest))
            wanted -= int(wanted)
        kept.append(own)
    if not held_out:
        train, valid = tokens.split(fraction)
        return train, valid, (Weighted(0, len(train)),)
    ends = np.cumsum([len(part) for part in kept]).tolist()
    return Tokens.joined(kept, store), Tokens.joined(held_out, store), laid_out(ends, [text.weight for text in texts])


def _share(tokens: Tokens, share: float) -> Tokens:
    """Take the first units, about this share of all; at least one."""
    return tokens if share == 1 or tokens.words() < 2 else tokens.split(1 - share)[0]
