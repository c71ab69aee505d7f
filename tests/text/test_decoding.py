"""Text is made of bytes: encodings, byte order marks, line ends, and what is no text."""

import io
import itertools
import sys
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnncli.errors import SettingError, TextError
from rnncli.text.decoding import BYTES_PER_BLOCK, NotTextError, is_undecoded
from rnncli.text.reading import read_batches


def read_lines(*arguments):
    return itertools.chain.from_iterable(read_batches(*arguments))


LINES = ["Ein grüner Apfel", "два яблока", "三つ"]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\r", ["a", "b"]),
        (b"a\r\rb\nc\r\nd", ["a", "", "b", "c", "d"]),
        (b"a" * (BYTES_PER_BLOCK - 1) + b"\r\nb", ["a" * (BYTES_PER_BLOCK - 1), "b"]),
        (b"a" * (BYTES_PER_BLOCK - 1) + b"\rb", ["a" * (BYTES_PER_BLOCK - 1), "b"]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        ("a\x0cb\u2028c\n".encode(), ["a\x0cb\u2028c"]),
    ],
)
def test_line_feeds_and_carriage_returns_end_lines_and_a_mark_at_the_start_is_left_out(tmp_path, data, lines):
    path = tmp_path / "text"
    path.write_bytes(data)
    assert list(read_lines(path)) == lines


@given(st.text(CHARACTERS), st.integers(1, 5))
@example("\ufeffab\ncd", 1)
@example("a\r\nb\r\rc", 1)
def test_lines_do_not_depend_on_how_the_bytes_arrive(text, size):
    class Dribble(io.BytesIO):
        def read1(self, _=-1):
            return super().read1(size)

    expected = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not expected[-1]:
        expected.pop()
    with mock.patch.object(sys, "stdin", mock.Mock(buffer=Dribble(text.encode()))):
        assert list(read_lines("-")) == expected


def test_bytes_that_are_not_utf8_are_an_error_with_file_offset_and_remedy(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"a" * 70_000 + b"caf\xe9 au lait")
    with pytest.raises(
        TextError, match=r"latin\.txt is not UTF-8 text \(byte 0xe9 at offset 70003\): .* encoding=\"latin-1\"$"
    ):
        list(read_lines(path))
    assert next(read_lines(path, "latin-1")).endswith("café au lait")


def test_the_quotation_marks_of_windows_are_named_by_their_encoding(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"It\x92s late.\n")
    with pytest.raises(TextError, match=r'byte 0x92 at offset 2\): name its encoding, such as encoding="cp1252"$'):
        list(read_lines(path))
    assert list(read_lines(path, "cp1252")) == ["It’s late."]


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


def test_lines_before_the_one_that_cannot_be_read_are_still_given(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"one\ntwo\ncaf\xe9\n")
    lines = read_lines(path)
    assert [next(lines), next(lines)] == ["one", "two"]
    with pytest.raises(TextError, match="byte 0xe9 at offset 11"):
        next(lines)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_text_that_begins_with_the_mark_of_utf_16_or_32_is_read_as_such(tmp_path, encoding, errors):
    path = tmp_path / "text.txt"
    path.write_bytes("\r\n".join(["\ufeff" + LINES[0], *LINES[1:]]).encode(encoding))
    assert [line for batch in read_batches(path, errors=errors) for line in batch] == LINES


@given(st.sampled_from(["utf-16", "utf-32"]), st.integers(1, 5))
def test_a_mark_may_come_in_pieces(encoding, size):
    class Dribble(io.BytesIO):
        def read1(self, _=-1):
            return super().read1(size)

    with mock.patch.object(sys, "stdin", mock.Mock(buffer=Dribble("\n".join(LINES).encode(encoding)))):
        assert list(read_lines("-")) == LINES


def test_an_encoding_that_is_named_stands_whatever_the_mark(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xff\xfea\n")
    assert list(read_lines(path, "latin-1")) == ["ÿþa"]
    path.write_bytes(b"\xff\xfe")
    assert list(read_lines(path)) == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["We like warm bread, and you?\n", "Мы любим тёплый хлеб, а вы?\n"])
@pytest.mark.parametrize("named", ["utf-8", "latin-1"])
def test_utf_16_and_32_without_a_mark_are_named(tmp_path, encoding, text, named):
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(TextError, match=rf'is not {named.upper()} text, .* try encoding="{encoding}"$'):
        list(read_lines(path, named))
    with pytest.raises(TextError, match=rf'try encoding="{encoding}"$'):
        list(read_batches(path, named, "surrogateescape"))
    assert list(read_lines(path, encoding)) == [text.rstrip()]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.bin", b"\x89PNG\0\0\0\x0d", "is not a text: it holds a zero byte at offset 4"),
        ("a.bin", bytes(range(1, 256)), "is not a text: save it as plain text first"),
        ("a.pdf", b"%PDF-1.7\n\xe2\xe3", "is a PDF document, not a text: save it as plain text first"),
        ("a.docx", b"PK\x03\x04...", "is a zip archive, as .docx, .odt and .epub files are, not a text"),
        ("a.txt", b"\x1f\x8b\x08\x00", "is compressed by gzip, not a text: unpack it first"),
        ("a.rtf", b"{\\rtf1 a}", "is an RTF document, not a text"),
    ],
)
def test_what_is_no_text_is_told(tmp_path, name, data, told):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(NotTextError) as error:
        list(read_lines(path))
    assert f"{path} {told}" in str(error.value)


@pytest.mark.parametrize("offset", [3, BYTES_PER_BLOCK - 1, BYTES_PER_BLOCK, 80_000])
def test_a_zero_byte_is_told_wherever_it_is(tmp_path, offset):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a\n" * (offset // 2) + b"b" * (offset % 2) + b"\0b\n" * 3)
    for encoding in ("utf-8", "latin-1"):
        with pytest.raises(NotTextError, match=f"is not a text: it holds a zero byte at offset {offset}$"):
            list(read_lines(path, encoding))
    lines = itertools.chain.from_iterable(read_batches(path, errors="surrogateescape"))
    assert [line for line in lines if "\0" in line] == ["b" * (offset % 2) + "\0b", "\0b", "\0b"]


def test_a_model_in_the_place_of_a_text_is_told_with_what_to_do(model_file):
    with pytest.raises(NotTextError) as error:
        list(read_lines(model_file))
    assert (
        str(error.value) == f'{model_file} is a model, not a text: to go on from it, name it with init="{model_file}"'
    )


def test_a_zero_byte_in_a_dialogue_ends_nothing(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_bytes(b"Tom is\nMary \0 is\n")
    assert [line for batch in read_batches(path, errors="surrogateescape") for line in batch] == [
        "Tom is",
        "Mary \0 is",
    ]
