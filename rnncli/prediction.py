"""Ranking the next words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .blanks import BLANK, around, fill
from .errors import OverflowedError, SettingError, TextError
from .lm.mixture import State, repeated
from .text.batches import padded
from .text.completion import Completer
from .text.vocabulary import UNK_ID
from .threads import on_all_cores

if TYPE_CHECKING:
    from .model import Model

STREAMS = 64  # prompts that are read side by side,
SPREAD = 16  # so many words longer than the shortest at most
GROUP = 64  # words


class Prediction(NamedTuple):
    """A word and how likely it comes next."""

    word: str
    probability: float


@dataclass(frozen=True)
class Ranking:
    """The answer to a prompt."""

    prompt: str
    predictions: list[Prediction]  # best first
    parts: list[dict[str, float]] = field(default_factory=list)  # of each, from each part of the model; if asked for
    unknown_words: list[str] = field(default_factory=list)  # of the prompt, in its order


def rank(model: Model, prompt: str, n: int = 10, **options) -> Ranking:
    """The `n` likeliest next words after one `prompt`: see `rank_all`."""
    return rank_all(model, [prompt], n, **options)[0]


def rank_all(
    model: Model,
    prompts: Sequence[str],
    n: int = 10,
    *,
    parts: bool = False,
    among: Sequence[str] = (),
    complete: bool = False,
) -> list[Ranking]:
    """The `n` likeliest next words after each of the `prompts`, or all of them where `n` is 0.

    A prompt stands at the beginning of a unit. `<unk>` is left out, and the probabilities of the other words,
    `<eos>` (the end of the unit) among them, sum to one. With `parts` it is told what each part of the model gave to
    each word: that sums to the word's probability. Only the words `among` are ranked, where there are any.

    With `complete` the last word of a prompt is taken as half-typed, and the words that it may become are ranked, their
    probabilities those among these words; where nothing is typed yet these are all words but `<eos>`, which nobody
    types (see `rnncli.text.completion`). A prompt that holds `___` asks for what may stand there (see `rnncli.blanks`).
    """
    if n < 0:
        raise SettingError(f"n is {n}, and must be 0 (all words) or more")
    candidates = np.setdiff1d([model.vocabulary.find(word) for word in among], UNK_ID) if among else None
    if among and not len(candidates):
        words = ", ".join(among)
        raise SettingError(f"the model knows none of the words {words}: name some of its words, with commas between")
    completer = model.completer if complete else None
    questions: list[_Question] = []
    work: list[Callable[[], list[Ranking]]] = []
    for prompt in dict.fromkeys(prompts):  # each once
        if not BLANK.search(prompt):
            questions.append(_Question(model, prompt, completer, candidates))
        elif complete:
            raise TextError(f"{prompt!r} has a blank: fill it, or complete the last word, but one at a time")
        elif parts:
            raise TextError(f"{prompt!r} has a blank: what the parts give is told of the next word only")
        else:
            work.append(partial(_filled, model, prompt, around(prompt), n, candidates))
    questions.sort(key=lambda question: len(question.ids))
    start = model.lm.start(1)  # that of all prompts: to read it once is enough
    for group in _groups([len(question.ids) for question in questions]):
        work.append(partial(_answers, model, start, questions[group], n, parts, complete))
    work.reverse()  # the longest come first, so that all cores end at about the same time
    rankings = itertools.chain.from_iterable(on_all_cores(lambda job: job(), work))
    answers = {ranking.prompt: ranking for ranking in rankings}
    return [answers[prompt] for prompt in prompts]


class _Question:
    """A prompt in numbers, and the words that may answer it."""

    def __init__(self, model: Model, prompt: str, completer: Completer | None, candidates: np.ndarray | None):
        self.prompt, self.candidates, before = prompt, candidates, prompt
        if completer:
            before, fitting = completer.split(prompt)
            self.candidates = fitting if candidates is None else np.intersect1d(fitting, candidates)
        ids, self.unknown = model.encode(before)
        self.ids = ids[:, 0]


def _groups(lengths: Sequence[int]) -> list[slice]:
    """Ranges of prompts, sorted by length, to be read side by side."""
    groups, start = [], 0
    for place in range(1, len(lengths) + 1):
        if place == len(lengths) or place - start == STREAMS or lengths[place] - lengths[start] > SPREAD:
            groups.append(slice(start, place))
            start = place
    return groups


def _answers(
    model: Model, start: State, questions: list[_Question], n: int, parts: bool, complete: bool
) -> list[Ranking]:
    words, lengths = padded([question.ids for question in questions])
    view = model.lm.after(words, lengths, repeated(start, len(questions)))
    p = of_real_words(model.lm.prob_at(view))
    given = model.lm.parts_at(view).astype(np.float64) if parts else None
    if questions[0].candidates is None:
        found = best_of_each(p, n)
    else:
        found = [best_words(row, n, question.candidates) for row, question in zip(p, questions, strict=True)]
    rankings = []
    for stream, (question, row, best) in enumerate(zip(questions, p, found, strict=True)):
        chances = row[best].astype(np.float64)
        if complete and len(question.candidates):
            chances /= row[question.candidates].sum(dtype=np.float64)
        shown = _shown(model.lm.parts, given[:, stream, best], chances) if parts else []
        rankings.append(Ranking(question.prompt, _named(model, best, chances), shown, question.unknown))
    return rankings


def _named(model: Model, words: np.ndarray, p: np.ndarray) -> list[Prediction]:
    return list(map(Prediction, map(model.vocabulary.word, words.tolist()), p.tolist()))


def _shown(parts: Sequence[str], given: np.ndarray, p: np.ndarray) -> list[dict[str, float]]:
    """What is `given` (parts, K) to words, so that it sums to their probabilities `p` (K,)."""
    given = given * (p / np.maximum(given.sum(axis=0), np.finfo(np.float32).tiny))
    return [dict(zip(parts, column, strict=True)) for column in given.T.tolist()]


def _filled(model: Model, prompt: str, sides: tuple[str, str], n: int, candidates: np.ndarray | None) -> list[Ranking]:
    words, p, unknown = fill(model, *sides, candidates)
    best = best_words(p, n)
    return [Ranking(prompt, _named(model, words[best], p[best]), [], unknown)]


def best_words(p: np.ndarray, n: int, among: np.ndarray | None = None) -> np.ndarray:
    """The numbers of the `n` likeliest words by probabilities (V,), as `best_of_each`; only `among` some, if given."""
    (best,) = best_of_each((p if among is None else p[among])[None], n)
    return best if among is None else among[best]


def best_of_each(p: np.ndarray, n: int) -> list[np.ndarray]:
    """The numbers of the `n` likeliest words by each row of probabilities (B, V), best first; of all for 0.

    None that is impossible; of equally likely ones the smaller number comes first.
    """
    B, V = p.shape
    near = p > 0
    if 0 < n < V:
        # The n-th largest of all is at least that of the largest in each group, which is found much sooner.
        groups = p[:, : V // GROUP * GROUP].reshape(B, GROUP, V // GROUP)
        some = groups.max(axis=1) if n <= V // GROUP else p
        near &= p >= np.partition(some, -n, axis=1)[:, -n, None]
    near = np.flatnonzero(near)  # which takes half the time of `np.nonzero`
    rows, words = np.divmod(near, V)
    words = words[np.lexsort((-p.reshape(-1)[near], rows))]
    ends = np.searchsorted(rows, np.arange(B + 1)).tolist()
    return [words[start:end][: n or None] for start, end in itertools.pairwise(ends)]


def of_real_words(p: np.ndarray) -> np.ndarray:
    """Make of the probabilities (..., V) of all words, in place, those of the words that can be named."""
    p[..., UNK_ID] = 0
    p /= p.sum(axis=-1, keepdims=True)
    if np.isnan(p[..., -1]).any():
        raise OverflowedError
    return p
