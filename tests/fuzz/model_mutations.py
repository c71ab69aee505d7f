"""Small models, and ways to spoil the bytes of their files."""

from __future__ import annotations

import io
import json
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import rnncli
from rnncli.text.annotation import JOINER, SPACE

Members = list[tuple[str, bytes]]  # names and contents, as a zip file may hold them: a name may come twice
LINES = [
    "The cat slept, and the dog's bone lay by the door.",
    "“Who is there?” asked the old man — nobody knew.",
    "A cat sleeps -- a dog barks; the door stays shut.",
    "The dog barked (twice), so the cat left for the well-known tree.",
    "Nobody asked the cat: 3,000 birds sang, and 12:30 came.",
    "The man said 'no', then “yes”, and the naïve dog believed him…",
]
OPTIONS: list[dict[str, Any]] = [
    {"cell": "lstm"},
    {"cell": "gru", "tied": False, "cache_size": 0},
    {"cell": "elman", "layers": 2, "ngram_order": 2},
    {"cell": "elman", "activation": "relu", "ngram_order": 0, "embedding_size": 3},
    {"cell": "elman", "activation": "sigmoid", "ngram_order": 3, "cache_size": 0, "lowercase": True},
    {"cell": "gru", "tokenizer": "char", "ngram_order": 4},
    {"cell": "lstm", "tokenizer": "whitespace", "ngram_order": 0, "cache_size": 0, "embedding_size": 7},
]
HUGE = 10**400
MAX_DEPTH = 20  # of values that are spoiled
NUMBERS = [
    0,
    1,
    -1,
    2,
    7,
    255,
    256,
    2**31,
    2**32,
    2**63,
    2**64,
    -(2**63),
    10**8,
    HUGE,
    0.5,
    -0.0,
    1e-320,
    1e308,
    -1e308,
]
TEXTS = ["", "\0", "\n", "x", "<eos>", "\ud800", "é" * 300, "a\u0301\u0327" * 200, "[bold]", "\x1b[2J", "%s{}", "tanh"]
RAW_JSON = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1" * 5000,
    '"\\ud800"',
    "[" * 2000,
    '{"a":' * 900 + "1" + "}" * 900,
]
RAW_JSON += ["[" * 300 + "]" * 300, "null", "true", "[]", "{}", '"x"', "0"]


def small_models() -> list[bytes]:
    """Train a model of each kind for a moment, and return their files."""
    files = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "text").write_text("\n".join(LINES * 12), encoding="utf-8")
        for options in OPTIONS:
            usual = {"hidden_size": 5, "embedding_size": 5, "epochs": 1, "batch_size": 2, "bptt": 9, "threads": 1}
            rnncli.save(rnncli.train(folder / "text", **usual | options), folder / "model.npz")
            files.append((folder / "model.npz").read_bytes())
    return files


def members_of(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def archive_of(members: Members) -> bytes:
    """Return a zip file with right checksums."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name)
            archive.NameToInfo.pop(name, None)  # no warning of a name that comes twice
            archive.writestr(member, content)
    return file.getvalue()


def array_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


class Mutator:
    """Spoils files in ways that its generator chooses."""

    def __init__(self, files: list[bytes], chance: random.Random):
        self.files = files
        self.chance = chance

    def mutated(self) -> bytes:
        """Return a file with one to three things wrong."""
        data = self.chance.choice(self.files)
        if self.chance.random() < 0.12:
            return self.spoil_bytes(data)
        members = members_of(data)
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            ways: list[Callable[[Members], None]] = [self.spoil_array] * 8
            ways += [self.spoil_json] * 4 + [self.spoil_vocabulary] * 3 + [self.spoil_detokenizer] * 2
            ways += [self.spoil_format, self.spoil_header, self.spoil_header, self.spoil_content, self.splice]
            ways += [self.drop, self.double, self.add, self.rename]
            self.chance.choice(ways)(members)
        data = archive_of(members)
        return self.spoil_bytes(data) if self.chance.random() < 0.05 else data

    # The file as bytes.

    def spoil_bytes(self, data: bytes) -> bytes:
        """Change bits, cut, insert or repeat; checksums become wrong."""
        chance = self.chance
        spoiled = bytearray(data)
        end = len(data) if chance.random() < 0.3 else 0
        for _ in range(chance.choice([1, 2, 8])):
            # Some within the directory, at the end of the file.
            at = chance.randrange(len(spoiled)) if not end else max(len(spoiled) - 1 - chance.randrange(3000), 0)
            way = chance.randrange(6)
            if way == 0:
                spoiled[at] ^= 1 << chance.randrange(8)
            elif way == 1:
                spoiled[at] = chance.choice([0, 255, chance.randrange(256)])
            elif way == 2:
                spoiled[at : at + 4] = struct.pack("<I", chance.choice([0, 1, 2**16 - 1, 2**31, 2**32 - 1]))
            elif way == 3:
                del spoiled[at : at + chance.randrange(1, 100)]
            elif way == 4:
                spoiled[at:at] = chance.randbytes(chance.randrange(1, 50))
            else:
                spoiled[at:at] = spoiled[max(at - 50, 0) : at]
            if not spoiled:
                break
        if chance.random() < 0.1:
            del spoiled[chance.randrange(len(spoiled) + 1) :]
        return bytes(spoiled)

    # The members.

    def any(self, members: Members, kinds: str = "") -> int:
        """Return the index of a member, by preference one whose array is of one of these kinds."""
        indices = list(range(len(members)))
        self.chance.shuffle(indices)
        for index in indices:
            array = _array(members[index][1]) if kinds else None
            if not kinds or (array is not None and array.dtype.kind in kinds):
                return index
        return indices[0] if indices else -1

    def drop(self, members: Members) -> None:
        if members:
            del members[self.any(members)]

    def double(self, members: Members) -> None:
        if members:
            members.insert(self.chance.randrange(len(members) + 1), self.chance.choice(members))

    def add(self, members: Members) -> None:
        content = self.chance.choice(members)[1] if members else b""
        count = self.chance.choice([1, 1, 1, 300])
        names = [
            "x.npy",
            "checkpoint.npy",
            "ngram.6.words.npy",
            "é\n.npy",
            "",
            "recurrent.9.bias.npy",
            "../x",
            "a" * 999,
        ]
        members += [(self.chance.choice(names) + (str(i) if i else ""), content) for i in range(count)]

    def rename(self, members: Members) -> None:
        if members:
            index = self.any(members)
            members[index] = (self.chance.choice(members)[0], members[index][1])

    def splice(self, members: Members) -> None:
        """Take members from another model, of the same names where there are any."""
        others = members_of(self.chance.choice(self.files))
        by_name = dict(others)
        for index in self.chance.sample(range(len(members)), min(len(members), self.chance.choice([1, 3, 20]))):
            name, _ = members[index]
            members[index] = (name, by_name.get(name) or self.chance.choice(others)[1])

    def spoil_content(self, members: Members) -> None:
        if members:
            index = self.any(members)
            members[index] = (members[index][0], self.spoil_bytes(members[index][1] or b"\0"))

    def spoil_header(self, members: Members) -> None:
        """Let an array be described as another one."""
        if not members:
            return
        index = self.any(members)
        name, content = members[index]
        array = _array(content)
        if array is None:
            return
        chance = self.chance
        sizes = [0, 1, 2, -1, array.size, 2**31, 2**63 - 1, 10**30]
        shape: Any = tuple(chance.choice(sizes) for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 40])))
        dtypes = [array.dtype.str] * 6 + ["<f2", "<f8", ">f4", "|u1", "<u2", ">u4", "<i8", "|b1", "|O", "<U1", "|V4"]
        dtypes += ["<c8", "<U2000000000", "<f3", "<M8[s]", "|S4", "<f16", "f4,f4", "__import__('os')"]
        described = {
            "descr": chance.choice(dtypes),
            "fortran_order": chance.random() < 0.2,
            "shape": chance.choice([shape, array.shape]),
        }
        header = f"{repr(described)[:-1]}, }}"
        if chance.random() < 0.1:
            header = chance.choice(["", "{" * 3000, "{}", header * 9, "lambda: 0", header.replace("'", '"'), "'\\q'"])
        version = chance.choice([b"\1\0"] * 5 + [b"\2\0", b"\3\0", b"\0\0", b"\377\1"])
        text = header.encode() + b"\n"
        length = struct.pack("<H" if version[0] == 1 else "<I", len(text) % 2**16)
        members[index] = (name, b"\x93NUMPY" + version + length + text + array.tobytes())

    def spoil_format(self, members: Members) -> None:
        values = [0, 1, 2, 3, -1, 2**63 - 1, 1.0, True, float("nan"), "2", [2], [[2]], []]
        self.replace(members, "format", np.array(self.chance.choice(values)))

    def replace(self, members: Members, name: str, array: np.ndarray) -> None:
        for index, (found, _) in enumerate(members):
            if found == f"{name}.npy":
                members[index] = (found, array_bytes(array))
                return
        members.append((f"{name}.npy", array_bytes(array)))

    def get(self, members: Members, name: str) -> np.ndarray | None:
        return _array(dict(members).get(f"{name}.npy", b""))

    # The arrays.

    def spoil_array(self, members: Members) -> None:
        """Change the values, the shape or the type of an array of numbers."""
        if not members:
            return
        index = self.any(members, "fiu")
        name, content = members[index]
        array = _array(content)
        if array is None:
            return
        ways = [self.change_values] * 4 + [self.change_shape, self.change_type, self.change_order, self.scale]
        with np.errstate(all="ignore"):
            members[index] = (name, array_bytes(self.chance.choice(ways)(array)))

    def change_values(self, array: np.ndarray) -> np.ndarray:
        values = array.copy().reshape(-1)
        if values.size and values.dtype.kind in "fiu":
            if values.dtype.kind == "f":
                new = self.chance.choice([np.nan, np.inf, -np.inf, 0, -1, 1, 999_999, -999_999, 1e38, 1e-40, 0.5])
            else:
                new = self.chance.choice([0, 1, 2, int(values.max()), int(np.iinfo(values.dtype).max), values.size - 1])
                new = min(new, int(np.iinfo(values.dtype).max))
            count = self.chance.choice([1, 1, 3, values.size])
            values[[self.chance.randrange(values.size) for _ in range(count)]] = new
            if self.chance.random() < 0.1:
                values[:] = new
        return values.reshape(array.shape)

    def change_shape(self, array: np.ndarray) -> np.ndarray:
        flat = array.reshape(-1)
        shapes = [
            flat[:-1],
            np.append(flat, flat[:1]),
            array[None],
            array.T,
            flat[:0],
            np.array(flat[0] if len(flat) else 0),
        ]
        shapes += [
            np.asfortranarray(array),
            np.zeros((0, 3), array.dtype),
            np.tile(flat, 3),
            np.repeat(array[None], 2, 0),
        ]
        return self.chance.choice(shapes)

    def change_type(self, array: np.ndarray) -> np.ndarray:
        types = [
            "f2",
            "f4",
            "f8",
            "f16",
            "u1",
            "u2",
            "u4",
            "u8",
            "i4",
            "i8",
            ">f4",
            ">f8",
            ">u2",
            ">u4",
            "U9",
            "S9",
            "c8",
            "?",
        ]
        return array.astype(self.chance.choice(types))

    def change_order(self, array: np.ndarray) -> np.ndarray:
        flat = array.reshape(-1).copy()
        ways = [flat[::-1], np.sort(flat), np.roll(flat, 1)]
        if len(flat) > 1:
            one, other = (self.chance.randrange(len(flat)) for _ in range(2))
            flat[[one, other]] = flat[[other, one]]
        return self.chance.choice([*ways, flat]).reshape(array.shape)

    def scale(self, array: np.ndarray) -> np.ndarray:
        """Make all numbers so large, small or negative that what is computed from them may overflow."""
        if array.dtype.kind != "f":
            return array
        factor = self.chance.choice([1e5, 1e6, 1e-30, -1, -1e5, 0, 1e3, 1e-44])
        return (array * factor).clip(-999_999, 999_999).astype(array.dtype)

    # The texts.

    def spoil_json(self, members: Members) -> None:
        name = self.chance.choice(["config", "config", "about"])
        array = self.get(members, name)
        if array is None or array.dtype.kind != "U" or array.shape:
            return
        self.replace(members, name, np.array(self.spoiled_json(str(array))))

    def spoil_detokenizer(self, members: Members) -> None:
        array = self.get(members, "detokenizer")
        if array is None:
            return
        text = array.tobytes().decode("utf-8", "replace")
        if self.chance.random() < 0.4:
            marks = [" ", "", "\n", "x", "—", "\u00a0", "“", "cat", "\ud800", "a" + "\u0301\u0327" * 900]
            values = [self.chance.choice(marks) for _ in range(self.chance.randrange(6))]
            place = self.chance.choice(['"forms": [', '"rules": [[', "], ["])
            text = text.replace(place, place + json.dumps(values) + ",", 1)
        else:
            text = self.spoiled_json(text)
        self.replace(members, "detokenizer", np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8))

    def spoiled_json(self, text: str) -> str:
        """Replace, remove or add a value somewhere in a JSON text."""
        chance = self.chance
        if chance.random() < 0.1:
            at = chance.randrange(len(text) + 1)
            return text[:at] + chance.choice([*RAW_JSON, "", ",", "}", '"']) + text[at + chance.randrange(3) :]
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        mark = "a value that was spoiled"
        places = [place for place in _places(value) if place]
        if not places:
            return chance.choice(RAW_JSON)
        *path, last = chance.choice(places)
        owner = value
        for key in path:
            owner = owner[key]
        way = chance.randrange(6)
        if way == 0:
            del owner[last]
        elif way == 1 and isinstance(owner, dict):
            owner[chance.choice([*TEXTS, "cache", "network", "ngram_order", "history", "settings", "reading"])] = mark
        else:
            owner[last] = mark
        new = chance.choice([*map(json.dumps, NUMBERS), *map(json.dumps, TEXTS), *RAW_JSON])
        return json.dumps(value).replace(json.dumps(mark), new)

    def spoil_vocabulary(self, members: Members) -> None:
        array = self.get(members, "vocabulary")
        if array is None:
            return
        words = array.tobytes().split(b"\n")
        chance = self.chance
        odd = [b"", b"\xff\xfe", b"\xed\xa0\x80", b"\0", b"\r", b"\x1b[2J", b" ", b"<eos>", b"<unk>", b"the", b"THE"]
        odd += [("a" + "\u0301\u0327" * 400).encode(), b"x" * 9000, "\u2028".encode(), "\u00a0,".encode(), b"___"]
        odd += [
            f"{left}{mark}{right}".encode() for left in ("", JOINER, SPACE) for mark in ",-“" for right in ("", SPACE)
        ]
        odd += [chance.randbytes(3), chance.choice(words), chr(chance.randrange(0xD800)).encode("utf-8")]
        for _ in range(chance.choice([1, 1, 5, len(words)])):
            if not words:
                break
            at = chance.randrange(len(words))
            way = chance.randrange(8)
            if way == 0:
                words.insert(at, chance.choice(odd))
            elif way == 1:
                del words[at]
            else:
                words[at] = chance.choice(odd)
        self.replace(members, "vocabulary", np.frombuffer(b"\n".join(words), np.uint8))


def _array(content: bytes) -> np.ndarray | None:
    try:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception:  # it was spoiled before
        return None


def _places(value: Any, depth: int = 0) -> list[tuple[Any, ...]]:
    """Return the paths to all values of a JSON value that are not nested deeply."""
    found: list[tuple[Any, ...]] = [()]
    if depth < MAX_DEPTH:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            found += [(key, *path) for path in _places(inner, depth + 1)]
    return found
