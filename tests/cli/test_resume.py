"""A training that was interrupted goes on by `--resume`, and ends byte for byte like one that was not."""

import errno
import json
import os
import re
import signal
from pathlib import Path

import pytest

from rnncli import load, start_training
from rnncli.cli.checkpoints import Checkpoints
from rnncli.errors import ModelError
from rnncli.storage import model_file
from rnncli.storage.drafts import Draft
from rnncli.storage.fallback import Written
from rnncli.storage.locks import locked
from rnncli.training.trainer import Trainer

TINY = ("--hidden-size", "8", "--epochs", "3", "--bptt", "10")
MODEL = Path("models/school.npz")
CHECKPOINT = Path("models/school.checkpoint.npz")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def interrupt(monkeypatch):
    """Interrupt trainings after so many steps of each, or never."""

    def interrupt(steps: int | None, number: int = signal.SIGINT):
        run = original

        def stopped(trainer):
            for taken, progress in enumerate(run(trainer), 1):
                yield progress
                if taken == steps:
                    os.kill(os.getpid(), number)

        monkeypatch.setattr(Trainer, "run", run if steps is None else stopped)

    original = Trainer.run
    return interrupt


def test_an_interrupted_training_goes_on_and_ends_as_if_nothing_had_happened(invoke, interrupt, corpus_file):
    assert invoke("train", corpus_file, *TINY).exit_code == 0
    whole = MODEL.read_bytes()
    MODEL.unlink()
    interrupt(20)
    result = invoke("train", corpus_file, *TINY)
    assert result.exit_code == 130
    assert f"Interrupted: {CHECKPOINT} keeps the training; --resume goes on." in result.stderr.splitlines()
    assert sorted(os.listdir("models")) == [CHECKPOINT.name, MODEL.name]
    assert MODEL.read_bytes() != whole
    interrupt(None)
    result = invoke("train", corpus_file, *TINY, "--resume")
    assert (result.exit_code, result.stdout) == (0, f"{MODEL}\n")
    assert re.search(r"^Going on at 5\d% of the training\.$", result.stderr, re.MULTILINE)
    assert os.listdir("models") == [MODEL.name]
    assert MODEL.read_bytes() == whole


def test_what_is_not_given_anew_is_as_it_was(invoke, interrupt, corpus_file):
    interrupt(5)
    invoke("train", corpus_file, *TINY, "--cell", "gru", "--no-prune", "--quiet")
    interrupt(None)
    result = invoke("train", corpus_file, "--resume", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    settings = load(MODEL).about["settings"]
    assert (load(MODEL).lm.parts[0].config.cell, settings["epochs"], settings["prune"]) == ("gru", 3, False)


def test_a_training_that_went_on_from_a_model_asks_for_it(invoke, interrupt, corpus_file, model_file):
    interrupt(5)
    invoke("train", corpus_file, "--init", model_file, "--epochs", 2)
    interrupt(None)
    result = invoke("train", corpus_file, "--resume")
    assert result.stderr.splitlines()[-1] == "Error: the training began from a model: name it with --init MODEL"
    assert invoke("train", corpus_file, "--init", model_file, "--resume").exit_code == 0


def test_a_changed_option_is_named(invoke, interrupt, corpus_file):
    interrupt(5)
    invoke("train", corpus_file, *TINY)
    kept = CHECKPOINT.read_bytes()
    result = invoke("train", corpus_file, "--resume", "--hidden-size", 9, "--cache", 10)
    assert result.exit_code == 2
    told = "the training began with --hidden-size 8, --cache 8000, not --hidden-size 9, --cache 10: leave those out"
    assert result.stderr.splitlines()[-1] == f"Error: {told}, or add --restart"
    assert CHECKPOINT.read_bytes() == kept


def test_a_training_beside_its_checkpoint_goes_on_or_begins_anew_only_if_asked(invoke, interrupt, corpus_file):
    interrupt(5)
    invoke("train", corpus_file, *TINY)
    kept = CHECKPOINT.read_bytes()
    interrupt(None)
    result = invoke("train", corpus_file, *TINY)
    told = f"Error: {CHECKPOINT} holds a training that has stopped: add --resume to go on, or --restart to begin anew\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)
    assert CHECKPOINT.read_bytes() == kept
    assert invoke("train", corpus_file, *TINY, "--seed", 2, "--restart").exit_code == 0
    assert not CHECKPOINT.exists()
    assert load(MODEL).about["settings"]["seed"] == 2


def test_there_must_be_something_to_resume(invoke, corpus_file):
    result = invoke("train", corpus_file, *TINY, "--resume")
    told = f"Error: there is no checkpoint {CHECKPOINT}: leave --resume out to begin\n"
    assert (result.exit_code, result.stderr) == (1, told)
    result = invoke("train", corpus_file, *TINY, "--resume", "--restart")
    assert result.exit_code == 2


def test_a_checkpoint_that_is_kept_in_the_end_is_extended(invoke, corpus_file):
    assert invoke("train", corpus_file, *TINY, "--keep-checkpoint", "--log", "log.jsonl").exit_code == 0
    assert CHECKPOINT.exists()
    assert invoke("train", corpus_file, "--epochs", 5, "--resume", "--log", "log.jsonl").exit_code == 0
    assert [entry["epoch"] for entry in load(MODEL).about["history"]] == [1, 2, 3, 4, 5]
    assert [json.loads(line)["epoch"] for line in Path("log.jsonl").read_text().splitlines()] == [1, 2, 3, 4, 5]
    assert not CHECKPOINT.exists()


def test_a_training_that_has_ended_is_not_replaced_by_a_shorter_or_an_equal_one(invoke, corpus_file):
    assert invoke("train", corpus_file, *TINY, "--keep-checkpoint").exit_code == 0
    kept = (MODEL.read_bytes(), CHECKPOINT.read_bytes())
    told = r"^Error: the training has already read the text 3\.0 times, in \d+ seconds: to go on, give it more with"
    for limit in ([], ["--epochs", 3], ["--epochs", 2], ["--time", "0.001s"]):
        result = invoke("train", corpus_file, "--resume", *limit)
        assert result.exit_code == 2
        assert re.search(told + r" --epochs N or --time TIME$", result.stderr, re.MULTILINE)
        assert (MODEL.read_bytes(), CHECKPOINT.read_bytes()) == kept


def test_the_same_command_goes_on_where_a_value_was_too_large_for_the_text(invoke, interrupt, corpus_file):
    interrupt(3)
    invoke("train", corpus_file, *TINY, "--batch-size", 5000)
    interrupt(None)
    assert invoke("train", corpus_file, *TINY, "--batch-size", 5000, "--resume").exit_code == 0


def test_standard_input_is_not_read_twice_by_a_training_that_goes_on(invoke, interrupt, corpus_file):
    interrupt(3)
    invoke("train", corpus_file, *TINY, "-o", "m.npz", "--valid", "-", input=corpus_file.read_text())
    result = invoke("train", "-", "-o", "m.npz", "--resume", input=corpus_file.read_text())
    assert result.exit_code == 2
    assert "- is standard input, which can be read once only: name files for the other texts." in result.stderr


def test_another_number_of_threads_is_told_as_an_option(invoke, interrupt, corpus_file):
    interrupt(3)
    invoke("train", corpus_file, *TINY, "--threads", 1)
    interrupt(None)
    result = invoke("train", corpus_file, "--resume", "--threads", 2, "--quiet")
    told = "Warning: the training ran with --threads 1, and goes on with --threads 2: the last digits of the model may"
    assert result.stderr == f"{told} differ\n"


def test_a_log_goes_on_where_the_training_does(invoke, interrupt, corpus_file):
    interrupt(5)
    invoke("train", corpus_file, *TINY)
    lines = [json.dumps({"epoch": epoch, "step": step}) for epoch, step in ((0.1, 4), (0.2, 9))]
    Path("log.jsonl").write_text("\n".join([*lines, '{"epoch": 1, "st']))
    interrupt(None)
    assert invoke("train", corpus_file, "--resume", "--log", "log.jsonl").exit_code == 0
    epochs = [json.loads(line)["epoch"] for line in Path("log.jsonl").read_text().splitlines()]
    assert epochs == [0.1, 1, 2, 3]


def test_a_checkpoint_is_written_from_time_to_time(invoke, corpus_file, monkeypatch):
    written = []
    original = Trainer.save_checkpoint

    def save(trainer, path, **facts):
        written.append(trainer.state.step)
        return original(trainer, path, **facts)

    monkeypatch.setattr(Trainer, "save_checkpoint", save)
    ticks = iter(range(10**6))
    monkeypatch.setattr("rnncli.cli.checkpoints.monotonic", lambda: 10.0 * next(ticks))
    assert invoke("train", corpus_file, *TINY, "--checkpoint-every", "45s").exit_code == 0
    assert written[:3] == [5, 10, 15]


def test_a_checkpoint_that_cannot_be_written_anywhere_is_no_reason_to_lose_the_training(
    invoke, interrupt, corpus_file, monkeypatch
):
    def fail(*arguments, **facts):
        raise ModelError("cannot write here: No space left on device")

    monkeypatch.setattr(Trainer, "save_checkpoint", fail)
    interrupt(30)
    result = invoke("train", corpus_file, *TINY)
    assert (result.exit_code, result.stdout) == (130, f"{MODEL}\n")
    assert "Warning: the training is not kept: cannot write here: No space left on device" in result.stderr


NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
DENIED = OSError(errno.EACCES, "Permission denied")


def test_a_checkpoint_that_is_kept_nowhere_or_elsewhere_is_told_of_when_that_changes(
    tmp_path, monkeypatch, capsys, corpus_file
):
    trainer = start_training(corpus_file, hidden_size=4, epochs=1)
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("rnncli.storage.fallback.PLACES", [lambda: refuge])
    failures = {}
    plain = Draft.take_place_of

    def take_place(draft, path):
        if path.parent in failures:
            raise failures[path.parent]
        plain(draft, path)

    monkeypatch.setattr(Draft, "take_place_of", take_place)
    checkpoints = Checkpoints(tmp_path / "m.npz", 1.0)
    cannot = f"cannot write {tmp_path / 'm.checkpoint.npz'}"
    for first, second, is_kept, told in (
        (NO_SPACE, NO_SPACE, False, f"the training is not kept: {cannot}: No space left on device"),
        (NO_SPACE, NO_SPACE, False, ""),
        (DENIED, NO_SPACE, False, f"the training is not kept: {cannot}: Permission denied"),
        (DENIED, None, True, f"{cannot}: Permission denied. {refuge}/"),
        (DENIED, None, True, ""),
        (None, None, True, ""),
        (NO_SPACE, NO_SPACE, False, f"the training is not kept: {cannot}: No space left on device"),
    ):
        failures = {folder: error for folder, error in ((tmp_path, first), (refuge, second)) if error}
        assert checkpoints.keep(trainer) is is_kept
        assert len(os.listdir(refuge)) == (is_kept and first is not None)
        shown = capsys.readouterr().err
        assert shown.startswith(f"Warning: {told}") if told else not shown
        assert shown.count("\n") == bool(told)


def test_a_checkpoint_that_cannot_be_written_beside_its_model_is_kept_elsewhere(
    invoke, interrupt, corpus_file, monkeypatch, tmp_path
):
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("rnncli.storage.fallback.PLACES", [lambda: refuge])
    interrupt(5)
    run = Trainer.run

    def run_beside_a_folder(trainer):
        CHECKPOINT.mkdir()
        return run(trainer)

    monkeypatch.setattr(Trainer, "run", run_beside_a_folder)
    result = invoke("train", corpus_file, *TINY)
    (kept,) = refuge.iterdir()
    assert f". {kept} keeps the training instead: to go on, move it to {CHECKPOINT}" in result.stderr
    assert f"Interrupted: {kept} keeps the training; moved to {CHECKPOINT}, --resume goes on." in result.stderr
    CHECKPOINT.rmdir()
    kept.rename(CHECKPOINT)
    interrupt(None)
    assert invoke("train", corpus_file, "--resume").exit_code == 0


def test_what_is_in_the_place_of_a_checkpoint_is_told_and_stays(invoke, corpus_file, model_file):
    CHECKPOINT.mkdir(parents=True)
    told = f"Error: {CHECKPOINT} is where the checkpoint goes, and is none: move it away, or name another model with"
    for options in ([], ["--restart"], ["--resume"]):
        assert invoke("train", corpus_file, *TINY, *options).stderr == f"{told} --output\n"
    CHECKPOINT.rmdir()
    CHECKPOINT.write_bytes(model_file.read_bytes())
    for options in ([], ["--restart"], ["--resume"]):
        assert invoke("train", corpus_file, *TINY, *options).stderr == f"{told} --output\n"
    assert CHECKPOINT.read_bytes() == model_file.read_bytes()


def test_an_empty_file_in_the_place_of_a_checkpoint_may_be_replaced(invoke, corpus_file):
    CHECKPOINT.parent.mkdir()
    CHECKPOINT.touch()
    told = f"Error: {CHECKPOINT} is no sound checkpoint (it is empty): name another model with --output FILE, or begin"
    assert invoke("train", corpus_file, *TINY).stderr == f"{told} anew with --restart\n"
    assert invoke("train", corpus_file, *TINY, "--restart").exit_code == 0


def test_a_training_that_has_ended_is_told_from_one_that_has_stopped(invoke, corpus_file, no_models):
    assert invoke("train", corpus_file, *TINY).exit_code == 1
    told = f"Error: {CHECKPOINT} holds a training that has ended without its model: add --resume to save that, or"
    assert invoke("train", corpus_file, *TINY).stderr == f"{told} --restart to begin anew\n"
    no_models()
    assert invoke("train", corpus_file, "--resume", "--keep-checkpoint").exit_code == 0
    told = (
        f"Error: {CHECKPOINT} holds a training that has ended: add --resume with more --epochs or --time to go on, or"
    )
    assert invoke("train", corpus_file, *TINY).stderr == f"{told} --restart to begin anew\n"


@pytest.mark.parametrize("name", ["a.checkpoint.npz", "a.checkpoint"])
def test_a_model_does_not_get_the_name_of_a_checkpoint(invoke, corpus_file, name):
    result = invoke("train", corpus_file, *TINY, "-o", name)
    told = f"Error: {name} is the name of a checkpoint: name the model otherwise with --output FILE\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_an_old_training_is_gone_when_the_new_one_begins(invoke, interrupt, corpus_file, monkeypatch):
    interrupt(5)
    invoke("train", corpus_file, *TINY)
    assert invoke("train", "missing.txt", *TINY, "-o", MODEL, "--restart").exit_code == 1
    assert CHECKPOINT.exists()

    def killed(trainer):
        raise SystemExit(137)

    monkeypatch.setattr(Trainer, "run", killed)
    assert invoke("train", corpus_file, *TINY, "--restart").exit_code == 137
    assert not CHECKPOINT.exists()


@pytest.fixture
def no_models(monkeypatch):
    """Let no model be written anywhere, until it is called. It returns the checkpoints that there were meanwhile."""
    kept = []

    def fail(*arguments):
        kept.append(CHECKPOINT.read_bytes() if CHECKPOINT.exists() else b"")
        raise ModelError("cannot write here: No space left on device")

    original = model_file.save_somewhere
    monkeypatch.setattr(model_file, "save_somewhere", fail)

    def succeed():
        monkeypatch.setattr(model_file, "save_somewhere", original)
        return kept

    return succeed


def test_a_training_whose_model_cannot_be_written_is_kept_as_it_was_when_it_was_interrupted(
    invoke, interrupt, corpus_file, no_models
):
    interrupt(20)
    result = invoke("train", corpus_file, *TINY)
    told = f"cannot write here: No space left on device; {CHECKPOINT} keeps the training: go on by --resume"
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"Error: {told}")
    assert no_models() == [CHECKPOINT.read_bytes()]
    interrupt(None)
    assert invoke("train", corpus_file, "--resume").exit_code == 0
    resumed = MODEL.read_bytes()
    assert invoke("train", corpus_file, *TINY).exit_code == 0
    assert MODEL.read_bytes() == resumed


def test_a_training_that_ended_without_its_model_is_kept_and_saves_it_when_it_is_resumed(
    invoke, corpus_file, no_models
):
    assert invoke("train", corpus_file, *TINY).exit_code == 1
    assert CHECKPOINT.exists()
    no_models()
    assert invoke("train", corpus_file, "--resume").exit_code == 0
    assert os.listdir("models") == [MODEL.name]


def test_a_checkpoint_in_another_place_that_cannot_be_removed_ends_no_training(
    invoke, interrupt, corpus_file, monkeypatch
):
    written = []
    original = Trainer.save_checkpoint

    def save(trainer, path, **facts):
        if written:
            return original(trainer, path, **facts)
        other = Path("other")  # a folder cannot be removed as a file can
        other.mkdir()
        written.append(other)
        return Written(other, "cannot write here")

    monkeypatch.setattr(Trainer, "save_checkpoint", save)
    assert invoke("train", corpus_file, *TINY, "--checkpoint-every", "0.000001s").exit_code == 0


def test_a_second_training_of_the_same_model_is_refused(invoke, corpus_file):
    Path("models").mkdir()
    with locked(MODEL, "output"):
        result = invoke("train", corpus_file, *TINY)
    told = f"Error: another rnncli writes {MODEL} (process {os.getpid()}): wait for it, or name another file with"
    assert (result.exit_code, result.stderr) == (1, f"{told} --output FILE\n")
    with locked(CHECKPOINT, "output"):
        result = invoke("train", corpus_file, *TINY)
    assert result.stderr.startswith(f"Error: another rnncli writes {CHECKPOINT} ")


def test_a_checkpoint_is_not_taken_for_a_model(invoke, interrupt, corpus_file):
    interrupt(5)
    invoke("train", corpus_file, *TINY)
    MODEL.unlink()
    assert "Model: the bundled English one" in invoke("predict", "Tom").stderr
    result = invoke("predict", "-m", CHECKPOINT, "Tom")
    assert result.exit_code == 1
    assert f"Error: {CHECKPOINT} is the checkpoint of a training" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_a_training_that_is_told_to_end_is_kept(invoke, interrupt, corpus_file, number):
    interrupt(30, number)
    result = invoke("train", corpus_file, *TINY)
    assert (result.exit_code, result.stdout) == (128 + number, f"{MODEL}\n")
    assert CHECKPOINT.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_a_signal_that_the_parent_ignores_stays_ignored(invoke, interrupt, corpus_file, number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        interrupt(5, number)
        assert invoke("train", corpus_file, *TINY).exit_code == 0
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert [entry["epoch"] for entry in load(MODEL).about["history"]] == [1, 2, 3]


def test_a_training_on_texts_with_weights_goes_on_as_if_nothing_had_happened(invoke, interrupt, corpus_file, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("no one knows what the old man said\n" * 80)
    texts = (f"{corpus_file}:0.5", f"{other}:2")
    assert invoke("train", *texts, *TINY).exit_code == 0
    whole = MODEL.read_bytes()
    MODEL.unlink()
    interrupt(20)
    assert invoke("train", *texts, *TINY).exit_code == 130
    interrupt(None)
    result = invoke("train", corpus_file, other, "--resume")
    assert result.exit_code == 1
    assert f"is not the text that the training began with, {texts[0]} and {texts[1]}" in result.stderr
    assert invoke("train", *texts, "--resume").exit_code == 0
    assert MODEL.read_bytes() == whole
