"""A training that goes on from its checkpoint ends byte for byte like one that was never stopped."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError, SettingError, TextError
from rnncli.options import MAX_EPOCHS
from rnncli.storage.archive import read_arrays, write_arrays
from rnncli.training.checkpoint import checkpoint_path, read_checkpoint
from rnncli.training.resuming import differences

OPTIONS = {
    "lstm": {},
    "gru, noise": {
        "cell": "gru", "layers": 2, "dropout": 0.3, "word_dropout": 0.1, "recurrent_dropout": 0.2, "threads": 2,
    },
    "elman, sampled": {"cell": "elman", "softmax": "sampled", "samples": 6, "tied": False, "weight_decay": 1e-3},
    "lstm, sampled": {"softmax": "sampled", "samples": 6},
    "two networks": {"networks": 2, "epochs": 1, "dropout": 0.3},
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


def test_an_option_may_be_given_again_as_it_was_given_or_as_it_was_decided(start, corpus_file, tmp_path):
    kept = tmp_path / "x.checkpoint.npz"
    trainer = start(batch_size=5000, max_vocab=0, valid_fraction=0.1)
    decided = trainer.plan.training.batch_size
    assert decided < 5000
    trainer.save_checkpoint(kept)
    for batch_size in (5000, decided, 5000):  # what was given stays in the checkpoint
        again = resumed(corpus_file, kept, batch_size=batch_size, max_vocab=0, valid_fraction=0.1)
        assert again.plan == trainer.plan
        again.save_checkpoint(kept)
    with pytest.raises(SettingError, match=f"began with batch_size={decided}, not batch_size=3"):
        resumed(corpus_file, kept, batch_size=3)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"hidden_size": 9, "bptt": 10}, "hidden_size=8, not hidden_size=9: leave that out, or add restart=True"),
        ({"hidden_size": 9, "lr": 0.1}, "hidden_size=8, lr=0.004, not hidden_size=9, lr=0.1: leave those out, or add"),
        ({"lowercase": True}, "no lowercase=True, not lowercase=True: leave that out"),
        ({"tied": False, "cell": "gru"}, 'cell="lstm", tied=True, not cell="gru", tied=False: leave those out'),
    ],
)
def test_changed_options_are_named(stopped, corpus_file, changed, told):
    with pytest.raises(SettingError, match=f"^the training began with {told}"):
        resumed(corpus_file, stopped(3), **dict(sorted(changed.items())))


def test_another_text_is_told_from_one_that_has_changed(stopped, corpus_file, tmp_path):
    text = tmp_path / "some.txt"
    text.write_text(corpus_file.read_text())
    kept = stopped(3, sources=text)
    other = tmp_path / "other.txt"
    other.write_text(corpus_file.read_text().replace("chess", "clubs", 1))
    told = f"^{other} is not the text that the training began with, {text}: name that one, or add restart=True$"
    with pytest.raises(TextError, match=told):
        resumed(other, kept)
    text.write_text(other.read_text())
    told = f"^{text} has changed since the training began: bring back that text, or add restart=True$"
    with pytest.raises(TextError, match=told):
        resumed(text, kept)


def test_the_same_text_may_have_another_name(stopped, corpus_file, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(corpus_file.read_text())
    assert resumed(other, stopped(3)).state.step == 3


def test_held_out_text_that_has_changed_is_noticed(start, corpus_file, tmp_path):
    valid = tmp_path / "valid.txt"
    valid.write_text("Tom is good at chess.\n" * 20)
    trainer = start(valid=valid)
    take(trainer, 3)
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    assert resumed(corpus_file, tmp_path / "x.checkpoint.npz").state.step == 3
    valid.write_text("Tom is good at music.\n" * 20)
    with pytest.raises(TextError, match=f"^{valid} has changed since the training began"):
        resumed(corpus_file, tmp_path / "x.checkpoint.npz")
    with pytest.raises(TextError, match=f"^{corpus_file} is not the text that the training began with, {valid}: "):
        resumed(corpus_file, tmp_path / "x.checkpoint.npz", valid=corpus_file)


def test_held_out_text_is_found_from_any_folder(start, corpus_file, tmp_path, monkeypatch):
    (tmp_path / "valid.txt").write_text("Tom is good at chess.\n" * 20)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    start(valid=["valid.txt"]).save_checkpoint(tmp_path / "x.checkpoint.npz")
    monkeypatch.chdir("elsewhere")
    assert resumed(corpus_file, tmp_path / "x.checkpoint.npz").corpus.facts


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


def test_another_model_to_go_on_from_is_noticed(start, model, corpus_file, tmp_path):
    kept = tmp_path / "x.checkpoint.npz"
    trainer = rnncli.start_training(corpus_file, init=model, epochs=1)
    take(trainer, 3)
    trainer.save_checkpoint(kept)
    other = start(hidden_size=32, seed=2)
    take(other, 1)
    told = "^the training began from another model: name that one with init=MODEL, or add restart=True$"
    with pytest.raises(SettingError, match=told):
        resumed(corpus_file, kept, init=other.best())


def test_a_training_may_write_its_model_in_the_place_of_the_one_that_it_began_from(model, tmp_path):
    text = tmp_path / "new.txt"
    text.write_text("Tom is new in town.\nMary is new in town.\n" * 40)
    kept = tmp_path / "x.checkpoint.npz"
    options = {"init": model, "epochs": 3, "bptt": 10}
    whole = finished(rnncli.start_training(text, **options), tmp_path / "whole.npz")
    trainer = rnncli.start_training(text, **options)
    take(trainer, 5)
    trainer.save_checkpoint(kept)
    trainer.measure()
    rnncli.save(trainer.best(), tmp_path / "model.npz")
    again = resumed(text, kept, init=rnncli.load(tmp_path / "model.npz"))
    assert finished(again, tmp_path / "resumed.npz") == whole


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


@pytest.mark.parametrize("is_over", [True, False])
def test_a_training_that_cools_down_is_extended_to_all_of_its_epochs(start, corpus_file, tmp_path, is_over):
    trainer = start(epochs=40, patience=1, lr=0.3)
    for progress in trainer.run():
        if progress.is_cooling_down and not is_over:
            break
    assert trainer.state.cooldown
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", epochs=41)
    assert longer.state.cooldown is None
    assert longer.state.best.reports_since == 0
    assert longer.state.fraction == pytest.approx(longer.clock.epochs() / 41)


def test_a_training_by_epochs_goes_on_by_a_time_given_anew(start, corpus_file, tmp_path, clock, finish):
    trainer = start(epochs=2)
    finish(trainer)
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", time=1000.0, patience=3)
    assert finish(longer)
    assert longer.state.epochs > 2
    assert 500 <= longer.state.budget.elapsed <= 1005
    assert longer.best().about["settings"]["epochs"] is None  # there is no limit


def test_a_training_by_time_goes_on_by_epochs_given_anew(start, corpus_file, tmp_path, clock, finish):
    trainer = start(time=100.0, epochs=50)
    finish(trainer)
    done = trainer.state.epochs
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz")
    longer = resumed(corpus_file, tmp_path / "x.checkpoint.npz", epochs=done + 2)
    finish(longer)
    assert (longer.state.epochs, longer.plan.training.time) == (done + 2, math.inf)


def test_a_limit_that_is_given_as_it_was_or_with_the_other_one_lifts_none(start, corpus_file, tmp_path):
    kept = tmp_path / "x.checkpoint.npz"
    start(epochs=3, time=1000.0).save_checkpoint(kept)

    def limits(**given):
        training = resumed(corpus_file, kept, **given).plan.training
        return training.epochs, training.time

    assert limits(epochs=3) == limits(time=1000.0) == limits() == (3, 1000.0)
    assert limits(epochs=3, time=2000.0) == (3, 2000.0)
    assert limits(epochs=4) == (4, math.inf)
    assert limits(time=2000.0) == (MAX_EPOCHS, 2000.0)


@pytest.mark.parametrize("limit", [{"epochs": 1}, {"time": 1e-3}, {"epochs": 2, "time": 1e6}])
def test_a_training_that_has_done_more_than_it_may_is_not_ended(stopped, corpus_file, limit):
    kept = stopped(33, epochs=4)
    told = (
        r"^the training has already read the text 2\.\d times, in \d+ seconds: to go on, give it more with epochs=N or"
    )
    with pytest.raises(SettingError, match=told):
        resumed(corpus_file, kept, **limit)


def test_a_training_that_is_over_and_has_its_model_needs_more_to_go_on(start, finish, corpus_file, tmp_path):
    trainer = start()
    finish(trainer)
    trainer.save_checkpoint(tmp_path / "x.checkpoint.npz", has_model=True)
    with pytest.raises(SettingError, match=r"^the training has already read the text 2\.0 times"):
        resumed(corpus_file, tmp_path / "x.checkpoint.npz")
    assert not resumed(corpus_file, tmp_path / "x.checkpoint.npz", epochs=3).is_over


def test_from_one_checkpoint_a_training_goes_on_more_than_once(stopped, corpus_file, tmp_path):
    kept = read_checkpoint(stopped(5))
    files = {finished(resumed(corpus_file, kept), tmp_path / f"{name}.npz") for name in "ab"}
    assert len(files) == 1
    assert kept.state.step == 5


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


def test_what_differs_from_where_a_training_ran_is_told(stopped):
    kept = read_checkpoint(stopped(3, threads=1))
    assert differences(kept, threads=1) == []
    end = "the last digits of the model may differ"
    assert differences(kept, threads=2) == [f"the training ran with threads=1, and goes on with threads=2: {end}"]
    elsewhere = {**kept.state.environments[0], "numpy": "NumPy 1.0", "processor": "an abacus"}
    kept.state.environments.append(elsewhere)
    assert [line.split(",")[0] for line in differences(kept, threads=1)] == [
        "the training ran with NumPy 1.0",
        "the training ran with an abacus",
    ]


def test_a_training_remembers_everywhere_it_has_run(stopped, corpus_file, monkeypatch):
    kept = stopped(3, threads=1)
    for threads in (1, 2, 1):
        resumed(corpus_file, kept, threads=threads).save_checkpoint(kept)
    told = differences(read_checkpoint(kept), threads=1)
    assert [line.split(":")[0] for line in told] == ["the training ran with threads=2, and goes on with threads=1"]
    told = differences(read_checkpoint(kept), threads=3)
    assert told[0].startswith("the training ran with threads=1 and threads=2, and goes on with threads=3")


def test_a_checkpoint_stands_beside_its_model():
    assert checkpoint_path("models/corpus.npz") == Path("models/corpus.checkpoint.npz")
    assert checkpoint_path("corpus") == Path("corpus.checkpoint")  # not that of corpus.npz
    assert checkpoint_path("corpus.2") == Path("corpus.2.checkpoint")


def test_a_checkpoint_takes_the_place_of_no_model(start, model, tmp_path, monkeypatch):
    monkeypatch.setattr("rnncli.storage.fallback.PLACES", [lambda: tmp_path])
    path = tmp_path / "model.npz"
    rnncli.save(model, path)
    before = path.read_bytes()
    written = start().save_checkpoint(path)
    assert written.path != path
    assert written.failure == f"{path} is not a checkpoint, and would be overwritten: name another file"
    assert path.read_bytes() == before


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


@pytest.mark.parametrize("version", [1, 99])
def test_a_checkpoint_of_another_version_is_told(stopped, corpus_file, version):
    kept = stopped(3)
    changed(kept, lambda arrays: arrays.update(checkpoint=np.array(version)))
    told = "^another version of rnncli wrote .*stopped.checkpoint.npz: go on with that version, or name another model"
    with pytest.raises(ModelError, match=told):
        resumed(corpus_file, kept)


def test_a_file_that_is_no_checkpoint_is_told(corpus_file, model_file, tmp_path):
    with pytest.raises(ModelError, match="is no sound checkpoint"):
        resumed(corpus_file, model_file)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04")
    told = r"x.npz is no sound checkpoint \(it is not a model of rnncli, or was cut short\): name another model with"
    with pytest.raises(ModelError, match=told):
        resumed(corpus_file, tmp_path / "x.npz")
