"""Why a word is predicted: what each word of the prompt, and each part of the model, did for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import SettingError
from .prediction import best_words, of_real_words
from .text.vocabulary import UNK_ID

if TYPE_CHECKING:
    from .model import Model

STREAMS = 64  # variants of a prompt that are read side by side


@dataclass(frozen=True)
class Influence:
    """A word of the prompt, and what it does for the word explained."""

    word: str
    change: float  # nats of log-probability that it adds, against being hidden


@dataclass(frozen=True)
class Explanation:
    """Why a word is as likely as it is after a prompt."""

    prompt: str
    word: str
    probability: float
    influences: list[Influence]  # in the prompt's order
    parts: dict[str, float]  # what each part of the model gave; their sum is the probability
    unknown_words: list[str]  # of the prompt


def explain(model: Model, prompt: str, word: str | None = None) -> Explanation:
    """How much each word of `prompt` moved the prediction of `word`, by default that of the likeliest next word.

    Each word in turn is hidden, as if it were an unknown one, and the log-probability then is compared with that after
    the prompt as it is. Raises `SettingError` for a word that the model does not know.
    """
    ids, unknown = model.encode(prompt)
    count = len(ids)
    hidden = np.repeat(ids, count + 1, axis=1)
    hidden[np.arange(count), np.arange(count)] = UNK_ID  # the last stream is the prompt as it is
    state = model.lm.start(1)
    if count:
        state = model.lm.read(ids, state)
    view = model.lm.here(state)
    log_p = of_real_words(model.lm.log_prob_at(view)[0])
    target = best_words(log_p, 1)[0] if word is None else model.vocabulary.find(word)
    if target == UNK_ID:
        raise SettingError(f"the model does not know the word {word!r}: name one of its words")
    changes = []
    for start in range(0, count, STREAMS):
        words = hidden[:, start : min(start + STREAMS, count)]
        variants = model.lm.read(words, model.lm.start(words.shape[1]))
        changes.append(log_p[target] - of_real_words(model.lm.log_prob(variants))[:, target])
    changes = np.concatenate(changes or [[]]).tolist()
    tokens = model.tokenizer.tokenize(prompt)
    parts = model.lm.parts_at(view)[:, 0].astype(np.float64)
    given = parts[:, target] * np.exp(log_p[target]) / parts[:, target].sum()
    return Explanation(
        prompt,
        model.vocabulary.word(target),
        float(np.exp(log_p[target])),
        [Influence(token, change) for token, change in zip(tokens, changes, strict=True)],
        dict(zip(model.lm.parts, given.tolist(), strict=True)),
        unknown,
    )
