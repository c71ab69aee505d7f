"""Decides what a file is, and how its units are read from its lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, SettingError

if TYPE_CHECKING:
    from .columns import Store
    from .units import Verdict

UNITS = ("auto", "line", "paragraph")
FORMATS = ("auto", "text", "markdown", "html", "subtitles")
COMPRESSED = (".gz", ".bz2", ".xz")
SUFFIXES = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".srt": "subtitles",
    ".vtt": "subtitles",
}
HTML_BEGIN = re.compile(r"\s*<(?:!doctype\s+html|html\b)", re.IGNORECASE)
TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
KINDS = ("read_as", "field", "column", "chat")  # of what is read of a file: they do not go together
REMEMBERED = ("unit", *KINDS, "stanzas")  # by a model


@dataclass(frozen=True)
class ReadOptions:
    """How texts are read; see `rnncli.options.TextOptions`. A model remembers those in `REMEMBERED`."""

    unit: str = "auto"
    encoding: str = "utf-8"
    read_as: str = "auto"
    field: int = 0
    column: str = ""
    chat: bool = False
    strict: bool = False
    keep_blank: bool = False  # for corpora that were prepared line by line: they are taken as they are
    stanzas: bool = False  # whether a blank line between stanzas is an empty unit
    usual_unit: str = "line"  # for "auto" where a text does not tell
    of_model: bool = False  # whether a model remembers them: a table's field is read where there is one

    def __post_init__(self) -> None:
        for name, value, known in (("unit", self.unit, UNITS), ("format", self.read_as, FORMATS)):
            if value not in known:
                raise SettingError(f"no {name} is called {value!r}: choose from {', '.join(known)}")

    def remembered(self) -> dict[str, Any]:
        """Return what a model is to remember, for `about`."""
        return {name: value for name, value in asdict(self).items() if name in REMEMBERED}

    @classmethod
    def of_text(cls, about: Mapping[str, Any], unit: str, encoding: str = "utf-8") -> ReadOptions:
        """Return how a text is read for a model, by what `about` remembers, and its unit.

        Raises `ModelError` where that makes no sense. A model of an earlier version remembers its unit alone.
        """
        stored = about.get("reading", {"unit": unit})
        default = cls()
        try:
            values = {name: stored[name] for name in REMEMBERED if name in stored}
            if not all(type(value) is type(getattr(default, name)) for name, value in values.items()):
                raise ValueError(values)
            if values.get("field", 0) < 0:
                raise ValueError(values)
            return replace(default, **values, encoding=encoding, usual_unit=unit, of_model=True)
        except (TypeError, ValueError, SettingError):
            raise ModelError(f"what the model tells of its texts makes no sense: {stored!r:.100}") from None


def read_by_format(
    lines: Iterator[str], source: str, name: str, options: ReadOptions, store: Store | None = None
) -> tuple[Verdict, Iterator[str]]:
    """Return what the units of a file are, and the units.

    `source` is its path, which tells its format. Messages call it by its `name`. What is read more than once is kept in
    a `store`.
    """
    special = _selected(lines, source, name, options)
    if isinstance(special, tuple):
        return special
    lines = special
    format = format_of(source, options)
    if format == "text":
        return _text_units(lines, source, options, store)
    if format == "subtitles":
        from .subtitles import holds_times, subtitle_units
        from .units import SAMPLE_LINES

        sample = list(itertools.islice(lines, SAMPLE_LINES))
        lines = itertools.chain(sample, lines)
        if options.read_as == "auto" and not holds_times(sample):  # its suffix says more than it holds
            return _text_units(lines, source, options, store)
        return _verdict(options, "line", "subtitles"), subtitle_units(lines, name)
    if format == "html":
        from .html import html_units

        return _verdict(options, "paragraph", "HTML"), html_units(lines)
    from .markdown import markdown_units

    return _verdict(options, "paragraph", "Markdown"), markdown_units(lines)


def format_of(source: str, options: ReadOptions) -> str:
    """Return the format of a file by its suffix, also before that of a compression, or the one that was asked for."""
    if options.read_as != "auto":
        return options.read_as
    return "text" if options.keep_blank else SUFFIXES.get(suffix_of(source), "text")


def suffix_of(source: str) -> str:
    """Return the suffix of a file, in small letters, without that of a compression."""
    path = PurePath(source)
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.suffix.lower()


def _selected(
    lines: Iterator[str], source: str, name: str, options: ReadOptions
) -> tuple[Verdict, Iterator[str]] | Iterator[str]:
    """Return the units of a chat or of a field of a table; just the lines where no such thing is to be read."""
    if options.chat:
        from .chat import chat_units

        return _verdict(options, "line", "a chat"), chat_units(lines, name, needed=not options.of_model)
    if not (options.field or options.column):
        return lines
    from .tables import column_units, delimiter_of, field_units

    is_needed = not options.of_model or suffix_of(source) in TABLE_SUFFIXES
    first = next(lines, "")
    lines = itertools.chain([first], lines)
    if options.field and (is_needed or first.count("\t") >= options.field - 1 > 0):
        return _verdict(options, "line", f"field {options.field}"), field_units(lines, options.field, name)
    if options.column and (is_needed or delimiter_of(first, options.column)):
        return _verdict(options, "line", f"column {options.column}"), column_units(lines, options.column, name)
    return lines


def _verdict(options: ReadOptions, unit: str, evidence: str) -> Verdict:
    """What the units of a format are: those that were asked for, else its own."""
    from .units import Verdict  # not at the top: a prompt has no units

    return Verdict(unit if options.unit == "auto" else options.unit, evidence)


def _text_units(
    lines: Iterator[str], source: str, options: ReadOptions, store: Store | None
) -> tuple[Verdict, Iterator[str]]:
    """Return what the units of a plain text are, and the units."""
    from .units import SAMPLE_LINES, Verdict, judge, lines_with_stanzas, paragraphs

    if options.keep_blank and options.unit != "paragraph":
        return Verdict("line", "as prepared"), lines
    verdict = Verdict(options.unit, "")
    if options.unit == "auto":
        sample = list(itertools.islice(lines, SAMPLE_LINES))
        lines = itertools.chain(sample, lines)
        found = judge(sample)
        hint = "" if options.of_model or options.read_as == "text" else _hint(sample, source)
        verdict = found._replace(unit=found.unit or options.usual_unit, hint=hint)
    if verdict.unit == "paragraph":
        return verdict, paragraphs(lines, store)
    if options.stanzas:
        return verdict, lines_with_stanzas(lines)
    return verdict, (line for line in lines if line.strip())


def _hint(sample: list[str], source: str) -> str:
    """Say, after the name of a text that looks like a chat, a table, subtitles or a page, how it could be read.

    Empty for others.
    """
    if suffix_of(source) in TABLE_SUFFIXES:
        way = 'read one column, add column="NAME"' if suffix_of(source) == ".csv" else "read one field, add field=2"
        return f"looks like a table, and is read line by line: to {way}"
    from .chat import looks_like_chat
    from .subtitles import looks_like_subtitles

    kinds = {
        "an exported chat, and is read line by line: to read its messages, add chat=True": looks_like_chat(sample),
        'subtitles: to read what is said, add read_as="subtitles"': looks_like_subtitles(sample),
        'a page of the web: to read its text, add read_as="html"': bool(HTML_BEGIN.match("\n".join(sample[:2]))),
    }
    return next((f"looks like {kind}" for kind, is_so in kinds.items() if is_so), "")
