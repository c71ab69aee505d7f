"""A text made ready for training: its words numbered, its last part held out, its vocabulary chosen."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import SettingError, TextError
from .reading import OPENERS, STDIN, listed, read_units, source_name
from .tokenizers import Tokenizer
from .vocabulary import UNK_ID, Tokens, Vocabulary

LARGE = 50_000  # words; in a smaller text even a word that occurs once is worth knowing
MAX_VOCAB = 20_000

Sources = str | Path | Iterable[str | Path]  # files, folders, "-" for standard input


@dataclass(frozen=True)
class Corpus:
    """What a model is trained on. `train` (N,) and `valid` (M,) are the numbers of words, `<eos>` after each unit."""

    name: str
    tokenizer: Tokenizer
    unit: str  # line or paragraph
    vocabulary: Vocabulary
    train: np.ndarray
    valid: np.ndarray
    sha256: str  # of the units as they were read

    def counts(self) -> np.ndarray:
        """How often each word of the vocabulary occurs in the training part, (V,)."""
        return np.bincount(self.train, minlength=len(self.vocabulary))


def read_corpus(
    sources: Sources,
    *,
    tokenizer: Tokenizer | None = None,
    unit: str = "auto",
    encoding: str = "utf-8",
    min_count: int | None = None,
    max_vocab: int | None = None,
    valid: Sources = (),
    valid_fraction: float = 0.05,
    known: Vocabulary | None = None,
) -> Corpus:
    """Read a training text from `sources` (see `read_units`).

    The vocabulary holds the words that occur at least `min_count` times in the training part, at most `max_vocab`
    (0: no limit). Left open, they are 1 and 0 for a text that marks its own unknown words as `<unk>`; else rare
    words are cut: those that occur once from 50,000 words of text on, and all but the 20,000 most frequent.
    A vocabulary that is `known` already is kept, and grows by the words that occur `min_count` times (left open: 2),
    the 20,000 most frequent ones.
    Perplexity is watched on the texts in `valid`, else on the last `valid_fraction` of the units, held out.

    Raises `TextError` for a text that cannot be read or holds too few words.
    """
    tokenizer = tokenizer or Tokenizer()
    if not 0 < valid_fraction < 1:
        raise SettingError(f"the held-out fraction is {valid_fraction}, and must be between 0 and 1")
    sources, valid = listed(sources), valid and listed(valid)
    name, digest = source_name(sources[0]), hashlib.sha256()
    unit, tokens = read_tokens(
        sources, tokenizer, unit, encoding, lambda text: digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    )
    if tokens.words() < 2:
        found = "no word" if tokens.words() == 0 else "a single word"
        raise TextError(f"{name} holds {found}: training needs a text of at least two, and learns from thousands")
    if valid:
        train, (_, held_out) = tokens, read_tokens(valid, tokenizer, unit, encoding)
        if held_out.words() == 0:
            raise TextError(f"{source_name(valid[0])} holds no word to validate on: name a text that does")
    else:
        train, held_out = tokens.split(valid_fraction)
    if known:
        vocabulary = known.extended(train, min_count or 2, MAX_VOCAB)
    else:
        counts = train.counts()
        marked = counts[UNK_ID] > 0
        if min_count is None:
            some_recur = (counts[UNK_ID + 1 :] > 1).any()
            min_count = 2 if train.words() >= LARGE and some_recur and not marked else 1
        if max_vocab is None:
            max_vocab = 0 if marked else MAX_VOCAB
        vocabulary = Vocabulary.from_tokens(train, min_count, max_vocab)
    if len(vocabulary) == 2:
        raise TextError(f"no word of {name} is left to learn: it takes a smaller min-count or a larger max-vocab")
    return Corpus(
        corpus_name(sources),
        tokenizer,
        unit,
        vocabulary,
        vocabulary.encode(train),
        vocabulary.encode(held_out),
        digest.hexdigest(),
    )


def read_tokens(
    sources: Sources,
    tokenizer: Tokenizer,
    unit: str,
    encoding: str = "utf-8",
    measure: Callable[[str], None] = lambda text: None,
) -> tuple[str, Tokens]:
    """What a unit is (see `read_units`), and the words of a text. `measure` is shown the text of each unit."""
    # What was prepared elsewhere, token by token, is taken as it is, blank lines too.
    unit, texts = read_units(sources, unit, encoding, keep_blank=tokenizer.kind == "whitespace")

    def words() -> Iterator[list[str]]:
        for text in texts:
            measure(text)
            yield tokenizer.tokenize(text)

    return unit, Tokens.from_units(words())


def corpus_name(sources: Sources) -> str:
    """What to call a text: the name of its first source, a file's without endings like .txt.gz."""
    first = listed(sources)[0]
    if first == STDIN:
        return "stdin"
    path = Path(first).resolve()
    if path.is_dir():
        return path.name or "corpus"
    if path.suffix.lower() in OPENERS:
        path = path.with_suffix("")
    return path.stem
