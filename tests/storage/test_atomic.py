import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnncli.errors import ModelError
from rnncli.storage.atomic import ARPA, CHECKPOINT, LOG, MODEL, check_kind, check_writable, write_lines, write_whole

HEAD = b"PK\x03\x04".ljust(30, b"\0")  # of an archive
KINDS = {
    "a model": (MODEL, HEAD + b"format.npy and more"),
    "a checkpoint": (CHECKPOINT, HEAD + b"checkpoint.npy and more"),
    "a log": (LOG, b'{"epoch": 1, "step": 9}\n'),
    "an ARPA file": (ARPA, b"\\data\\\nngram 1=3\n"),
}
every_kind = pytest.mark.parametrize(("kind", "content"), KINDS.values(), ids=KINDS)


def writes(content: bytes):
    return lambda file: file.write(content)


def test_a_file_holds_what_was_written_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a" / "file"
    path.parent.mkdir()
    write_whole(path, writes(b"new"))
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    write_whole(str(path), writes(b"newer"))
    assert path.read_bytes() == b"newer"
    assert list(path.parent.iterdir()) == [path]


def test_while_a_file_is_written_the_old_one_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen = []

    def write(file) -> None:
        for piece in (b"half", b"whole"):
            file.write(piece)
            file.flush()
            seen.append(path.read_bytes())

    write_whole(path, write)
    assert seen == [b"old", b"old"]
    assert path.read_bytes() == b"halfwhole"


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is open")
def test_a_reader_of_the_old_file_reads_it_to_its_end(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_whole(path, writes(b"newer"))
        assert reader.read() == b"old"


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (OSError(28, "No space left on device"), ModelError, r"cannot write .*file: No space left on device"),
        (OSError(122, "Disk quota exceeded"), ModelError, r"cannot write .*file: Disk quota exceeded"),
        (OSError("strange"), ModelError, r"cannot write .*file: strange"),
        (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
        (ValueError("ours"), ValueError, "ours"),
    ],
    ids=["full", "quota", "strange", "interrupted", "mistaken"],
)
@pytest.mark.parametrize("old", [None, b"old"], ids=["new", "old"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, old, error, raised, message):
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)

    def write(file) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(raised, match=message):
        write_whole(path, write)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == ([("file", old)] if old else [])


@every_kind
def test_a_file_is_replaced_by_one_of_its_kind_only(tmp_path, kind, content):
    for name, (other, other_content) in KINDS.items():
        path = tmp_path / name.replace(" ", "_")
        path.write_bytes(other_content)
        if other == kind:
            check_kind(path, kind)
            check_writable(path, kind)
            write_whole(path, writes(content), kind)
            assert path.read_bytes() == content
            continue
        for attempt in (
            lambda path: check_kind(path, kind),
            lambda path: check_writable(path, kind),
            lambda path: write_whole(path, writes(content), kind),
            lambda path: write_lines(["a line"], path, kind),
        ):
            with pytest.raises(ModelError, match=f"is not {kind.name}, and would be overwritten: name another file"):
                attempt(path)
        assert path.read_bytes() == other_content
    assert len(list(tmp_path.iterdir())) == len(KINDS)


@every_kind
def test_nothing_and_an_empty_file_may_be_replaced_by_any_kind(tmp_path, kind, content):
    (tmp_path / "empty").touch()
    for name in ("none", "empty"):
        path = tmp_path / name
        check_writable(path, kind)
        write_whole(path, writes(content), kind)
        assert path.read_bytes() == content


@given(st.sampled_from([MODEL, CHECKPOINT, LOG, ARPA]), st.binary(max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_other_bytes_are_no_file_of_a_kind(tmp_path, kind, content):
    path = tmp_path / "bytes"
    path.write_bytes(content)
    if not content or content[kind.start :].startswith(kind.magic):
        check_kind(path, kind)
    else:
        with pytest.raises(ModelError, match="would be overwritten"):
            check_kind(path, kind)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (MODEL, b"P"),
        (MODEL, HEAD + b"word/document.xml"),
        (CHECKPOINT, HEAD),
        (LOG, b'{"loss": 1}'),
        (LOG, b'{"epoch"'),
        (ARPA, b"\\data"),
        (ARPA, b"data\\"),
    ],
    ids=str,
)
def test_a_file_that_only_resembles_one_of_a_kind_is_not_replaced(tmp_path, kind, content):
    path = tmp_path / "alike"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"is not {kind.name}"):
        check_kind(path, kind)
    assert path.read_bytes() == content


def test_asking_whether_a_file_can_be_written_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "new", MODEL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_or_a_device_is_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for write in (
        lambda path: check_writable(path, MODEL),
        lambda path: write_whole(path, writes(b"")),
        lambda path: write_lines([], path, ARPA),
    ):
        with pytest.raises(ModelError, match="pipe is not a file that can be replaced: name another one"):
            write(path)
    with pytest.raises(ModelError, match="/dev/null is not a file"):
        check_writable("/dev/null", MODEL)
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="folder is not a file that can be replaced"):
        write_whole(tmp_path / "folder", writes(b"new"))
    assert list(tmp_path.rglob("*")) == [tmp_path / "folder"]


def test_a_link_stays_and_the_file_it_leads_to_is_replaced(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("real/file")
    (tmp_path / "real").mkdir()
    for content in (b"one", b"two"):  # where nothing is yet, and where a file is
        write_whole(link, writes(content))
        assert str(link.readlink()) == "real/file"
        assert (tmp_path / "real" / "file").read_bytes() == content


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    for path in (tmp_path / "a" / "file", tmp_path / "a" / "b" / "file"):
        with pytest.raises(ModelError, match=f"cannot write {path}: there is no folder {path.parent}: make it first"):
            write_whole(path, writes(b"new"))
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_of_models_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("models/file", writes(b"new"))
    assert (tmp_path / "models" / "file").read_bytes() == b"new"


def test_permissions_are_the_usual_ones(tmp_path):
    write_whole(tmp_path / "file", writes(b"new"))
    (tmp_path / "other").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("name", ["file/model.npz", "n" * 300])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "file").touch()
    for attempt in (lambda path: check_writable(path, MODEL), lambda path: write_whole(path, writes(b""))):
        with pytest.raises(ModelError, match=f"cannot write .*{name}"):
            attempt(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_lines_are_written_in_utf_8_whatever_they_hold(tmp_path):
    lines = ["\\data\\", "é 你好", "\ud800"]  # half of a pair, as text may hold it that was not UTF-8
    write_lines(iter(lines), tmp_path / "lines", ARPA)
    written = (tmp_path / "lines").read_bytes()
    assert written.decode("utf-8", "surrogatepass") == "\\data\\\né 你好\n\ud800\n"
    write_lines(lines[:1], tmp_path / "lines", ARPA)  # as it begins like one, it is one
    assert (tmp_path / "lines").read_bytes() == b"\\data\\\n"
