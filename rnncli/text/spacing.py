"""Learns from a corpus how its tokens are spaced, and notes on its marks where the rules do not foresee it.

The rules are learned as a decision list, from the most general level to the most specific one: a rule is taken where it
corrects what the rules so far say (transformation-based learning, Brill 1995). All places of a text are looked at side
by side, as arrays.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from .annotation import annotated
from .columns import Column, Store, bounds, release
from .detokenizer import LEVELS, Detokenizer, Rule
from .places import TOKENS_PER_PASS, Places, excerpt, passes
from .predictor import SpacePredictor, Table, applied, hashes_of
from .vocabulary import EOS_ID, Tokens

A = TypeVar("A")
R = TypeVar("R")
MAX_THREADS = 8  # each of which holds some 20 MB
_NOTE_BASE = 64  # more than there are kinds of gaps


def learn(tokens: Tokens, start: Detokenizer | None = None, predictor: SpacePredictor | None = None) -> Detokenizer:
    """Learn how a text of words writes its tokens. `start` is what was learned from another text before.

    Where a `predictor` is given, it is of these tokens, or of others with the same types.
    """
    start = start or Detokenizer()
    if not len(tokens.gaps):
        return start
    predictor = predictor or SpacePredictor(tokens.types, tokens.gap_names)
    places = Places.joined([Places.of(part, predictor.closes) for part in excerpt(tokens)])
    features = predictor.features(places)
    found = predictor.usual(features)
    rules: list[Mapping[Rule, str]] = []
    for level, old in zip(LEVELS, start.rules, strict=True):
        keys = hashes_of(features, level)
        found = applied(predictor.table(old, level), keys, found)
        new, found = predictor.corrections(places, features, level, keys, found)
        rules.append({**old, **new})
    return replace(start, rules=rules, forms={**start.forms, **_forms(tokens, predictor)})


def annotate(
    tokens: Tokens,
    detokenizer: Detokenizer,
    store: Store | None = None,
    predictor: SpacePredictor | None = None,
    threads: int = 1,
) -> Tokens:
    """Note on the marks of a text where their spaces are not as the rules foresee. For a `predictor`, see `learn`.

    Several `threads` share the work.
    """
    if not len(tokens.gaps):
        return tokens
    store = store or Store()
    predictor = predictor or SpacePredictor(tokens.types, tokens.gap_names)
    tables = [(level, predictor.table(rules, level)) for level, rules in zip(LEVELS, detokenizer.rules, strict=True)]
    work = partial(_notes_of, predictor, [(level, table) for level, table in tables if table])
    at = Column(store, np.int64)
    keys = Column(store, np.int64)
    different = np.empty(0, np.int64)
    threads = min(threads, MAX_THREADS) if len(tokens) > TOKENS_PER_PASS else 1
    for own_at, own_keys in side_by_side(lambda each: work(*each), passes(tokens), threads):
        at.append(own_at)
        keys.append(own_keys)
        different = np.union1d(different, own_keys)
    return _with_notes(tokens, at.array(), keys.array(), different, predictor.gap_names, store)


def _notes_of(
    predictor: SpacePredictor, tables: list[tuple[Rule, Table]], part: Tokens, begin: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return where in the text the tokens of a part are that get notes, and each of them with its notes as a key."""
    can_carry = predictor.can_carry
    places = Places.of(part, predictor.closes, can_carry)
    features = predictor.features(places)
    found = predictor.usual(features)
    for level, table in tables:
        found = applied(table, hashes_of(features, level), found)
    is_noted = (found != places.gap) & np.isin(places.gap, predictor.notable)
    on_b = is_noted & can_carry[places.b]
    on_a = is_noted & ~on_b & can_carry[places.a]
    notes = np.zeros((2, len(part)), np.int64)  # on the left and on the right of each: the gap's number and one
    notes[0, places.at[on_b]] = places.gap[on_b] + 1
    notes[1, places.at[on_a] - 1] = places.gap[on_a] + 1
    at = np.flatnonzero(notes.any(axis=0))
    keys = (part.ids[at].astype(np.int64) * _NOTE_BASE + notes[0, at]) * _NOTE_BASE + notes[1, at]
    part.release()
    return begin + at, keys


def side_by_side(work: Callable[[A], R], parts: Iterable[A], threads: int) -> Iterator[R]:
    """Yield what `work` makes of each part, in their order. No more parts are taken ahead than there are threads."""
    if threads == 1:
        yield from map(work, parts)
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # not at the top: only large texts need it

    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[R]] = deque()
        for part in parts:
            begun.append(pool.submit(work, part))
            if len(begun) > threads:
                yield begun.popleft().result()
        yield from (each.result() for each in begun)


def _with_notes(
    tokens: Tokens, at: np.ndarray, keys: np.ndarray, different: np.ndarray, names: list[str], store: Store
) -> Tokens:
    """Return the tokens with their notes: each token with a note is a type of its own. `at` rises."""
    gaps = [None, *names]
    types = []
    for key in different.tolist():
        word, notes = divmod(key, _NOTE_BASE**2)
        left, right = divmod(notes, _NOTE_BASE)
        types.append(annotated(tokens.types[word], gaps[left], gaps[right]))
    column = Column(store, np.int32)
    for begin, end in bounds(len(tokens)):
        ids = tokens.ids[begin:end].copy()
        mine = slice(*np.searchsorted(at, [begin, end]))
        ids[at[mine] - begin] = len(tokens.types) + np.searchsorted(different, keys[mine])
        column.append(ids)
        for array in (tokens.ids, at, keys):
            release(array)
    return replace(tokens, types=[*tokens.types, *types], ids=column.array())


def _forms(tokens: Tokens, predictor: SpacePredictor) -> dict[Rule, str]:
    """Return the forms of the tokens that are mostly written with lookalikes (see `Detokenizer`)."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)  # the forms of each token
    by_rule: dict[Rule, Counter[str]] = defaultdict(Counter)
    for part, _ in passes(tokens) if len(tokens.forms) else ():
        ids = np.append(EOS_ID, part.ids).astype(np.int64)
        gaps = np.append(0, part.gaps).astype(np.int64)
        at = part.form_places + 1
        is_joined = (gaps[at] == predictor.notable[0]) & (ids[at - 1] != EOS_ID)
        closes = predictor.closes(ids, gaps)[at]
        for number, form, joined, closing in zip(ids[at], part.forms, is_joined, closes, strict=True):
            word = tokens.types[number]
            name = tokens.form_names[form]
            seen[word][name] += 1
            if predictor.is_mark[number]:
                by_rule[word, "1" if joined else "", "1" if closing else ""][name] += 1
    counts = dict(zip(tokens.types, tokens.counts().tolist(), strict=True))
    preferred = {word for word, forms in seen.items() if 2 * forms.total() > counts[word]}
    general: dict[Rule, str] = {(word,): seen[word].most_common(1)[0][0] for word in sorted(preferred)}
    special = {rule: forms.most_common(1)[0][0] for rule, forms in by_rule.items() if rule[0] in preferred}
    return {**general, **{rule: form for rule, form in special.items() if form != general[rule[:1]]}}
