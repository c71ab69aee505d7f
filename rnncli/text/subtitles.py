"""Reads what is said in subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from ..errors import TextError
from .entities import unescaped

TIMES = re.compile(r"\s*(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}")
MIN_CUES = 3  # by which subtitles are recognised
TAG = re.compile(r"</?[A-Za-z][^<>]*>|</?\d[\d:.]*>|\{\\[^{}]*\}")  # <i>, <c.loud>, <00:01.500>, {\an8}
TIME_TAG = re.compile(r"<\d[\d:.]*>")  # in captions that were made by a machine
SPEAKER_CHANGE = re.compile(r"\s*[-‐–—]\s*(?=\S)")  # of two who speak in one cue


def subtitle_units(lines: Iterable[str], name: str) -> Iterator[str]:
    """Yield the text of each cue as one unit, without numbers, times and tags; two speakers are two units.

    Captions made by a machine show each line twice, as it rolls up: it is read once. Raises `TextError`, which calls
    the file by its `name`, if it holds words but no cue.
    """
    holds_words = False
    has_cue = False

    def watched() -> Iterator[str]:
        nonlocal holds_words, has_cue
        for line in lines:
            has_cue = has_cue or "-->" in line
            holds_words = holds_words or any(map(str.isalpha, line))
            yield line

    last = ""
    is_rolling = False
    for cue in _cues(watched()):
        is_rolling = is_rolling or any(map(TIME_TAG.search, cue))
        texts = [text for line in cue if (text := " ".join(unescaped(TAG.sub("", line)).split()))]
        if is_rolling:
            shown = [last, *texts]
            texts = [text for before, text in itertools.pairwise(shown) if text != before]
            last = shown[-1]
        yield from _speeches(texts)
    if holds_words and not has_cue:
        raise TextError(f'{name} holds no subtitle with its times: read_as="text" reads it as it is')


def holds_times(lines: Iterable[str]) -> bool:
    """Whether any line of a text may be the times of a cue."""
    return any("-->" in line for line in lines)


def looks_like_subtitles(lines: Iterable[str]) -> bool:
    """Whether some lines of a text are the times of subtitles."""
    return sum(map(bool, map(TIMES.match, lines))) >= MIN_CUES


def _cues(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines of each cue: from after its times to the next blank line, or the next cue."""
    cue: list[str] | None = None  # None: not in a cue
    for line in lines:
        if TIMES.match(line):
            if cue:
                if cue[-1].strip().isdecimal():  # its number, where the blank line is missing
                    cue.pop()
                yield cue
            cue = []
        elif not line.strip():
            if cue:
                yield cue
            cue = None if cue else cue  # some write a blank line after the times
        elif cue is not None:
            cue.append(line)
    if cue:
        yield cue


def _speeches(texts: list[str]) -> Iterator[str]:
    """Join the lines of a cue, apart from those in which another speaker begins."""
    starts = [place for place, text in enumerate(texts) if SPEAKER_CHANGE.match(text)]
    if len(starts) < 2:
        starts = []
    for start, end in itertools.pairwise([0, *(start for start in starts if start), len(texts)]):
        if texts[start:end]:
            yield " ".join(texts[start:end])
