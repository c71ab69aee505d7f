"""Applies rules for spaces to all places of a text side by side, as arrays, and finds where they must be corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .annotation import can_be_annotated, is_mark
from .characters import is_unspaced
from .detokenizer import HIGH_QUOTE, LOW_QUOTE, START, USUAL, Rule, opens, token_class, usual_gap
from .places import Places, last_of_kind
from .vocabulary import EOS_ID

MIN_GAIN = 10  # places that a rule must correct, beyond those that it spoils; less is noted, if it can be
MIN_GAIN_OF_SPECIAL = 3  # of a rule for white space that cannot be noted
MIN_PURITY = 0.9  # of the places that a rule is for: how many have its gap
Features = Mapping[str, np.ndarray]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash (Knuth 1973, section 6.4)


class Table(NamedTuple):
    """The rules of one level: the hashes (K,) of their features in rising order, and their gaps."""

    hashes: np.ndarray
    gaps: np.ndarray


def applied(table: Table | None, keys: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the gaps (N,) where the rules of a table take precedence over those that were `found`."""
    if table is None:
        return found
    at, is_known = _found_in(table.hashes, keys)
    return np.where(is_known, table.gaps[at], found)


def _found_in(rising: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each key (N,) is among rising ones, and whether it is there."""
    at = np.minimum(np.searchsorted(rising, keys), len(rising) - 1)
    return at, rising[at] == keys


def hashes_of(features: Features, level: Rule) -> np.ndarray:
    """Return a hash (N,) of the features that the rules of a level ask for."""
    keys: np.ndarray = np.zeros(1, np.uint64)
    for name in level:
        keys = (keys ^ (keys >> np.uint64(29))) * _FACTOR + features[name].astype(np.uint64)
    hashes: np.ndarray = keys * _FACTOR
    return hashes


class SpacePredictor:
    """Applies rules to places. All features are numbers: those of tokens, of their classes and of gaps."""

    def __init__(self, types: Sequence[str], gap_names: Sequence[str]):
        self.types = types
        self.gap_names = list(gap_names)
        self.notable = [self._gap_number(gap) for gap in ("", " ")]
        self.is_mark = np.array([is_mark(word) for word in types])
        self.is_mark[EOS_ID] = False
        self.is_unspaced = np.array([is_unspaced(word[-1]) for word in types])
        words = ["", *types[1:]]  # at the ends of a unit there is no token
        classes = {"": 0}
        self.begins = np.array([classes.setdefault(token_class(word, False), len(classes)) for word in words], np.int32)
        self.ends = np.array([classes.setdefault(token_class(word, True), len(classes)) for word in words], np.int32)
        self.words = words
        self.classes = list(classes)
        self._tables: dict[str, dict[str, int]] = {}
        self._usual: dict[int, int] = {}  # the gap for a hash of features

    @cached_property
    def can_carry(self) -> np.ndarray:
        """Which types may carry a note."""
        can_carry = np.array([can_be_annotated(word) for word in self.types])
        can_carry[:2] = False
        return can_carry

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
        keys, first, inverse = np.unique(hashes_of(features, USUAL), return_index=True, return_inverse=True)
        gaps = []
        for key, place in zip(keys.tolist(), first.tolist(), strict=True):
            if key not in self._usual:
                self._usual[key] = self._gap_number(usual_gap(*self._values(features, USUAL, place)))
            gaps.append(self._usual[key])
        found: np.ndarray = np.array(gaps, np.int32)[inverse]
        return found

    def table(self, rules: Mapping[Rule, str], level: Rule) -> Table | None:
        """Return the rules of a level as a table; None where none applies to any token of the text."""
        numbers = [self._numbers(name) for name in level] if rules else []
        known = [
            ([table[value] for table, value in zip(numbers, values, strict=True)], self._gap_number(gap))
            for values, gap in rules.items()
            if all(value in table for table, value in zip(numbers, values, strict=True))
        ]
        if not known:
            return None
        columns = np.array([values for values, _ in known]).T
        hashes = hashes_of(dict(zip(level, columns, strict=True)), level)
        order = np.argsort(hashes)
        return Table(hashes[order], np.array([gap for _, gap in known], np.int32)[order])

    def corrections(
        self, places: Places, features: Features, level: Rule, keys: np.ndarray, found: np.ndarray
    ) -> tuple[dict[Rule, str], np.ndarray]:
        """Return the rules of a level that correct what was `found`, and the gaps (N,) by them."""
        wrong = np.unique(keys[found != places.gap])
        if not len(wrong):
            return {}, found
        at = np.flatnonzero(_found_in(wrong, keys)[1])  # other keys need no rule
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
        kind = "a" if feature in ("b", "before", "after") else feature  # they are tokens too
        if kind not in self._tables:
            self._tables[kind] = {name: number for number, name in enumerate(self._names(kind))}
        return self._tables[kind]

    def _gap_number(self, gap: str) -> int:
        if gap not in self.gap_names:
            self.gap_names.append(gap)
        return self.gap_names.index(gap)
