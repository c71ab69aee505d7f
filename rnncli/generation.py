"""Writing on: sampling one word after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SettingError
from .lm.ngram import NGram, words_back
from .prediction import of_real_words
from .text.vocabulary import EOS_ID

if TYPE_CHECKING:
    from .model import Model

WORDS, WORDS_OF_SENTENCE = 50, 200  # that are written at most, where nothing else is said
COLDEST, HOTTEST = 1e-30, 1e30  # temperatures that others count as: in single precision they might be 0 or infinite
FINAL = ".!?…。！？।؟"  # what ends a sentence,
CLOSING = "\"'”’»)]}」』"  # and what may still follow and belong to it


@dataclass(frozen=True)
class Sampling:
    """How the next word is drawn from the probabilities of all."""

    temperature: float = 0.8  # below 1 likely words become likelier still; 0: always the likeliest
    top_k: int = 0  # only from the k likeliest words; 0: from all
    top_p: float = 1.0  # only from the likeliest ones that together hold this share (Holtzman et al. 2020)
    min_p: float = 0.0  # only from those at least this share as likely as the likeliest (Nguyen et al. 2024)
    repetition_penalty: float = 1.0  # what the log-probability of words that stand there already is multiplied by
    no_repeat: int = 0  # no sequence of so many words is written twice; 0: any may be

    def __post_init__(self):
        if not 0 <= self.temperature < np.inf:
            raise SettingError(f"the temperature is {self.temperature}, and must be a number from 0 on")
        if self.top_k < 0 or self.no_repeat < 0:
            raise SettingError("top-k and no-repeat must not be negative")
        if not 0 < self.top_p <= 1:
            raise SettingError(f"top-p is {self.top_p}, and must be above 0 and at most 1")
        if not 0 <= self.min_p <= 1:
            raise SettingError(f"min-p is {self.min_p}, and must be from 0 to 1")
        if not 1 <= self.repetition_penalty < np.inf:
            raise SettingError(f"the repetition penalty is {self.repetition_penalty}, and must be 1 (none) or more")

    def draw(self, p: np.ndarray, rng: np.random.Generator, before: Sequence[int] = ()) -> int | None:
        """Draw the number of a word by probabilities (V,), after the words `before`; None where none is possible."""
        if before and (self.repetition_penalty > 1 or self.no_repeat):
            p = self._discouraged(p.astype(np.float64), before)
        likeliest = int(p.argmax())
        if p[likeliest] == 0:
            return None
        if self.temperature == 0:
            return likeliest
        words = np.flatnonzero(p)
        if 0 < self.top_k < len(words):
            words = np.sort(np.argsort(-p, kind="stable")[: self.top_k])
        weights = np.exp(np.log(p[words] / p[likeliest]) / min(max(self.temperature, COLDEST), HOTTEST))
        if self.min_p:
            words, weights = words[weights >= self.min_p], weights[weights >= self.min_p]
        if self.top_p < 1:
            order = np.argsort(-weights, kind="stable")
            last = np.searchsorted(np.cumsum(weights[order]) / weights.sum(), self.top_p)
            words, weights = words[order[: last + 1]], weights[order[: last + 1]]
        shares = np.cumsum(weights, dtype=np.float64)
        # The last share is all there is, whatever rounding says; so the draw never runs over the end.
        return int(words[np.searchsorted(shares[:-1], rng.random() * shares[-1], side="right")])

    def _discouraged(self, p: np.ndarray, before: Sequence[int]) -> np.ndarray:
        """The probabilities with what stands there already made less likely, or impossible."""
        if self.repetition_penalty > 1:
            seen = np.unique([word for word in before if word != EOS_ID]).astype(np.int64)
            possible = seen[p[seen] > 0]
            p[possible] = np.maximum(p[possible] ** self.repetition_penalty, np.finfo(p.dtype).tiny)
        if self.no_repeat:
            text, known = list(before), self.no_repeat - 1
            last = text[len(text) - known :] if known <= len(text) else None
            if last is not None and EOS_ID not in last:
                places = range(len(text) - known)
                banned = {text[i + known] for i in places if text[i : i + known] == last} - {EOS_ID}
                p[list(banned)] = 0
        return p


class Writer:
    """Writes on after a prompt: iterate over the pieces of text, each a word with its space or a line's end.

    `text` are the numbers of all words so far, `written` those of them that were written after the prompt. A word that
    a stop cut off is none of them.
    """

    def __init__(
        self,
        model: Model,
        prompt: str,
        words: int,
        sentences: int,
        stop: Sequence[str],
        sampling: Sampling,
        seed: int | np.random.SeedSequence | None,
    ):
        self.model, self.prompt, self.words, self.sentences = model, prompt, words, sentences
        self.stop, self.sampling, self.seed = stop, sampling, seed
        self.text: list[int] = model.encode(prompt)[0][:, 0].tolist()
        self.begin = len(self.text)

    @property
    def written(self) -> list[int]:
        return self.text[self.begin :]

    def __iter__(self) -> Iterator[str]:
        return self._until_stop() if self.stop else self._pieces()

    def _until_stop(self) -> Iterator[str]:
        """The pieces up to the first of the strings in `stop`; what may be the beginning of one is held back."""
        longest = max(map(len, self.stop)) - 1
        held, ends = "", []  # and where each piece ends in it
        for piece in self._pieces():
            held += piece
            ends.append(len(held))
            found = [place for place in map(held.find, self.stop) if place >= 0]
            if found:
                cut_off = sum(end > min(found) for end in ends[:-1])  # the last word is not in the text yet
                del self.text[len(self.text) - cut_off :]
                yield held[: min(found)]
                return
            tails = (held[-n:] for n in range(min(longest, len(held)), 0, -1))
            shown = len(held) - len(next((tail for tail in tails if any(s.startswith(tail) for s in self.stop)), ""))
            if shown:
                yield held[:shown]
                held, ends = held[shown:], [end - shown for end in ends if end > shown]
        if held:
            yield held

    def _pieces(self) -> Iterator[str]:
        model, tokenizer, left = self.model, self.model.tokenizer, self.sentences
        del self.text[self.begin :]  # of a time before
        rng = np.random.default_rng(self.seed)
        spacer = tokenizer.spacer()
        for token in tokenizer.tokenize(self.prompt):
            spacer.next(token)
        state, _ = model.begin(self.prompt)
        words, sentence, over = self.words, 0, False  # words of the sentence so far; whether its end was written
        while words > 0:
            p = of_real_words(model.lm.prob(state)[0])
            if not self.text or self.text[-1] == EOS_ID:
                p[EOS_ID] = 0
            word = self.sampling.draw(p, rng, self.text)
            name = None if word is None else model.vocabulary.word(word)
            if over and (word == EOS_ID or not name or name.strip(FINAL + CLOSING)):
                over = False
                if tokenizer.kind != "char" or word == EOS_ID or name.isspace():  # 3.5 goes on
                    left, sentence = left - 1, 0
            if name is None or (self.sentences and left <= 0):
                return
            if word == EOS_ID:
                if self.sentences and sentence:  # a heading, say, is a sentence too
                    left, sentence = left - 1, 0
                    if left <= 0:
                        return
                spacer = tokenizer.spacer()
                yield "\n"
            else:
                words, sentence = words - 1, sentence + 1
                over = over or _is_final(name)
                yield spacer.next(name)
            self.text.append(word)
            state = model.lm.read(np.array([[word]]), state)


def generate(
    model: Model,
    prompt: str = "",
    words: int | None = None,
    *,
    sentences: int = 0,
    stop: Iterable[str] = (),
    seed: int | np.random.SeedSequence | None = None,
    **sampling: Any,
) -> Writer:
    """Write on after `prompt`, one piece of text (a word with its space) at a time.

    It ends after so many `words` (50 if left open), so many `sentences` (0: any number), or before any of the strings
    in `stop`. How the words are drawn, the options of `Sampling` say. Where a unit ends a new line begins; `<unk>` is
    never written, nor an empty line. The same `seed` gives the same text.
    """
    stop = tuple(stop)
    if words is None:
        words = WORDS_OF_SENTENCE * sentences or WORDS
    if words < 0 or sentences < 0:
        raise SettingError("the numbers of words and of sentences must not be negative")
    if not all(stop):
        raise SettingError("a text to stop at must not be empty")
    return Writer(model, prompt, words, sentences, stop, Sampling(**sampling), seed)


def _is_final(word: str) -> bool:
    """Whether a sentence may end with a word: with a full stop, but not with several, such as U.S. or ..."""
    word = word.rstrip(CLOSING)
    return word.endswith(tuple(FINAL)) and word.count(".") < 2


def copied(ngram: NGram, writer: Writer) -> dict[int, float | None]:
    """What share of the sequences of 3, 4 and 5 words stands in the training text, by the model's n-grams.

    Counted are those that end in a word that was written. None where none so long was written within a unit, or the
    model has no n-grams of that length. N-grams that occurred once are left out of a long training text, and not found.
    """
    ids = np.array(writer.text, np.int64)
    _, ngrams, _ = ngram.follow(ids[:, None], ngram.start(1))
    reach = words_back(ids)
    shares: dict[int, float | None] = {}
    for n in (3, 4, 5):
        counted = (np.arange(len(ids)) >= writer.begin) & (ids != EOS_ID) & (reach >= n)
        possible = n <= ngram.order and counted.any()
        shares[n] = float(np.mean(ngrams[counted, 0, n - 1] >= 0)) if possible else None
    return shares
