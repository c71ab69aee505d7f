"""rnncli learn and rnncli forget"""

import json
import re

import pytest

import rnncli

TEXT = "Zelda plays the theremin every evening.\n" * 6


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "band.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "garden.txt").write_text("Basil grows by the wall.\n" * 6, encoding="utf-8")


def test_a_text_is_learned_and_forgotten_by_the_model_in_the_folder(invoke, model_file, tmp_path):
    result = invoke("learn", "band.txt", "-m", model_file)
    assert (result.exit_code, result.stdout) == (0, "models/personal.npz\n")
    perplexities = r"perplexity of their last lines (\S+) before, (\S+) now"
    of_known = r"of the words known before (\S+) and (\S+) \((\S+)% were unknown\)"
    told = re.fullmatch(rf"Learned band.txt: 6 new words; {perplexities}; {of_known}\.\n", result.stderr)
    before, now, known_before, known_now, unknown = map(float, told.groups())
    assert now < before
    assert known_now < known_before < before
    assert 0 < unknown < 100
    found = invoke("predict", "Zelda plays the", "-n", 1)
    assert found.stdout.startswith("theremin\t")
    result = invoke("learn", "-", input="Ole sails.\n")
    assert result.stderr.startswith("Model: models/personal.npz\nLearned -: 2 new words; ")
    result = invoke("forget", "band.txt")
    assert (result.exit_code, result.stdout) == (0, "models/personal.npz\n")
    assert result.stderr == "Model: models/personal.npz\nForgot band.txt.\n"
    assert not rnncli.load("models/personal.npz").knows("theremin")
    assert invoke("forget", "--all", "-o", "none.npz").exit_code == 0
    assert (tmp_path / "none.npz").read_bytes() == model_file.read_bytes()


def test_info_lists_what_was_learned(invoke, model_file):
    assert invoke("learn", "band.txt", "garden.txt", "-m", model_file).exit_code == 0
    learned = json.loads(invoke("info", "--format", "jsonl").stdout)["learned"]
    assert [(text["name"], text["words"]) for text in learned] == [("band.txt", 42), ("garden.txt", 36)]
    rows = dict(line.split("\t") for line in invoke("info", "--format", "tsv").stdout.splitlines())
    assert rows["learned_2_name"] == "garden.txt"
    assert rows["learned_1_sha256"] == learned[0]["sha256"]
    shares = [float(rows[f"share_of_{part}_0_4"]) for part in ("network", "ngram", "personal", "cache")]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    table = invoke("info", "--format", "table").stdout
    assert "Learned" in table
    assert learned[0]["sha256"][:12] in table


def test_what_another_model_has_learned_is_not_lost(invoke, model_file):
    assert invoke("learn", "band.txt", "-m", model_file).exit_code == 0
    result = invoke("learn", "garden.txt", "-m", model_file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "models/personal.npz has learned band.txt, which would be lost" in " ".join(result.stderr.split())
    assert rnncli.load("models/personal.npz").knows("theremin")
    assert invoke("learn", "garden.txt").exit_code == 0
    assert invoke("learn", "garden.txt", "-m", model_file, "-o", "other.npz").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["forget", "-m", "MODEL"], 2, "name the texts to forget, or --all."),
        (["forget", "--all", "band.txt", "-m", "MODEL"], 2, "name the texts to forget, or --all."),
        (["forget", "band.txt", "-m", "MODEL"], 1, "has learned no text: name another model with -m"),
        (["forget", "other.txt"], 2, "no text called other.txt was learned: the model has learned band.txt"),
        (["learn", "missing.txt"], 1, "missing.txt"),
        (["learn", "band.txt", "-m", "MODEL", "-o", "nowhere/x.npz"], 1, "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_told(invoke, model_file, arguments, status, message):
    assert invoke("learn", "band.txt", "-m", model_file).exit_code == 0
    before = (rnncli.load("models/personal.npz"), model_file.read_bytes())
    result = invoke(*(model_file if argument == "MODEL" else argument for argument in arguments))
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in " ".join(result.stderr.split())
    assert rnncli.load("models/personal.npz").predict("the", 0) == before[0].predict("the", 0)
    assert model_file.read_bytes() == before[1]


def test_prompts_are_learned_once_they_are_answered_and_the_model_is_kept(invoke, model_file):
    result = invoke("predict", "--learn", "-n", 1, "-m", model_file, input="Zelda plays the theremin.\n" * 3)
    assert (result.exit_code, result.stdout.count("\t")) == (0, 3)
    assert invoke("predict", "Zelda plays the", "-n", 1).stdout.startswith("theremin\t")
    assert invoke("predict", "Ole sails.", "--learn").exit_code == 0
    (typed,) = json.loads(invoke("info", "--format", "jsonl").stdout)["learned"]
    assert (typed["name"], typed["words"]) == ("typed", 18)
    assert invoke("forget", "typed").exit_code == 0


def test_a_co_process_learns_between_two_lines(start, model_file, tmp_path):
    program = start("predict", "--learn", "-n", "1", "-m", model_file)
    for line, best in (("Zelda plays the theremin.", None), ("Zelda plays the", "theremin")):
        program.stdin.write(line + "\n")
        program.stdin.flush()
        answer = program.stdout.readline() if best is None else program.stdout.readline() + program.stdout.readline()
        assert best is None or answer.startswith(f"\n{best}\t")
    program.stdin.close()
    assert program.wait() == 0
    assert rnncli.load(tmp_path / "models" / "personal.npz").knows("theremin")


def test_lines_are_added_to_a_plain_file_and_nothing_else_is_written(invoke, model_file, tmp_path):
    (tmp_path / "lines.txt").write_text("before\n", encoding="utf-8")
    assert invoke("predict", "Tom is", "--learn-to", "lines.txt", "-m", model_file).exit_code == 0
    assert (tmp_path / "lines.txt").read_text(encoding="utf-8") == "before\nTom is\n"
    assert not (tmp_path / "models").exists()
    result = invoke("predict", "Tom is", "--learn-to", "nowhere/x.txt", "-m", model_file)
    assert result.exit_code == 1
    assert "cannot write nowhere/x.txt" in result.stderr
