"""Learns from a corpus how its tokens are spaced, and notes on its marks where the rules do not foresee it.

The rules are learned as a decision list, from the most general level to the most specific one: a rule is taken where it
corrects what the rules so far say (transformation-based learning, Brill 1995). All places of a text are looked at side
by side, as arrays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .annotation import annotated, can_be_annotated, is_mark
from .characters import is_unspaced
from .detokenizer import HIGH_QUOTE, LEVELS, LOW_QUOTE, START, USUAL, Detokenizer, Rule, opens, token_class, usual_gap
from .places import Places, excerpt, last_of_kind, passes
from .vocabulary import EOS_ID, Tokens

MIN_GAIN = 10  # places that a rule must correct, beyond those that it spoils; less is noted, if it can be
MIN_GAIN_OF_SPECIAL = 3  # of a rule for white space that cannot be noted
MIN_PURITY = 0.9  # of the places that a rule is for: how many have its gap
Features = Mapping[str, np.ndarray]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash (Knuth 1973, section 6.4)


def learn(tokens: Tokens, start: Detokenizer | None = None) -> Detokenizer:
    """Learn how a text of words writes its tokens. `start` is what was learned from another text before."""
    start = start or Detokenizer()
    if not len(tokens.gaps):
        return start
    predictor = _Predictor(tokens.types, tokens.gap_names)
    places = Places.joined([Places.of(part, predictor.closes) for part in excerpt(tokens)])
    features = predictor.features(places)
    found = predictor.usual(features)
    rules: list[Mapping[Rule, str]] = []
    for level, old in zip(LEVELS, start.rules, strict=True):
        keys = _hashes(features, level)
        found = predictor.apply(old, level, keys, found)
        new, found = predictor.corrections(places, features, level, keys, found)
        rules.append({**old, **new})
    return replace(start, rules=rules, forms={**start.forms, **_forms(tokens, predictor)})


def annotate(tokens: Tokens, detokenizer: Detokenizer) -> Tokens:
    """Note on the marks of a text where their spaces are not as the rules foresee."""
    if not len(tokens.gaps):
        return tokens
    predictor = _Predictor(tokens.types, tokens.gap_names)
    can_carry = np.array([can_be_annotated(word) for word in tokens.types])
    can_carry[:2] = False
    notes = np.zeros((2, len(tokens)), np.int64)  # on the left and on the right of each token: the gap's number and one
    for part, begin in passes(tokens):
        places = Places.of(part, predictor.closes)
        features = predictor.features(places)
        found = predictor.usual(features)
        for level, rules in zip(LEVELS, detokenizer.rules, strict=True):
            if rules:
                found = predictor.apply(rules, level, _hashes(features, level), found)
        is_noted = (found != places.gap) & np.isin(places.gap, predictor.notable)
        on_b = is_noted & can_carry[places.b]
        on_a = is_noted & ~on_b & can_carry[places.a]
        notes[0, begin + places.at[on_b]] = places.gap[on_b] + 1
        notes[1, begin + places.at[on_a] - 1] = places.gap[on_a] + 1
    return _with_notes(tokens, notes, predictor.gap_names)


def _with_notes(tokens: Tokens, notes: np.ndarray, names: list[str]) -> Tokens:
    """Return the tokens with their notes: each token with a note is a type of its own."""
    at = np.flatnonzero(notes.any(axis=0))
    keys, inverse = np.unique(np.stack([tokens.ids[at], *notes[:, at]]), axis=1, return_inverse=True)
    gaps = [None, *names]
    types = [annotated(tokens.types[word], gaps[left], gaps[right]) for word, left, right in keys.T.tolist()]
    ids = tokens.ids.copy()
    ids[at] = len(tokens.types) + inverse.reshape(-1)
    return replace(tokens, types=[*tokens.types, *types], ids=ids)


class _Predictor:
    """Applies rules to places. All features are numbers: those of tokens, of their classes and of gaps."""

    def __init__(self, types: Sequence[str], gap_names: Sequence[str]):
        self.gap_names = list(gap_names)
        self.notable = [self._gap_number(gap) for gap in ("", " ")]
        self.is_mark = np.array([is_mark(word) for word in types])
        self.is_mark[EOS_ID] = False
        self.is_unspaced = np.array([is_unspaced(word[-1]) for word in types])
        words = ["", *types[1:]]  # at the ends of a unit there is no token
        classes = {"": 0}
        self.begins = np.array([classes.setdefault(token_class(word, False), len(classes)) for word in words])
        self.ends = np.array([classes.setdefault(token_class(word, True), len(classes)) for word in words])
        self.words = words
        self.classes = list(classes)
        self._tables: dict[str, dict[str, int]] = {}

    def features(self, places: Places) -> dict[str, np.ndarray]:
        """Return the features of places by their names (see `Place`), as numbers."""
        a_is_mark = self.is_mark[places.a]
        b_is_mark = self.is_mark[places.b]
        before = np.where(a_is_mark, places.before, EOS_ID)
        after = np.where(b_is_mark, places.after, EOS_ID)
        return {
            "a": places.a,
            "b": places.b,
            "a_class": self.ends[places.a],
            "b_class": self.begins[places.b],
            "a_gap": np.where(a_is_mark, places.a_gap, self.notable[0] + 1),
            "a_closes": a_is_mark & places.a_closes,
            "b_closes": b_is_mark & places.b_closes,
            "before": before,
            "before_class": self.ends[before],
            "after": after,
            "after_class": self.begins[after],
        }

    def closes(self, ids: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """Return which tokens (N,) close something: the last one of their kind `opens` something."""
        has_gap = np.append(False, ids[:-1] == EOS_ID) | (gaps != self.notable[0])
        before = np.append(0, self.ends[ids[:-1]])
        after_opening, after_quote = (
            np.isin(before, [number for number, name in enumerate(self.classes) if opens(name, gap, "")])
            for gap in ("", " ")
        )
        opening = has_gap | after_opening | (after_quote & np.append(False, has_gap[:-1]))
        marks = np.flatnonzero(self.is_mark[ids])
        last = last_of_kind(ids, marks)
        is_dense = ~has_gap & np.append(False, self._is_dense(ids)[:-1])
        for place in np.flatnonzero(is_dense[marks]).tolist():
            opening[marks[place]] = last[place] < 0 or not opening[last[place]]
        closes = np.zeros(len(ids), bool)
        closes[marks] = (last >= 0) & opening[last]
        self._close_low_quotes(ids, opening, closes)
        return closes

    def _is_dense(self, ids: np.ndarray) -> np.ndarray:
        """Return at which tokens (N,) the last word of the unit is of a script without spaces."""
        decides = ~self.is_mark[ids] | self.is_unspaced[ids]
        last = np.maximum.accumulate(np.where(decides, np.arange(len(ids)), 0))
        dense: np.ndarray = self.is_unspaced[ids[last]]
        return dense

    def _close_low_quotes(self, ids: np.ndarray, opening: np.ndarray, closes: np.ndarray) -> None:
        """Let a low quotation mark open what the high one closes, where these are not folded."""
        low, high = (self._numbers("a").get(mark, -1) for mark in (LOW_QUOTE, HIGH_QUOTE))
        is_open = False
        for place in np.flatnonzero(np.isin(ids, [EOS_ID, low, high])).tolist() if low > 0 and high > 0 else ():
            if ids[place] == high:
                closes[place] = is_open
                is_open = bool(opening[place])
            else:
                is_open = ids[place] == low

    def usual(self, features: Features) -> np.ndarray:
        """Return the gaps (N,) where no rule was learned."""
        _, first, inverse = np.unique(_hashes(features, USUAL), return_index=True, return_inverse=True)
        gaps = [self._gap_number(usual_gap(*self._values(features, USUAL, place))) for place in first.tolist()]
        found: np.ndarray = np.array(gaps, np.int64)[inverse]
        return found

    def apply(self, rules: Mapping[Rule, str], level: Rule, keys: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Return the gaps (N,) where rules of a level take precedence over those that were `found`."""
        numbers = [self._numbers(name) for name in level]
        known = [
            ([table[value] for table, value in zip(numbers, values, strict=True)], self._gap_number(gap))
            for values, gap in rules.items()
            if all(value in table for table, value in zip(numbers, values, strict=True))
        ]
        if not known:
            return found
        columns = np.array([values for values, _ in known]).T
        hashes = _hashes(dict(zip(level, columns, strict=True)), level)
        order = np.argsort(hashes)
        at = np.minimum(np.searchsorted(hashes[order], keys), len(known) - 1)
        gaps = np.array([gap for _, gap in known])[order][at]
        return np.where(hashes[order][at] == keys, gaps, found)

    def corrections(
        self, places: Places, features: Features, level: Rule, keys: np.ndarray, found: np.ndarray
    ) -> tuple[dict[Rule, str], np.ndarray]:
        """Return the rules of a level that correct what was `found`, and the gaps (N,) by them."""
        wrong = np.unique(keys[found != places.gap])
        if not len(wrong):
            return {}, found
        at = np.flatnonzero(np.isin(keys, wrong))  # other keys need no rule
        _, first, inverse = np.unique(keys[at], return_index=True, return_inverse=True)
        gaps = places.gap[at]
        counts = np.zeros((len(first), len(self.gap_names)), np.int64)
        np.add.at(counts, (inverse, gaps), 1)
        best = counts.argmax(axis=1)
        most = counts.max(axis=1)
        right = np.bincount(inverse, found[at] == gaps, len(first))
        is_notable = np.isin(best, self.notable)
        is_taken = (most - right >= np.where(is_notable, MIN_GAIN, MIN_GAIN_OF_SPECIAL)) & (
            most >= MIN_PURITY * counts.sum(axis=1)
        )
        found = found.copy()
        found[at] = np.where(is_taken[inverse], best[inverse], found[at])
        rules = {
            self._values(features, level, place): self.gap_names[gap]
            for place, gap in zip(at[first[is_taken]].tolist(), best[is_taken].tolist(), strict=True)
        }
        return rules, found

    def _values(self, features: Features, level: Rule, place: int) -> Rule:
        """Return the features of one place, as a rule names them."""
        return tuple(self._names(name)[int(features[name][place])] for name in level)

    def _names(self, feature: str) -> Sequence[str]:
        """Return what the numbers of a feature stand for."""
        if feature in ("a", "b", "before", "after"):
            return self.words
        if feature in ("a_closes", "b_closes"):
            return ("", "1")
        return [START, *self.gap_names] if feature == "a_gap" else self.classes

    def _numbers(self, feature: str) -> dict[str, int]:
        if feature not in self._tables:
            self._tables[feature] = {name: number for number, name in enumerate(self._names(feature))}
        return self._tables[feature]

    def _gap_number(self, gap: str) -> int:
        if gap not in self.gap_names:
            self.gap_names.append(gap)
        return self.gap_names.index(gap)


def _hashes(features: Features, level: Rule) -> np.ndarray:
    """Return a hash (N,) of the features that the rules of a level ask for."""
    keys: np.ndarray = np.zeros(1, np.uint64)
    for name in level:
        keys = (keys ^ (keys >> np.uint64(29))) * _FACTOR + features[name].astype(np.uint64)
    hashes: np.ndarray = keys * _FACTOR
    return hashes


def _forms(tokens: Tokens, predictor: _Predictor) -> dict[Rule, str]:
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
