"""Options that do not go together."""

import json

import pytest

from rnncli.cli import main
from rnncli.cli.clashes import without_clashes
from rnncli.declaration import defaults
from rnncli.options import OPTION_CLASSES


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("train - --softmax full --samples 500", "--samples is for --softmax sampled"),
        ("train - --valid a.txt --valid-fraction 0.1", "--valid-fraction is for a training without --valid"),
        (
            "train - --ngram-order 2 --prune",
            "--prune is for n-grams of 3 words or more: leave out --prune, or set --ngram-order 3 or more.",
        ),
        (
            "train - --ngram-order 0 --no-prune",
            "--no-prune is for n-grams of 3 words or more: leave out --no-prune, or",
        ),
        ("generate --temperature 0 --top-k 5", "--temperature 0 always takes the likeliest word: leave out --top-k."),
        (
            "generate --temperature 0 --top-k 5 --min-p 0.1",
            "--temperature 0 always takes the likeliest word: leave out --top-k and --min-p.",
        ),
        ("generate --temperature 0 --top-p 0.5", "--temperature 0 always takes"),
        ("generate --temperature 0 --min-p 0.5", "--temperature 0 always takes"),
        ("generate --temperature 0 --samples 2", "--temperature 0 always takes"),
        ("predict Tom --explain --parts", "--explain is for one next word: leave out --parts."),
        ("train - --column=", "--column is empty: name a column"),
        ("train - --field 0 --chat", "Invalid value for '--field': '0' is no whole number from 1 on."),
        ("type -n a", "Invalid value for '-n': 'a' is no whole number from 1 to 9."),
        ("train - --max-vocab 1.5", "Invalid value for '--max-vocab': '1.5' is no whole number from 0 on."),
        ("generate --top-p 0", "Invalid value for '--top-p': '0' is no number above 0 to 1."),
        ("train - --valid-fraction=-1", "Invalid value for '--valid-fraction': '-1' is no number above 0 and below 1."),
        ("predict Tom --word play", "--word is for --explain"),
        ("evaluate - --context --dynamic", "--context and --dynamic do not go together"),
        ("score --words --best-by 1 --field 2", "--words and --best-by do not go together"),
        ("score --best-by 1", "--best-by needs --field"),
    ],
)
def test_a_clash_in_the_command_is_refused_in_one_line(invoke, words, told):
    refused = invoke(*words.split(), input="Tom is\n")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1].startswith(f"Error: {told}")


def test_what_comes_from_the_environment_gives_way(invoke, corpus_file, model_file, monkeypatch, tmp_path):
    monkeypatch.setenv("RNNCLI_TRAIN_SOFTMAX", "full")
    monkeypatch.setenv("RNNCLI_TRAIN_VALID", str(tmp_path / "missing.txt"))
    monkeypatch.setenv("RNNCLI_TRAIN_NGRAM_ORDER", "2")
    monkeypatch.setenv("RNNCLI_TRAIN_ACTIVATION", "relu")
    small = ("--epochs", 1, "--hidden-size", 4, "-q", "-o", tmp_path / "a.npz")
    chosen = ("--samples", 9, "--valid-fraction", 0.2, "--prune")
    assert invoke("train", corpus_file, *small, *chosen).stderr == ""
    told = json.loads(invoke("info", "-m", tmp_path / "a.npz", "--format", "jsonl").stdout)
    assert (told["softmax"], told["samples"], told["ngram_order"]) == ("sampled", 9, 5)
    monkeypatch.setenv("RNNCLI_GENERATE_TEMPERATURE", "0")
    ask = ("generate", "--seed", 3, "--top-k", 5, "-n", 9, "-m", model_file)
    assert invoke(*ask).stdout == invoke(*ask, "--temperature", 0.8).stdout


def test_options_without_a_clash_stay_as_they_are():
    options = defaults(*OPTION_CLASSES)
    with main.get_command(None, "train").make_context("train", ["corpus.txt"]):
        assert without_clashes(options) == options
