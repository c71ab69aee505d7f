"""A text made ready for training: its words numbered, its last part held out, its vocabulary chosen."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import SettingError, TextError
from .reading import OPENERS, STDIN, read_units
from .tokenizers import Tokenizer
from .vocabulary import UNK_ID, Tokens, Vocabulary

LARGE = 50_000  # words; in a smaller text even a word that occurs once is worth knowing
MAX_VOCAB = 20_000


@dataclass(frozen=True)
class Corpus:
    """What a model is trained on. `train` (N,) and `valid` (M,) are the numbers of words, `<eos>` after each unit."""

    name: str
    tokenizer: Tokenizer
    unit: str
    vocabulary: Vocabulary
    train: np.ndarray
    valid: np.ndarray
    sha256: str  # of the units as they were read

    def counts(self) -> np.ndarray:
        """How often each word of the vocabulary occurs in the training part, (V,)."""
        return np.bincount(self.train, minlength=len(self.vocabulary))


def read_corpus(
    sources: Sequence[str | Path],
    *,
    tokenizer: Tokenizer | None = None,
    unit: str = "auto",
    encoding: str = "utf-8",
    min_count: int | None = None,
    max_vocab: int | None = None,
    valid: Sequence[str | Path] = (),
    valid_fraction: float = 0.05,
) -> Corpus:
    """Read a training text from `sources` (see `read_units`).

    The vocabulary holds the words that occur at least `min_count` times in the training part, at most `max_vocab`
    (0: no limit). Left open, both are 1 and 0 for a text that marks its own unknown words as `<unk>`; else rare
    words are cut: those that occur once from 50,000 words of text on, and all but the 20,000 most frequent.
    Perplexity is watched on the texts in `valid`, else on the last `valid_fraction` of the units, held out.

    Raises `TextError` for a text that cannot be read or holds fewer than two words.
    """
    tokenizer = tokenizer or Tokenizer()
    if not 0 < valid_fraction < 1:
        raise SettingError(f"the held-out fraction is {valid_fraction}, and must be between 0 and 1")
    name = corpus_name(sources)
    digest = hashlib.sha256()
    tokens = read_tokens(sources, tokenizer, unit, encoding, lambda text: digest.update(text.encode() + b"\n"))
    if tokens.words() < 2:
        found = "no word" if tokens.words() == 0 else "a single word"
        raise TextError(f"{name} holds {found}: training needs a text of at least two, and learns from thousands")
    if valid:
        train, held_out = tokens, read_tokens(valid, tokenizer, unit, encoding)
        if held_out.words() == 0:
            raise TextError(f"{corpus_name(valid)} holds no word to validate on: name a text that does")
    else:
        train, held_out = tokens.split(valid_fraction)
    marked = train.counts()[UNK_ID] > 0
    if min_count is None:
        min_count = 1 if marked or train.words() < LARGE else 2
    if max_vocab is None:
        max_vocab = 0 if marked else MAX_VOCAB
    vocabulary = Vocabulary.from_tokens(train, min_count, max_vocab)
    return Corpus(
        name,
        tokenizer,
        unit,
        vocabulary,
        vocabulary.encode(train),
        vocabulary.encode(held_out),
        digest.hexdigest(),
    )


def read_tokens(
    sources: Sequence[str | Path], tokenizer: Tokenizer, unit: str, encoding: str = "utf-8", measure=None
) -> Tokens:
    """The words of a text, cut as those of a model's corpus were. `measure` is shown each unit, where given."""

    def units() -> Iterator[list[str]]:
        # What was prepared elsewhere, token by token, is taken as it is, line by line.
        for text in read_units(sources, unit, encoding, keep_blank=tokenizer.kind == "whitespace"):
            if measure is not None:
                measure(text)
            yield tokenizer.tokenize(text)

    return Tokens.from_units(units())


def corpus_name(sources: Sequence[str | Path]) -> str:
    """What to call a text: the name of its first source, without endings like .txt.gz."""
    if sources[0] == STDIN:
        return "stdin"
    path = Path(sources[0]).resolve()
    if path.suffix.lower() in OPENERS:
        path = path.with_suffix("")
    return path.stem
