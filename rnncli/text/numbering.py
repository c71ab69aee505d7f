"""Numbers the words of a text while it is read, fast and in bounded memory.

The tokens are those of `Tokenizer.segment`, numbered in their order. Units are taken together into batches. A unit of
more than `MAX_PIECE` characters is read piece by piece: its tokens are the same if it has white space in each piece. A
word tokenizer's units become chunks between spaces (see `rnncli.text.chunks`), in which a control character, which no
such text holds, says what the chunk is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .characters import SPECIAL_SPACES
from .chunks import ChunkTable
from .columns import Column, Store
from .folding import BLANK, INVISIBLE, composed
from .reserved import EOS, EOS_ID, UNK, UNK_ID, without_ends
from .tokenizers import Tokenizer
from .tokens import Numbers, Tokens

CHARACTERS_PER_BATCH = 2**17
MAX_PIECE = 2**20  # characters of a unit; a longer one is cut
SPACE = "\x01"  # a chunk begins with it, and with the special white space before the chunk
END = "\x02"  # a chunk that is the end of a unit
JOINED = "\x03"  # a chunk begins with it that goes on with the one before it
ESCAPE = "\x04"  # a control character of a text that was tokenized before comes after it, as a letter
_SPACES = re.compile(f"[\x85\u2028\u2029{SPECIAL_SPACES}]")  # not in ASCII
_SPECIAL = re.compile(f"[{SPECIAL_SPACES}]")
SPACE_RUN = re.compile(r"\s+")
CLEANED_SPACE_RUN = re.compile(rf"[\s{BLANK}][\s{BLANK}{INVISIBLE}]*")  # it is white space when the text is read
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_BELONGING = re.compile(
    rf".[{INVISIBLE}Σ\u1160-\u11ff\U0001f3fb-\U0001f3ff]|[{INVISIBLE}Σ].|{_FLAG}{_FLAG}", re.DOTALL
)  # two characters that are read as one, or each by the other
_ESCAPED = re.compile(f"[\x00{SPACE}{END}{JOINED}{ESCAPE}]")
# A cell is a token in one number: that of its type, of the gap before it, and of its form and one; 0: no form.
_GAP_BIT = 31
_FORM_BIT = 36
_TYPE_MASK = (1 << _GAP_BIT) - 1
_GAP_MASK = (1 << (_FORM_BIT - _GAP_BIT)) - 1


class Numbering:
    """Takes the units of a text one by one, then gives its `tokens`."""

    def __init__(self, tokenizer: Tokenizer, store: Store | None = None):
        self._tokenizer = tokenizer
        self._cuts_words = not (tokenizer.is_char or tokenizer.is_pretokenized)
        self._types = Numbers({EOS: EOS_ID, UNK: UNK_ID})
        self._gap_names = Numbers({"": 0, " ": 1} if self._cuts_words else {"": 0})
        self._form_names = Numbers()
        self._store = store or Store()
        self._open_columns()
        self._batch: list[str] = []  # what comes next: pieces of units, and their ends
        self._characters = 0  # in it
        self._after_end = True  # whether the next token begins a unit
        self._chunks = ChunkTable(self._cells)
        self._code_types = np.full(0x110000 if tokenizer.is_char else 0, -1, np.int32)  # the types of characters

    def _open_columns(self) -> None:
        self._ids = Column(self._store, np.int32)
        self._gaps = Column(self._store, np.uint8)
        self._form_places = Column(self._store, np.int64)
        self._forms = Column(self._store, np.int32)

    def add(self, text: str) -> None:
        """Number a unit. One that holds invisible characters only is left out."""
        is_shown = not text
        for piece in _pieces(text, SPACE_RUN if self._tokenizer.is_pretokenized else CLEANED_SPACE_RUN):
            read = self._tokenizer.read(piece.text, fold=not self._cuts_words)
            is_shown = is_shown or self._is_shown(read)
            self._batch.append(composed(read) if self._tokenizer.is_char else self._chunked(read, piece))
            if piece.is_last and is_shown:
                self._batch.append(END)
            self._characters += len(read)
            if self._characters > CHARACTERS_PER_BATCH or len(self._batch) > CHARACTERS_PER_BATCH:
                self._number()

    def count(self) -> int:
        """Return how many tokens the units so far have, with their ends."""
        self._number()
        return len(self._ids)

    def discard(self) -> None:
        """Give the text up, as it cannot be read to its end."""
        for column in (self._ids, self._gaps, self._form_places, self._forms):
            column.discard()

    def tokens(self) -> Tokens:
        """Return the text in numbers. No unit is to come after that."""
        self._number()
        return Tokens(
            list(self._types),
            self._ids.array(),
            self._gaps.array(),
            tuple(self._gap_names),
            self._form_places.array(),
            self._forms.array(),
            tuple(self._form_names),
        )

    def take(self) -> Tokens:
        """Return what was numbered since the last time, in the numbers of all types so far."""
        found = self.tokens()
        self._store = Store()  # which counts the bytes of all columns
        self._open_columns()
        return found

    def _is_shown(self, read: str) -> bool:
        """Whether a unit as it is read holds any token; one of a corpus that was tokenized before is kept anyway."""
        return self._tokenizer.is_pretokenized or bool(read if self._tokenizer.is_char else read.strip())

    def _chunked(self, text: str, piece: _Piece) -> str:
        """Write a piece of a unit, as it is read, as chunks between white space of ASCII."""
        if self._tokenizer.is_pretokenized:
            if "s>" in text:
                text = " ".join(without_ends(text.split(), is_first=piece.is_first, is_last=piece.is_last))
            if _ESCAPED.search(text):
                text = _ESCAPED.sub(lambda match: ESCAPE + chr(ord(match[0]) + ord("A")), text)
        if not text.isascii() and _SPACES.search(text):
            text = SPACE_RUN.sub(self._gap, text.strip() if piece.is_first else text.rstrip())
        return JOINED + text if piece.is_joined and text and not text[0].isspace() else text

    def _gap(self, match: re.Match[str]) -> str:
        """Write the white space between two chunks as one space, with a special one in it at the next chunk."""
        special = None if self._tokenizer.is_pretokenized else _SPECIAL.search(match[0])
        return f" {SPACE}{special[0]}" if special else " "

    def _number(self) -> None:
        """Append the batch to the columns."""
        if self._tokenizer.is_char:
            cells = self._character_cells()
        else:
            cells = self._chunks.cells(" ".join(self._batch).encode("utf-8", "surrogatepass"))
        self._batch.clear()
        self._characters = 0
        formed = np.flatnonzero(cells >> _FORM_BIT)
        self._form_places.append(formed + len(self._ids))
        self._forms.append((cells[formed] >> _FORM_BIT) - 1)
        ids = cells & _TYPE_MASK
        self._ids.append(ids)
        if not self._cuts_words or not len(cells):
            return
        gaps = cells >> _GAP_BIT & _GAP_MASK
        gaps[np.append(self._after_end, ids[:-1] == EOS_ID)] = 0
        self._after_end = bool(ids[-1] == EOS_ID)
        self._gaps.append(gaps)

    def _cells(self, chunk: bytes) -> list[int]:
        """Number the tokens of a chunk: their cells."""
        text = chunk.decode("utf-8", "surrogatepass")
        if text == END:
            return [EOS_ID]
        if self._tokenizer.is_pretokenized:
            text = text.removeprefix(JOINED)
            if ESCAPE in text:
                text = re.sub(f"{ESCAPE}(.)", lambda match: chr(ord(match[1]) - ord("A")), text)
            return [self._types[text]]
        gap = " "
        if text[0] == SPACE:
            gap = text[1]
            text = text[2:]
        elif text[0] == JOINED:
            gap = ""
            text = text[1:]
        tokens, forms = self._tokenizer.cut(text)
        cells = [self._types[token] for token in tokens]
        if cells:
            cells[0] |= self._gap_names[gap] << _GAP_BIT
        for place, form in forms:
            cells[place] |= (self._form_names[form] + 1) << _FORM_BIT
        return cells

    def _character_cells(self) -> np.ndarray:
        """Number the characters of the batch."""
        sizes = np.array([-1 if piece == END else len(piece) for piece in self._batch], np.int64)
        text = "".join(piece for piece in self._batch if piece != END)
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        new = codes[self._code_types[codes] < 0]
        for code in dict.fromkeys(new.tolist()):
            self._code_types[code] = self._types[chr(code)]
        ends = np.cumsum(np.maximum(sizes, 0))[sizes < 0]
        return np.insert(self._code_types[codes].astype(np.int64), ends, EOS_ID)


class _Piece(NamedTuple):
    text: str
    is_first: bool  # of its unit
    is_last: bool
    is_joined: bool  # whether it begins within a word


def _pieces(text: str, spaces: re.Pattern[str]) -> Iterator[_Piece]:
    """Cut a unit that is too long into pieces: each begins with all the white space before its first word.

    Where there is no white space, a word is cut, but not before or after what belongs to a character (`_parts`), unless
    there is nothing else.
    """
    begin = 0
    is_joined = False
    while len(text) - begin > MAX_PIECE:
        end = _last_start(text, spaces, begin, begin + MAX_PIECE)
        is_within = not end
        if is_within:
            last = begin + MAX_PIECE
            end = next((place for place in range(last, begin, -1) if _parts(text, place)), last)
            is_within = not (text[end - 1].isspace() or text[end].isspace())
        yield _Piece(text[begin:end], not begin, False, is_joined)
        is_joined = is_within
        begin = end
    yield _Piece(text[begin:] if begin else text, not begin, True, is_joined)


def _last_start(text: str, spaces: re.Pattern[str], begin: int, end: int) -> int:
    """Return where the last white space begins between two places; 0: nowhere."""
    for first in (max(begin, end - 1000), begin):
        if starts := [found.start() for found in spaces.finditer(text, first, end) if found.start() > first]:
            return starts[-1]
    return 0


def _parts(text: str, place: int) -> bool:
    """Whether two characters are read alike if they are parted at a place: nothing joins them, nor changes their case.

    That do marks, modifiers and the vowels of Hangul; what is invisible, such as joiners; pairs of letters that are a
    flag; and a Greek sigma, which is another one at the end of a word.
    """
    return not _BELONGING.match(text[place - 1 : place + 1]) and unicodedata.category(text[place])[0] != "M"
