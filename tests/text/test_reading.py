"""Texts are read from files, folders and standard input."""

import bz2
import gzip
import io
import itertools
import lzma
import os
import sys
from pathlib import Path

import pytest

from rnncli.errors import ModelError, SettingError, TextError
from rnncli.text.formats import ReadOptions, format_of
from rnncli.text.reading import read_batches, read_units


def read_lines(*arguments):
    return itertools.chain.from_iterable(read_batches(*arguments))


WRAPPED = """\
It was a bright cold day in the garden, and the old clock on the
wall was striking four. Nobody in the house had heard it, because
everyone was asleep, except for the cat.

The cat sat on the stairs and waited for somebody to come down and
open the door for her, as somebody did every morning at this time,
when the milk was brought.
"""


def units(sources, unit: str = "auto", **options) -> list[str]:
    return list(read_units(sources, ReadOptions(unit, **options))[1])


def read(sources, **options):
    """Read texts to their end, and return what is known of them then."""
    known, texts = read_units(sources, ReadOptions(**options))
    list(texts)
    return known


@pytest.mark.parametrize(
    ("ending", "compress"), [(".txt", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".XZ", lzma.compress)]
)
def test_files_are_read_compressed_or_not(tmp_path, ending, compress):
    path = tmp_path / f"text{ending}"
    path.write_bytes(compress("Füße\nzwei\n".encode()))
    assert list(read_lines(path)) == ["Füße", "zwei"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TextError, match=r"cannot read .*missing\.txt: No such file or directory"):
        list(read_lines(tmp_path / "missing.txt"))


def test_a_text_in_place_of_a_file_is_told():
    with pytest.raises(TextError, match="cannot read Tom is good"):
        list(read_units("Tom is good. " * 100)[1])


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_damaged_archive_is_named(tmp_path, ending):
    whole = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending](os.urandom(5000).hex().encode())
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
    assert units([tmp_path]) == ["y", "z", "b"]


def test_what_a_folder_holds_besides_texts_is_left_out_and_told(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\0")
    known = read(tmp_path)
    assert [file.name for file in known.files] == [str(tmp_path / "a.txt")]
    assert known.warnings() == [f"left out {tmp_path / 'picture.png'}: it is no text"]
    for number in range(4):
        (tmp_path / f"p{number}.png").write_bytes(b"\0")
    shown = ", ".join(str(tmp_path / f"p{number}.png") for number in range(3))
    assert read(tmp_path, strict=True).warnings() == [f"left out 5 files that are no texts: {shown}, ..."]


def test_a_file_of_a_folder_that_cannot_be_read_is_left_out_as_a_whole_unless_reading_is_strict(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "damaged.gz").write_bytes(b"plain text")
    (tmp_path / "latin.txt").write_bytes(b"one\n" * 50_000 + b"caf\xe9\n")
    assert units(tmp_path) == ["a"]
    damaged, latin = read(tmp_path).warnings()
    assert damaged.startswith(f"left out {tmp_path / 'damaged.gz'}: damaged")
    assert latin.startswith(f"left out {tmp_path / 'latin.txt'}: it is not UTF-8 text (byte 0xe9 at offset 200003)")
    with pytest.raises(TextError, match=r"^cannot read .*damaged\.gz: damaged"):
        units(tmp_path, strict=True)


def test_a_folder_below_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    told = f"cannot read {tmp_path / 'locked'}: Permission denied"
    assert read(tmp_path).warnings() == [f"left out {tmp_path / 'locked'}: Permission denied"]
    with pytest.raises(TextError) as error:
        read(tmp_path, strict=True)
    assert str(error.value) == told


def test_of_many_files_that_cannot_be_read_the_first_are_named(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    for number in range(5):
        (tmp_path / f"b{number}.txt").write_bytes(b"\xff")
    warnings = read(tmp_path).warnings()
    assert len(warnings) == 4
    assert warnings[-1] == "left out 2 more files that cannot be read"


def test_a_file_that_is_named_must_be_readable(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(TextError, match=r"latin\.txt is not UTF-8 text"):
        units([tmp_path / "a.txt", tmp_path / "latin.txt"])


def test_a_folder_without_a_text_is_an_error_that_says_why(tmp_path):
    with pytest.raises(TextError, match="holds no text file: name one that does"):
        units([tmp_path])
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(TextError, match=r"holds no text file \(.*latin\.txt is not UTF-8 text"):
        units([tmp_path])


def test_a_folder_may_hold_utf_16_beside_utf_8(tmp_path):
    (tmp_path / "notes.txt").write_text("Milk and bread.\n")
    (tmp_path / "phone.srt").write_bytes("1\r\n00:00:01,000 --> 00:00:02,000\r\nHello?\r\n".encode("utf-16"))
    assert units(tmp_path) == ["Milk and bread.", "Hello?"]


def test_each_file_decides_on_its_units_and_most_of_the_text_on_that_of_the_model(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text(WRAPPED)
    (tmp_path / "c.txt").write_text("three\nfour\n")
    texts = units(tmp_path)
    assert texts[:2] + texts[4:] == ["one", "two", "three", "four"]
    assert texts[2].endswith("everyone was asleep, except for the cat.")
    known = read(tmp_path)
    assert [(file.unit, file.evidence, file.units) for file in known.files] == [
        ("line", "no line goes on in the next", 2),
        ("paragraph", "hard-wrapped at 66", 2),
        ("line", "no line goes on in the next", 2),
    ]
    assert known.unit == "paragraph"
    assert known.files[0].bytes == 8
    (tmp_path / "d.txt").write_text("A line that is longer than all of that prose together.\n" * 10)
    assert read(tmp_path).unit == "line"
    assert read(tmp_path, unit="paragraph").unit == "paragraph"


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.md", "markdown"),
        ("a.MARKDOWN.gz", "markdown"),
        ("a.htm.xz", "html"),
        ("a.html", "html"),
        ("a.srt", "subtitles"),
        ("a.vtt.bz2", "subtitles"),
        ("a.txt", "text"),
        ("md", "text"),
        ("-", "text"),
    ],
)
def test_the_suffix_of_a_file_tells_its_format(name, format):
    assert format_of(name, ReadOptions()) == format
    assert format_of(name, ReadOptions(read_as="text")) == "text"
    assert format_of(name, ReadOptions(read_as="html")) == "html"
    assert format_of(name, ReadOptions(keep_blank=True)) == "text"


def test_formats_can_be_mixed_and_left_alone(tmp_path):
    (tmp_path / "a.md").write_text("# A *title*\n\nSome\ntext.\n")
    (tmp_path / "b.html").write_text("<p>An apple &amp; a <b>pear</b></p>")
    assert units(tmp_path) == ["A title", "Some text.", "An apple & a pear"]
    assert units(tmp_path, read_as="text")[0] == "# A *title*"
    assert [file.evidence for file in read(tmp_path).files] == ["Markdown", "HTML"]


def test_a_model_reads_a_text_by_what_it_remembers(tmp_path):
    table = tmp_path / "table.tsv"
    table.write_text("1\tone apple\n2\ttwo pears\n")
    plain = tmp_path / "plain.txt"
    plain.write_text("just text\n")
    learned = ReadOptions(field=2)
    about = {"reading": learned.remembered()}
    assert units([table], field=2) == ["one apple", "two pears"]
    options = ReadOptions.of_text(about, "line")
    assert list(read_units([table, plain], options)[1]) == ["one apple", "two pears", "just text"]
    table.write_text("no table\n")
    with pytest.raises(TextError, match="there is no field 2 in 'no table'"):
        list(read_units([table], options)[1])


def test_a_model_of_an_earlier_version_cuts_a_text_into_its_units_alone(tmp_path):
    path = tmp_path / "prose.txt"
    path.write_text(WRAPPED)
    assert len(list(read_units(path, ReadOptions.of_text({}, "line"))[1])) == 6
    assert len(list(read_units(path, ReadOptions.of_text({}, "paragraph"))[1])) == 2


@pytest.mark.parametrize("stored", [3, {"unit": "page"}, {"field": "x"}, {"field": -1}, {"chat": 1}, {"column": None}])
def test_a_model_that_remembers_nonsense_is_told(stored):
    with pytest.raises(ModelError, match="what the model tells of its texts makes no sense"):
        ReadOptions.of_text({"reading": stored}, "line")


def test_a_single_source_may_stand_for_itself_and_none_is_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    assert units(path) == units(str(path)) == ["one", "two"]
    with pytest.raises(TextError, match="there is no text"):
        read_units([])


def test_an_unknown_unit_or_format_is_refused():
    with pytest.raises(SettingError, match="no unit is called 'page'"):
        units(["any"], "page")
    with pytest.raises(SettingError, match="no format is called 'pdf'"):
        units(["any"], read_as="pdf")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (
            "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n" * 3,
            'looks like subtitles: to read what is said, add read_as="subtitles"',
        ),
        ("<!DOCTYPE html>\n<p>Hello.</p>\n", 'looks like a page of the web: to read its text, add read_as="html"'),
        ("Hello.\n<html> is a tag.\n", None),
    ],
)
def test_subtitles_and_pages_under_another_name_are_told_of(tmp_path, text, remedy):
    path = tmp_path / "a.txt"
    path.write_text(text)
    read, units = read_units(path)
    assert list(units)
    assert read.warnings() == ([f"{path} {remedy}"] if remedy else [])


def test_a_file_that_has_only_the_suffix_of_subtitles_is_read_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("We bake bread.\n")
    (tmp_path / "phone.srt").write_text("You drink tea.\nI like it.\n", "utf-16")
    read, units = read_units(tmp_path)
    assert list(units) == ["We bake bread.", "You drink tea.", "I like it."]
    assert read.warnings() == []
    with pytest.raises(TextError, match="holds no subtitle with its times"):
        list(read_units(tmp_path / "phone.srt", ReadOptions(read_as="subtitles"))[1])
