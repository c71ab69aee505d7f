import pytest

from rnncli.cli import progress


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
