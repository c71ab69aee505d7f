"""Every command that gives a result gives it in every format."""

import json
import re
import sys
from dataclasses import replace

import pytest

from rnncli import save
from rnncli.cli.formats import FORMATS, Verbatim, print_answers, print_result
from rnncli.cli.tables import Table, bar

QUESTIONS = {
    "predict": "Tom is\nMary is\n",
    "predict --parts": "Tom is\nMary is\n",
    "predict --explain": "Tom is\nMary is\n",
    "score": "Tom is\nMary is\n",
    "score --words": "Tom is\nMary is\n",
    "evaluate -": "Tom is good at chess.\n" * 20,
    "evaluate --context -": "Tom is good at chess.\n" * 20,
    "info": "",
}


class Colours:
    """An answer with a warning."""

    def warnings(self):
        return ["two colours"]

    def records(self):
        return [{"red": 1.0}, {"blue\x1b": None}]

    def rows(self):
        return [("red\x1b", 1 / 3), (Verbatim("blue\x1b"), None)]

    def tables(self):
        return ["Colours", Table([("red", 1.0), ("blue\x1b", 0.5)], ["~", "|"], ["colour", ""])]


PRINTED = {
    "tsv": "red\\x1b\t0.333333\nblue\x1b\t-\n",
    "jsonl": '{"red": 1.0}\n{"blue\\u001b": null}\n',
    "table": f"Colours\ncolour                        \nred       {bar(1.0)}\nblue\\x1b  {bar(0.5):20}\n",
}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("command", QUESTIONS)
def test_a_command_gives_its_result_in_every_format(invoke, model_file, command, output_format):
    result = invoke(*command.split(), "-m", model_file, "--format", output_format, input=QUESTIONS[command])
    assert (result.exit_code, result.stderr) == (0, "")
    assert any(word in result.stdout for word in ("Tom", "good", "perplexity"))
    lines = [line for line in result.stdout.splitlines() if line]
    if output_format == "jsonl":
        assert all(isinstance(json.loads(line), dict) for line in lines)
    else:
        assert ("\t" in result.stdout) == (output_format == "tsv")
        assert not any(line.startswith("{") for line in lines)


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_result_is_printed_in_the_format_asked_for(capsys, output_format):
    print_result(Colours(), output_format)
    assert capsys.readouterr() == (PRINTED[output_format], "")


@pytest.mark.parametrize("output_format", FORMATS)
def test_answers_stand_apart_each_after_its_warnings(capsys, output_format):
    print_answers([Colours(), Colours()], output_format)
    apart = "" if output_format == "jsonl" else "\n"
    printed = PRINTED[output_format]
    assert capsys.readouterr() == (f"{printed}{apart}{printed}", "Warning: two colours\n" * 2)
    print_answers([Colours(), Colours()], output_format, separated=False)
    assert capsys.readouterr().out == printed * 2


def test_a_format_makes_nothing_that_it_does_not_print(capsys):
    class Row(Colours):
        def tables(self):
            raise AssertionError

        records = tables

    print_result(Row(), "tsv")
    assert capsys.readouterr().out == PRINTED["tsv"]


def test_every_format_can_be_asked_for_by_its_name(invoke):
    listed = re.search(r"--format \[(.*?)\]", invoke("predict", "--help").stdout)
    assert listed[1].split("|") == list(FORMATS)


def test_json_escapes_what_the_output_cannot_encode(shell, model_file):
    run = shell(f"PYTHONIOENCODING=ascii PYTHONUTF8=0 rnncli score --format jsonl -m {model_file} <<< 'é \x1b'")
    assert r"\u00e9 \u001b" in run.stdout
    assert json.loads(run.stdout)["line"] == "é \x1b"


def test_a_bar_is_drawn_to_an_eighth_of_a_column():
    assert [bar(fraction, 2) for fraction in (-1.0, 0.0, 1 / 16, 0.5, 0.75, 1.0, 2.0)] == [
        "", "", "▏", "█", "█▌", "██", "██",
    ]  # fmt: skip


def test_a_table_on_a_terminal_wraps_its_words_and_then_gives_up_its_bars(terminal):
    code = (
        "from rnncli.cli.tables import Table, draw; "
        "draw([Table([('extraordinarily', 'x', 1.0)], ['~', '>', '|'], ['word', 'n', ''], 'Words')])"
    )
    shown = [
        re.sub("\x1b\\[[0-9;]*m", "", terminal(f'{sys.executable} -c "{code}"', width)[0]) for width in (40, 36, 16)
    ]
    assert shown == [
        f"Words\nword             n                      \nextraordinarily  x  {bar(1.0)}\n",
        f"Words\nword         n                      \nextraordina  x  {bar(1.0)}\nrily{' ' * 32}\n",
        "Words\nword           n\nextraordinari  x\nly              \n",
    ]


def test_the_end_of_a_unit_is_written_in_words_in_a_table_only(invoke, model_file):
    for command in ("predict", "predict --explain", "score --words"):
        asked = (*command.split(), "-m", model_file, "--format")
        text = "Tom is good at chess, so he will not lose more.\n"
        shown = invoke(*asked, "table", input=text).stdout
        assert ("end of the line" in shown, "<eos>" in shown) == (True, False)
        for output_format in ("tsv", "jsonl"):
            assert "<eos>" in invoke(*asked, output_format, input=text).stdout


def test_the_end_of_a_paragraph_is_called_so(invoke, model, tmp_path):
    path = tmp_path / "prose.npz"
    save(replace(model, unit="paragraph"), path)
    assert "end of the paragraph" in invoke("score", "--words", "--format", "table", "-m", path, input="Tom\n").stdout
