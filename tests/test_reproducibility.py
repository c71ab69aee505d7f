"""The claims of docs/reproducibility.md, one test each."""

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import rnncli

OPTIONS = {"hidden_size": 24, "epochs": 2, "bptt": 10, "layers": 2, "dropout": 0.3, "batch_size": 8}
LINES = ["Tom is good at chess, so he will not lose more.", "Mary is not good at music, so she", "An unknown word."]
ANSWER = """
import json, os, sys
if sys.argv[2] and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])
import rnncli
model = rnncli.load(sys.argv[1])
lines = json.loads(sys.argv[3])
print(json.dumps([
    [[p.word, p.probability] for line in lines for p in model.predict(line, 0)],
    [score.log_probability for score in model.score(lines)],
    model.evaluate([sys.argv[4]]).perplexity,
    model.generate("Tom", 30, seed=3),
]))
"""


def answers(model_file, corpus_file, cores: str = "", **variables):
    """Return what a model answers in another process, and its bytes."""
    words = [sys.executable, "-c", ANSWER, str(model_file), cores, json.dumps(LINES), str(corpus_file)]
    run = subprocess.run(words, env={**os.environ, **variables}, capture_output=True, check=True)
    return json.loads(run.stdout), run.stdout


def trained(corpus_file, path, **options) -> bytes:
    rnncli.save(rnncli.train(corpus_file, **{**OPTIONS, **options}), path)
    return path.read_bytes()


@pytest.mark.parametrize("bits", [32, 8])
def test_a_model_gives_the_same_answers_again_on_any_number_of_cores(bits, model_file, corpus_file, tmp_path):
    if bits == 8:
        packed = rnncli.load(model_file).compressed(bits=8)
        model_file = tmp_path / "packed.npz"
        rnncli.save(packed, model_file)
        assert len({tuple(packed.predict(LINES[0])) for _ in range(20)}) == 1
    own, first = answers(model_file, corpus_file)
    assert answers(model_file, corpus_file)[1] == first
    assert answers(model_file, corpus_file, "1")[1] == first
    check_close(answers(model_file, corpus_file, OPENBLAS_NUM_THREADS="2")[0], own)


def check_close(other, own):
    """Check that answers differ in the last digits at most."""
    by_word, by_other_word = (
        {(i // len(own[0]) * 3, word): p for i, (word, p) in enumerate(found[0])} for found in (own, other)
    )
    assert by_word.keys() == by_other_word.keys()
    for key, p in by_word.items():
        assert by_other_word[key] == pytest.approx(p, rel=1e-4)
    np.testing.assert_allclose(other[1], own[1], rtol=1e-5)
    assert other[2] == pytest.approx(own[2], rel=1e-5)


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="names processors of this kind")
def test_answers_on_another_kind_of_processor_differ_in_the_last_digits_at_most(model_file, corpus_file):
    own = answers(model_file, corpus_file)[0]
    check_close(answers(model_file, corpus_file, OPENBLAS_CORETYPE="Nehalem")[0], own)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_training_gives_the_same_file(corpus_file, tmp_path, threads):
    files = {trained(corpus_file, tmp_path / f"{name}.npz", threads=threads) for name in "ab"}
    assert len(files) == 1


def test_with_another_number_of_threads_a_step_differs_in_the_last_digits(corpus_file):
    one, two = (
        rnncli.start_training(corpus_file, **{**OPTIONS, "hidden_size": 64, "batch_size": 16}, threads=threads)
        for threads in (1, 2)
    )
    for trainer in (one, two):
        next(trainer.run())
    values, others = (trainer.state.network.values() for trainer in (one, two))
    for name, value in values.items():
        np.testing.assert_allclose(others[name], value, rtol=0.02, atol=1e-4)
    assert any((others[name] != value).any() for name, value in values.items())


def test_another_seed_gives_another_file(corpus_file, tmp_path):
    assert trained(corpus_file, tmp_path / "a.npz") != trained(corpus_file, tmp_path / "b.npz", seed=2)


def test_neither_the_words_nor_the_ngrams_depend_on_the_number_of_threads(corpus_file):
    one, many = (rnncli.start_training(corpus_file, **{**OPTIONS, "epochs": 1}, threads=threads) for threads in (1, 3))
    assert (one.crew.count, many.crew.count) == (1, 3)
    assert one.corpus.sha256 == many.corpus.sha256
    assert one.corpus.vocabulary.words == many.corpus.vocabulary.words
    for part in ("train", "valid"):
        np.testing.assert_array_equal(getattr(one.corpus, part), getattr(many.corpus, part))
    for trainer in (one, many):
        next(trainer.run())
    ngrams, others = (trainer.best().ngram.stored_arrays() for trainer in (one, many))
    assert ngrams.keys() == others.keys()
    for name, array in ngrams.items():
        np.testing.assert_array_equal(others[name], array)


def test_a_model_file_holds_no_time_no_path_and_no_name_of_a_machine(corpus_file, tmp_path):
    content = trained(corpus_file, tmp_path / "a.npz")
    assert str(corpus_file.parent).encode() not in content
    about = rnncli.load(tmp_path / "a.npz").about
    assert set(about["versions"]) == {"rnncli", "numpy", "python"}
    assert not any(
        "second" in name or "time" in name or "host" in name for name in json.dumps(about["history"]).split()
    )
