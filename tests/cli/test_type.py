import re

import pytest

import rnncli

pytest.importorskip("prompt_toolkit")

BEGINNING = "Tom is not good at science, so he will "


@pytest.fixture
def typed(terminal, model_file):
    """What is printed after these keys: the last line shown, and the exit status."""

    def run(keys: str, command: str = "", columns: int = 80) -> tuple[str, int]:
        command = command or f"rnncli type -m {model_file}"
        editing = b"keys for"  # is shown once the line can be edited
        return terminal(f"export PROMPT_TOOLKIT_NO_CPR=1; {command}", columns, keys.encode(), after=editing)

    return run


def last_line(shown: str) -> str:
    return shown.rstrip("\n").split("\n")[-1].rpartition("\x1b[?2004l")[2]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("Tom is here\r", "Tom is here"),
        (BEGINNING + "\t\r", BEGINNING + "study"),
        (BEGINNING + "\t\t\t\r", BEGINNING + "study more."),
        (BEGINNING + "pl\t\r", BEGINNING + "play"),
        (BEGINNING + "pl\t.\r", BEGINNING + "play."),
        (BEGINNING + "pl\t's\r", BEGINNING + "play's"),
        (BEGINNING + "pl\t’s\r", BEGINNING + "play’s"),
        (BEGINNING + "pl\t\x1b[200~.\x1b[201~\r", BEGINNING + "play."),
        (BEGINNING + "pl\t\x1b[200~ more.\x1b[201~\r", BEGINNING + "play more."),
        (BEGINNING + "pl\t\x1b[200~more.\x1b[201~\r", BEGINNING + "play more."),
        (BEGINNING + "pl\t more\r", BEGINNING + "play more"),
        (BEGINNING + "pl\tmore\r", BEGINNING + "play more"),
        (BEGINNING + "pl\t (\r", BEGINNING + "play ("),
        (BEGINNING + "pl\t(\r", BEGINNING + "play ("),
        (BEGINNING + "pl\t  .\r", BEGINNING + "play  ."),  # a second space is the writer's own
        (BEGINNING + "1\r", BEGINNING + "study"),
        (BEGINNING + "pl1\r", BEGINNING + "play"),
        ("in \x111999\r", "in 1999"),  # a digit itself, after Ctrl-Q; nothing is on offer for a number
        (BEGINNING + "s\x7fpl\t\r", BEGINNING + "play"),
        ("zzz\t\r", "zzz"),
        ("Tom is\x02\x02\x04\r", "Tom s"),  # Ctrl-D deletes under the cursor, and at the end of a line nothing
        ("Tom\x04 is\r", "Tom is"),
        (BEGINNING + "pless not\x02\x02\x02\x02\x02\x02\x02\t\r", BEGINNING + "play not"),  # the word's end goes too
        (BEGINNING + "not\x02\x02\x02\t\r", BEGINNING + "study not"),
    ],
)
def test_tab_and_digits_accept_what_is_on_offer_and_enter_prints_the_line(typed, keys, line):
    shown, status = typed(keys)
    assert status == 0
    assert last_line(shown) == line


@pytest.mark.parametrize("columns", [30, 80])
def test_the_words_on_offer_are_shown(typed, model_file, columns):
    shown, _ = typed("\r", f"rnncli type '{BEGINNING}' -m {model_file}", columns)
    assert last_line(shown) == BEGINNING.rstrip()
    assert "study" in shown
    assert shown.count("%") == 5


def test_the_keys_saved_are_shown(model):
    from rnncli.cli.editor import Line
    from rnncli.tasks.suggest import Suggester

    line = Line(Suggester(model, 3), BEGINNING)
    assert line.keys_saved() == "0 keys for 0 letters"
    for letter in "st":
        line.buffer.insert_text(letter)
    line.accept(0)
    assert line.buffer.text == BEGINNING + "study "
    assert line.keys_saved() == "3 keys for 6 letters: 50% saved"


def test_the_line_is_all_that_standard_output_gets(typed, model_file):
    shown, status = typed(BEGINNING + "\t\r", f'line=$(rnncli type -m {model_file}); echo "[$line]"')
    assert status == 0
    assert shown.endswith(f"[{BEGINNING}study]\n")


def test_a_line_may_begin_with_a_text(typed, model_file):
    shown, _ = typed("\t\r", f"rnncli type '{BEGINNING}' -m {model_file}")
    assert last_line(shown) == BEGINNING + "study"


@pytest.mark.parametrize("dash", ["", "-"])
def test_a_line_may_begin_with_the_line_of_a_pipe(typed, model_file, dash):
    shown, _ = typed("\t\r", f"echo '{BEGINNING}' | rnncli type {dash} -m {model_file}")
    assert last_line(shown) == BEGINNING + "study"


def test_several_lines_of_a_pipe_are_refused(terminal, model_file):
    shown, status = terminal(f"printf 'Tom\nMary\n' | rnncli type -m {model_file}", columns=120)
    told = "standard input has several lines: `rnncli type` edits one, such as that of tail -n 1"
    assert (shown, status) == (f"Error: {told}\n", 1)


def test_a_line_of_a_pipe_in_another_encoding_is_refused(terminal, model_file):
    shown, status = terminal(f"printf 'Mary \\377\n' | rnncli type -m {model_file}", columns=120)
    told = "this is in another encoding: name it with --encoding, such as --encoding latin-1"
    assert (shown, status) == (f"Error: standard input, line 1: {told}\n", 1)


@pytest.mark.parametrize("keys", ["Tom\x03", "T\x7f\x04"])
def test_ctrl_c_leaves_without_a_line_and_so_does_ctrl_d_on_an_empty_one(typed, model_file, keys):
    shown, _ = typed(keys, f'line=$(rnncli type -m {model_file}); echo "$? [$line]"')
    assert shown.endswith("Interrupted.\n130 []\n")


def test_without_a_terminal_the_way_for_pipes_is_named(shell, model_file):
    run = shell(f"echo Tom | rnncli type -m {model_file}")
    assert (run.returncode, run.stdout) == (1, "")
    assert "needs a terminal: to complete words in a pipe, use rnncli predict --complete" in run.stderr


def test_as_many_words_are_on_offer_as_were_asked_for(typed, model_file):
    shown, _ = typed("\r", f"rnncli type 'Tom is ' -n 2 -m {model_file}")
    assert shown.count("%") == 2


def test_with_standard_output_closed_nothing_is_printed(typed, model_file):
    shown, status = typed("Tom\r", f"rnncli type -m {model_file} >&-")
    assert (status, "Traceback" in shown) == (0, False)


def test_closed_standard_error_is_no_terminal(terminal, model_file):
    shown, status = terminal(f"rnncli type -m {model_file} 2>&-")
    assert (status, "Traceback" in shown, "keys for" in shown) == (1, False, False)


def test_without_prompt_toolkit_one_line_says_how_to_get_it(shell, model_file, tmp_path):
    (tmp_path / "prompt_toolkit.py").write_text("raise ImportError")
    result = shell(f"PYTHONPATH={tmp_path}:$PYTHONPATH rnncli type -m {model_file}")
    assert (result.returncode, result.stdout) == (1, "")
    remedy = re.fullmatch(r"Error: `rnncli type` needs prompt_toolkit: (.*) install prompt_toolkit\n", result.stderr)[1]
    assert shell(f"{remedy} --version").stdout.startswith("pip ")


def test_the_line_is_learned_and_added_to_a_file(typed, model_file, tmp_path):
    shown, status = typed("Zelda plays\r", f"cd {tmp_path}; rnncli type --learn --learn-to lines.txt -m {model_file}")
    assert (last_line(shown), status) == ("Zelda plays", 0)
    assert (tmp_path / "lines.txt").read_text(encoding="utf-8") == "Zelda plays\n"
    assert rnncli.load(tmp_path / "models" / "personal.npz").knows("Zelda")


def test_the_line_is_kept_where_it_cannot_be_printed(typed, model_file, tmp_path):
    _, status = typed("Zelda plays\r", f"cd {tmp_path}; rnncli type --learn-to lines.txt -m {model_file} > /dev/full")
    assert status == 1
    assert (tmp_path / "lines.txt").read_text(encoding="utf-8") == "Zelda plays\n"
