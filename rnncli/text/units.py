"""Cuts the lines of a text into units, lines or paragraphs, and finds out which of them they are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .characters import UNSPACED
from .columns import Lines, Store
from .folding import cleaned

SAMPLE_LINES = 2000  # that decide what the units of a text are
MAX_JUDGED = 10_000  # characters of a line
MIN_BREAKS = 3  # lines that another one follows without a blank line, on which a decision can rest
WIDTHS = range(40, 201)  # characters, of lines that are wrapped
WIDTH_QUANTILE = 0.98  # of the lengths of lines: a few may be longer than the width
MAX_WORD = 30  # letters, of a word of prose
MIN_PROSE = 0.7  # of the pieces between spaces are words, in prose
MIN_PLAIN_STARTS = 0.6  # of the lines of prose begin with a word
MIN_FULL = 0.75  # of the lines of hard-wrapped prose could not take the first word of the next line
MIN_CONTINUING = 0.3  # of the lines of hard-wrapped prose go on with a sentence
MIN_CONTINUING_RAGGED = 0.5  # of lines that are wrapped at no certain width
MIN_UNFINISHED_RAGGED = 0.6  # of them end without a final mark
MIN_FINISHED_RAGGED = 0.5  # of the last lines of their paragraphs end with one
MIN_LONG_RAGGED = 0.6  # of them are longer than `LONG_RAGGED` times the longest
LONG_RAGGED = 0.5
FINAL_MARKS = (".", "!", "?", "…", ":", ";", '"', "”", "»", "。", "！", "？", "।", "؟", "۔", "׃")
OUTER_MARKS = " \t\"'“”„‘’«»‹›()[]¿¡.,;:!?…–—-*_，、。！？「」『』،؛؟।۔"
NO_PROSE = re.compile(r"[\d/\\@#$%^*_=+<>{}\[\]|~:]")
UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")


class Verdict(NamedTuple):
    """What the units of a text are, and why."""

    unit: str  # line or paragraph; empty where the text does not tell
    evidence: str
    hint: str = ""  # what else the text looks like, and how it is read then


def judge(lines: Sequence[str]) -> Verdict:
    """Tell whether lines are units of their own, or prose that is wrapped at some width, between blank lines.

    Wrapped prose is told by three things together: its pieces are words; a line is full, so that the first word of the
    next line would not have fitted; and the next line goes on in the middle of a sentence.
    """
    lines = [line[:MAX_JUDGED] for line in lines]
    lines = ["" if _is_blank(line) else line.strip() for line in lines]
    breaks = [(line, after) for line, after in itertools.pairwise(lines) if line and after]
    if len(breaks) < MIN_BREAKS:
        return Verdict("", "no line goes on in the next")
    sample = "".join(itertools.chain.from_iterable(breaks))
    if len(UNSPACED_LETTER.findall(sample)) > len(sample) / 2:
        return Verdict("line", "no spaces between words")
    if not _is_prose(breaks):
        return Verdict("line", "few words")
    lengths = sorted(len(line) for line, _ in breaks)
    width = lengths[int(WIDTH_QUANTILE * (len(lengths) - 1))]
    if width not in WIDTHS:
        return Verdict("line", f"lines of up to {width} characters")
    ends = [line for line, after in itertools.pairwise([*lines, ""]) if line and not after]
    verdict = _wrapped(breaks, width, ends)
    if verdict.unit == "paragraph" and "\n\n" not in "\n".join(lines).strip("\n"):
        return Verdict("", "no blank lines")
    return verdict


def _wrapped(breaks: list[tuple[str, str]], width: int, ends: list[str]) -> Verdict:
    """Tell whether the lines of prose are wrapped: evenly at a width, or raggedly. `ends` are followed by no line."""
    starts = [after.split(maxsplit=1)[0] for _, after in breaks]
    plain = [(len(line), start) for (line, _), start in zip(breaks, starts, strict=True) if _is_word(start)]
    full = sum(length + 1 + len(start) > width for length, start in plain) / max(1, len(plain))
    going_on = sum(_goes_on(line, start) for (line, _), start in zip(breaks, starts, strict=True)) / len(breaks)
    if full >= MIN_FULL and going_on >= MIN_CONTINUING:
        return Verdict("paragraph", f"hard-wrapped at {width}")
    unfinished = sum(not line.endswith(FINAL_MARKS) for line, _ in breaks) / len(breaks)
    long = sum(len(line) >= LONG_RAGGED * width for line, _ in breaks) / len(breaks)
    finished = sum(line.endswith(FINAL_MARKS) for line in ends) / len(ends)
    is_ragged = unfinished >= MIN_UNFINISHED_RAGGED and long >= MIN_LONG_RAGGED and finished >= MIN_FINISHED_RAGGED
    if is_ragged and going_on >= MIN_CONTINUING_RAGGED and _has_case(starts):
        return Verdict("paragraph", f"wrapped at up to {width}")
    return Verdict("line", "lines of different lengths")


def _is_prose(breaks: list[tuple[str, str]]) -> bool:
    """Whether most pieces of the lines are words, several in a line, and most lines begin with one."""
    pieces = [line.split() for line, _ in breaks]
    words = sum(_is_word(piece) for line in pieces for piece in line)
    starts = sum(_is_word(after.split(maxsplit=1)[0]) and not after.split(maxsplit=1)[0].endswith(":")
                 for _, after in breaks)  # fmt: skip
    total = sum(map(len, pieces))
    return total >= 2 * len(breaks) and words >= MIN_PROSE * total and starts >= MIN_PLAIN_STARTS * len(breaks)


def _is_word(piece: str) -> bool:
    """Whether a piece between spaces is a word with its marks: no number, address, path or code."""
    word = piece.strip(OUTER_MARKS)
    return bool(word) and len(word) <= MAX_WORD and not NO_PROSE.search(word)


def _goes_on(line: str, start: str) -> bool:
    """Whether the next line, which begins with `start`, goes on with the sentence of a line."""
    letter = next((letter for letter in start if letter.isalpha()), "")
    if not letter or not _is_word(start):
        return False
    return letter.islower() or (not letter.isupper() and not line.endswith(FINAL_MARKS))


def _has_case(words: list[str]) -> bool:
    """Whether a script tells capital letters from small ones."""
    return any(word[:1].islower() for word in words)


def lines_with_stanzas(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a text; the blank lines between two stanzas become an empty unit.

    A text has stanzas if most of its groups of lines hold two or more; else blank lines only part its lines.
    """
    lines = iter(lines)
    sample = list(itertools.islice(lines, SAMPLE_LINES))
    groups = [len(list(group)) for blank, group in itertools.groupby(sample, key=_is_blank) if not blank]
    has_stanzas = len(groups) > 1 and sum(length > 1 for length in groups) > len(groups) / 2
    is_pending = False  # whether blank lines came after the last line
    is_first = True
    for line in itertools.chain(sample, lines):
        if _is_blank(line):
            is_pending = has_stanzas and not is_first
            continue
        if is_pending:
            yield ""
        yield line
        is_pending = is_first = False


def paragraphs(lines: Iterable[str], store: Store | None = None) -> Iterator[str]:
    """Join the lines of each paragraph, which ends at a blank line. Words cut at the end of a line become whole.

    The lines, which are read more than once, are kept in a `store`.
    """
    lines = Lines(lines, store)
    from .hyphenation import Joiner  # not at the top: only wrapped prose needs it

    join = Joiner(lines).join
    for blank, group in itertools.groupby(lines, key=_is_blank):
        if not blank:
            yield join([line.strip() for line in group])


def _is_blank(line: str) -> bool:
    """Whether a reader sees nothing in a line: it holds white space and invisible characters only."""
    return not line.strip() or not cleaned(line).strip()
