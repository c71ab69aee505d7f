"""The log of a training stands where it was asked for, whatever becomes of its file."""

import json

import pytest

from rnncli.cli.log import logging_to
from rnncli.training.report import Report


def report(epoch: float) -> Report:
    return Report(epoch, 10, 100, 1.0, 100.0, 0.1, 20.0, 30.0)


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
