"""What a shell needs: completion, variables for defaults, numbers as people write them, hints after a slip."""

import click
import pytest

from rnncli.cli import COMMANDS, main
from rnncli.cli.options import Count


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(invoke, shell):
    result = invoke("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_RNNCLI_COMPLETE={shell}_complete" in result.stdout
    assert "rnncli" in result.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("pre", ["plain,predict"]),
        ("predict --exp", ["plain,--explain"]),
        ("predict -m models/o", ["plain,models/one.npz", "plain,models/other.npz"]),
        ("predict -m b", ["plain,bundled"]),
        ("predict -m ''", ["plain,models/one.npz", "plain,models/other.npz", "plain,bundled"]),
        ("predict -m some", ["file,some"]),
        ("train notes", ["file,notes"]),
        ("train notes.txt --init models/", ["plain,models/one.npz", "plain,models/other.npz"]),
        ("completion z", ["plain,zsh"]),
    ],
)
def test_the_shell_is_told_what_may_follow(shell, tmp_path, words, found):
    (tmp_path / "models").mkdir()
    for name in ("one.npz", "other.npz", "notes.txt"):
        (tmp_path / "models" / name).touch()
    count = len(words.split())
    asked = shell(f"COMP_WORDS='rnncli {words}' COMP_CWORD={count} _RNNCLI_COMPLETE=bash_complete rnncli", cwd=tmp_path)
    assert asked.stdout.splitlines() == found


def test_bash_takes_the_script(shell):
    run = shell('eval "$(rnncli completion bash)" && complete -p rnncli')
    assert run.stdout == "complete -o nosort -F _rnncli_completion rnncli\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_option_has_a_variable_that_its_help_names(invoke, name):
    shown = " ".join(invoke(name, "--help").stdout.split())
    options = [option for option in main.get_command(None, name).params if isinstance(option, click.Option)]
    for option in options:
        assert option.envvar == "RNNCLI_MODEL" or option.envvar.startswith(f"RNNCLI_{name.upper()}_")
        assert f"env var: {option.envvar}" in shown


def test_a_variable_sets_a_default_that_the_command_line_overrides(invoke, model_file, monkeypatch):
    monkeypatch.setenv("RNNCLI_PREDICT_N", "2")
    assert len(invoke("predict", "Tom", "-m", model_file).stdout.splitlines()) == 2
    assert len(invoke("predict", "Tom", "-n", 3, "-m", model_file).stdout.splitlines()) == 3
    monkeypatch.setenv("RNNCLI_PREDICT_N", "two")
    wrong = invoke("predict", "Tom", "-m", model_file)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "RNNCLI_PREDICT_N" in wrong.stderr


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("20k", 20_000), ("1.5M", 1_500_000), ("20,000", 20_000), ("1_000", 1000), ("1.0", 1)],
)
def test_a_number_may_be_written_as_people_do(text, number):
    assert Count(0).convert(text, None, None) == number


@pytest.mark.parametrize("text", ["", "k", "1.5", "1,5", "0.0001k", "20g", "-1", "many", "9" * 400 + "k"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(click.BadParameter):
        Count(0).convert(text, None, None)


@pytest.mark.parametrize(("slip", "meant"), [("pridict", "predict"), ("trian", "train"), ("generat", "generate")])
def test_a_slip_in_a_command_is_answered_with_what_was_meant(invoke, slip, meant):
    result = invoke(slip, "Tom")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f"Error: No such command '{slip}'. Did you mean '{meant}'?\n")


def test_a_command_that_is_like_none_is_answered_with_all(invoke):
    assert "The commands are train, learn, forget, predict, generate" in invoke("xyzzy").stderr


def test_a_slip_in_an_option_is_answered_with_what_was_meant(invoke):
    assert "--hidden-size" in invoke("train", "text.txt", "--hiden-size", 3).stderr


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_shows_examples(invoke, name):
    assert f"\n  rnncli {name}" in invoke(name, "--help").stdout or f"$(rnncli {name}" in invoke(name, "--help").stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_help_of_all_tells_of_each_command_what_its_own_help_does(invoke, name):
    short = " ".join(COMMANDS[name][1].rstrip(".").split()[:4])
    assert f"  {name}" in invoke("--help").stdout
    assert short in " ".join(invoke(name, "--help").stdout.split())


def test_a_text_to_stop_at_may_have_spaces_in_a_variable_and_several_stand_in_lines(invoke, model_file, monkeypatch):
    ask = ("generate", "Tom is not good at science, so he", "--temperature=0", "-m", model_file)
    monkeypatch.setenv("RNNCLI_GENERATE_STOP", " study more")
    assert invoke(*ask).stdout == "Tom is not good at science, so he will\n"
    monkeypatch.setenv("RNNCLI_GENERATE_STOP", "never there\n more")
    assert invoke(*ask).stdout == "Tom is not good at science, so he will study\n"


def test_a_shell_without_completion_begins_it(invoke):
    script = invoke("completion", "zsh").stdout.splitlines()
    assert script[:2] == ["#compdef rnncli", "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }"]


def test_fish_is_given_descriptions_whole_with_their_commas(invoke):
    assert 'string split --max 1 "," $completion' in invoke("completion", "fish").stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["info", "one.npz"], "A model's name needs -m before it."),
        (["generate", "Tom", "is"], "A prompt of several words needs quotes around it."),
        (["type", "Dear", "Tom"], "A text of several words needs quotes around it."),
        (["completion", "bash", "zsh"], "Got unexpected extra argument (zsh)."),
        (["score", "Tom", "is"], 'a sentence comes by a pipe: echo "The keys are here." | rnncli score.'),
    ],
)
def test_an_argument_too_much_is_answered_with_how_to_write_it(invoke, words, hint):
    assert invoke(*words).stderr.endswith(f"{hint}\n")
