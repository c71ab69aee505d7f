"""generate, evaluate, info, and the program as a whole."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import rnncli
from rnncli.lm.arpa import arpa_lines
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.nn.threads import BLAS_VARIABLES


def test_generate_prints_the_prompt_and_what_follows(invoke, model, model_file):
    result = invoke("generate", "Tom is not good at science, so he ", "-n4", "--temperature=0", "-m", model_file)
    assert result.stdout == "Tom is not good at science, so he will study more.\n"
    assert result.stderr == ""


def test_generate_gives_the_same_text_for_the_same_seed(invoke, model_file):
    options = ("generate", "Tom", "-n20", "--temperature=1.5", "-m", model_file, "--seed")
    assert invoke(*options, 1).stdout == invoke(*options, 1).stdout != invoke(*options, 2).stdout


def test_generate_gives_what_the_library_gives(invoke, model, model_file):
    text = model.generate("Tom", 20, temperature=1.5, seed=7)
    assert invoke("generate", "Tom", "-n20", "--temperature=1.5", "--seed=7", "-m", model_file).stdout == f"Tom{text}\n"


def test_generate_ends_where_it_is_told_to(invoke, model_file):
    ask = ("generate", "Tom is not good at science, so he", "--temperature=0", "-m", model_file)
    assert invoke(*ask, "--sentences", 1).stdout == "Tom is not good at science, so he will study more.\n"
    assert invoke(*ask, "--stop", " more").stdout == "Tom is not good at science, so he will study\n"
    assert invoke(*ask, "-n", 2).stdout == "Tom is not good at science, so he will study\n"
    refused = invoke(*ask, "--stop", "")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Error: --stop must not hold an empty text\n" in refused.stderr


def test_generate_tells_how_much_it_copied(invoke, model_file):
    result = invoke(
        *("generate", "Tom is not good at science, so he", "--temperature=0", "-n4", "--novelty", "-m", model_file)
    )
    assert result.stdout == "Tom is not good at science, so he will study more.\n"
    assert result.stderr == "Sequences that the n-grams have seen: 3 words 100%, 4 words 100%, 5 words 100%\n"


def test_a_model_without_n_grams_says_so_before_it_writes(invoke, corpus_file, tmp_path):
    alone = tmp_path / "alone.npz"
    invoke("train", corpus_file, "--hidden-size", 4, "--epochs", 1, "--ngram-order", 0, "-o", alone)
    for command in (["generate", "--novelty"], ["export"]):
        result = invoke(*command, "-m", alone)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "Error: the model holds no n-grams: train one with --ngram-order 5\n"


def test_generate_draws_from_the_words_near_the_likeliest(invoke, model_file):
    ask = ("generate", "Tom is not good at science, so he", "-n4", "--temperature=5", "--seed=3", "-m", model_file)
    assert invoke(*ask, "--min-p", 1).stdout == "Tom is not good at science, so he will study more.\n"
    assert invoke(*ask).stdout != invoke(*ask, "--min-p", 1).stdout


def test_generate_avoids_what_stands_there(invoke, model_file):
    words = invoke("generate", "-n", 20, "--no-repeat", 1, "--seed", 1, "-m", model_file).stdout.split()
    assert len(set(words)) == len(words)
    penalised = invoke("generate", "Tom is", "-n", 9, "--repetition-penalty", 1e9, "--seed", 1, "-m", model_file).stdout
    assert not {"Tom", "is"} & set(penalised.split()[2:])


def test_generate_names_unknown_words(invoke, model_file):
    result = invoke("generate", "Zorg is Zorg", "-n1", "-m", model_file)
    assert result.stderr == "Warning: not in the model's vocabulary: Zorg\n"


def test_generate_writes_several_samples_separated_by_a_blank_line(invoke, model_file):
    result = invoke("generate", "Tom", "-n5", "--samples=3", "--seed=1", "--temperature=2", "-m", model_file)
    samples = result.stdout.split("\n\n")
    assert len(set(samples)) == 3
    assert all(sample.startswith("Tom") for sample in samples)


def test_generate_narrows_the_choice(invoke, model_file):
    texts = {
        invoke("generate", "-n10", "--seed=1", *options, "-m", model_file).stdout
        for options in (["--temperature=0"], ["--top-k=1"], ["--top-p=0.001", "--temperature=1"])
    }
    assert len(texts) == 1


@pytest.mark.parametrize("wrong", [["--temperature", "-1"], ["--top-p", "0"], ["--top-p", "1.5"], ["--samples", "0"]])
def test_generate_refuses_what_makes_no_sense(invoke, model_file, wrong):
    result = invoke("generate", *wrong, "-m", model_file)
    assert result.exit_code == 2
    assert f"Invalid value for '{wrong[0]}'" in result.stderr


def test_evaluate_prints_every_figure_in_every_format(invoke, model, model_file, corpus_file):
    expected = model.evaluate([corpus_file])
    found = json.loads(invoke("evaluate", corpus_file, "-m", model_file, "--format", "jsonl").stdout)
    assert found == asdict(expected)
    rows = [line.split("\t") for line in invoke("evaluate", corpus_file, "-m", model_file).stdout.splitlines()]
    assert [name for name, _ in rows] == [
        "perplexity", "perplexity_of_network", "perplexity_of_ngram", "perplexity_of_cache",
        "words", "unknown_words", "unknown_fraction", "perplexity_known", "bits_per_character",
        "accuracy_at_1", "accuracy_at_3", "accuracy_at_5", "accuracy_at_10",
        "mean_reciprocal_rank", "keystrokes_saved", "calibration_error",
        "words_of_rank_1-100", "perplexity_of_rank_1-100", "accuracy_at_1_of_rank_1-100",
    ]  # fmt: skip
    assert rows[0][1] == f"{expected.perplexity:.6g}"
    assert rows[3][1] == "-"
    table = invoke("evaluate", corpus_file, "-m", model_file, "--format", "table").stdout
    assert "accuracy at 10" in table
    assert re.search(r"frequency rank +words +perplexity +accuracy at 1\n1-100 +2,784 ", table)


def test_evaluate_shows_the_perplexity_by_the_length_of_the_context(
    invoke, model, model_file, corpus_file, tmp_path, monkeypatch
):
    found = model.context_curve([corpus_file])
    ask = ("evaluate", "--context", corpus_file, "-m", model_file)
    records = [json.loads(line) for line in invoke(*ask, "--format", "jsonl").stdout.splitlines()]
    assert records == [asdict(row) for row in found]
    header, *rows = [line.split("\t") for line in invoke(*ask).stdout.splitlines()]
    assert header == ["seen", "perplexity", "network", "ngram", "cache"]
    assert [row[:2] for row in rows] == [[str(row.seen or "all"), f"{row.perplexity:.6g}"] for row in found]
    table = invoke(*ask, "--format", "table").stdout.splitlines()
    assert table[1].split() == ["words", "seen", "perplexity", "network", "ngram", "cache"]
    assert table[-1].split()[:2] == ["all", f"{found[-1].perplexity:.4g}"]
    assert invoke(*ask, "--dynamic").exit_code == 2
    monkeypatch.setenv("RNNCLI_EVALUATE_DYNAMIC", "1")
    assert invoke(*ask, "--format", "table").stdout.splitlines() == table
    monkeypatch.delenv("RNNCLI_EVALUATE_DYNAMIC")
    pytest.importorskip("matplotlib")
    assert invoke(*ask, "--plot", tmp_path / "a.png").stderr == f"Drew {tmp_path / 'a.png'}\n"


def test_a_dynamic_evaluation_is_asked_for_by_its_option(invoke, model, model_file, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Mary will not lose French.\n" * 20)
    ask = ("evaluate", path, "-m", model_file, "--format", "jsonl")
    plain, dynamic = (json.loads(invoke(*ask, *option).stdout) for option in ((), ("--dynamic",)))
    assert plain["perplexity"] == pytest.approx(model.evaluate([path]).perplexity)
    assert dynamic["perplexity"] == pytest.approx(model.evaluate([path], dynamic=True).perplexity)
    assert dynamic["perplexity"] < plain["perplexity"]


@pytest.mark.parametrize("name", ["picture.png", "picture.svg"])
def test_evaluate_draws_a_picture(invoke, model_file, corpus_file, tmp_path, name):
    pytest.importorskip("matplotlib")
    result = invoke("evaluate", corpus_file, "-m", model_file, "--plot", tmp_path / name)
    assert result.exit_code == 0
    assert result.stderr == f"Drew {tmp_path / name}\n"
    assert (tmp_path / name).read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")


@pytest.mark.parametrize(
    ("name", "message"),
    [("picture.txt", "cannot draw picture.txt"), ("no/a.png", "there is no folder")],
)
def test_a_picture_that_cannot_be_drawn_is_refused_before_the_work(invoke, model_file, tmp_path, name, message):
    pytest.importorskip("matplotlib")
    result = invoke("evaluate", tmp_path / "missing.txt", "-m", model_file, "--plot", tmp_path / name)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr


def test_a_picture_without_matplotlib_says_how_to_get_it(shell, model_file, corpus_file, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError")
    result = shell(f"PYTHONPATH={tmp_path}:$PYTHONPATH rnncli evaluate {corpus_file} -m {model_file} --plot a.png")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "Error: --plot needs Matplotlib: pip install matplotlib\n"


def test_evaluate_reads_several_texts_and_standard_input(invoke, model_file, corpus_file):
    piped = invoke("evaluate", "-", "-m", model_file, input=corpus_file.read_bytes())
    assert piped.stdout == invoke("evaluate", corpus_file, "-m", model_file).stdout
    both = invoke("evaluate", corpus_file, corpus_file, "-m", model_file)
    assert both.stdout.splitlines()[4] == "words\t5568"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\n"])
def test_evaluate_refuses_what_cannot_be_read(invoke, model_file, tmp_path, content):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    result = invoke("evaluate", path, "-m", model_file)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "bad" in result.stderr


def test_export_writes_the_ngrams_to_standard_output_or_a_file(invoke, model, model_file, tmp_path):
    printed = invoke("export", "-m", model_file)
    assert printed.stdout.splitlines() == list(arpa_lines(model.ngram, model.vocabulary.words))
    written = invoke("export", "--format", "arpa", "-m", model_file, "-o", tmp_path / "school.arpa")
    assert written.stdout == f"{tmp_path / 'school.arpa'}\n"
    assert (tmp_path / "school.arpa").read_text("utf-8") == printed.stdout


def test_export_does_not_overwrite_what_is_not_an_arpa_file(invoke, model_file, tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("my only copy")
    result = invoke("export", "-m", model_file, "-o", path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "corpus.txt is not an ARPA file, and would be overwritten" in result.stderr
    assert path.read_text() == "my only copy"
    for _ in range(2):
        assert invoke("export", "-m", model_file, "-o", tmp_path / "a.arpa").exit_code == 0


def test_export_refuses_a_model_without_ngrams(invoke, model, tmp_path):
    rnncli.save(replace(model, lm=Mixture([model.lm.find(Network)], len(model.vocabulary))), tmp_path / "alone.npz")
    result = invoke("export", "-m", tmp_path / "alone.npz")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: the model holds no n-grams: train one with --ngram-order 5\n"


def test_info_tells_what_a_model_is(invoke, model, model_file):
    told = json.loads(invoke("info", "-m", model_file, "--format", "jsonl").stdout)
    assert told["file"] == str(model_file)
    assert told["cell"] == "lstm"
    assert told["hidden_size"] == told["embedding_size"] == 32
    assert told["vocabulary"] == len(model.vocabulary)
    assert told["parameters"] == sum(value.size for value in model.lm.find(Network).values().values())
    assert (told["tokenizer"], told["corpus"], told["seed"]) == ("word", "school", 1)
    assert (told["softmax"], told["batch_size"], told["lr"]) == ("full", 2, 0.02)
    assert len(told["history"]) == 60


def test_info_tells_the_license_of_a_model(invoke, model, tmp_path):
    rnncli.save(replace(model, about=model.about | {"license": "CC0"}), tmp_path / "model.npz")
    assert "\nlicense\tCC0\n" in invoke("info", "-m", tmp_path / "model.npz").stdout


def test_info_shows_the_parts_and_their_shares(invoke, model, model_file):
    told = json.loads(invoke("info", "-m", model_file, "--format", "jsonl").stdout)
    assert re.fullmatch(r"network, 5-grams \([0-9,]+\), cache \(2,000 words, sharpness [0-9.]+\)", told["parts"])
    assert told["shares"] == [dict(zip(model.lm.names, row, strict=True)) for row in model.lm.weights.tolist()]
    table = invoke("info", "-m", model_file, "--format", "table").stdout
    assert re.search(r"words known +network +ngram +cache\n +0 +0\.\d{3} ", table)
    fields = dict(line.split("\t") for line in invoke("info", "-m", model_file, "--format", "tsv").stdout.splitlines())
    for part, share in zip(model.lm.names, model.lm.weights[2], strict=True):
        assert float(fields[f"share_of_{part}_2"]) == pytest.approx(share, rel=1e-4)


def test_info_draws_the_perplexity_over_the_epochs(invoke, model, model_file):
    result = invoke("info", "-m", model_file, "--format", "table")
    assert "hidden size" in result.stdout
    bars = [line.split() for line in result.stdout.splitlines() if "█" in line]
    assert [int(bar[0]) for bar in bars] == list(range(1, 61))
    assert float(bars[0][2]) == round(model.about["history"][0]["valid_perplexity"], 1)
    assert len(bars[0][3]) > len(bars[-1][3])


def test_info_draws_no_bar_for_a_perplexity_that_is_not_known(invoke, model, tmp_path):
    history = [{"epoch": i, "train_perplexity": 9.0, "valid_perplexity": p} for i, p in enumerate([5.0, None, 4.0], 1)]
    path = tmp_path / "model.npz"
    rnncli.save(replace(model, about={"history": history}), path)
    lines = invoke("info", "-m", path, "--format", "table").stdout.splitlines()[-3:]
    assert [line.split()[2] for line in lines] == ["5.0", "-", "4.0"]
    assert [len(line.split()) for line in lines] == [4, 3, 4]


def test_info_in_a_pipe_is_a_name_and_a_value_a_line(invoke, model_file):
    rows = [line.split("\t") for line in invoke("info", "-m", model_file).stdout.splitlines()]
    assert all(len(row) == 2 for row in rows)
    assert ["cell", "lstm"] in rows


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["generate"], ["evaluate"], ["info"], ["export"]])
def test_help_shows_an_example(invoke, command):
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert f"rnncli {' '.join(command)}" in result.stdout.partition("Options:")[0].partition("\n")[2]


def test_the_version_is_that_of_the_package(invoke):
    assert invoke("--version").stdout == f"rnncli {rnncli.__version__}\n"


def test_help_waits_neither_for_numpy_nor_for_rich():
    code = (
        "import sys; from rnncli.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: print(sorted({'numpy', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()[-1] == "[]"


def in_new_process(code: str, *arguments: str, **variables: str) -> list[str]:
    """Run a command in a process of its own, and some code at its end; return the lines that this prints."""
    program = f"import atexit, os, sys; atexit.register(lambda: print({code})); from rnncli.__main__ import run; run()"
    environment = {name: value for name, value in os.environ.items() if name not in BLAS_VARIABLES}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.check_output(command, text=True, env=environment | variables).splitlines()


def test_one_prompt_waits_for_nothing_that_reads_texts(model_file):
    needless = ["gzip", "numpy.ma", "rich", "rnncli.ranks.mpi", "rnncli.text.reading"]
    code = f"sorted(set({needless}) & set(sys.modules))"
    assert in_new_process(code, "predict", "-m", str(model_file), "the keys")[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "threads"),
    [
        (["predict", "the keys"], "1"),
        (["predict", "the keys", "the key"], None),
        (["predict", "the ___ are"], None),
        (["predict", "--explain", "the keys"], None),
        (["predict", "--complete", "the ke"], "1"),
        (["predict", "--adapt", "corpus.txt", "the keys"], None),
        (["generate", "the keys"], None),
    ],
)
def test_products_for_one_word_at_a_time_wait_for_no_other_thread(arguments, threads, model_file, corpus_file):
    code = "os.environ.get('OPENBLAS_NUM_THREADS')"
    named = [str(corpus_file) if argument == "corpus.txt" else argument for argument in arguments]
    command = [*named, "-m", str(model_file)]
    assert in_new_process(code, *command)[-1] == str(threads)
    assert in_new_process(code, *command, OPENBLAS_NUM_THREADS="3")[-1] == "3"
    assert in_new_process(code, *command, OMP_NUM_THREADS="3")[-1] == "None"


def test_running_out_of_memory_is_told_in_one_line(invoke, model_file, monkeypatch):
    def hungry(*args, **options):
        raise MemoryError

    monkeypatch.setattr("rnncli.storage.model_file.load", hungry)
    result = invoke("predict", "Tom", "-m", model_file)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: not enough memory")


@pytest.mark.parametrize(("kind", "kept"), [("safetensors", "a file of safetensors"), ("onnx", "a file of ONNX")])
def test_export_writes_the_networks_to_a_file_or_a_pipe(shell, invoke, model_file, tmp_path, kind, kept):
    pytest.importorskip(kind)
    path = tmp_path / "school.network"
    for _ in range(2):
        written = invoke("export", "--format", kind, "-m", model_file, "-o", path)
        assert (written.exit_code, written.stdout) == (0, f"{path}\n")
    piped = shell(f"rnncli export --format {kind} -m {model_file} > {tmp_path}/piped")
    assert piped.returncode == 0
    assert (tmp_path / "piped").read_bytes() == path.read_bytes()
    path.write_text("my only copy")
    refused = invoke("export", "--format", kind, "-m", model_file, "-o", path)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"school.network is not {kept}, and would be overwritten" in refused.stderr


def test_a_file_that_is_exported_tells_the_license_of_the_model(invoke, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rnncli.save(replace(model, about=model.about | {"license": "CC BY-SA 4.0"}), "x.npz")
    assert "License: CC BY-SA 4.0. The ARPA file does not tell it." in invoke("export", "-m", "x.npz").stderr
    pytest.importorskip("safetensors")
    pytest.importorskip("onnx")
    for kind in ("safetensors", "onnx"):
        assert invoke("export", "-m", "x.npz", "--format", kind, "-o", f"x.{kind}").exit_code == 0
        assert b"CC BY-SA 4.0" in Path(f"x.{kind}").read_bytes()


@pytest.mark.parametrize("kind", ["safetensors", "onnx"])
def test_export_of_networks_says_what_is_missing(invoke, model, model_file, tmp_path, monkeypatch, kind):
    monkeypatch.setitem(sys.modules, {"safetensors": "safetensors.numpy"}.get(kind, kind), None)
    result = invoke("export", "--format", kind, "-m", model_file, "-o", tmp_path / "network")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: this format needs the package {kind}: pip install {kind}\n"
    monkeypatch.undo()
    rnncli.save(replace(model, lm=Mixture([model.ngram], len(model.vocabulary))), tmp_path / "alone.npz")
    result = invoke("export", "--format", kind, "-m", tmp_path / "alone.npz", "-o", tmp_path / "network")
    assert "the model holds no network" in result.stderr


def test_export_of_networks_keeps_them_from_a_terminal(terminal, model_file):
    shown, status = terminal(f"rnncli export --format safetensors -m {model_file}")
    assert status == 2
    assert "not for a terminal" in shown
