"""What is shown on standard error while work goes on."""

import sys

import pytest

from rnncli.cli.progress import display, reading
from rnncli.training.report import Progress, Report


@pytest.fixture
def watched(terminal):
    """What a terminal shows of work that is a quarter done after so many seconds without a bar."""

    def run(seconds: float) -> str:
        code = f"from rnncli.cli.progress import reading\nwith reading({seconds}) as show:\n    show(0.25)"
        shown, status = terminal(f"{sys.executable} -c '{code}'")
        assert status == 0
        return shown

    return run


def test_a_long_reading_is_shown_and_leaves_nothing_behind(watched):
    shown = watched(0.0)
    assert "Reading" in shown
    assert "25%" in shown
    assert shown.endswith("\x1b[2K")  # the line is cleared


def test_a_short_reading_is_not_shown(watched):
    assert watched(60.0) == ""


def test_nothing_is_shown_where_nobody_looks(capsys):
    with reading(0.0) as show:
        show(0.25)
    assert capsys.readouterr() == ("", "")


def test_that_the_end_comes_sooner_is_told_once(capsys):
    report = Report(4.0, 40, 400, 9.0, 50.0, 0.004, 80.0, 90.0)
    with display(None, quiet=False) as show:
        for cooling_down, told in ((False, report), (True, None), (True, report)):
            show(Progress(5, 0.5, 50.0, 80.0, cooling_down, told))
    line = "epoch 4: train 80.0, valid 90.0, 50 words/s, 0:09"
    sooner = "No better for long: from the best network on to the end."
    assert capsys.readouterr().err.splitlines() == [line, sooner, line]


def test_the_beginning_of_each_of_several_networks_is_told(capsys):
    report = Report(4.0, 40, 400, 9.0, 50.0, 0.004, 80.0, 90.0)
    with display(None, False, networks=2) as show:
        for network, told in ((1, None), (1, report), (2, None), (2, report)):
            show(Progress(5, 0.5, 50.0, 80.0, True, told, network))
    line = "epoch 4: train 80.0, valid 90.0, 50 words/s, 0:09"
    sooner = "No better for long: from the best network on to the end."
    told = ["Network 1 of 2:", sooner, line, "Network 2 of 2:", sooner, line]
    assert capsys.readouterr().err.splitlines() == told


def test_a_quiet_training_shows_nothing(capsys):
    with display(3, quiet=True) as show:
        show(Progress(5, 0.5, 50.0, 80.0, True, None))
    assert capsys.readouterr() == ("", "")


def test_the_result_goes_to_a_file_also_after_a_bar_was_shown(terminal, model_file, corpus_file, tmp_path):
    slow = "import rnncli.cli.progress as p, rnncli.__main__ as m; p.reading.__wrapped__.__defaults__ = (0.0,); m.run()"
    (tmp_path / "slow.py").write_text(slow)
    shown, status = terminal(f"{sys.executable} slow.py evaluate -m {model_file} {corpus_file} > out.tsv")
    assert status == 0
    assert "Reading" in shown
    assert (tmp_path / "out.tsv").read_text().startswith("perplexity\t")
