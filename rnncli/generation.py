"""Writing on: sampling one word after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .errors import SettingError
from .prediction import of_real_words
from .text.vocabulary import EOS_ID

if TYPE_CHECKING:
    from .model import Model


def generate(
    model: Model,
    prompt: str = "",
    words: int = 50,
    *,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int | np.random.SeedSequence | None = None,
) -> Iterator[str]:
    """Write on after `prompt`, `words` words long, one piece of text (a word with its space) at a time.

    Each word is drawn from the model's probabilities sharpened by `temperature` (0: always the likeliest word),
    of the `top_k` likeliest words (0: all), and of the likeliest ones that together hold a share `top_p` (Holtzman
    et al. 2020). Where a unit ends a new line begins; `<unk>` is never written, nor an empty line. The same `seed`
    gives the same text.
    """
    if not 0 <= temperature < np.inf:
        raise SettingError(f"the temperature is {temperature}, and must be 0 or more")
    if top_k < 0 or words < 0:
        raise SettingError("top-k and the number of words must not be negative")
    if not 0 < top_p <= 1:
        raise SettingError(f"top-p is {top_p}, and must be above 0 and at most 1")
    return _pieces(model, prompt, words, temperature, top_k, top_p, np.random.default_rng(seed))


def _pieces(model, prompt, words, temperature, top_k, top_p, rng) -> Iterator[str]:
    spacer, at_beginning = model.tokenizer.spacer(), True
    for token in model.tokenizer.tokenize(prompt):
        spacer.next(token)
        at_beginning = False
    state, _ = model.begin(prompt)
    while words:
        log_p = of_real_words(model.lm.log_prob(state)[0])
        if at_beginning:
            log_p[EOS_ID] = -np.inf
        word = draw(log_p, rng, temperature, top_k, top_p)
        if word == EOS_ID:
            spacer = model.tokenizer.spacer()
            yield "\n"
        else:
            words -= 1
            yield spacer.next(model.vocabulary.words[word])
        at_beginning = word == EOS_ID
        state = model.lm.read(np.array([[word]]), state)


def draw(
    log_p: np.ndarray, rng: np.random.Generator, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> int:
    """Draw the number of a word by log-probabilities (V,), narrowed as `generate` says; never one of -inf."""
    if temperature == 0:
        return int(log_p.argmax())
    order = np.argsort(-log_p, kind="stable")[: top_k or None]
    order = order[log_p[order] > -np.inf]
    with np.errstate(over="ignore"):  # a difference divided by a tiny temperature may be -inf, which is right
        weights = np.exp((log_p[order] - log_p[order[0]]) / temperature)
    share = np.cumsum(weights) / weights.sum()
    if top_p < 1:
        share = share[: np.searchsorted(share, top_p) + 1]
    # The last share is all there is, whatever rounding says; so the draw never runs over the end.
    return int(order[np.searchsorted(share[:-1], rng.random() * share[-1], side="right")])
