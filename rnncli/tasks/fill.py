"""Fills a blank: which words fit between the words before it and the words after it."""

from __future__ import annotations

import re

import numpy as np

from ..errors import OverflowedError, TextError, quoted
from ..model import Model
from ..nn.threads import on_all_cores
from ..text.tokenizers import Segments
from ..text.vocabulary import UNK_ID
from .batching import chunks

ANY_WORD = "a"  # stands in the blank
BLANK = re.compile("_{3,}")
MIN_CANDIDATES = 500  # the likeliest words after the words before the blank, if fewer words are asked for
CANDIDATES_PER_GROUP = 50  # that are read side by side


def around_blank(prompt: str) -> tuple[str, str]:
    """Return the text before and after the blank of a prompt that has one."""
    before, *rest = BLANK.split(prompt)
    if len(rest) > 1:
        raise TextError(f"{quoted(prompt)} has several blanks: fill one at a time")
    return before, rest[0]


def fill(
    model: Model, before: str, after: str, candidates: np.ndarray | None = None, n: int = MIN_CANDIDATES
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the words (K,) that fit into a blank, their probabilities (K,), and the unknown words around it.

    The probability of a word is proportional to P(word | before) * P(after | before, word), over the `candidates`.
    By default these are the `n` likeliest words after `before`, at least `MIN_CANDIDATES`, and all words where `n` is
    0: a word that is very unlikely there is not found, however well it fits the words after the blank. `<unk>` and the
    end of the unit are no candidates; what follows the prompt is left open.
    """
    ids, place, unknown = _encoded_around(model, before, after)
    rest = ids[place + 1 :]
    state = model.lm.initial_state(1)
    state = model.lm.read(ids[:place], state) if place else state
    log_p = np.log(model.lm.distribution(model.lm.context(state))[0, 0].astype(np.float64))
    if candidates is None:
        candidates = np.arange(UNK_ID + 1, len(log_p))
        size = max(n, MIN_CANDIDATES) if n else len(candidates)
        if len(candidates) > size:
            candidates = np.sort(candidates[np.argpartition(-log_p[candidates], size)[:size]])
    candidates = np.unique(model.vocabulary.unnoted(candidates[candidates > UNK_ID]))
    noted, standard = model.vocabulary.noted
    words = np.concatenate([candidates, noted[np.isin(standard, candidates)]])  # with all variants of marks
    log_p = log_p[words]

    def loss_after(chunk: slice) -> np.ndarray:
        """The loss of the words after the blank with each of some words in it."""
        group = words[chunk]
        after = model.lm.read(group[None], state.repeat(len(group)))
        nll, _ = model.lm.score(np.repeat(rest, len(group), axis=1), after)
        loss: np.ndarray = nll.sum(axis=0)
        return loss

    if len(rest) and len(words):
        log_p -= np.concatenate(on_all_cores(loss_after, list(chunks(len(words), CANDIDATES_PER_GROUP))))
    if not np.isfinite(log_p).all():
        raise OverflowedError
    p = np.exp(log_p - log_p.max(initial=-np.inf))
    p = np.bincount(np.searchsorted(candidates, model.vocabulary.unnoted(words)), p, len(candidates))
    return candidates, p / p.sum(), unknown


def _encoded_around(model: Model, before: str, after: str) -> tuple[np.ndarray, int, list[str]]:
    """Return the numbers (T, 1) of a text with a word in the blank, the place of that word, and the unknown words."""
    first, last = (model.tokenizer.segment(text) for text in (before, after))
    place = len(first.tokens)
    gaps: list[str] = []
    if first.gaps or last.gaps:
        joints = [" " if text.strip() and text != text.strip() else "" for text in (before.lstrip(), after.rstrip())]
        gaps = [*first.gaps, joints[0], *[joints[1]][: len(last.gaps)], *last.gaps[1:]]
    segments = Segments([*first.tokens, ANY_WORD, *last.tokens], gaps)
    ids, _, _ = model.encode_segments(segments)
    unknown = [model.encode_segments(part)[2] for part in (first, last)]
    return ids, place, unknown[0] + unknown[1]
