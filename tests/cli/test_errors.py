"""Messages of the library in terms of the command line."""

import pytest

from rnncli.cli import main
from rnncli.cli.errors import in_options
from rnncli.errors import ModelError, SettingError, TextError


def told(error, *names: str) -> str:
    return in_options(error, [main.get_command(None, name) for name in names])


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('name its encoding, such as encoding="latin-1"', "name its encoding, such as --encoding latin-1"),
        ("train one with ngram_order=5", "train one with --ngram-order 5"),
        ("try a smaller lr=0.001, or cache_size=0.", "try a smaller --lr 0.001, or --cache 0."),
        ('(see valid="my notes.txt")', '(see --valid "my notes.txt")'),
        ("leave out tied=False, prune=True or lowercase=True", "leave out --untied, --prune or --lowercase"),
        ("lowercase=False", "lowercase=False"),  # there is no such option
        (
            "name another file with --log, or encoding=utf-8: now",
            "name another file with --log, or --encoding utf-8: now",
        ),
        ("nonsense=5", "nonsense=5"),
        ("'seed=5 isn\\'t ' is a prompt, and seed=5 is not", "'seed=5 isn\\'t ' is a prompt, and --seed 5 is not"),
        ("cannot read /tmp/seed=5.txt, seed=5.txt or x-seed=5", "cannot read /tmp/seed=5.txt, seed=5.txt or x-seed=5"),
        ("the model's own seed=5 isn't known", "the model's own --seed 5 isn't known"),
        ("lr is a folder", "lr is a folder"),
        ("n is a file", "n is a file"),
        ("no word is left: use a smaller min_count=2", "no word is left: use a smaller --min-count 2"),
    ],
)
def test_arguments_become_options(message, shown):
    assert told(TextError(message), "train") == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("hidden_size is 0, and must be from 1 to 9", "--hidden-size is 0, and must be from 1 to 9"),
        ("lr must be above 0", "--lr must be above 0"),
        ("cache_size is -1", "--cache is -1"),
        ("the lr is 0", "the lr is 0"),
        ("corpora is empty", "corpora is empty"),  # an argument has no name on the command line
        ("no cell is called 'lr is'", "no cell is called 'lr is'"),
    ],
)
def test_a_wrong_value_is_named_by_its_option(message, shown):
    assert told(SettingError(message), "train") == shown


def test_the_option_is_that_of_the_command_that_runs():
    assert told(ModelError("use n=3, words=5 and seed=1"), "predict", "train") == "use -n 3, words=5 and --seed 1"
    assert told(ModelError("use words=5 and samples=2"), "generate", "train") == "use -n 5 and --samples 2"


def test_the_user_reads_options(invoke, corpus_file, model_file, tmp_path):
    wrong = invoke("train", corpus_file, "--lr", "nan", "-o", tmp_path / "a.npz")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("Usage: rnncli train [OPTIONS] [CORPUS]...\n")
    assert wrong.stderr.endswith("Error: --lr is nan, and must be a finite number above 0\n")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    for command in (["train"], ["evaluate", "-m", model_file], ["predict", "Tom", "-m", model_file, "--adapt"]):
        refused = invoke(*command, tmp_path / "latin.txt")
        assert refused.stderr.endswith("name its encoding, such as --encoding latin-1\n")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["-o", "{folder}"], "'-o'"),
        (["-o{folder}"], "'-o'"),
        (["--output", "{folder}"], "'--output'"),
        (["--output={folder}"], "'--output'"),
        (["--lr=x"], "'--lr'"),
    ],
)
def test_a_wrong_value_is_named_by_the_option_as_it_was_typed(invoke, tmp_path, words, name):
    refused = invoke("train", "corpus.txt", *(word.format(folder=tmp_path) for word in words))
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith(f"Error: Invalid value for {name}: ")


def test_a_wrong_value_of_a_variable_is_named_by_the_variable(invoke, monkeypatch):
    monkeypatch.setenv("RNNCLI_TRAIN_LR", "fast")
    refused = invoke("train", "corpus.txt")
    told = "Error: Invalid value for the variable RNNCLI_TRAIN_LR: 'fast' is no number above 0."
    assert refused.stderr.splitlines()[-1] == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predict", "{}"], "Warning: not in the model's vocabulary: xxx"),
        (["predict", "--complete", "{}"], "Warning: no word fits 'xxx"),
        (["predict", "___ {} ___"], "Error: '___ xxx"),
        (["predict", "--explain", "--word", "{}", "Tom"], "Error: the model does not know the word 'xxx"),
        (["predict", "--among", "{}", "Tom"], "Error: the model knows none of the words xxx"),
        (["predict", "-n", "{}"], "Error: Invalid value for '-n': 'xxx"),
        (["generate", "-n", "1", "{}"], "Warning: not in the model's vocabulary: xxx"),
        (["generate", "--stop", "x", "a", "{}"], "Error: Got unexpected extra argument (xxx"),
    ],
)
def test_a_message_shows_the_beginning_of_a_long_text_only(invoke, model_file, words, told):
    for text in ("x" * 100_000, "xxx " * 25_000):
        shown = invoke(*(word.format(text.strip()) for word in words), "-m", model_file).stderr.splitlines()[-1]
        assert shown.startswith(told)
        names_words = shown.startswith("Warning: not in the model's vocabulary")  # each of them once
        assert ("..." in shown) == (not names_words or " " not in text)
        assert len(shown) < 1000


def test_of_many_unknown_words_the_first_are_named(invoke, model_file):
    result = invoke("score", "-m", model_file, input=" ".join(f"x{n}" for n in range(2020)) + "\n")
    assert result.stderr.endswith("x18, x19 and 2,000 others\n")
