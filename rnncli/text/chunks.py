"""Numbers a long text chunk by chunk: chunks are what is between white space, and most of them come again and again.

The chunks of a batch are looked up side by side, as arrays: those of up to 16 bytes are two integers each, which are
compared with those in a table. The others, and those that are new, go through a dictionary one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

MAX_SHORT = 16  # bytes
SLOT_BITS = 20  # of the table's size
MAX_KEPT = 2**16  # of the chunks that have no slot: when there are more, all are forgotten
MAX_KEPT_BYTES = 96  # of such a chunk
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))  # of a multiplicative hash
_SHIFT = np.uint64(64 - SLOT_BITS)
_MASKS = np.array([2 ** (8 * size) - 1 for size in range(9)], np.uint64)  # of so many first bytes
_PADDING = b" " * (MAX_SHORT + 1)
_IS_SPACE = np.zeros(256, bool)
_IS_SPACE[[*b"\t\n\v\f\r\x1c\x1d\x1e\x1f "]] = True


class ChunkTable:
    """Turns chunks into cells, which are what `cells_of` makes of a chunk: one number for each of its tokens."""

    def __init__(self, cells_of: Callable[[bytes], Sequence[int]]):
        self._cells_of = cells_of
        self._low = np.zeros(1 << SLOT_BITS, np.uint64)  # in each slot the first 8 bytes of its chunk; 0: it is free
        self._high = np.zeros(1 << SLOT_BITS, np.uint64)  # and the 8 bytes after them
        self._entries = np.zeros(1 << SLOT_BITS, np.int32)
        self._without_slot: dict[bytes, Sequence[int]] = {}
        self._begins = np.zeros(1024, np.int64)  # of each entry: where its cells begin
        self._sizes = np.zeros(1024, np.int32)  # and how many there are
        self._cells = np.zeros(1024, np.int64)
        self._count = 0  # of the entries that have a slot
        self._end = 0  # of their cells

    def cells(self, text: bytes) -> np.ndarray:
        """Return the cells (N,) of all chunks of a text in UTF-8. New chunks are numbered in their order.

        White space is that of ASCII, and the text holds no zero bytes.
        """
        text = b" %b%b" % (text, _PADDING)
        is_space = _IS_SPACE[np.frombuffer(text, np.uint8)]
        bounds = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
        starts = bounds[::2]
        lengths = bounds[1::2] - starts
        octets = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))  # from each byte on
        low = octets[starts] & _MASKS[np.minimum(lengths, 8)]
        high = octets[starts + 8] & _MASKS[np.clip(lengths - 8, 0, 8)]
        slots = ((low * _FACTORS[0] ^ high * _FACTORS[1]) >> _SHIFT).astype(np.intp)
        entries = self._entries[slots]
        is_known = (self._low[slots] == low) & (self._high[slots] == high) & (lengths <= MAX_SHORT)
        missing = np.flatnonzero(~is_known)
        if len(missing):
            ends = starts + lengths
            chunks = [
                text[start:end] for start, end in zip(starts[missing].tolist(), ends[missing].tolist(), strict=True)
            ]
            entries[missing] = self._numbered(chunks, slots[missing], low[missing], high[missing])
        return self._of_entries(entries)

    def _of_entries(self, entries: np.ndarray) -> np.ndarray:
        """Return the cells of all entries, one after the other."""
        sizes = self._sizes[entries]
        ends = np.cumsum(sizes, dtype=np.int64)
        places = np.repeat(self._begins[entries] - (ends - sizes), sizes)
        places += np.arange(len(places))
        cells: np.ndarray = self._cells[places]
        return cells

    def _numbered(self, chunks: list[bytes], slots: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return the entries of chunks that are not in the table. Those that find no slot are good for one batch."""
        is_free = (self._low[slots] == 0).tolist()
        taken: dict[int, int] = {}  # by slot: the place of the chunk that takes it
        with_slot: list[Sequence[int]] = []
        without: list[Sequence[int]] = []
        numbers: dict[bytes, int] = {}  # of an entry with a slot, from 0 on; of one without, from -1 on downwards
        for place, (chunk, slot) in enumerate(zip(chunks, slots.tolist(), strict=True)):
            if chunk in numbers:
                continue
            cells = self._without_slot.get(chunk)
            is_new = cells is None
            if cells is None:
                cells = self._cells_of(chunk)
            if is_new and is_free[place] and slot not in taken and len(chunk) <= MAX_SHORT:
                taken[slot] = place
                numbers[chunk] = len(with_slot)
                with_slot.append(cells)
            else:
                without.append(cells)
                numbers[chunk] = -len(without)
                self._keep(chunk, cells)
        before = self._count
        self._store(with_slot)
        self._take(slots, np.array(list(taken.values()), np.intp), low, high, before)
        count = self._count
        end = self._end
        self._store(without)
        self._count = count
        self._end = end
        entries = np.array([numbers[chunk] for chunk in chunks], np.int64)
        return np.where(entries >= 0, before + entries, count - 1 - entries)

    def _take(self, slots: np.ndarray, places: np.ndarray, low: np.ndarray, high: np.ndarray, first: int) -> None:
        """Put the chunks at some places into their slots; their entries are numbered from the `first` on."""
        self._low[slots[places]] = low[places]
        self._high[slots[places]] = high[places]
        self._entries[slots[places]] = first + np.arange(len(places))

    def _keep(self, chunk: bytes, cells: Sequence[int]) -> None:
        """Remember a chunk that has no slot, if it is not too long to come again."""
        if len(chunk) <= MAX_KEPT_BYTES:
            if len(self._without_slot) >= MAX_KEPT:
                self._without_slot.clear()
            self._without_slot[chunk] = cells

    def _store(self, entries: list[Sequence[int]]) -> None:
        """Append entries."""
        sizes = np.array([len(cells) for cells in entries], np.int32)
        count = self._count + len(sizes)
        end = self._end + int(sizes.sum())
        self._begins = _grown(self._begins, count)
        self._sizes = _grown(self._sizes, count)
        self._cells = _grown(self._cells, end)
        self._begins[self._count : count] = self._end + np.cumsum(sizes) - sizes
        self._sizes[self._count : count] = sizes
        self._cells[self._end : end] = [cell for cells in entries for cell in cells]
        self._count = count
        self._end = end


def _grown(array: np.ndarray, size: int) -> np.ndarray:
    """Return an array that holds `size` numbers at least."""
    return (
        array
        if size <= len(array)
        else np.concatenate([array, np.zeros(max(size - len(array), len(array)), array.dtype)])
    )
