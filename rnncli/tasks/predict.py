"""Ranks the next words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from ..errors import OverflowedError, SettingError, TextError, quoted, shortened
from ..lm.mixture import MixtureState
from ..model import Model
from ..nn.threads import on_all_cores
from ..text.batches import padded
from ..text.completion import Completer
from ..text.vocabulary import UNK_ID, Vocabulary
from .batching import even_rows, length_groups
from .fill import BLANK, around_blank, fill

PROMPTS_PER_GROUP = 256  # that are read side by side, at most,
PROBABILITIES_PER_GROUP = 2**21  # fewer where the vocabulary is large: 8 MB
SPREAD_WORDS = 16  # between the shortest and the longest of them
GROUP_WORDS = 64  # of the vocabulary, of which only the likeliest one is compared at first


class Prediction(NamedTuple):
    """A word and its probability to come next."""

    word: str
    probability: float


@dataclass(frozen=True)
class Ranking:
    """The answer to a prompt."""

    prompt: str
    predictions: list[Prediction]  # best first
    parts: list[dict[str, float]] = field(
        default_factory=list
    )  # of each prediction, by part of the model; if asked for
    unknown_words: list[str] = field(default_factory=list)  # of the prompt, in its order


def predict_all(
    model: Model,
    prompts: Sequence[str],
    n: int = 10,
    *,
    parts: bool = False,
    among: Sequence[str] = (),
    complete: bool = False,
) -> list[Ranking]:
    """Rank the `n` likeliest next words after each of the `prompts`; all words where `n` is 0.

    A prompt is the beginning of a unit. `<unk>` is left out, and the probabilities of the other words, `<eos>` (the end
    of the unit) among them, sum to one. With `parts` each prediction is divided into what the parts of the model
    contribute. With `among` only these words are ranked.

    With `complete` the last word of a prompt is half-typed, and the words that it may become are ranked, with their
    probabilities among these words. Where nothing is typed yet these are all words but `<eos>`, which nobody types (see
    `rnncli.text.completion`). A prompt with a blank (`___`) asks for the word in it (see `rnncli.tasks.fill`).
    """
    if n < 0:
        raise SettingError(f"n is {n}, and must be 0 (all words) or more")
    candidates = _candidates(model, among)
    completer = model.completer if complete else None
    questions: list[_Question] = []
    jobs: list[Callable[[], list[Ranking]]] = []
    for prompt in dict.fromkeys(prompts):  # each once
        if not BLANK.search(prompt):
            questions.append(_Question(model, prompt, completer, candidates))
        elif complete:
            raise TextError(f"{quoted(prompt)} has a blank: fill it, or complete the last word, but one at a time")
        elif parts:
            raise TextError(f"{quoted(prompt)} has a blank: what the parts give is told of the next word only")
        else:
            jobs.append(partial(_fill_blank, model, prompt, around_blank(prompt), n, candidates))
    start = model.lm.initial_state(1)  # that of all prompts: it is computed once
    lengths = [len(question.ids) for question in questions]
    most = max(1, min(PROMPTS_PER_GROUP, PROBABILITIES_PER_GROUP // len(model.vocabulary)))
    groups = length_groups(lengths, max_rows=even_rows(len(lengths), most), max_spread=SPREAD_WORDS)
    jobs += (partial(_answer, model, start, [questions[place] for place in group], n, parts) for group in groups)
    rankings = itertools.chain.from_iterable(on_all_cores(lambda job: job(), jobs))
    answers = {ranking.prompt: ranking for ranking in rankings}
    return [answers[prompt] for prompt in prompts]


def _candidates(model: Model, among: Sequence[str]) -> np.ndarray | None:
    if not among:
        return None
    candidates = np.setdiff1d([model.number_of(word) for word in among], UNK_ID)
    if not len(candidates):
        words = ", ".join(map(shortened, among))
        raise SettingError(f"the model knows none of the words {words}: name some of its words, with commas between")
    return candidates


class _Question:
    """A prompt in numbers, and the words that may answer it."""

    def __init__(self, model: Model, prompt: str, completer: Completer | None, candidates: np.ndarray | None):
        self.prompt = prompt
        self.candidates = candidates
        self.is_completion = completer is not None
        self.typed = ""  # of a half-typed word
        before = prompt
        if completer:
            before, fitting = completer.split(prompt)
            self.typed = prompt[len(before) :]
            self.candidates = fitting if candidates is None else np.intersect1d(fitting, candidates)
        ids, self.unknown = model.encode(before)
        self.ids = ids[:, 0]


def _answer(model: Model, start: MixtureState, questions: list[_Question], n: int, parts: bool) -> list[Ranking]:
    """Answer several questions, read side by side."""
    words, lengths = padded([question.ids for question in questions])
    context = model.lm.context_after(words, lengths, start.repeat(len(questions)))
    p = of_words(model.lm.distribution(context)[0], model.vocabulary)
    contributions = model.vocabulary.merge(model.lm.contributions(context)[:, 0]) if parts else None
    if questions[0].candidates is None:
        best = best_of_each(p, n)
    else:
        best = [best_words(row, n, question.candidates) for row, question in zip(p, questions, strict=True)]
    rankings = []
    for row, (question, found) in enumerate(zip(questions, best, strict=True)):
        probabilities = p[row, found].astype(np.float64)
        if question.is_completion and question.candidates is not None and len(question.candidates):
            probabilities /= p[row, question.candidates].sum(dtype=np.float64)
        divided = [] if contributions is None else _divided(model, contributions[:, row, found], probabilities)
        predictions = _named(model, found, probabilities)
        if question.typed:
            completions = [model.completion(question.typed, number) for number in found.tolist()]
            predictions = list(map(Prediction, completions, probabilities.tolist()))
        rankings.append(Ranking(question.prompt, predictions, divided, question.unknown))
    return rankings


def _named(model: Model, words: np.ndarray, p: np.ndarray) -> list[Prediction]:
    return list(map(Prediction, map(model.word, words.tolist()), p.tolist()))


def _divided(model: Model, contributions: np.ndarray, p: np.ndarray) -> list[dict[str, float]]:
    """Divide the probabilities `p` (K,) by the `contributions` (parts, K) of the parts."""
    contributions = contributions.astype(np.float64)
    contributions *= p / np.maximum(contributions.sum(axis=0), np.finfo(np.float32).tiny)
    return [dict(zip(model.lm.names, column, strict=True)) for column in contributions.T.tolist()]


def _fill_blank(
    model: Model, prompt: str, around: tuple[str, str], n: int, candidates: np.ndarray | None
) -> list[Ranking]:
    words, p, unknown = fill(model, *around, candidates, n)
    best = best_words(p, n)
    return [Ranking(prompt, _named(model, words[best], p[best]), [], unknown)]


def best_words(p: np.ndarray, n: int, among: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers of the `n` likeliest words by probabilities (V,), as `best_of_each`; of `among`, if given."""
    (best,) = best_of_each((p if among is None else p[among])[None], n)
    return best if among is None else among[best]


def best_of_each(p: np.ndarray, n: int) -> list[np.ndarray]:
    """Return the numbers of the `n` likeliest words by each row of probabilities (B, V), best first; of all for 0.

    Impossible words are left out; of equally likely ones the smaller number comes first.
    """
    rows, size = p.shape
    is_near = p > 0
    if 0 < n < size:
        # A lower bound that is found much sooner: the n-th largest of the groups' maxima is at most that of all.
        groups = p[:, : size // GROUP_WORDS * GROUP_WORDS].reshape(rows, GROUP_WORDS, size // GROUP_WORDS)
        maxima = groups.max(axis=1) if n <= size // GROUP_WORDS else p
        is_near &= p >= np.partition(maxima, -n, axis=1)[:, -n, None]
    near = np.flatnonzero(is_near)  # which takes half the time of `np.nonzero`
    row, words = np.divmod(near, size)
    words = words[np.lexsort((-p.reshape(-1)[near], row))]
    ends = np.searchsorted(row, np.arange(rows + 1)).tolist()
    return [words[start:end][: n or None] for start, end in itertools.pairwise(ends)]


def of_words(p: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Turn the probabilities (..., V) of all words, in place, into those of the words as a person reads them.

    `<unk>` is left out, and a mark has the probability of all its variants, with and without notes on its spaces.
    """
    return without_unk(vocabulary.merge(p))


def without_unk(p: np.ndarray) -> np.ndarray:
    """Turn the probabilities (..., V) of all words, in place, into those of the words that can be named."""
    p[..., UNK_ID] = 0
    p /= p.sum(axis=-1, keepdims=True)
    if np.isnan(p[..., -1]).any():
        raise OverflowedError
    return p
