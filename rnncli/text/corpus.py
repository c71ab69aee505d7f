"""A text made ready for training: read, split into a training and a held-out part, and numbered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..callbacks import OnProgress
from ..errors import SettingError, TextError
from ..ranks import Ranks
from .columns import Column, Store, counted, pieces
from .detokenizer import Detokenizer
from .facts import TextFacts as TextFacts
from .formats import ReadOptions
from .numbering import Numbering
from .predictor import SpacePredictor
from .reading import OPENERS, STDIN, TextsRead, listed, read_units, source_name
from .reading import Sources as Sources
from .reserved import MarkCounter, marks_unknown
from .shared_numbering import SharedNumbering
from .sources import ReadingProgress
from .spacing import annotate, learn
from .splitting import split_texts
from .tokenizers import Tokenizer
from .vocabulary import EOS_ID, UNK_ID, Tokens, Vocabulary
from .weights import TrainingText, Weighted, first_parts, is_weighted, laid_out, weighted_source, weighted_sources


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
    reading: dict[str, Any]  # how it was read, for a model to remember (see `ReadOptions.remembered`)
    facts: TextFacts
    detokenizer: Detokenizer = field(default_factory=Detokenizer)
    store: Store = field(default_factory=Store)  # of its words
    texts: tuple[Weighted, ...] = ()  # those in `train`

    def spaced(self, before: Detokenizer | None = None, threads: int = 1) -> SplitText:
        """Learn from the training part how the text is spaced, on top of what another text has taught `before`.

        Marks whose spaces the learned rules do not foresee get notes, by some `threads` (see `rnncli.text.annotation`).
        """
        predictor = SpacePredictor(self.train.types, self.train.gap_names) if len(self.train.gaps) else None
        learned = learn(self.train, before, predictor)
        train = annotate(self.train, learned, self.store, predictor, threads)
        own = predictor if self.valid.types is self.train.types else None
        valid = annotate(self.valid, learned, self.store, own, threads)
        return replace(self, train=train, valid=valid, detokenizer=learned)

    def counts(self) -> np.ndarray:
        """Count the occurrences of each type in the training part, each text by its weight."""
        if not is_weighted(self.texts):
            return self.train.counts()
        counts = np.zeros(len(self.train.types))
        for text in self.texts:
            counts += text.weight * counted(self.train.ids[text.begin : text.end], len(counts))
        return counts

    def numbered_by(self, vocabulary: Vocabulary) -> Corpus:
        """Number the text by a vocabulary. Raises `TextError` where that holds no word."""
        if len(vocabulary) == 2:
            raise TextError(f"no word of {self.source} is left to learn: try min_count=1, or max_vocab=0")
        train = vocabulary.encode(self.train, vocabulary.dtype, self.store)
        unknown = int(counted(train, len(vocabulary))[UNK_ID]) / max(1, self.train.words())
        return Corpus(
            self.name,
            self.tokenizer,
            self.unit,
            vocabulary,
            train,
            vocabulary.encode(self.valid, store=self.store),
            self.sha256,
            self.reading,
            replace(self.facts, unknown=unknown, of_storage=tuple(self.store.warnings)),
            self.detokenizer,
            texts=self.texts if len(self.texts) > 1 or is_weighted(self.texts) else (),
        )


@dataclass(frozen=True)
class CacheEntry:
    """Where the words of a large text are kept, until they have not been used for some days."""

    folder: Path
    bytes: int
    is_reused: bool  # whether the text was made ready by an earlier training
    lock: Any = field(default=None, repr=False, compare=False)  # an open file: as long as it is open, nobody removes it


@dataclass(frozen=True)
class Corpus:
    """What a model is trained on. `train` (N,) and `valid` (M,) are word numbers, with `<eos>` after each unit.

    Those of `train` are in the smallest type that holds them. Where the text is large, both are mapped from files.
    """

    name: str
    tokenizer: Tokenizer
    unit: str  # line or paragraph
    vocabulary: Vocabulary
    train: np.ndarray
    valid: np.ndarray
    sha256: str  # of the units as they were read
    reading: dict[str, Any] = field(default_factory=dict)  # how it was read, for a model to remember
    facts: TextFacts = field(default_factory=TextFacts)
    detokenizer: Detokenizer = field(default_factory=Detokenizer)
    cache_entry: CacheEntry | None = None
    texts: tuple[Weighted, ...] = ()  # those in `train`; none where it is a single one that weighs 1

    @cached_property
    def training_text(self) -> TrainingText:
        """The words of the training part, as the epochs read them."""
        return TrainingText(self.train, self.texts)

    def counts(self) -> np.ndarray:
        """Count each word of the vocabulary in the training part, (V,), each text by its weight."""
        size = len(self.vocabulary)
        if not self.texts:
            return counted(self.train, size)
        return sum(
            (text.weight * counted(self.train[text.begin : text.end], size) for text in self.texts), np.zeros(size)
        )

    def once(self, store: Store) -> np.ndarray:
        """Return the training part (N,) with each text once, or the part of it that a weight below 1 asks for."""
        if all(text.weight >= 1 for text in self.texts):
            return self.train
        column = Column(store, self.train.dtype)
        for begin, end in first_parts(self.texts):
            for piece in pieces(self.train[begin:end]):
                column.append(piece)
            column.append(np.full(int(self.train[end - 1] != EOS_ID), EOS_ID))
        return column.array()


def read_split(
    sources: Sources,
    options: ReadOptions | None = None,
    *,
    tokenizer: Tokenizer | None = None,
    valid: Sources = (),
    valid_fraction: float = 0.05,
    store: Store | None = None,
    on_progress: OnProgress | None = None,
    ranks: Ranks | None = None,
) -> SplitText:
    """Read a training text from `sources` (see `read_units`), and hold a part of it out for validation.

    That part is the text in `valid`, else the last `valid_fraction` of the units of each source. A source may be named
    with its weight: see `weighted_source`. Blank lines between stanzas are kept where lines are asked for as units. The
    words are kept in a `store`. `on_progress` is told the fraction of the bytes of all sources that was read, now and
    then, unless one is standard input. Several `ranks` that read the same text share the work. Raises `TextError` for a
    text that cannot be read or holds too few words.
    """
    tokenizer = tokenizer or Tokenizer()
    if not 0 < valid_fraction < 1:
        raise SettingError(f"valid_fraction is {valid_fraction}, and must be between 0 and 1")
    options = options or ReadOptions()
    options = replace(options, stanzas=options.unit == "line" and not tokenizer.is_pretokenized)
    sources, weights = weighted_sources(listed(sources))
    valid = listed(valid) if valid else ()
    name = source_name(sources[0])
    store = store or Store()
    measures = _Measures()
    progress = ReadingProgress(on_progress, sources, valid)
    ends: list[int] = []
    read, tokens = read_tokens(sources, tokenizer, options, measures.add, store, progress, ends.append, ranks)
    texts = laid_out(ends, weights)
    _check_words(name, tokens)
    options = replace(options, stanzas=options.stanzas and measures.has_stanzas)
    of_marks = measures.marks.warnings(tokenizer, tokens.words(), int(tokens.counts()[UNK_ID]))
    train = tokens
    of_valid = TextsRead()
    if valid:
        of_valid, held_out = _read_valid(valid, tokenizer, options, read.unit, store, progress, ranks)
    else:
        train, held_out, texts = split_texts(tokens, texts, valid_fraction, store)
    distinct = int(np.count_nonzero(tokens.counts())) - bool(len(tokens))
    facts = TextFacts(read, tokens.words(), distinct, valid=of_valid, of_marks=tuple(of_marks))
    own_name = corpus_name(sources)
    sha256 = measures.digest.hexdigest()
    reading = options.remembered()
    return SplitText(
        name, own_name, tokenizer, read.unit, train, held_out, sha256, reading, facts, store=store, texts=texts
    )


def _check_words(name: str, tokens: Tokens) -> None:
    """Raise `TextError` for a text that holds less than two words."""
    if tokens.words() < 2:
        found = "no word" if tokens.words() == 0 else "a single word"
        raise TextError(f"{name} holds {found}: training needs a text of at least two, and learns from thousands")


def _read_valid(
    valid: Sources,
    tokenizer: Tokenizer,
    options: ReadOptions,
    usual_unit: str,
    store: Store,
    progress: ReadingProgress,
    ranks: Ranks | None,
) -> tuple[TextsRead, Tokens]:
    """Read the texts that were named for validation."""
    options = replace(options, usual_unit=usual_unit)
    read, tokens = read_tokens(valid, tokenizer, options, store=store, progress=progress, ranks=ranks)
    if tokens.words() == 0:
        raise TextError(f"{source_name(listed(valid)[0])} holds no word to validate on: name a text that does")
    return read, tokens


class _Measures:
    """What is taken down of the units of a text as they are read."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.marks = MarkCounter()
        self.has_stanzas = False

    def add(self, text: str) -> None:
        """Take down the next unit."""
        self.marks.add(text)
        self.has_stanzas = self.has_stanzas or not text
        self.digest.update(text.encode("utf-8", "surrogatepass") + b"\n")


def text_facts(train: Tokens) -> dict[str, int | bool]:
    """State what the rules for a vocabulary ask of the training part of a text (see `rnncli.training.recipe`)."""
    counts = train.counts()
    return {
        "text_words": train.words(),
        "marks_unknown": marks_unknown(train.words(), int(counts[UNK_ID])),
        "repeats": bool((counts[UNK_ID + 1 :] > 1).any()),
    }


def read_tokens(
    sources: Sources,
    tokenizer: Tokenizer,
    options: ReadOptions | None = None,
    measure: Callable[[str], None] = lambda text: None,
    store: Store | None = None,
    progress: ReadingProgress | None = None,
    at_end: Callable[[int], object] | None = None,
    ranks: Ranks | None = None,
) -> tuple[TextsRead, Tokens]:
    """Read a text: what is known of it (see `read_units`), and its tokens, in a `store`.

    `measure` is shown the text of each unit, and `at_end` is told how many tokens there are at the end of each source.
    Several `ranks` that read the same text share the numbering.
    """
    store = store or Store()
    # A corpus that was tokenized elsewhere is taken as it is, blank lines too.
    options = replace(options or ReadOptions(), keep_blank=tokenizer.is_pretokenized)
    is_shared = ranks is not None and ranks.count > 1
    numbering = SharedNumbering(tokenizer, store, ranks) if ranks and is_shared else Numbering(tokenizer, store)
    read, texts = read_units(sources, options, store, lambda: at_end(numbering.count()) if at_end else None)
    try:
        for text in texts:
            measure(text)
            numbering.add(text)
            if progress:
                progress.tell(read.source_bytes)
    except BaseException:
        numbering.discard()
        raise
    if progress:
        progress.tell(read.source_bytes, is_end=True)
    return read, numbering.tokens()


def corpus_name(sources: Sources) -> str:
    """Name a text after its first source; the name of a file goes without endings like .txt.gz."""
    first, _ = weighted_source(listed(sources)[0])
    if first == STDIN:
        return "stdin"
    path = Path(os.path.realpath(first))  # `Path.resolve` fails for a symbolic link that leads to itself
    if os.path.isdir(path):
        return path.name or "corpus"
    if path.suffix.lower() in OPENERS:
        path = path.with_suffix("")
    return path.stem
