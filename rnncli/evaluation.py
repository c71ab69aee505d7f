"""How well a model predicts a text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import TextError
from .text.corpus import Sources, read_tokens
from .text.reading import listed, source_name
from .text.vocabulary import EOS_ID, UNK_ID

if TYPE_CHECKING:
    from .lm import LanguageModel
    from .model import Model

STREAMS = 32  # a validation text is read in this many places at once,
GROUP = 8  # so many of which are one piece of work
STEPS = 128  # words read at a time
RANKS = (1, 3, 5, 10)

Map = Callable[..., Any]  # `map`, or what does the same on several threads


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds. Perplexities are per word, every `<eos>` counting as one."""

    perplexity: float
    words: int  # with the `<eos>` of every unit
    unknown_words: int
    perplexity_known: float  # over the words that are not unknown
    bits_per_character: float
    accuracy_at_1: float  # the share of the words that were the likeliest next word
    accuracy_at_3: float  # that were among the 3 likeliest, and so on
    accuracy_at_5: float
    accuracy_at_10: float


def evaluate(model: Model, sources: Sources, encoding: str = "utf-8") -> Evaluation:
    """Read the texts in `sources` as one, word by word, and measure how well each word was foreseen.

    The state is carried from unit to unit. `<unk>` is a word like any other for the perplexity; for the accuracy
    it is a miss, as it never is among the words that `rank` offers. A character more is counted for each unit's end.
    """
    characters, sources = 0, listed(sources)

    def measure(text: str) -> None:
        nonlocal characters
        characters += len(text if model.tokenizer.kind == "char" else text.strip()) + 1

    _, tokens = read_tokens(sources, model.tokenizer, model.unit, encoding, measure)
    if tokens.words() == 0:
        raise TextError(f"{source_name(sources[0])} holds no word to evaluate on")
    ids = model.vocabulary.encode(tokens)
    nll, ranks = np.empty(len(ids)), np.empty(len(ids), np.int64)
    state = model.lm.start(1)
    for start in range(0, len(ids), STEPS):
        part = slice(start, start + STEPS)
        log_p, state = model.lm.distributions(ids[part, None], state)
        nll[part], ranks[part] = _losses_and_ranks(log_p[:, 0], ids[part])
    known = ids != UNK_ID
    accuracies = {f"accuracy_at_{k}": float(np.mean(ranks < k)) for k in RANKS}
    return Evaluation(
        perplexity=perplexity(nll.mean()),
        words=len(ids),
        unknown_words=int(np.count_nonzero(~known)),
        perplexity_known=perplexity(nll[known].mean()),
        bits_per_character=float(nll.sum() / math.log(2) / characters),
        **accuracies,
    )


def _losses_and_ranks(log_p: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minus the log-probability, and the place (from 0) among the words that can be named, of `targets` (N,)."""
    rows = np.arange(len(targets))
    wanted = log_p[rows, targets]
    better = np.count_nonzero(log_p > wanted[:, None], axis=1) - (log_p[:, UNK_ID] > wanted)
    # Of equally likely words the one with the smaller number comes first, as in `rank`.
    tied = (log_p == wanted[:, None]) & (np.arange(log_p.shape[1]) < targets[:, None])
    tied[:, UNK_ID] = False
    better += np.count_nonzero(tied, axis=1)
    better[targets == UNK_ID] = log_p.shape[1]
    return -wanted, better


def mean_loss(lm: LanguageModel, ids: np.ndarray, side_by_side: Map = map) -> float:
    """The mean loss in nats over a text (N,), each word predicted once; read in several places at once.

    `side_by_side` is `map`, or what does the same on several threads.
    """
    batch = max(1, min(STREAMS, len(ids) // STEPS))
    length = -(-len(ids) // batch)
    padded = np.full(batch * length, EOS_ID, np.int32)
    padded[: len(ids)] = ids
    streams = padded.reshape(batch, length)

    def losses(first: int) -> np.ndarray:
        words = streams[first : first + GROUP].T
        nll = np.empty(words.shape)
        with np.errstate(over="ignore", invalid="ignore"):  # a network that has gone astray foresees nothing
            state = lm.start(words.shape[1])
            for start in range(0, length, STEPS):
                part = slice(start, start + STEPS)
                nll[part], state = lm.score(words[part], state)
        return nll.T

    nll = np.concatenate(list(side_by_side(losses, range(0, batch, GROUP))))
    return float(nll.ravel()[: len(ids)].mean())


def perplexity(loss: float) -> float:
    """exp(loss), of a loss in nats; infinite where that has no number."""
    return math.exp(loss) if loss < 700 else math.inf if loss == loss else math.nan
