"""Generates text: samples one word after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import SettingError
from ..lm.ngram import NGram
from ..lm.ngram_counts import context_lengths
from ..model import Model
from ..nn.threads import FasterThreads
from ..text.annotation import parts, plain
from ..text.folding import folded_alike
from ..text.vocabulary import EOS_ID
from .predict import without_unk
from .sampling import Sampling

DEFAULT_WORDS = 50
MAX_WORDS_PER_SENTENCE = 200
FINAL_MARKS = ".!?…。！？।؟"  # that end a sentence
CLOSING_MARKS = "\"'”’»)]}」』"  # that may still follow and belong to it
NOVELTY_LENGTHS = (3, 4, 5)  # words


@dataclass(frozen=True)
class Limits:
    """Where a text ends: after so many words or sentences, or before any of some strings."""

    words: int | None = None  # None: 50, or 200 for each of the sentences
    sentences: int = 0  # 0: any number
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.words or 0) < 0 or self.sentences < 0:
            raise SettingError("the numbers of words and of sentences must not be negative")
        if not all(self.stop):
            raise SettingError("stop must not hold an empty text")

    @property
    def max_words(self) -> int:
        """How many words are written at most."""
        if self.words is None:
            return MAX_WORDS_PER_SENTENCE * self.sentences or DEFAULT_WORDS
        return self.words


class Writer:
    """Writes on after a prompt: iterate over the pieces of text, each a word with its space or a line's end.

    `text` are the numbers of all words so far, `written` those of them that were written after the prompt. A word that
    a stop cut off is none of them.
    """

    def __init__(
        self, model: Model, prompt: str, limits: Limits, sampling: Sampling, seed: int | np.random.SeedSequence | None
    ):
        self.model = model
        self.prompt = prompt
        self.limits = limits
        self.sampling = sampling
        self.seed = seed
        self.text: list[int] = model.encode(prompt)[0][:, 0].tolist()
        self.begin = len(self.text)

    @property
    def written(self) -> list[int]:
        """The numbers of the words after the prompt."""
        return self.text[self.begin :]

    def __iter__(self) -> Iterator[str]:
        return self._until_stop() if self.limits.stop else self._pieces()

    def _until_stop(self) -> Iterator[str]:
        """Yield the pieces up to the first of the stop strings; what may be the beginning of one is held back."""
        stop = tuple(map(folded_alike, self.limits.stop))  # whichever apostrophe it has
        longest = max(map(len, stop)) - 1
        held = ""
        ends: list[int] = []  # of each piece in `held`
        for count, piece in enumerate(self._pieces(), 1):
            held += piece
            ends.append(len(held))
            found = [place for place in map(folded_alike(held).find, stop) if place >= 0]
            if found:
                cut_off = sum(end > min(found) for end in ends)
                del self.text[self.begin + count - cut_off :]
                yield held[: min(found)]
                return
            tails = (held[-n:] for n in range(min(longest, len(held)), 0, -1))
            tail = next((tail for tail in tails if any(s.startswith(folded_alike(tail)) for s in stop)), "")
            shown = len(held) - len(tail)
            if shown:
                yield held[:shown]
                held = held[shown:]
                ends = [end - shown for end in ends if end > shown]
        if held:
            yield held

    def _pieces(self) -> Iterator[str]:
        """Yield the pieces up to the limits of words and sentences."""
        model = self.model
        del self.text[self.begin :]  # of an earlier iteration
        rng = np.random.default_rng(self.seed)
        spacer = model.spacer()
        spacer.read(model.tokenizer.segment(self.prompt))
        if self.text:  # the last mark of the prompt may be a variant that says what follows it
            spacer.note(parts(model.vocabulary.word(self.text[-1]))[2])
        state, _ = model.state_after(self.prompt)
        sentences = _SentenceCounter(self.limits.sentences, model.tokenizer.is_char)
        left = self.limits.max_words
        threads = FasterThreads()
        last: int | None = None  # the word that was written last
        while left > 0:
            with threads.step():
                if last is not None:
                    state = model.lm.read(np.array([[last]]), state)
                p = without_unk(model.lm.distribution(model.lm.context(state))[0, 0])
            if self._is_blank_enough():
                p[EOS_ID] = 0
            word = self._draw(p, rng)
            name = None if word is None else model.vocabulary.word(word)
            is_last = sentences.count(word, name and plain(name))
            if word is None or name is None or is_last:
                break
            self.text.append(word)
            last = word
            if word == EOS_ID:
                yield from spacer.flush()
                spacer = model.spacer()
                yield "\n"
            else:
                left -= 1
                yield from spacer.push(name)
        yield from spacer.flush()

    def _draw(self, p: np.ndarray, rng: np.random.Generator) -> int | None:
        """Draw a word by probabilities (V,): of a mark, which variant of it comes after."""
        vocabulary = self.model.vocabulary
        if not vocabulary.variants:
            return self.sampling.draw(p, rng, self.text)
        before = vocabulary.unnoted(np.array(self.text, np.intp)).tolist()
        word = self.sampling.draw(vocabulary.merge(p.copy()), rng, before)
        variants = (
            [number for _, _, number in vocabulary.variants.get(plain(vocabulary.word(word)), ())] if word else []
        )
        if not variants:
            return word
        weights = p[variants].astype(np.float64)
        if self.sampling.temperature == 0:
            return variants[int(weights.argmax())]
        return int(rng.choice(variants, p=weights / weights.sum()))

    def _is_blank_enough(self) -> bool:
        """Whether no unit may end here: at the beginning, and after an end; with stanzas, after two ends."""
        ends = 1 + (self.model.about.get("reading", {}).get("stanzas") is True)
        return not self.text or self.text[-ends:] == [EOS_ID] * ends


class _SentenceCounter:
    """Counts sentences word by word, and says when there are enough."""

    def __init__(self, wanted: int, is_char: bool):
        self.wanted = wanted
        self.left = wanted
        self.is_char = is_char
        self.words = 0  # of the sentence so far
        self.is_over = False  # whether the end of the sentence was written

    def count(self, word: int | None, name: str | None) -> bool:
        """Take the next word; return whether the text ends before it."""
        if self.is_over and (word == EOS_ID or not name or name.strip(FINAL_MARKS + CLOSING_MARKS)):
            self.is_over = False
            # In a model of characters, a sentence ends only before a space: 3.5 goes on.
            if not self.is_char or word == EOS_ID or (name or "").isspace():
                self._end_sentence()
        if self.wanted and self.left <= 0:
            return True
        if word == EOS_ID:
            if self.words:  # a heading, say, is a sentence too
                self._end_sentence()
            return bool(self.wanted) and self.left <= 0
        if name is not None:
            self.words += 1
            self.is_over = self.is_over or _is_final(name)
        return False

    def _end_sentence(self) -> None:
        self.left -= 1
        self.words = 0


def generate(
    model: Model,
    prompt: str = "",
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    seed: int | np.random.SeedSequence | None = None,
) -> Writer:
    """Write on after `prompt`, one piece of text (a word with its space) at a time.

    Where a unit ends, a new line begins; `<unk>` is never written, nor an empty line, except between stanzas that were
    learned. The same `seed` gives the same text.
    """
    return Writer(model, prompt, limits or Limits(), sampling or Sampling(), seed)


def _is_final(word: str) -> bool:
    """Whether a sentence may end with a word: with a full stop, but not with several, such as U.S. or ..."""
    word = word.rstrip(CLOSING_MARKS)
    return word.endswith(tuple(FINAL_MARKS)) and word.count(".") < 2


def copied_fractions(ngrams: Sequence[NGram], writer: Writer) -> dict[int, float | None]:
    """Return which fraction of the sequences of 3, 4 and 5 words occurs in the texts whose `ngrams` the model holds.

    Sequences count that end in a word that was written. None where none of that length was written within a unit, or
    the model has no n-grams of that length. N-grams that were pruned are not found.
    """
    ids = np.array(writer.text, np.int64)
    lengths = context_lengths(ids)
    contexts = [ngram.advance(ids[:, None], ngram.initial_state(1), {})[0] for ngram in ngrams]
    read = [context.ngrams for context in contexts if context.ngrams is not None]
    fractions: dict[int, float | None] = {}
    for n in NOVELTY_LENGTHS:
        is_counted = (np.arange(len(ids)) >= writer.begin) & (ids != EOS_ID) & (lengths >= n)
        found = [ngrams[:, 0, n - 1] >= 0 for ngrams in read if n <= ngrams.shape[-1]]
        fractions[n] = float(np.any(found, axis=0)[is_counted].mean()) if found and is_counted.any() else None
    return fractions
