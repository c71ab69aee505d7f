import bz2
import gzip
import io
import lzma
import os
import sys
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnncli.errors import SettingError, TextError
from rnncli.text.reading import BYTES_PER_BLOCK, is_hard_wrapped, is_undecoded, read_batches, read_lines, read_units

WRAPPED = """\
It was a bright cold day in the garden, and the old clock on the
wall was striking four. Nobody in the house had heard it, because
everyone was asleep, except for the cat.

The cat sat on the stairs and waited for somebody to come down and
open the door for her, as somebody did every morning at this time,
when the milk was brought.
"""


@pytest.mark.parametrize(
    ("ending", "compress"), [(".txt", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".XZ", lzma.compress)]
)
def test_files_are_read_compressed_or_not(tmp_path, ending, compress):
    path = tmp_path / f"text{ending}"
    path.write_bytes(compress("Füße\nzwei\n".encode()))
    assert list(read_lines(path)) == ["Füße", "zwei"]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        ("a\x0cb\u2028c\n".encode(), ["a\x0cb\u2028c"]),
    ],
)
def test_only_a_line_feed_ends_a_line_and_a_mark_at_the_start_is_left_out(tmp_path, data, lines):
    path = tmp_path / "text"
    path.write_bytes(data)
    assert list(read_lines(path)) == lines


@given(st.text(), st.integers(1, 5))
@example("\ufeffab\ncd", 1)
def test_lines_do_not_depend_on_how_the_bytes_arrive(text, size):
    class Dribble(io.BytesIO):
        def read1(self, _=-1):
            return super().read1(size)

    expected = text.removeprefix("\ufeff").split("\n")
    if not expected[-1]:
        expected.pop()
    with mock.patch.object(sys, "stdin", mock.Mock(buffer=Dribble(text.encode()))):
        assert list(read_lines("-")) == [line.removesuffix("\r") for line in expected]


def test_bytes_that_are_not_utf8_are_an_error_with_file_offset_and_remedy(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"a" * 70_000 + b"caf\xe9 au lait")
    with pytest.raises(
        TextError, match=r"latin\.txt is not UTF-8 text \(byte 0xe9 at offset 70003\): .* encoding=\"latin-1\"$"
    ):
        list(read_lines(path))
    assert next(read_lines(path, "latin-1")).endswith("café au lait")


@pytest.mark.parametrize(
    ("before", "bad", "byte"),
    [
        ("", b"\xff", 0xFF),
        ("é", b"\xff", 0xFF),
        ("a" * BYTES_PER_BLOCK, b"\xff", 0xFF),
        ("a" * (BYTES_PER_BLOCK - 1) + "é", b"\xff", 0xFF),  # after a character that is split between two blocks
        ("a" * (BYTES_PER_BLOCK - 1) + "é" + "b" * 100, b"\xe9 ", 0xE9),
        ("a" * (BYTES_PER_BLOCK - 3) + "😀" + "é" * BYTES_PER_BLOCK, b"\xff", 0xFF),
        ("a" * (BYTES_PER_BLOCK - 1), b"\xc3(abc", 0xC3),  # the bad byte ends a block, and shows in the next one
        ("a" * (BYTES_PER_BLOCK - 2), b"\xf0\x9f(abc", 0xF0),
        ("a" * (BYTES_PER_BLOCK - 1), b"\xc3", 0xC3),
    ],
    ids=range(9),
)
def test_the_offset_of_a_byte_that_is_not_valid_counts_all_bytes_before_it(tmp_path, before, bad, byte):
    path = tmp_path / "text.txt"
    path.write_bytes(before.encode() + bad)
    with pytest.raises(TextError, match=rf"\(byte 0x{byte:02x} at offset {len(before.encode())}\)"):
        list(read_lines(path))


def test_bytes_that_are_not_valid_can_be_read_as_surrogates_and_told(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("é\n".encode() + b"caf\xe9\nplain\n")
    lines = [line for batch in read_batches(path, errors="surrogateescape") for line in batch]
    assert lines == ["é", "caf\udce9", "plain"]
    assert [is_undecoded(line) for line in [*lines, "\ud800", "a\tb"]] == [False, True, False, False, False]
    assert [is_undecoded(line) for line in ("\udc7f", "\udc80", "\udcff", "\udd00")] == [False, True, True, False]


def test_a_character_before_a_byte_that_is_not_valid_is_read_where_blocks_split_it(tmp_path):
    path, lines = tmp_path / "japanese.txt", []
    path.write_bytes(b"a" * (BYTES_PER_BLOCK - 1) + "あ\n".encode("shift_jis") + b"\xff")
    with pytest.raises(TextError, match=f"byte 0xff at offset {BYTES_PER_BLOCK + 2}"):
        lines.extend(read_lines(path, "shift_jis"))
    assert lines == ["a" * (BYTES_PER_BLOCK - 1) + "あ"]


def test_a_byte_order_mark_inside_a_text_stays(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a" * BYTES_PER_BLOCK + "\ufeffb\n".encode())
    assert list(read_lines(path)) == ["a" * BYTES_PER_BLOCK + "\ufeffb"]


def test_a_character_cut_off_at_the_end_is_an_error_too(tmp_path):
    path = tmp_path / "cut.txt"
    path.write_bytes("né".encode()[:-1])
    with pytest.raises(TextError, match="byte 0xc3 at offset 1"):
        list(read_lines(path))


def test_a_byte_that_is_not_valid_is_told_by_the_name_of_the_encoding_and_all_before_it_is_read(tmp_path):
    path, lines = tmp_path / "windows.txt", []
    path.write_bytes("“Tom”\n“is”".encode("cp1252") + b"\n\x81")
    with pytest.raises(TextError, match=r"is not CP1252 text \(byte 0x81 at offset 11\)"):
        lines.extend(read_lines(path, "cp1252"))
    assert lines == ["“Tom”", "“is”"]


def test_utf_16_without_its_mark_is_told(tmp_path):
    path = tmp_path / "plain.txt"
    path.write_bytes(b"Tom is")
    with pytest.raises(TextError, match=r"is not UTF-16 text .*: name another encoding"):
        list(read_lines(path, "utf-16"))


@pytest.mark.parametrize("encoding", ["klingon", "base64", "undefined"])
def test_what_is_no_encoding_of_text_is_refused(tmp_path, encoding):
    with pytest.raises(SettingError, match=f"no text encoding is called '{encoding}'"):
        list(read_lines(tmp_path / "any", encoding))


def test_an_encoding_that_cannot_pass_over_what_is_not_valid_is_refused(tmp_path):
    with pytest.raises(SettingError, match="no text encoding is called 'idna'"):
        list(read_batches(tmp_path / "any", "idna", "surrogateescape"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TextError, match=r"cannot read .*missing\.txt: No such file or directory"):
        list(read_lines(tmp_path / "missing.txt"))


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_damaged_archive_is_named(tmp_path, ending):
    whole = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending](os.urandom(5000))
    (tmp_path / f"cut{ending}").write_bytes(whole[:3000])
    (tmp_path / f"other{ending}").write_bytes(b"plain text")
    for name in ("cut", "other"):
        with pytest.raises(TextError, match=f"cannot read .*{name}{ending}: damaged"):
            list(read_lines(tmp_path / f"{name}{ending}", "latin-1"))


def test_standard_input_is_read_as_it_comes_and_stays_open(monkeypatch):
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as source, os.fdopen(write_end, "wb", buffering=0) as sink:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
        lines = read_lines("-")
        sink.write(b"one\n")
        assert next(lines) == "one"
        sink.write(b"two\nthr")
        assert next(lines) == "two"
        sink.write(b"ee\n")
        assert next(lines) == "three"


def test_a_folder_gives_every_text_file_below_it_in_sorted_order(tmp_path):
    for name, data in {
        "b.txt": b"b\n",
        "a/z.txt": b"z\n",
        "a/y.txt.gz": gzip.compress(b"y\n"),
        "picture.png": b"\x89PNG\0\0",
        ".hidden": b"hidden\n",
        ".git/config": b"hidden\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert list(read_units([tmp_path])[1]) == ["y", "z", "b"]


def test_a_file_of_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "damaged.gz").write_bytes(b"plain text")
    with pytest.raises(TextError, match=r"cannot read .*damaged\.gz: damaged"):
        list(read_units([tmp_path])[1])


def test_a_folder_without_a_text_is_an_error(tmp_path):
    with pytest.raises(TextError, match="holds no text file"):
        list(read_units([tmp_path])[1])


def test_hard_wrapped_prose_is_recognised_and_a_paragraph_is_a_unit(tmp_path):
    path = tmp_path / "prose.txt"
    path.write_text(WRAPPED)
    units = list(read_units([path])[1])
    assert len(units) == 2
    assert units[1].startswith("The cat sat on the stairs and waited for somebody to come down and open the door")
    assert len(list(read_units([path], "line")[1])) == 6
    assert len(list(read_units([path], keep_blank=True)[1])) == 7


@pytest.mark.parametrize(
    "text",
    [
        "One sentence.\nAnother one, a little longer.\n\nA third.\nAnd a fourth one here.\nA fifth.\n",
        "A paragraph in one line, however long it may be, is not wrapped.\n\nAnother one.\n",
        WRAPPED.replace("\n\n", "\n"),  # no blank line
        "",
    ],
)
def test_other_texts_are_not_taken_for_hard_wrapped_prose(text):
    assert not is_hard_wrapped(text.split("\n"))


def wrapped(*lengths: int) -> list[str]:
    """Lines of these lengths that begin with a word of three letters; the last one begins a paragraph of its own."""
    lines = [("abc " + "x" * length)[:length] for length in lengths]
    return [*lines[:-1], "abc", "", lines[-1]]


@pytest.mark.parametrize(
    ("lengths", "found"),
    [
        ([60] * 4, True),
        ([60] * 3, False),  # two breaks
        ([40] * 4, True),
        ([39] * 4, False),
        ([200] * 4, True),
        ([201] * 4, False),
        ([57, 60, 60, 60, 9], True),  # the next word would have made it 61
        ([56, 57, 60, 60, 60], True),  # three quarters are full
        ([56, 56, 60, 60, 60, 60, 60, 9], False),  # five sevenths
        ([30, 300] + [60] * 49 + [9], True),  # one line in fifty may be longer
        ([300, 300] + [60] * 49 + [9], False),
    ],
)
def test_prose_is_hard_wrapped_where_most_lines_are_full(lengths, found):
    assert is_hard_wrapped(wrapped(*lengths)) == found


def test_paragraphs_can_be_told(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("a\nb\n\n\nc\n")
    assert list(read_units([path])[1]) == ["a", "b", "c"]
    assert list(read_units([path], "paragraph")[1]) == ["a b", "c"]


def test_the_first_file_decides_for_all(tmp_path):
    (tmp_path / "a.txt").write_text(WRAPPED)
    (tmp_path / "b.txt").write_text("one\ntwo\n")
    (tmp_path / "c.txt").write_text("three\nfour\n")
    unit, texts = read_units([tmp_path])
    assert (unit, list(texts)[2:]) == ("paragraph", ["one two", "three four"])
    unit, texts = read_units([tmp_path / "b.txt", tmp_path / "a.txt"])
    assert (unit, len(list(texts))) == ("line", 8)


def test_a_single_source_may_stand_for_itself_and_none_is_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    assert list(read_units(path)[1]) == list(read_units(str(path))[1]) == ["one", "two"]
    with pytest.raises(TextError, match="there is no text"):
        read_units([])


def test_lines_before_the_one_that_cannot_be_read_are_still_given(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"one\ntwo\ncaf\xe9\n")
    lines = read_lines(path)
    assert [next(lines), next(lines)] == ["one", "two"]
    with pytest.raises(TextError, match="byte 0xe9 at offset 11"):
        next(lines)


def test_an_unknown_unit_is_refused():
    with pytest.raises(SettingError, match="no unit is called 'page'"):
        read_units(["any"], "page")
