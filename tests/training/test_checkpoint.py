"""A training that goes on from its checkpoint ends byte for byte like one that was never stopped."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError, SettingError, TextError
from rnncli.storage.archive import read_arrays, write_arrays
from rnncli.training.checkpoint import checkpoint_path, read_checkpoint

OPTIONS = {
    "lstm": {},
    "gru, noise": {
        "cell": "gru", "layers": 2, "dropout": 0.3, "word_dropout": 0.1, "recurrent_dropout": 0.2, "threads": 2,
    },
    "elman, sampled": {"cell": "elman", "softmax": "sampled", "samples": 6, "tied": False, "weight_decay": 1e-3},
    "lstm, sampled": {"softmax": "sampled", "samples": 6},
    "sgd": {"optimizer": "sgd", "schedule": "step", "ngram_order": 0, "cache_size": 0},
    "characters": {"tokenizer": "char", "unit": "line"},
}  # fmt: skip


def take(trainer, steps: int) -> None:
    """Take some steps of a training."""
    run = trainer.run()
    for _ in range(steps):
        next(run)


def finished(trainer, path: Path) -> bytes:
    """Run a training to its end, and return its model's file."""
    for _ in trainer.run():
        pass
    rnncli.save(trainer.best(), path)
    return path.read_bytes()


@pytest.fixture
def stopped(start, tmp_path):
    """Stop a training after some steps, and return its checkpoint."""

    def stopped(steps: int, **options) -> Path:
        trainer = start(**options)
        take(trainer, steps)
        trainer.save_checkpoint(tmp_path / "stopped.checkpoint.npz")
        return tmp_path / "stopped.checkpoint.npz"

    return stopped


def resumed(sources, kept: Path, **options):
    return rnncli.start_training(sources, resume=kept, **options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("steps", [1, 13, 20])
def test_a_resumed_training_ends_byte_for_byte_like_one_that_was_never_stopped(
    start, stopped, corpus_file, tmp_path, options, steps
):
    whole = finished(start(**options), tmp_path / "whole.npz")
    kept = stopped(steps, **options)
    assert finished(resumed(corpus_file, kept), tmp_path / "resumed.npz") == whole


def test_a_training_may_be_stopped_again_and_again(start, stopped, corpus_file, tmp_path):
    whole = finished(start(), tmp_path / "whole.npz")
    kept = stopped(0)
    for _ in range(5):
        trainer = resumed(corpus_file, kept)
        take(trainer, 4)
        trainer.save_checkpoint(kept)
    assert finished(resumed(corpus_file, kept), tmp_path / "resumed.npz") == whole


def test_a_network_that_is_measured_at_once_is_the_one_that_was_kept(start, stopped, corpus_file):
    options = {"softmax": "sampled", "samples": 6}
    trainer = start(**options)
    take(trainer, 7)
    kept = stopped(7, **options)
    assert resumed(corpus_file, kept).measure() == trainer.measure()


def test_a_resumed_training_has_the_options_that_it_began_with(stopped, corpus_file):
    kept = stopped(3, hidden_size=11, dropout=0.25)
    plan = resumed(corpus_file, kept).plan
    assert (plan.network.hidden_size, plan.network.dropout, plan.training.epochs) == (11, 0.25, 2)
    assert resumed(corpus_file, kept, hidden_size=11, lr=plan.training.lr).plan == plan


def test_changed_options_are_named(stopped, corpus_file):
    kept = stopped(3)
    told = "^the training began with hidden_size=8, lr=0.004, not hidden_size=9, lr=0.1: leave that out, or add restart"
    with pytest.raises(SettingError, match=told):
        resumed(corpus_file, kept, hidden_size=9, lr=0.1, bptt=10)


def test_a_text_that_has_changed_is_noticed(stopped, corpus_file, tmp_path):
    kept = stopped(3)
    other = tmp_path / "other.txt"
    other.write_text(corpus_file.read_text().replace("chess", "clubs", 1))
    with pytest.raises(TextError, match=r"^other is not the text that the training began with: "):
        resumed(other, kept)
    other.write_text(corpus_file.read_text())
    assert resumed(other, kept).state.step == 3


def test_held_out_text_that_has_changed_is_noticed(start, corpus_file, tmp_path):
    valid = tmp_path / "valid.txt"
    valid.write_text("Tom is good at chess.\n" * 20)
    trainer = start(valid=valid)
    take(trainer, 3)
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    assert resumed(corpus_file, tmp_path / "x.checkpoint.npz").state.step == 3
    valid.write_text("Tom is good at music.\n" * 20)
    with pytest.raises(TextError, match="is not the text"):
        resumed(corpus_file, tmp_path / "x.checkpoint.npz")


def test_a_training_that_went_on_from_a_model_needs_it_again(start, model, corpus_file, tmp_path):
    kept = tmp_path / "x.checkpoint.npz"

    def began():
        return rnncli.start_training(corpus_file, init=model, epochs=1)

    whole = finished(began(), tmp_path / "whole.npz")
    trainer = began()
    take(trainer, 3)
    trainer.save_checkpoint(kept)
    with pytest.raises(SettingError, match=r"^the training began from a model: name it with init=MODEL$"):
        resumed(corpus_file, kept)
    assert finished(resumed(corpus_file, kept, init=model), tmp_path / "resumed.npz") == whole


def test_a_training_that_began_without_a_model_goes_on_without_one(stopped, corpus_file, model):
    with pytest.raises(SettingError, match=r"^the training began without a model: leave init=MODEL out$"):
        resumed(corpus_file, stopped(3), init=model)


def test_more_epochs_extend_a_training_that_has_ended(start, corpus_file, tmp_path):
    trainer = start(epochs=1)
    for _ in trainer.run():
        pass
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    same = resumed(corpus_file, tmp_path / "x.checkpoint.npz")
    assert list(same.run()) == []
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", epochs=3)
    reports = [progress.report for progress in longer.run() if progress.report]
    assert [report.epoch for report in reports] == [2, 3]
    assert [entry["epoch"] for entry in longer.best().about["history"]] == [1, 2, 3]


def test_a_training_that_cooled_down_may_be_extended(start, corpus_file, tmp_path):
    trainer = start(epochs=40, patience=1, lr=0.3)
    for _ in trainer.run():
        pass
    assert trainer.state.cooldown
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", epochs=41)
    assert longer.state.cooldown is None
    assert longer.state.fraction < 1


def test_time_that_was_spent_counts(start, corpus_file, tmp_path, clock):
    trainer = start(time=200.0, epochs=10**6, patience=99)
    take(trainer, 5)
    spent = trainer.clock.now()
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    clock.now += 5000
    later = resumed(corpus_file, tmp_path / "x.checkpoint.npz")
    assert spent < later.clock.now() < spent + 10
    end = later.state.budget.end
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", time=300.0)
    assert longer.state.budget.end == pytest.approx(end + 100)
    assert longer.state.fraction < later.state.fraction
    endless = read_checkpoint(tmp_path / "x.checkpoint.npz")
    assert resumed(corpus_file, endless, time=math.inf).state.budget.end == math.inf


def test_a_training_by_epochs_may_get_a_time(stopped, corpus_file):
    trainer = resumed(corpus_file, stopped(3), time=100.0)
    assert 50 <= trainer.state.budget.end < 99


def test_what_differs_from_where_a_training_began_is_told(stopped):
    kept = read_checkpoint(stopped(3, threads=1))
    assert kept.differences(threads=1) == []
    told = "the training began with threads=1, and goes on with threads=2: its last digits may differ"
    assert kept.differences(threads=2) == [told]
    kept.environment.update(numpy="NumPy 1.0", processor="an abacus")
    assert [line.split(",")[0] for line in kept.differences(threads=1)] == [
        "the training began with NumPy 1.0",
        "the training began with an abacus",
    ]


def test_a_checkpoint_stands_beside_its_model():
    assert checkpoint_path("models/corpus.npz") == Path("models/corpus.checkpoint.npz")
    assert checkpoint_path("corpus") == Path("corpus.checkpoint.npz")


# Files that are no sound checkpoint.


def test_a_checkpoint_that_is_missing_is_told(corpus_file, tmp_path):
    with pytest.raises(ModelError, match=r"^there is no checkpoint .*x.checkpoint.npz: begin without resume$"):
        resumed(corpus_file, tmp_path / "x.checkpoint.npz")


def changed(path: Path, change) -> None:
    """Change the members of a checkpoint, and write it again."""
    arrays = {name: array.copy() for name, array in read_arrays(path, checked=True).items()}
    change(arrays)
    with path.open("wb") as file:
        write_arrays(file, arrays)


def without_rng(arrays) -> None:
    record = json.loads(str(arrays["record"]))
    del record["state"]["rng"]
    arrays["record"] = np.array(json.dumps(record))


CHANGES = {
    "of a later version": lambda arrays: arrays.update(checkpoint=np.array(99)),
    "without a record": lambda arrays: arrays.pop("record"),
    "with a record that is none": lambda arrays: arrays.update(record=np.array("{")),
    "without an array": lambda arrays: arrays.pop("network.softmax.bias"),
    "with another array": lambda arrays: arrays.update({"network.softmax.bias": np.zeros(3, np.float32)}),
    "without a generator": without_rng,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_checkpoint_that_makes_no_sense_is_told(stopped, corpus_file, change):
    kept = stopped(3)
    changed(kept, change)
    with pytest.raises(ModelError, match=r"stopped\.checkpoint\.npz is no sound checkpoint \("):
        resumed(corpus_file, kept)


def test_a_file_that_is_no_checkpoint_is_told(corpus_file, model_file, tmp_path):
    with pytest.raises(ModelError, match="is no sound checkpoint"):
        resumed(corpus_file, model_file)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="is no sound checkpoint"):
        resumed(corpus_file, tmp_path / "x.npz")
