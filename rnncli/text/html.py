"""Strips HTML to its text: each heading, paragraph, list item and cell of a table is one unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from .entities import unescaped, with_short_numbers

CHARACTERS_PER_FEED = 2**16  # at least, of HTML
MAX_TAG = 2**16  # characters; of a longer tag the attributes are not looked at
TAG_NAME = re.compile(r"<([a-zA-Z][^\t\n\r\f />]*)")
COMMENT_END = re.compile(r"--!?\s*>")
HIDDEN = frozenset(
    re.findall(r"\w+", "script style head title template noscript svg math iframe select textarea button")
)
INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark q rp rt ruby s samp"
        " small span strike strong sub sup time tt u var wbr",
    )
)
IN_HEAD = HIDDEN | {"base", "link", "meta"}


class HTMLText(HTMLParser):
    """Collects the text of HTML, which is fed in pieces: `blocks` are those that have ended."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._pieces: list[str] = []
        self._hidden: list[str] = []  # the open elements whose text is not shown
        self._preformatted = 0  # how many <pre> are open
        self._is_ending = False  # whether nothing follows any more
        self._last_comment_end = -1  # the place of the last end of a comment, if so

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if self._hidden == ["head"] and tag not in IN_HEAD:  # whose end may be left out
            self._hidden.clear()
        is_hidden = tag in HIDDEN or (tag == "code" and self._preformatted)
        if is_hidden and tag not in self._hidden:  # the end of a tag ends all that were opened in it
            self._hidden.append(tag)
        self._preformatted += tag == "pre"
        if tag not in INLINE:
            self.end_block()

    def parse_starttag(self, i: int) -> int:
        """Read the tag that begins at a place, and return the place after it; -1: it has not come as a whole."""
        end = self.rawdata.find(">", i)
        if end < 0 or end - i <= MAX_TAG:
            return super().parse_starttag(i) if end >= 0 else -1
        found = TAG_NAME.match(self.rawdata, i)
        tag = found[1].lower() if found else ""
        self.handle_starttag(tag, [])
        if tag in self.CDATA_CONTENT_ELEMENTS:
            self.set_cdata_mode(tag)
        return end + 1

    def parse_comment(self, i: int, report: bool = True) -> int:
        """Read the comment that begins at a place, and return the place after it; -1: it has not come as a whole."""
        return -1 if self._is_ending and i > self._last_comment_end else super().parse_comment(i, report)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Read a section such as <![CDATA[, or a comment where it is none."""
        if self._is_ending:
            return self.parse_bogus_comment(i)
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if tag not in INLINE:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        if tag not in INLINE:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._preformatted:
            *lines, data = data.split("\n")
            for line in lines:
                self._pieces.append(line)
                self.end_block()
        self._pieces.append(data)

    def end_block(self) -> None:
        """End the block of text that is read."""
        if text := " ".join("".join(self._pieces).split()):
            self.blocks.append(text)
        self._pieces.clear()

    def finish(self) -> None:
        """Read what is left. Where no tag can end any more, a < is text; else each would be tried to the end."""
        end = len(self.rawdata) if self.cdata_elem else self.rawdata.rfind(">") + 1
        rest = self.rawdata[end:]
        self.rawdata = self.rawdata[:end]
        self._last_comment_end = max((found.start() for found in COMMENT_END.finditer(self.rawdata)), default=-1)
        self._is_ending = True
        self.close()
        self.handle_data(unescaped(rest))
        self.end_block()


def html_units(lines: Iterable[str]) -> Iterator[str]:
    """Yield the text of each block of HTML. Scripts, styles, code and what a browser does not show are left out."""
    parser = HTMLText()
    for piece in _pieces(lines, parser):
        parser.feed(with_short_numbers(piece))
        yield from parser.blocks
        parser.blocks.clear()
    parser.finish()
    yield from parser.blocks


def _pieces(lines: Iterable[str], parser: HTMLText) -> Iterator[str]:
    """Join lines to pieces for a parser.

    With each piece, it reads again what is still open, such as a script. So a piece is at least as long as that: the
    time that the parser takes grows with the length of the text, not with its square.
    """
    waiting: list[str] = []
    length = 0
    for line in lines:
        waiting.append(f"{line}\n")
        length += len(waiting[-1])
        if length >= max(CHARACTERS_PER_FEED, len(parser.rawdata)):
            yield "".join(waiting)
            waiting.clear()
            length = 0
    yield "".join(waiting)
