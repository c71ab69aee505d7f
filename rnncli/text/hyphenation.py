"""Joins the lines of a paragraph, and makes words whole that were cut at the end of a line."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from .characters import UNSPACED

WORD = re.compile(r"[^\W\d_]+(?:['’‐-][^\W\d_]+)*")
CUT_END = re.compile(r"(?:^|(?<=[^\w-]))([^\W\d_]+(?:['’‐-][^\W\d_]+)*)([‐-])$")  # neigh-
DASH_END = re.compile(r"\w(--|—)$")
DASH_INSIDE = re.compile(r"\w(?:--|—)(\s?)[\w\"“'‘]")
HYPHEN_END = re.compile(r"\w[‐-]$")
SOFT_HYPHEN = "\u00ad"
CONJUNCTIONS = frozenset(  # before which a hyphen stands for the rest of a word: Haupt- und Nebenstraße
    re.findall(r"\w+", "and or to und oder bis bzw sowie et ou e o y u en of och eller og a i")
)
UNSPACED_END = re.compile(f"[{UNSPACED}\u3000-\u303f\uff00-\uff65]$")
UNSPACED_START = re.compile(f"[{UNSPACED}\u3000-\u303f\uff00-\uff65]")


class Joiner:
    """Joins lines. The words of the whole text tell whether the hyphen at a line's end belongs to the word."""

    def __init__(self, lines: Iterable[str]):
        """Take all lines of the text, which are read more than once."""
        self.counts = _counts(lines)
        self.glues_dashes = _glues_dashes(lines)

    def join(self, lines: Sequence[str]) -> str:
        """Join the lines of one paragraph, which have no space around them."""
        pieces = [lines[0]]
        for line in lines[1:]:
            before = pieces[-1]
            if before.endswith(SOFT_HYPHEN):
                pieces[-1] = before.rstrip(SOFT_HYPHEN)
                pieces.append(line)
            elif HYPHEN_END.search(before) and line[0].isalnum():
                kept, space = self._hyphen(before, line)
                pieces[-1] = before if kept else before[:-1]
                pieces.append(space + line)
            else:
                pieces.append(line if self._is_glued(before, line) else " " + line)
        return "".join(pieces)

    def _is_glued(self, line: str, after: str) -> bool:
        """Whether there is no space between two lines, in scripts without spaces and after some dashes."""
        if UNSPACED_END.search(line) and UNSPACED_START.match(after):
            return True
        return self.glues_dashes and bool(DASH_END.search(line))

    def _hyphen(self, line: str, after: str) -> tuple[bool, str]:
        """Whether the hyphen at the end of a line stays, and what comes between it and the next line."""
        cut = _cut(line)
        start = WORD.match(after)
        if not cut or not start:  # a number, or an address
            return True, ""
        first = cut[1].lower()
        second = start[0].lower()
        whole = self.counts[first + second]
        hyphenated = self.counts[f"{first}-{second}"]
        if second in CONJUNCTIONS and not whole and not hyphenated:
            return True, " "
        if whole or hyphenated:
            return hyphenated > whole, ""
        is_name = start[0][0].isupper() and not cut[1].isupper()  # Anglo-American
        are_words = bool(self.counts[first] and self.counts[second])
        return is_name or "-" in first + second or are_words, ""


def _counts(lines: Iterable[str]) -> Counter[str]:
    """Count, in small letters, the words of a text that tell how the words at its line ends are written.

    What stands before a hyphen at a line's end, or after it, does not count.
    """
    cuts = {
        (cut[1].lower(), start[0].lower())
        for line, after in itertools.pairwise(lines)
        if (cut := _cut(line)) and (start := WORD.match(after.lstrip()))
    }
    counts: Counter[str] = Counter()
    if not cuts:
        return counts
    wanted = {form for first, second in cuts for form in (first, second, first + second, f"{first}-{second}")}
    is_after_cut = False
    for line in lines:
        words = [word.lower().replace("‐", "-") for word in WORD.findall(line)]
        is_cut = bool(_cut(line))
        counts.update(word for word in words[is_after_cut : len(words) - is_cut] if word in wanted)
        is_after_cut = is_cut
    return counts


def _glues_dashes(lines: Iterable[str]) -> bool:
    """Whether a text writes no space after a dash that follows a word without one: one--two."""
    if not any(DASH_END.search(line.rstrip()) for line in lines):
        return False
    spaces = Counter(space for line in lines for space in DASH_INSIDE.findall(line))
    return spaces[""] > spaces.total() / 2


def _cut(line: str) -> re.Match[str] | None:
    """Find the beginning of a word that goes on in the next line, with a hyphen after it."""
    line = line.rstrip()
    return CUT_END.search(line) if line.endswith(("-", "‐")) else None
