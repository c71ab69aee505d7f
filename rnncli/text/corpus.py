"""A text made ready for training: read, split into a training and a held-out part, and numbered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import SettingError, TextError
from .reading import OPENERS, STDIN, listed, read_units, source_name
from .tokenizers import Tokenizer
from .vocabulary import UNK_ID, Tokens, Vocabulary

Sources = str | Path | Iterable[str | Path]  # files, folders, "-" for standard input


@dataclass(frozen=True)
class SplitText:
    """A text that was read and split for training, before its vocabulary is chosen."""

    source: str  # the first one, for messages
    name: str
    tokenizer: Tokenizer
    unit: str  # line or paragraph
    train: Tokens
    valid: Tokens
    sha256: str  # of the units as they were read

    def numbered_by(self, vocabulary: Vocabulary) -> Corpus:
        """Number the text by a vocabulary. Raises `TextError` where that holds no word."""
        if len(vocabulary) == 2:
            raise TextError(f"no word of {self.source} is left to learn: try min_count=1, or max_vocab=0")
        return Corpus(
            self.name,
            self.tokenizer,
            self.unit,
            vocabulary,
            vocabulary.encode(self.train),
            vocabulary.encode(self.valid),
            self.sha256,
        )


@dataclass(frozen=True)
class Corpus:
    """What a model is trained on. `train` (N,) and `valid` (M,) are word numbers, with `<eos>` after each unit."""

    name: str
    tokenizer: Tokenizer
    unit: str  # line or paragraph
    vocabulary: Vocabulary
    train: np.ndarray
    valid: np.ndarray
    sha256: str  # of the units as they were read

    def counts(self) -> np.ndarray:
        """Count each word of the vocabulary in the training part, (V,)."""
        return np.bincount(self.train, minlength=len(self.vocabulary))


def read_split(
    sources: Sources,
    *,
    tokenizer: Tokenizer | None = None,
    unit: str = "auto",
    encoding: str = "utf-8",
    valid: Sources = (),
    valid_fraction: float = 0.05,
) -> SplitText:
    """Read a training text from `sources` (see `read_units`), and hold a part of it out for validation.

    That part is the text in `valid`, else the last `valid_fraction` of the units.
    Raises `TextError` for a text that cannot be read or holds too few words.
    """
    tokenizer = tokenizer or Tokenizer()
    if not 0 < valid_fraction < 1:
        raise SettingError(f"valid_fraction is {valid_fraction}, and must be between 0 and 1")
    sources = listed(sources)
    valid = valid and listed(valid)
    name = source_name(sources[0])
    digest = hashlib.sha256()
    unit, tokens = read_tokens(
        sources, tokenizer, unit, encoding, lambda text: digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    )
    if tokens.words() < 2:
        found = "no word" if tokens.words() == 0 else "a single word"
        raise TextError(f"{name} holds {found}: training needs a text of at least two, and learns from thousands")
    if valid:
        _, held_out = read_tokens(valid, tokenizer, unit, encoding)
        if held_out.words() == 0:
            raise TextError(f"{source_name(listed(valid)[0])} holds no word to validate on: name a text that does")
        train = tokens
    else:
        train, held_out = tokens.split(valid_fraction)
    return SplitText(name, corpus_name(sources), tokenizer, unit, train, held_out, digest.hexdigest())


def text_facts(train: Tokens) -> dict[str, int | bool]:
    """State what the rules for a vocabulary ask of the training part of a text (see `rnncli.training.recipe`)."""
    counts = train.counts()
    return {
        "text_words": train.words(),
        "marks_unknown": bool(counts[UNK_ID] > 0),
        "repeats": bool((counts[UNK_ID + 1 :] > 1).any()),
    }


def read_tokens(
    sources: Sources,
    tokenizer: Tokenizer,
    unit: str,
    encoding: str = "utf-8",
    measure: Callable[[str], None] = lambda text: None,
) -> tuple[str, Tokens]:
    """Read a text: what a unit is (see `read_units`), and its tokens. `measure` is shown the text of each unit."""
    # A corpus that was tokenized elsewhere is taken as it is, blank lines too.
    unit, texts = read_units(sources, unit, encoding, keep_blank=tokenizer.is_pretokenized)

    def words() -> Iterator[list[str]]:
        for text in texts:
            measure(text)
            yield tokenizer.tokenize(text)

    return unit, Tokens.from_units(words())


def corpus_name(sources: Sources) -> str:
    """Name a text after its first source; the name of a file goes without endings like .txt.gz."""
    first = listed(sources)[0]
    if first == STDIN:
        return "stdin"
    path = Path(first).resolve()
    if path.is_dir():
        return path.name or "corpus"
    if path.suffix.lower() in OPENERS:
        path = path.with_suffix("")
    return path.stem
