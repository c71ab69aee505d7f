"""Reads the texts of a training and numbers their words; a large text is kept for the next training on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..callbacks import OnProgress
from ..model import Model
from ..nn.threads import usable_cores
from ..options import TextOptions
from ..ranks import Ranks
from ..ranks.agreement import check_alike
from ..storage.text_cache import MIN_SOURCE_BYTES, TextCache, text_key
from ..text.columns import Store
from ..text.corpus import Corpus, Sources, SplitText, corpus_name, read_split, text_facts
from ..text.formats import ReadOptions
from ..text.reading import listed
from ..text.sources import Source, files_of, size_of, sources_of
from ..text.tokenizers import Tokenizer
from ..text.vocabulary import Vocabulary
from ..text.weights import weighted_sources
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
    on_progress: OnProgress | None = None,
    ranks: Ranks | None = None,
) -> tuple[TextOptions, Corpus]:
    """Read the texts of a training: returns the options for them with those that were open decided, and the corpus.

    A large text is kept in the folder `cache_dir`, by default that of the user's caches, and taken from there the next
    time. Raises `TextError` for a text that cannot be read or holds too few words.
    """
    named = listed(sources)
    sources, weights = weighted_sources(named)
    text = replace(text, valid=tuple(listed(text.valid)) if text.valid else ())
    cache = TextCache(cache_dir)
    options = ReadOptions(
        **{name: getattr(text, name) for name in READ_OPTIONS},
        usual_unit=init.unit if init else "line",
        of_model=reads_as_model,
    )
    tokenizer = init.tokenizer if init else Tokenizer(text.tokenizer, text.lowercase, fold=text.tokenizer == "word")
    ranks = ranks or Ranks()
    found = _sources_of(sources, text.valid)
    large = found if size_of(files_of(found)) >= MIN_SOURCE_BYTES else []
    files = files_of(large)
    names = [name for source in large for name in source.names()]
    stamps = _stamps(files)
    settings = _settings(text, options, tokenizer, init, large) | {"weights": weights}
    digest = text_key(files_of(found), settings) if large or ranks.count > 1 else None
    check_alike(ranks, {"another text": digest})
    key = digest if large else None
    if kept := _found_by_all(cache, key, sources, names, ranks):
        corpus, decisions = kept
        return replace(text, **decisions), corpus
    store = Store(cache.folder)
    shared: dict[str, Any] = {"store": store, "on_progress": on_progress, "ranks": ranks}
    split = read_split(
        named, options, tokenizer=tokenizer, valid=text.valid, valid_fraction=text.valid_fraction, **shared
    )
    split = split.spaced(init.detokenizer if init else None, usable_cores())
    vocabulary, decisions = _vocabulary(text, split, init)
    corpus = split.numbered_by(vocabulary)
    if key and store.is_large and stamps == _stamps(files):
        corpus = _kept(cache, key, corpus, decisions, names)
    return replace(text, **decisions), corpus


def _found_by_all(
    cache: TextCache, key: str | None, sources: Sources, names: Sequence[str], ranks: Ranks
) -> tuple[Corpus, dict[str, Any]] | None:
    """Return a text that was kept on all ranks, of files with these names, and what was decided for it."""
    found = cache.find(key) if key else None
    if key:
        cache.clean()
    if not all(ranks.all(found is not None)) or found is None:
        return None
    corpus, decisions = found
    facts = corpus.facts.renamed({str(number): name for number, name in enumerate(names)})
    return replace(corpus, name=corpus_name(sources), facts=facts), decisions


def _vocabulary(text: TextOptions, split: SplitText, init: Model | None) -> tuple[Vocabulary, dict[str, Any]]:
    """Choose the words to know: returns them, and the options that were open."""
    facts: Mapping[str, Any] = {**text_facts(split.train), "fine_tuning": init is not None}
    decisions = decided({"min_count": text.min_count, "max_vocab": text.max_vocab}, facts)
    if init:
        vocabulary = init.vocabulary.extended(split.train, decisions["min_count"], decisions["max_vocab"])
    else:
        vocabulary = Vocabulary.from_tokens(split.train, decisions["min_count"], decisions["max_vocab"], split.counts())
    return vocabulary, {**decisions, "unit": split.unit}


def _kept(cache: TextCache, key: str, corpus: Corpus, decisions: Mapping[str, Any], names: Sequence[str]) -> Corpus:
    """Keep a text for the next time; where that cannot be done, it goes on as it is, with a warning.

    What is kept names each file by its number, since the next training may know them by other `names`, and tells
    nothing of folders that could not be written this time.
    """
    try:
        facts = corpus.facts.renamed({name: str(number) for number, name in enumerate(names)})
    except KeyError:  # a file that came while its folder was read
        return corpus
    try:
        kept = cache.keep(key, replace(corpus, facts=replace(facts, of_storage=())), decisions)
    except OSError as error:
        reason = error.strerror or error
        warning = f"cannot write to {cache.folder} ({reason}): the next training on this text will read it again"
        return replace(corpus, facts=replace(corpus.facts, of_storage=(*corpus.facts.of_storage, warning)))
    return replace(corpus, train=kept.train, valid=kept.valid, cache_entry=kept.cache_entry)


def _sources_of(*texts: Sources) -> list[Source]:
    """Find all files of some texts; none where they are not files that can be read twice."""
    found = []
    for sources in texts:
        of_text = sources_of(sources)
        if of_text is None or not all(source.is_complete for source in of_text):
            return []
        found += of_text
    return found


def _stamps(files: list[Path]) -> Stamps | None:
    """Return what changes when one of the files does; None where one is missing."""
    try:
        found = [path.stat() for path in files]
    except OSError:
        return None
    return [(stat.st_size, stat.st_mtime_ns, stat.st_ino) for stat in found]


def _settings(
    text: TextOptions, options: ReadOptions, tokenizer: Tokenizer, init: Model | None, sources: Sequence[Source]
) -> dict[str, Any]:
    """Return all that decides, besides the content of the files, how their words are numbered."""
    parts = (init.vocabulary.text(), init.detokenizer.text()) if init else ()
    return {
        "options": asdict(options),
        "tokenizer": asdict(tokenizer),
        "valid_fraction": text.valid_fraction,
        "sources": [[source.is_folder, source.places()] for source in sources],
        "valid_sources": len(text.valid),
        "min_count": text.min_count,
        "max_vocab": text.max_vocab,
        "init": [hashlib.sha256(part).hexdigest() for part in parts],
    }
