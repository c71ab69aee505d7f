"""rnncli compress"""

import json
import re
import shutil

import numpy as np
import pytest

import rnncli
from rnncli.errors import SettingError
from rnncli.lm.ensemble import networks_of
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_beside import BaseNGram
from rnncli.lm.ngram_pruning import ngram_count


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_model_is_written_with_fewer_bits_and_answers_alike(invoke, model, model_file, tmp_path, bits):
    result = invoke("compress", model_file, "--bits", bits)
    assert (result.exit_code, result.stdout) == (0, f"models/{model_file.stem}-small.npz\n")
    assert re.fullmatch(r"\S+ kB before, \S+ kB now\.\n", result.stderr)
    small = tmp_path / result.stdout.strip()
    assert small.stat().st_size < model_file.stat().st_size
    found = rnncli.load(small)
    (network,) = networks_of(found.lm)
    assert network.bits == bits
    before = dict(model.predict("the old", 0))
    after = dict(found.predict("the old", 0))
    assert after != before
    for word, probability in before.items():
        assert after[word] == pytest.approx(probability, rel=0.1, abs=1e-4)
    info = json.loads(invoke("info", "-m", small, "--format", "jsonl").stdout)
    assert info["bits"] == bits


def test_a_compressed_model_is_compressed_further_and_back(invoke, model_file, tmp_path):
    for source, target, bits in ((model_file, "a", 8), (tmp_path / "a.npz", "b", 8), (tmp_path / "a.npz", "c", 32)):
        assert invoke("compress", source, "--bits", bits, "-o", tmp_path / f"{target}.npz").exit_code == 0
    a, b, c = (rnncli.load(tmp_path / f"{name}.npz") for name in "abc")
    assert (tmp_path / "a.npz").stat().st_size == (tmp_path / "b.npz").stat().st_size
    for other in (b, c):
        for one, two in zip(a.predict("the"), other.predict("the"), strict=True):
            assert one.word == two.word
            assert one.probability == pytest.approx(two.probability, rel=1e-4)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["embedding.weight"].dtype == np.int8
        assert arrays["embedding.weight.scale"].shape == arrays["embedding.weight"].shape[:1]


def test_ngrams_are_pruned_and_the_cost_is_told(invoke, model, model_file, corpus_file, tmp_path):
    most = ngram_count(model.ngram) // 4
    result = invoke("compress", model_file, "--ngrams", most, "--valid", corpus_file, "-o", "few.npz")
    assert (result.exit_code, result.stdout) == (0, "few.npz\n")
    told = re.search(r"^Perplexity (\S+) before, (\S+) now \(([+-]\S+)%\)\.$", result.stderr, re.MULTILINE)
    before, after, change = map(float, told.groups())
    assert change == pytest.approx(100 * (after / before - 1), abs=100 * 0.1 / before)
    few = rnncli.load("few.npz")
    assert ngram_count(few.ngram) == most
    assert few.evaluate(corpus_file).perplexity == pytest.approx(after, rel=0.05)
    assert not np.array_equal(few.lm.weights, model.lm.weights)


def test_the_ngrams_of_a_model_that_went_on_from_another_share_the_number(invoke, model_file, corpus_file):
    options = ("--init", model_file, "--epochs", 1, "--quiet", "-o", "both.npz")
    assert invoke("train", corpus_file, *options).exit_code == 0
    assert invoke("compress", "both.npz", "--ngrams", 400, "-o", "few.npz").exit_code == 0
    few = rnncli.load("few.npz").lm
    counts = [ngram_count(ngram) for ngram in (few.find(NGram), few.find(BaseNGram).ngram)]
    assert 390 < sum(counts) <= 400
    assert min(counts) > 50


def test_all_ngrams_can_be_left_out(invoke, model, model_file, corpus_file):
    assert invoke("compress", model_file, "--ngrams", 0, "-o", "none.npz").exit_code == 0
    none = rnncli.load("none.npz")
    assert set(model.lm.names) - set(none.lm.names) == {"ngram"}
    none.lm.check_weights()
    kept = [place for place, name in enumerate(model.lm.names) if name != "ngram"]
    means = model.lm.weights.mean(axis=0)[kept]
    np.testing.assert_allclose(none.lm.weights, [means / means.sum()], rtol=1e-6)
    assert none.evaluate(corpus_file).perplexity < 2 * model.evaluate(corpus_file).perplexity


def test_a_model_without_ngrams_still_begins_after_what_it_has_read(model, corpus_file):
    adapted = model.adapted(corpus_file).compressed(ngrams=0)
    assert adapted.lm.beginning is not None
    assert dict(adapted.predict("Tom is", 0)) != pytest.approx(dict(model.compressed(ngrams=0).predict("Tom is", 0)))


def test_an_ensemble_is_compressed_too(invoke, corpus_file, tmp_path):
    options = ("--hidden-size", 8, "--epochs", 1, "--networks", 2, "--quiet", "-o", "two.npz")
    assert invoke("train", corpus_file, *options).exit_code == 0
    assert invoke("compress", "two.npz", "--bits", 8, "-o", "small.npz").exit_code == 0
    assert [network.bits for network in networks_of(rnncli.load("small.npz").lm)] == [8, 8]


def test_a_training_goes_on_from_a_compressed_model(invoke, model_file, corpus_file):
    assert invoke("compress", model_file, "--bits", 8, "-o", "small.npz").exit_code == 0
    assert invoke("train", corpus_file, "--init", "small.npz", "--epochs", 1, "-q", "-o", "more.npz").exit_code == 0
    assert [network.bits for network in networks_of(rnncli.load("more.npz").lm)] == [32]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "there is nothing to do: name --bits, --ngrams, or both"),
        (("--bits", 4), 2, "'4' is not one of '8', '16', '32'"),
        (("--ngrams", -1), 2, "-1"),
        (("--bits", 8, "-o", "nowhere/a.npz"), 1, "there is no folder nowhere"),
        (("--bits", 8, "--valid", "missing.txt"), 1, "cannot read missing.txt"),
        (("--bits", 8, "--valid", "empty.txt"), 1, "empty.txt holds no word to tune on"),
    ],
)
def test_bad_input_gets_one_line_and_changes_nothing(invoke, model_file, tmp_path, arguments, status, message):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "models").mkdir()
    old = tmp_path / "models" / f"{model_file.stem}-small.npz"
    old.write_bytes(model_file.read_bytes())
    result = invoke("compress", model_file, *arguments)
    assert result.exit_code == status
    assert message in result.stderr.replace("\n", " ")
    assert old.read_bytes() == model_file.read_bytes()


def test_a_mix_and_what_has_adapted_are_refused(invoke, model, model_file, corpus_file, tmp_path):
    assert invoke("mix", model_file, model_file, "-o", "mix.npz").exit_code == 0
    for command in (["compress", "mix.npz", "--bits", "8"], ["export", "-m", "mix.npz"]):
        result = invoke(*command)
        assert (result.exit_code, result.stdout) != (0, "")
        assert f"the model is a mix: {command[0]} the two that it was made of" in result.stderr
    for adapted, options in (
        (model.learned(corpus_file).adapted(corpus_file), {"bits": 8}),
        (model.adapted(corpus_file), {"ngrams": 9}),
    ):
        with pytest.raises(SettingError, match="the model has adapted to a text"):
            adapted.compressed(**options)


def test_a_model_is_compressed_in_its_place_and_tells_of_its_new_weights(invoke, model_file, corpus_file, tmp_path):
    shutil.copy(model_file, tmp_path / "own.npz")
    result = invoke("compress", tmp_path / "own.npz", "--bits", "8", "--valid", corpus_file, "-o", tmp_path / "own.npz")
    old, new = map(float, re.search(r"^(\S+) kB before, (\S+) kB now", result.stderr, re.MULTILINE).groups())
    assert new < old
    told = float(re.search(r"(\S+) now \(", result.stderr)[1])
    about = rnncli.load(tmp_path / "own.npz").about["tuning"]
    assert about["perplexity"] == pytest.approx(told, abs=0.1)
    assert invoke("info", "-m", tmp_path / "own.npz").exit_code == 0
