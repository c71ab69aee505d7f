"""Model files that somebody made to do harm, or spoiled in a way that was not foreseen once."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from rnncli.errors import ModelError
from rnncli.storage import model_file as files
from rnncli.storage.archive import write_arrays
from rnncli.storage.atomic import write_whole
from rnncli.storage.model_file import load, model_from_bytes, save
from rnncli.text.detokenizer import LEVELS, MAX_FORM_CHARACTERS, Detokenizer
from rnncli.text.vocabulary import StoredVocabulary

KB = 1000


def write(path, arrays) -> None:
    write_whole(path, lambda file: write_arrays(file, arrays))


@pytest.fixture
def spoiled(model_file, tmp_path):
    """Write a model file with some members changed; those that are None are left out."""

    def spoil(**changes):
        with np.load(model_file) as file:
            arrays = dict(file) | changes
        path = tmp_path / "bad.npz"
        write(path, {name: np.asarray(array) for name, array in arrays.items() if array is not None})
        return path

    return spoil


def told_of(path, **options) -> str:
    with pytest.raises(ModelError) as caught:
        load(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    return message


def text_of(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


checked_or_not = pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])


@checked_or_not
@pytest.mark.parametrize("word", [b"\xff", b"caf\xe9", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\xed\xa0", b"\xe2\x82"])
def test_a_vocabulary_that_is_not_utf_8_is_refused(model_file, spoiled, checked, word):
    with np.load(model_file) as file:
        words = file["vocabulary"].tobytes().split(b"\n")
    words[7] = word
    assert "can't decode byte" in told_of(spoiled(vocabulary=text_of(b"\n".join(words))), checked=checked)


def test_words_of_texts_that_were_not_utf_8_are_kept():
    words = ["<eos>", "<unk>", "\ud800", "é"]
    stored = StoredVocabulary("\n".join(words).encode("utf-8", "surrogatepass"))
    assert [stored.word(number) for number in range(4)] == stored.words == words


@checked_or_not
@pytest.mark.parametrize("names", [["extra"], ["ngram.6.words"], ["recurrent.1.bias"], [f"x{i}" for i in range(3000)]])
def test_arrays_that_belong_to_no_part_are_refused(spoiled, checked, names):
    path = spoiled(**dict.fromkeys(names, np.arange(3)))
    assert f"is damaged: it holds '{min(names)}', which this rnncli does not know" in told_of(path, checked=checked)


def test_a_checkpoint_is_no_model_and_the_error_says_how_it_becomes_one(tmp_path):
    write(tmp_path / "model.checkpoint.npz", {"checkpoint": np.array(1), "config": np.array("{}")})
    told = f"{tmp_path / 'model.checkpoint.npz'} is the checkpoint of a training: `rnncli train ... --resume` makes"
    assert told_of(tmp_path / "model.checkpoint.npz").startswith(told)


@pytest.mark.parametrize("name", ["config", "about"])
@pytest.mark.parametrize("character", [0x110000, 0xFFFFFFFF])
def test_numbers_that_are_no_characters_are_refused(model_file, spoiled, name, character):
    with np.load(model_file) as file:
        text = np.array([str(file[name])])
    numbers = text.view(np.uint32)
    numbers[numbers == ord("a")] = character  # NumPy makes a text of them that ends the process
    assert "code point not in range" in told_of(spoiled(**{name: text[0:1].reshape(())}))


def test_texts_in_the_other_order_of_bytes_are_read(model, model_file, spoiled):
    with np.load(model_file) as file:
        swapped = {name: file[name].astype(file[name].dtype.newbyteorder(">")) for name in ("config", "about")}
    assert load(spoiled(**swapped)).about == model.about


@pytest.mark.parametrize("name", ["config", "about", "detokenizer"])
def test_texts_that_would_fill_the_memory_are_refused_before_they_are_read(spoiled, monkeypatch, name):
    monkeypatch.setattr(files, "MAX_JSON_CHARACTERS", 20 * KB)
    monkeypatch.setattr(json, "loads", lambda text, **_: pytest.fail("it was read") if len(text) > 20 * KB else {})
    text = "[" * (20 * KB + 1)
    path = spoiled(**{name: text_of(text.encode()) if name == "detokenizer" else np.array(text)})
    monkeypatch.undo()
    monkeypatch.setattr(files, "MAX_JSON_CHARACTERS", 20 * KB)
    assert "it holds a text of 20,001 characters" in told_of(path)


def test_forms_of_words_whose_marks_would_take_long_to_order_are_left_out():
    marks = "a" + "\u0301\u0327" * 200_000
    stored = {"rules": [[] for _ in LEVELS], "forms": [["don't", "don’t"], [marks, marks]]}
    found = Detokenizer.from_text(json.dumps(stored).encode())
    assert found.forms == {("don't",): "don’t"}
    assert len(marks) > MAX_FORM_CHARACTERS


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"tokenizer": {"kind": ["x" * 9 * KB]}}},
        {"config": {"tokenizer": {"kind": "x" * 9 * KB}}},
        {"config": {"unit": "\x1b[2J" * 9 * KB}},
        {"config": {"ngram_order": "x" * 9 * KB}},
        {"config": {"network": {"cell": "x" * 9 * KB}}},
        {"about": {"history": [{"epoch": "x" * 9 * KB}]}},
        {"x" * 9 * KB: {}},
    ],
    ids=["list", "tokenizer", "unit", "order", "cell", "epoch", "name"],
)
def test_an_error_quotes_a_stranger_only_briefly(model_file, spoiled, changes):
    with np.load(model_file) as file:
        texts = {name: json.loads(str(file[name])) for name in ("config", "about")}
    for name, change in changes.items():
        texts[name] = texts.get(name, {}) | change
    assert len(told_of(spoiled(**{name: np.array(json.dumps(text)) for name, text in texts.items()}))) > 0


def test_a_model_is_read_from_bytes_as_from_a_file(model, model_file):
    data = model_file.read_bytes()
    for checked in (True, False):
        loaded = model_from_bytes(data, checked=checked)
        np.testing.assert_array_equal(loaded.lm.weights, model.lm.weights)
        assert loaded.vocabulary.words == model.vocabulary.words
    with pytest.raises(ModelError, match="the gift is not a model of rnncli"):
        model_from_bytes(data[:-1], name="the gift")


READER = """
import sys
import rnncli
model = rnncli.load(sys.argv[1], checked=False)
print("loaded", flush=True)
sys.stdin.readline()
print(model.predict("Tom is not good at", 1)[0].word, flush=True)
"""


def test_a_model_that_is_cut_short_after_it_was_loaded_goes_on_predicting(model, tmp_path, start_python):
    path = tmp_path / "model.npz"
    save(model, path)
    process = start_python(READER, path)
    assert process.stdout.readline() == "loaded\n"
    os.truncate(path, 100)
    word, _ = process.communicate("go on\n")
    assert (process.returncode, word.strip()) == (0, model.predict("Tom is not good at", 1)[0].word)
    assert "is not a model of rnncli, or was cut short" in told_of(path)


LIMITED = """
import resource, sys
from pathlib import Path
import rnncli
from rnncli.cli import main
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, resource.RLIM_INFINITY))
main(sys.argv[1:])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux for the size of a process")
@pytest.mark.parametrize("command", [["info"], ["predict", "Tom is"]], ids=["info", "predict"])
@pytest.mark.parametrize("claim", ["network", "n-grams", "cache", "file"])
def test_a_file_that_claims_to_be_huge_is_refused_in_little_memory(model_file, spoiled, command, claim):
    with np.load(model_file) as file:
        config = json.loads(str(file["config"]))
    if claim == "network":
        config["network"] |= {"hidden_size": 10_000, "layers": 100, "vocabulary_size": 10**8}
    elif claim == "n-grams":
        config["ngram_order"] = 9
    elif claim == "cache":
        config["cache"]["size"] = 10**9
    path = spoiled(config=np.array(json.dumps(config)))
    if claim == "file":
        end = path.read_bytes()[-22:]
        with path.open("r+b") as file:  # a hole of a petabyte
            try:
                file.seek(2**42)
            except OSError:
                pytest.skip("the file system holds no such files")
            file.write(end)
    run = subprocess.run([sys.executable, "-c", LIMITED, *command, "-m", str(path)], capture_output=True, text=True)
    assert run.returncode == 1
    assert re.fullmatch(r"Error: .*bad\.npz .*\n", run.stderr)
