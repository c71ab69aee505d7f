"""Reads the texts of a training and numbers their words; a large text is kept for the next training on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..model import Model
from ..nn.threads import usable_cores
from ..options import TextOptions
from ..storage.text_cache import MIN_SOURCE_BYTES, TextCache, text_key
from ..text.columns import Store
from ..text.corpus import Corpus, Sources, SplitText, corpus_name, read_split, text_facts
from ..text.formats import ReadOptions
from ..text.reading import listed
from ..text.sources import Progress, files_of, size_of
from ..text.tokenizers import Tokenizer
from ..text.vocabulary import Vocabulary
from .recipe import decided

READ_OPTIONS = ("unit", "encoding", "read_as", "field", "column", "chat", "strict")
Stamps = list[tuple[int, int, int]]


def read_texts(
    text: TextOptions,
    sources: Sources,
    init: Model | None,
    *,
    reads_as_model: bool = False,
    cache_dir: str | Path | None = None,
    on_progress: Progress | None = None,
) -> tuple[TextOptions, Corpus]:
    """Read the texts of a training: returns the options for them with those that were open decided, and the corpus.

    A large text is kept in the folder `cache_dir`, by default that of the user's caches, and taken from there the next
    time. Raises `TextError` for a text that cannot be read or holds too few words.
    """
    sources = listed(sources)
    text = replace(text, valid=tuple(listed(text.valid)) if text.valid else ())
    cache = TextCache(cache_dir)
    cache.clean()
    options = ReadOptions(
        **{name: getattr(text, name) for name in READ_OPTIONS},
        usual_unit=init.unit if init else "line",
        of_model=reads_as_model,
    )
    tokenizer = init.tokenizer if init else Tokenizer(text.tokenizer, text.lowercase, fold=text.tokenizer == "word")
    files = _large_files(sources, text.valid)
    stamps = _stamps(files)
    key = text_key(files, _settings(text, options, tokenizer, init, len(files_of(text.valid) or ()))) if files else None
    if key and (found := cache.find(key)):
        corpus, decisions = found
        return replace(text, **decisions), replace(corpus, name=corpus_name(sources))
    store = Store(cache.folder)
    split = read_split(
        sources,
        options,
        tokenizer=tokenizer,
        valid=text.valid,
        valid_fraction=text.valid_fraction,
        store=store,
        on_progress=on_progress,
    ).spaced(init.detokenizer if init else None, usable_cores())
    vocabulary, decisions = _vocabulary(text, split, init)
    corpus = split.numbered_by(vocabulary)
    if key and store.is_large and stamps == _stamps(files):
        corpus = _kept(cache, key, corpus, decisions)
    return replace(text, **decisions), corpus


def _vocabulary(text: TextOptions, split: SplitText, init: Model | None) -> tuple[Vocabulary, dict[str, Any]]:
    """Choose the words to know: returns them, and the options that were open."""
    facts: Mapping[str, Any] = {**text_facts(split.train), "fine_tuning": init is not None}
    decisions = decided({"min_count": text.min_count, "max_vocab": text.max_vocab}, facts)
    if init:
        vocabulary = init.vocabulary.extended(split.train, decisions["min_count"], decisions["max_vocab"])
    else:
        vocabulary = Vocabulary.from_tokens(split.train, decisions["min_count"], decisions["max_vocab"])
    return vocabulary, {**decisions, "unit": split.unit}


def _kept(cache: TextCache, key: str, corpus: Corpus, decisions: Mapping[str, Any]) -> Corpus:
    """Keep a text for the next time; where that cannot be done, it goes on as it is, with a warning."""
    try:
        return cache.keep(key, corpus, decisions)
    except OSError as error:
        reason = error.strerror or error
        warning = f"cannot write to {cache.folder} ({reason}): the next training on this text will read it again"
        return replace(corpus, facts=replace(corpus.facts, warnings=(*corpus.facts.warnings, warning)))


def _large_files(*texts: Sources) -> list[Path]:
    """Return all files of some texts; none where they are small, or not files that can be read twice."""
    found = []
    for sources in texts:
        files = files_of(sources)
        if files is None:
            return []
        found += files
    return found if size_of(found) >= MIN_SOURCE_BYTES else []


def _stamps(files: list[Path]) -> Stamps | None:
    """Return what changes when one of the files does; None where one is missing."""
    try:
        found = [path.stat() for path in files]
    except OSError:
        return None
    return [(stat.st_size, stat.st_mtime_ns, stat.st_ino) for stat in found]


def _settings(
    text: TextOptions, options: ReadOptions, tokenizer: Tokenizer, init: Model | None, valid_files: int
) -> dict[str, Any]:
    """Return all that decides, besides the content of the files, how their words are numbered."""
    parts = (init.vocabulary.text(), init.detokenizer.text()) if init else ()
    return {
        "options": asdict(options),
        "tokenizer": asdict(tokenizer),
        "valid_fraction": text.valid_fraction,
        "valid_files": valid_files,
        "min_count": text.min_count,
        "max_vocab": text.max_vocab,
        "init": [hashlib.sha256(part).hexdigest() for part in parts],
    }
