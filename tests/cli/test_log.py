"""The log of a training stands where it was asked for, whatever becomes of its file."""

import errno
import json
import os
from pathlib import Path

import pytest

from rnncli.cli.log import logging_to
from rnncli.errors import ModelError, RnncliError
from rnncli.training.report import Report


def report(epoch: float, step: int = 10) -> Report:
    return Report(epoch, step, 100, 1.0, 100.0, 0.1, 20.0, 30.0)


def epochs(path) -> list[float]:
    return [json.loads(line)["epoch"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), lambda path: path.rename(path.with_name("rotated"))])
def test_a_log_that_was_removed_or_moved_is_opened_anew(tmp_path, posix, lose):
    path = tmp_path / "log.jsonl"
    with logging_to(path) as write:
        write(report(1))
        lose(path)
        write(report(2))
        write(report(3))
    assert epochs(path) == [2, 3]


def test_a_log_whose_folder_was_removed_is_a_warning_until_the_folder_is_there_again(tmp_path, posix, capsys):
    path = tmp_path / "logs" / "log.jsonl"
    path.parent.mkdir()
    with logging_to(path) as write:
        write(report(1))
        for file in path.parent.iterdir():
            file.unlink()
        path.parent.rmdir()
        write(report(2))
        assert capsys.readouterr().err == f"Warning: cannot write the log {path}: No such file or directory\n"
        path.parent.mkdir()
        write(report(3))
    assert epochs(path) == [3]


def write_log(path, *reports) -> bytes:
    with logging_to(path) as write:
        for one in reports:
            write(one)
    return path.read_bytes()


@pytest.fixture
def failing_write(monkeypatch):
    """Have `os.write` write half of what it is to, then fail, while `failing` is true."""

    class Failing:
        failing = True

    plain = os.write

    def write(descriptor: int, data: bytes) -> int:
        if not Failing.failing or descriptor <= 2:
            return plain(descriptor, data)
        if len(data) > 50:
            return plain(descriptor, data[: len(data) // 2 + 1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    return Failing


def test_a_first_report_that_cannot_be_written_loses_no_report_of_before(tmp_path, request):
    path = tmp_path / "log.jsonl"
    write_log(path, report(1, 10), report(2, 20), report(3, 30))
    failing = request.getfixturevalue("failing_write")
    with logging_to(path, 20) as write:
        write(report(3, 30))
        assert epochs(path) == [1, 2]
        write(report(4, 40))
        failing.failing = False
        write(report(5, 50))
    assert epochs(path) == [1, 2, 5]


def test_a_disk_that_is_full_is_told_once_until_it_has_room(tmp_path, failing_write, capsys):
    path = tmp_path / "log.jsonl"
    told = f"Warning: cannot write the log {path}: No space left on device\n"
    with logging_to(path) as write:
        write(report(1))
        write(report(2))
        assert capsys.readouterr().err == told
        failing_write.failing = False
        write(report(3))
        failing_write.failing = True
        write(report(4))
        assert capsys.readouterr().err == told
    assert epochs(path) == [3]


@pytest.mark.parametrize(
    "strange",
    [
        b"caf\xe9\n",
        b'{"epoch": 2, "step": 1' + b"0" * 400 + b"}\n",
        b"[" * 100_000 + b"\n",
        b'{"epoch": 2, "st',
        b"[]\n",
    ],
    ids=["latin-1", "huge step", "deep", "cut off", "list"],
)
def test_what_is_no_report_at_the_end_of_an_older_log_is_left_out(tmp_path, strange):
    path = tmp_path / "log.jsonl"
    older = write_log(path, report(1, 10))
    path.write_bytes(older + strange)
    with logging_to(path, 20) as write:
        write(report(2, 20))
    assert epochs(path) == [1, 2]


def test_a_log_that_got_no_report_stays_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    older = write_log(tmp_path / "log.jsonl", report(1))
    for path in (tmp_path / "log.jsonl", tmp_path / "new.jsonl", Path("models/log.jsonl")):
        with logging_to(path):
            pass
    assert os.listdir() == ["log.jsonl"]
    assert (tmp_path / "log.jsonl").read_bytes() == older


@pytest.mark.parametrize("other", ["log.jsonl", "link.jsonl", "same.jsonl"])
def test_a_log_has_one_writer_by_whatever_name_also_in_a_folder_that_takes_no_file(tmp_path, posix, monkeypatch, other):
    path = tmp_path / "log.jsonl"
    older = write_log(path, report(1))
    (tmp_path / "link.jsonl").symlink_to(path)
    (tmp_path / "same.jsonl").hardlink_to(path)
    before = sorted(os.listdir(tmp_path))
    told = rf"another rnncli writes \S*{other}: wait for it, or name another file with log=FILE"
    with logging_to(path):
        assert sorted(os.listdir(tmp_path)) == before
        with pytest.raises(ModelError, match=told), logging_to(tmp_path / other):
            pass
    assert path.read_bytes() == older


def test_a_log_in_whose_place_another_training_writes_is_a_warning(tmp_path, posix, capsys):
    path = tmp_path / "log.jsonl"
    with logging_to(path) as write:
        write(report(1))
        path.unlink()
        with logging_to(path) as write_another:
            write_another(report(7))
            write(report(2))
            assert "another rnncli writes" in capsys.readouterr().err
        write(report(3))
    assert epochs(path) == [7, 3]


def test_a_pipe_that_nobody_reads_any_more_is_told_once_and_not_opened_again(tmp_path, posix, capsys):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with logging_to(path) as write:
        write(report(1))
        assert json.loads(os.read(reader, 1000))["epoch"] == 1
        os.close(reader)
        for epoch in (2, 3):
            write(report(epoch))
    assert capsys.readouterr().err == f"Warning: cannot write the log {path}: Broken pipe\n"


def test_a_pipe_that_is_full_holds_up_no_training(tmp_path, posix, capsys):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with logging_to(path) as write:
        for epoch in range(10_000):
            write(report(epoch))
    os.close(reader)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_log_that_cannot_be_opened_is_told_at_once(tmp_path):
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(RnncliError, match=r"cannot write the log \S*folder: Is a directory"),
        logging_to(tmp_path / "folder"),
    ):
        pass
