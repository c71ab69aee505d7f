"""Strips Markdown to its text: each heading, paragraph, list item and cell of a table is one unit.

A text is parsed in runs of lines, so that the memory does not grow with it. A run ends before the last block that has
begun, which the next run takes up: nothing that comes later changes the blocks before it. A block that may go on
without end is taken up at its last item, row or line of code.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .columns import Lines
from .html import html_units

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

CHARACTERS_PER_RUN = 2**18
MAX_BLOCK = 2**20  # characters; a longer paragraph, quotation or block of HTML is cut between two lines
MAX_FRONT_MATTER = 10_000  # lines
FRONT_MATTER_ENDS = {"---": ("---", "..."), "+++": ("+++",)}  # YAML, TOML; by the line that begins them
YAML_LINE = re.compile(r"\s|-\s|[#}\]]|(?:\"[^\"]+\"|'[^']+'|[\w.-]+(?: [\w.-]+){0,3})\s*:(?:\s|$)")
TOML_START = re.compile(r"[#\[]|[\w.\"'-]+\s*=")
FOOTNOTE_MARK = re.compile(r"\s*\[\^[^\]\s]+\]")
FOOTNOTE = re.compile(r"([ \t>]*)\[\^[^\]\s]+\]:\s*")  # at the beginning of a line
BREAK = re.compile(  # a tag of HTML between which and its neighbours a browser breaks the line
    r"</?(?:br|hr|p|div|[uod]l|li|d[dt]|table|t[rhd]|h[1-6]|blockquote|pre|details|summary)[\s/>]", re.IGNORECASE
)
MARKUP = re.compile(r"[\\`*_~\[<&]|  \n")  # without it, a block is as it is written
ADDRESS = {"title": "", "href": ""}  # of a link: it is not shown
_INLINE = "\0"  # a line of what waits for the definitions of links begins with it; it stands for a line break, too


def markdown_units(lines: Iterable[str]) -> Iterator[str]:
    """Yield the text of each block of Markdown, its wrapped lines joined.

    Code blocks, pictures, HTML tags, the addresses of links and the data before the first line are left out.
    """
    from markdown_it import MarkdownIt  # not at the top: only texts in Markdown need it

    defined: dict[str, Any] = {}  # the names of links that the text defines, which it may do anywhere
    blocks = Lines(_blocks(_without_front_matter(lines), defined))
    parser = MarkdownIt("commonmark").enable("strikethrough")
    parser.normalizeLink = str  # type: ignore[assignment, method-assign]  # addresses are not shown
    for block in blocks:
        if block.startswith(_INLINE):
            yield from _inline_units(parser, block[1:].replace(_INLINE, "\n"), defined)
        else:
            yield block


def _blocks(lines: Iterable[str], defined: dict[str, Any]) -> Iterator[str]:
    """Yield the text of each block; one with markup begins with `_INLINE`, and is yet to be parsed.

    `defined` takes the names of links.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    lines = _with_footnotes_as_paragraphs(lines)
    run: list[str] = []
    is_end = False
    while not is_end:
        more = _next_lines(lines, max(CHARACTERS_PER_RUN, sum(map(len, run))))
        is_end = not more
        run += more
        found: dict[str, Any] = {}
        tokens = parser.parse("\n".join(run), found)
        places = {name: definition["map"][0] for name, definition in found.get("references", {}).items()}
        again = [definition["map"][0] for definition in found.get("duplicate_refs", ())]
        over = _Over(len(tokens), len(run)) if is_end else _over(tokens, [*places.values(), *again], run)
        if sum(map(len, run[over.lines :])) > MAX_BLOCK:
            over = _Over(len(tokens), len(run))
        defined.update((name, ADDRESS) for name, place in places.items() if place < over.lines)
        yield from _texts(tokens[: over.tokens])
        run = [*over.before, *run[over.lines :]]


class _Over(NamedTuple):
    """What of a run is over, and will not change."""

    tokens: int
    lines: int
    before: Sequence[str] = ()  # the lines that are left, in the next run


def _with_footnotes_as_paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Part footnotes from their marks; else some would be read as addresses of links."""
    for line in lines:
        if found := FOOTNOTE.match(line):
            yield found[1]
            line = found[1] + line[found.end() :]
        yield line


def _next_lines(lines: Iterator[str], size: int) -> list[str]:
    """Take lines of some size together."""
    taken: list[str] = []
    while size > 0 and (line := next(lines, None)) is not None:
        taken.append(line)
        size -= len(line) + 1
    return taken


def _over(tokens: Sequence[Token], definitions: Sequence[int], run: list[str]) -> _Over:
    """Return what is over: all before the last block. `definitions` are the lines where links are defined."""
    last = max((place for place, token in enumerate(tokens) if not token.level and token.map), default=0)
    kind = tokens[last].type if tokens else ""
    begin, end = (tokens[last].map if tokens else None) or (0, 0)
    if after := [line for line in definitions if line >= end]:  # there are no tokens of them
        return _Over(len(tokens), max(after))
    if kind in ("fence", "code_block"):  # it is left out; its last line may end it
        return _Over(last, max(begin + 1, end - 1), [run[begin]])
    if kind == "table_open":
        columns = sum(token.type == "th_open" for token in tokens[last:])
        return _Over(len(tokens), end, ["|" + " |" * columns, "|" + "-|" * columns])
    if kind in ("bullet_list_open", "ordered_list_open"):
        item = max(place for place, token in enumerate(tokens) if token.level == 1 and token.type == "list_item_open")
        place = (tokens[item].map or [begin])[0]
        if place > begin:
            indent = run[place][: -len(run[place].lstrip())]
            return _Over(item, place, [indent + tokens[item].info + tokens[item].markup])  # an item before it
    return _Over(last, begin)


def _texts(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the text of blocks, as `_blocks` does."""
    for token in tokens:
        if token.type == "html_block":
            yield from html_units(token.content.splitlines())
        elif token.type == "inline" and MARKUP.search(token.content):
            yield _INLINE + token.content.replace("\n", _INLINE)
        elif token.type == "inline" and (unit := " ".join(token.content.split())):
            yield unit


def _inline_units(parser: MarkdownIt, content: str, defined: dict[str, Any]) -> Iterator[str]:
    """Yield what a reader sees of a block, in a unit for each of its lines."""
    (block,) = parser.parseInline(content, {"references": defined})
    pieces = [_inline_text(child.type, child.content) for child in block.children or ()]
    for line in "".join(pieces).split("\n"):
        if unit := " ".join(line.split()).removeprefix("[ ] ").removeprefix("[x] "):
            yield unit


def _inline_text(kind: str, content: str) -> str:
    """Return what a reader sees of a piece of Markdown within a block."""
    if kind == "text":
        return FOOTNOTE_MARK.sub("", content)
    if kind == "code_inline":
        return content
    if kind == "html_inline":
        return "\n" if BREAK.match(content) else ""
    return {"softbreak": " ", "hardbreak": "\n"}.get(kind, "")


def _without_front_matter(lines: Iterable[str]) -> Iterator[str]:
    """Leave out the data that some programs write at the top, between two lines such as ---."""
    lines = iter(lines)
    first = list(itertools.islice(lines, MAX_FRONT_MATTER))
    return itertools.chain(first[_front_matter_size(first) :], lines)


def _front_matter_size(lines: Sequence[str]) -> int:
    """Return how many lines at the top are data.

    In Markdown, --- is also a rule. So where there are blank lines in between, all others must look like YAML.
    """
    fence = lines[0].rstrip() if lines else ""
    ends = FRONT_MATTER_ENDS.get(fence, ())
    first = "".join(lines[1:2])
    if not ends or not (":" in first or TOML_START.match(first)):
        return 0
    has_blank = False
    is_yaml = True
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ends:
            return number + 1
        has_blank |= not line.strip()
        is_yaml &= not line.strip() or bool(YAML_LINE.match(line))
        if fence == "---" and has_blank and not is_yaml:
            break
    return 0
