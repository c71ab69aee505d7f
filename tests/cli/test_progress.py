import pytest

from rnncli.cli import progress
from rnncli.training.state import Progress, Report


@pytest.fixture
def watched(monkeypatch):
    """Somebody looks at standard error."""
    monkeypatch.setattr(progress, "on_terminal", lambda stream: True)
    monkeypatch.setenv("FORCE_COLOR", "1")  # so that Rich draws
    monkeypatch.setenv("TERM", "xterm")


def test_a_long_reading_is_shown_and_leaves_nothing_behind(watched, monkeypatch, capsys):
    monkeypatch.setattr(progress, "UNNOTICED", 0)
    with progress.reading() as tell:
        tell(0.25)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading" in err
    assert "25%" in err
    assert err.endswith("\x1b[2K")  # the line is cleared


def test_a_short_reading_is_not_shown(watched, capsys):
    with progress.reading() as tell:
        tell(1.0)
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_where_nobody_looks(monkeypatch, capsys):
    monkeypatch.setattr(progress, "UNNOTICED", 0)
    with progress.reading() as tell:
        tell(0.25)
    assert capsys.readouterr() == ("", "")


def test_that_the_end_comes_sooner_is_told_once(capsys):
    report = Report(4.0, 40, 400, 9.0, 50.0, 0.004, 80.0, 90.0)
    with progress.display(None, quiet=False) as show:
        for landing, told in ((False, report), (True, None), (True, report)):
            show(Progress(5, 0.5, 50.0, 80.0, landing, told))
    line = "epoch 4: train 80.0, valid 90.0, 50 words/s, 0:09"
    assert capsys.readouterr().err.splitlines() == [line, progress.LANDING, line]
