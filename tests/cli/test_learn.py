"""rnncli learn and rnncli forget"""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

import rnncli
from rnncli.errors import RnncliError
from rnncli.learned import learned_texts

TEXT = "Zelda plays the theremin every evening.\n" * 6


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "band.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "garden.txt").write_text("Basil grows by the wall.\n" * 6, encoding="utf-8")


def test_a_text_is_learned_and_forgotten_by_the_model_in_the_folder(invoke, model_file, tmp_path):
    result = invoke("learn", "band.txt", "-m", model_file)
    assert (result.exit_code, result.stdout) == (0, "models/personal.npz\n")
    told = re.fullmatch(
        r"Warning: only (\d+) words were held out, which tell little\n"
        r"Learned band.txt: 6 new words\. Perplexity of the last lines: (\S+) before learning, (\S+) after;"
        r" of known words (\S+) and (\S+) \((\S+)% were unknown\)\.\n",
        result.stderr,
    )
    words, without, with_it, known_without, known_with, unknown = map(float, told.groups())
    assert words == 8
    assert with_it < without
    assert known_with < known_without < without
    assert 0 < unknown < 100
    found = invoke("predict", "Zelda plays the", "-n", 1)
    assert found.stdout.startswith("theremin\t")
    result = invoke("learn", "-", input="Ole sails.\n")
    assert "\nLearned stdin: 2 new words. Perplexity of the last lines: " in result.stderr
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


def test_lines_are_not_added_to_a_model(invoke, model_file):
    before = model_file.read_bytes()
    result = invoke("predict", "Tom is", "--learn-to", model_file, "-m", model_file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is a model, and --learn-to adds lines to a text" in " ".join(result.stderr.split())
    assert model_file.read_bytes() == before


def test_a_prompt_of_several_lines_is_learned_line_by_line(invoke, model_file, tmp_path):
    options = ("--learn", "--learn-to", "lines.txt", "-m", model_file)
    assert invoke("predict", "Zelda plays the theremin.\n\nOle sails.", *options).exit_code == 0
    assert (tmp_path / "lines.txt").read_text(encoding="utf-8") == "Zelda plays the theremin.\nOle sails.\n"
    learned = json.loads(invoke("info", "-m", "models/personal.npz", "--format", "jsonl").stdout)["learned"]
    assert [text["words"] for text in learned] == [8]


def test_a_line_without_words_makes_no_model(invoke, model_file, tmp_path):
    assert invoke("predict", "\u200b", "--learn", "-m", model_file).exit_code == 0
    assert not (tmp_path / "models" / "personal.npz").exists()


def test_a_damaged_model_is_not_replaced_by_one_that_looks_sound(invoke, model_file):
    assert invoke("learn", "band.txt", "-m", model_file).exit_code == 0
    personal = Path("models/personal.npz")
    with zipfile.ZipFile(personal) as archive:
        member = max(archive.infolist(), key=lambda info: info.file_size if "embedding" in info.filename else 0)
    damaged = bytearray(personal.read_bytes())
    damaged[member.header_offset + member.file_size // 2] ^= 1
    personal.write_bytes(damaged)
    result = invoke("predict", "Ole sails.", "--learn", "-m", personal)
    assert result.exit_code == 1
    assert "models/personal.npz is damaged" in " ".join(result.stderr.split())
    assert "The model is in " in " ".join(result.stderr.split())
    assert personal.read_bytes() == damaged


def test_lines_begin_after_the_end_of_a_file_and_blanks_of_a_prompt_are_no_text(invoke, model_file, tmp_path):
    (tmp_path / "lines.txt").write_text("before", encoding="utf-8")
    assert invoke("predict", "--learn-to", "lines.txt", "-m", model_file, input="Tom ___ good\nTom is\n").exit_code == 0
    assert (tmp_path / "lines.txt").read_text(encoding="utf-8") == "before\nTom is\n"


@pytest.mark.parametrize("option", [["--learn"], ["--learn-to", "lines.txt"]])
def test_half_typed_words_are_not_learned(invoke, model_file, tmp_path, option):
    result = invoke("predict", "--complete", "Tom i", "-m", model_file, *option)
    assert result.exit_code == 2
    assert f"half-typed words are not learned: leave out {option[0]}, or --complete." in result.stderr
    assert not (tmp_path / "lines.txt").exists()


def test_half_typed_words_are_not_learned_where_the_environment_asks_for_them(
    invoke, model_file, tmp_path, monkeypatch
):
    ask = ("predict", "Tom i", "-m", model_file)
    whole = invoke(*ask).stdout
    monkeypatch.setenv("RNNCLI_PREDICT_COMPLETE", "1")
    half = invoke(*ask).stdout
    assert half != whole == invoke(*ask, "--learn").stdout
    assert [text.name for text in learned_texts(rnncli.load("models/personal.npz"))] == ["typed"]
    monkeypatch.setenv("RNNCLI_PREDICT_LEARN_TO", str(tmp_path / "lines.txt"))
    assert invoke(*ask).stdout == half
    assert not (tmp_path / "lines.txt").exists()


def test_what_is_adapted_to_is_not_learned(invoke, model_file):
    result = invoke("predict", "Tom is", "-m", model_file, "--learn", "--adapt", "band.txt")
    assert result.exit_code == 2
    assert "--adapt keeps nothing of what is learned: leave out that, or --learn." in result.stderr


def test_the_named_file_goes_on_learning(invoke, model_file, tmp_path):
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "words.npz").exit_code == 0
    assert invoke("learn", "garden.txt", "-o", "words.npz").stdout == "words.npz\n"
    assert [text.name for text in learned_texts(rnncli.load("words.npz"))] == ["band.txt", "garden.txt"]
    assert not (tmp_path / "models").exists()


def test_a_model_that_has_learned_learns_in_its_place_wherever_it_is(invoke, model_file, tmp_path):
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "mine.npz").stdout == "mine.npz\n"
    assert invoke("learn", "garden.txt", "-m", "mine.npz").stdout == "mine.npz\n"
    assert invoke("predict", "Ole sails.", "--learn", "-m", "mine.npz").exit_code == 0
    assert [text.name for text in learned_texts(rnncli.load("mine.npz"))] == ["band.txt", "garden.txt", "typed"]
    assert not (tmp_path / "models").exists()


def test_a_training_is_replaced_only_by_its_name(invoke, model_file, tmp_path):
    (tmp_path / "models").mkdir()
    shutil.copy(model_file, tmp_path / "models" / "personal.npz")
    result = invoke("learn", "band.txt", "-m", model_file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "models/personal.npz is there, and has learned nothing" in " ".join(result.stderr.split())
    assert (tmp_path / "models" / "personal.npz").read_bytes() == model_file.read_bytes()
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "models/personal.npz").exit_code == 0


def test_what_was_accepted_is_kept_whatever_happened_to_the_model(start, invoke, model_file, tmp_path):
    shutil.copy(model_file, tmp_path / "copy.npz")
    program = start("predict", "--learn", "-n", "1", "-m", "copy.npz")
    program.stdin.write("Zelda plays the theremin.\n")
    program.stdin.flush()
    program.stdout.readline()
    (tmp_path / "copy.npz").unlink()
    program.stdin.close()
    assert program.wait() == 0
    assert rnncli.load(tmp_path / "models" / "personal.npz").knows("theremin")
    program = start("predict", "--learn", "-n", "1", "-m", "models/personal.npz")
    program.stdin.write("Ole sails.\n")
    program.stdin.flush()
    program.stdout.readline()
    assert invoke("learn", "garden.txt", "-m", "models/personal.npz").exit_code == 0
    program.stdin.close()
    assert program.wait() == 0
    kept = rnncli.load(tmp_path / "models" / "personal.npz")
    assert all(map(kept.knows, ("theremin", "sails", "Basil")))
    assert [text.name for text in learned_texts(kept)] == ["garden.txt", "typed"]


def test_the_texts_of_a_mix_are_forgotten_in_its_models(invoke, model_file):
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "mine.npz").exit_code == 0
    assert invoke("mix", "mine.npz", model_file, "-o", "mix.npz").exit_code == 0
    result = invoke("forget", "--all", "-m", "mix.npz")
    assert result.exit_code == 1
    assert "mix.npz is a mix, which has learned nothing: forget it in the two models" in result.stderr
    assert json.loads(invoke("info", "-m", "mix.npz", "--format", "jsonl").stdout)["learned"][0]["name"] == "band.txt"


def test_a_model_that_has_learned_is_not_replaced_by_one_that_has_not(invoke, model_file, tmp_path):
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "band.npz").exit_code == 0
    assert invoke("learn", "garden.txt", "-m", model_file, "-o", "garden.npz").exit_code == 0
    for arguments in (("forget", "band.txt", "-m", "band.npz"), ("mix", "band.npz", model_file)):
        result = invoke(*arguments, "-o", "garden.npz")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "garden.npz has learned garden.txt, which would be lost" in " ".join(result.stderr.split())
    result = invoke("mix", "band.npz", model_file, "-o", "band.npz")
    assert result.exit_code == 1
    assert "band.npz would be lost: name another file with -o" in result.stderr
    assert [rnncli.load(f"{name}.npz").knows("theremin") for name in ("band", "garden")] == [True, False]


def test_no_training_and_no_compression_replaces_what_has_learned(invoke, model_file):
    assert invoke("learn", "band.txt", "-m", model_file).exit_code == 0
    for arguments in (("train", "garden.txt", "--epochs", 1), ("compress", model_file, "--bits", 8)):
        result = invoke(*arguments, "-o", "models/personal.npz")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "models/personal.npz has learned band.txt, which would be lost" in " ".join(result.stderr.split())
    assert rnncli.load("models/personal.npz").knows("theremin")
    same = ("-o", "models/personal.npz")
    assert invoke("compress", "models/personal.npz", "--bits", 8, *same).exit_code == 0
    assert invoke("train", "garden.txt", "--epochs", 1, "--init", "models/personal.npz", *same).exit_code == 0
    assert [text.name for text in learned_texts(rnncli.load("models/personal.npz"))] == ["band.txt"]


def test_a_mix_that_has_learned_is_not_made_anew(invoke, model_file, tmp_path):
    for _ in range(2):
        assert invoke("mix", model_file, model_file).exit_code == 0
    assert invoke("learn", "band.txt", "-m", "models/mix.npz", "-o", "models/mix.npz").exit_code == 0
    result = invoke("mix", model_file, model_file)
    assert result.exit_code == 1
    assert "models/mix.npz has learned band.txt, which would be lost" in " ".join(result.stderr.split())
    (tmp_path / "models" / "mix.npz").unlink()
    shutil.copy(model_file, tmp_path / "models" / "mix.npz")
    result = invoke("mix", model_file, model_file)
    assert result.exit_code == 1
    assert "models/mix.npz is there, and has learned nothing" in " ".join(result.stderr.split())


def test_a_model_that_has_forgotten_everything_is_told_how_to_learn_again(invoke, model_file):
    assert invoke("learn", "band.txt", "-m", model_file, "-o", "mine.npz").exit_code == 0
    told = " ".join(invoke("forget", "--all", "-m", "mine.npz").stderr.split())
    assert "rnncli learn TEXT -m mine.npz -o mine.npz" in told
    assert invoke("learn", "garden.txt", "-m", "mine.npz", "-o", "mine.npz").exit_code == 0
    assert rnncli.load("mine.npz").knows("Basil")


def test_the_same_words_under_another_name_are_another_text(invoke, model_file, tmp_path):
    shutil.copy(tmp_path / "band.txt", tmp_path / "copy.txt")
    assert invoke("learn", "band.txt", "-m", model_file).exit_code == 0
    assert "Learned copy.txt: 0 new words." in invoke("learn", "copy.txt").stderr
    assert "Learned nothing new: 0 new words." in invoke("learn", "copy.txt").stderr


def test_a_training_that_takes_the_place_of_the_model_in_the_meantime_stays(start, model_file, tmp_path):
    (tmp_path / "models").mkdir()
    program = start("predict", "--learn", "-n", "1", "-m", model_file)
    program.stdin.write("Zelda plays the theremin.\n")
    program.stdin.flush()
    program.stdout.readline()
    shutil.copy(model_file, tmp_path / "models" / "personal.npz")
    program.stdin.close()
    assert program.wait() == 1
    assert (tmp_path / "models" / "personal.npz").read_bytes() == model_file.read_bytes()
    told = " ".join(program.stderr.read().split())
    assert "models/personal.npz is there, and has learned nothing" in told
    (kept,) = re.findall(r"The model is in (\S+) instead", told)
    assert rnncli.load(kept).knows("theremin")


def test_lines_are_kept_whatever_ends_their_learning(invoke, model_file, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
        raise KeyboardInterrupt

    monkeypatch.setattr("rnncli.tasks.learn.learn_lines", interrupted)
    result = invoke("predict", "--learn", "--learn-to", "lines.txt", "-m", model_file, input="Ole sails.\n")
    assert result.exit_code != 0
    assert (tmp_path / "lines.txt").read_text() == "Ole sails.\n"
    assert rnncli.load("models/personal.npz").knows("sails")


def test_lines_are_learned_where_their_file_cannot_be_written(invoke, model_file, tmp_path, monkeypatch):
    def full(path, lines):
        raise RnncliError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("rnncli.cli.learning._append", full)
    result = invoke("predict", "--learn", "--learn-to", "lines.txt", "-m", model_file, input="Ole sails.\n")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert rnncli.load("models/personal.npz").knows("sails")
