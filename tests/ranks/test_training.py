"""A training of several ranks is that of one process with as many workers."""

import numpy as np
import pytest

import rnncli
from rnncli.errors import RankLostError, SettingError
from rnncli.ranks import Ranks
from rnncli.training.hooks import Hooks
from rnncli.training.trainer import Trainer

SETTINGS = {"hidden_size": 12, "epochs": 3, "batch_size": 12, "bptt": 5, "dropout": 0.2, "threads": 1, "samples": 20}


def values_of(trainer: Trainer) -> dict[str, np.ndarray]:
    return {name: value.copy() for name, value in trainer.state.best.values.items()}


def trained(corpus_file, ranks: Ranks, resume=None, **changes) -> Trainer:
    trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), resume=resume, **{**SETTINGS, **changes})
    for _ in trainer.run():
        pass
    return trainer


def assert_alike(found: dict, expected: dict, **tolerance) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, err_msg=name, **tolerance)


@pytest.mark.parametrize("softmax", ["full", "sampled"])
@pytest.mark.parametrize(("count", "threads"), [(2, 1), (3, 1), (2, 2)])
def test_several_ranks_give_what_as_many_workers_of_one_process_give(corpus_file, as_ranks, count, threads, softmax):
    options = {"batch_size": 16, "softmax": softmax, "samples": 3}
    alone = trained(corpus_file, Ranks(), threads=count * threads, **options)
    together = as_ranks(count, lambda ranks: trained(corpus_file, ranks, threads=threads, **options))
    for trainer in together:
        assert [len(trainer.stepper.team.workers), trainer.crew.count] == [threads, count * threads]
        assert_alike(values_of(trainer), values_of(together[0]), rtol=0)
        assert_alike(values_of(trainer), values_of(alone), rtol=1e-3, atol=1e-4)
        assert trainer.state.history[-1].valid_perplexity == pytest.approx(
            alone.state.history[-1].valid_perplexity, rel=1e-4
        )


def test_every_rank_tunes_the_same_mixture(corpus_file, as_ranks):
    models = as_ranks(3, lambda ranks: trained(corpus_file, ranks).best())
    alone = trained(corpus_file, Ranks(), threads=3).best()
    for model in models:
        np.testing.assert_array_equal(model.lm.weights, models[0].lm.weights)
        assert model.about["tuning"] == models[0].about["tuning"]
    assert models[0].about["tuning"]["perplexity"] == pytest.approx(alone.about["tuning"]["perplexity"], rel=1e-4)


def test_a_fixed_number_of_ranks_gives_a_fixed_file(corpus_file, as_ranks, tmp_path):
    for name in ("one", "two"):
        model = as_ranks(2, lambda ranks: trained(corpus_file, ranks).best())[0]
        rnncli.save(model, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("count", [1, 3])
def test_a_training_goes_on_with_fewer_ranks_or_with_more(corpus_file, as_ranks, tmp_path, count):
    def begin(ranks: Ranks) -> None:
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **SETTINGS)
        for progress in trainer.run():
            if progress.report:
                break
        if ranks.is_first:
            trainer.save_checkpoint(tmp_path / "kept.npz")

    as_ranks(2, begin)
    resumed = as_ranks(count, lambda ranks: trained(corpus_file, ranks, resume=tmp_path / "kept.npz"))
    through = as_ranks(2, lambda ranks: trained(corpus_file, ranks))
    assert_alike(values_of(resumed[0]), values_of(through[0]), rtol=1e-3, atol=1e-4)
    assert [report.epoch for report in resumed[0].state.history] == [1, 2, 3]


@pytest.mark.parametrize("sums", [0, 1, 7])
@pytest.mark.parametrize("survivor", [0, 1])
def test_when_a_rank_is_lost_each_of_the_others_can_keep_the_training(corpus_file, as_ranks, tmp_path, sums, survivor):
    def interrupted(ranks: Ranks) -> None:
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **SETTINGS)
        with pytest.raises(RankLostError):
            for _ in trainer.run():
                pass
        trainer.save_checkpoint(tmp_path / f"{ranks.number}.npz")
        assert trainer.state.step == sums

    as_ranks(2, interrupted, sums)
    resumed = as_ranks(2, lambda ranks: trained(corpus_file, ranks, resume=tmp_path / f"{survivor}.npz"))
    through = as_ranks(2, lambda ranks: trained(corpus_file, ranks))
    assert_alike(values_of(resumed[0]), values_of(through[0]), rtol=0)


@pytest.mark.parametrize(("networks", "reports"), [(1, 1), (1, 2), (2, 2)])
def test_a_report_is_made_up_for_when_the_ranks_were_lost_before_it(corpus_file, tmp_path, networks, reports):
    trainer = Trainer.start(corpus_file, **SETTINGS, networks=networks)

    def train_until_the_ranks_are_lost() -> None:
        for _ in trainer.run():
            if len(trainer.state.history) == reports:
                trainer.watch = LostWatch()

    with pytest.raises(RankLostError):
        train_until_the_ranks_are_lost()
    trainer.save_checkpoint(tmp_path / "kept.npz")
    resumed = Trainer.start(corpus_file, resume=tmp_path / "kept.npz", **SETTINGS, networks=networks)
    assert resumed.is_over == (networks == 1 and reports == 2)
    assert [report.epoch for report in resumed.state.history] == [1, 2][:reports]
    for _ in resumed.run():
        pass
    resumed.best()
    through = trained(corpus_file, Ranks(), networks=networks)
    assert [report.epoch for report in resumed.state.history] == [1, 2, 3] * networks
    for found, expected in zip(resumed.state.trained, through.state.trained, strict=True):
        assert_alike(found.values, expected.values, rtol=0)
    assert_alike(values_of(resumed), values_of(through), rtol=0)


class LostWatch:
    """A held-out text that other ranks were to read with this one."""

    def loss(self, lm) -> float:
        raise RankLostError("another rank was killed")


def test_ranks_with_another_text_or_other_options_are_refused(corpus_file, as_ranks, tmp_path):
    other = tmp_path / corpus_file.name
    other.write_text(corpus_file.read_text("utf-8") + "One line more.\n", encoding="utf-8")

    def start(ranks: Ranks, **of_second) -> str:
        options = {"sources": corpus_file, **(of_second if ranks.number else {})}
        with pytest.raises(SettingError) as refused:
            Trainer.start(hooks=Hooks(ranks=ranks), **{**SETTINGS, **options})
        return str(refused.value)

    for difference, name in (({"sources": other}, "another text"), ({"seed": 5}, "other options")):
        for message in as_ranks(2, lambda ranks, given=difference: start(ranks, **given)):
            assert message.startswith(f"rank 1 has {name} than rank 0: ")


def test_a_batch_that_is_too_small_for_the_ranks_is_refused(corpus_file, as_ranks):
    def start(ranks: Ranks) -> None:
        with pytest.raises(SettingError, match="a batch of 2 sequences cannot be shared by 3 ranks"):
            Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **{**SETTINGS, "batch_size": 2})

    as_ranks(3, start)


@pytest.mark.parametrize("softmax", ["full", "sampled"])
def test_ranks_that_take_steps_by_themselves_average_their_networks(corpus_file, as_ranks, softmax):
    def train(ranks: Ranks) -> tuple[Trainer, list[bool]]:
        options = {**SETTINGS, "softmax": softmax, "samples": 3, "local_steps": 3}
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **options)
        alike = []
        for progress in trainer.run():
            values = ranks.all(trainer.state.network.values())
            alike.append(all(np.array_equal(values[0][name], values[1][name]) for name in values[0]))
            assert alike[-1] or not trainer.stepper.team.is_whole
            averages = ranks.all(trainer.state.average.values)
            assert all(np.array_equal(averages[0][name], averages[1][name]) for name in averages[0])
            if progress.report:
                assert alike[-1]
        return trainer, alike

    (first, alike), (second, _) = as_ranks(2, train)
    assert 0.2 < np.mean(alike) < 0.6
    assert_alike(values_of(first), values_of(second), rtol=0)
    start = np.log(len(first.corpus.vocabulary))
    assert np.log(first.state.best.perplexity) < 0.8 * start


@pytest.mark.parametrize("softmax", ["full", "sampled"])
def test_a_rank_whose_own_steps_are_not_finite_takes_all_back(corpus_file, as_ranks, softmax):
    options = {**SETTINGS, "local_steps": 3, "softmax": softmax, "samples": 3}

    def train(ranks: Ranks) -> Trainer:
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **options)
        for _ in trainer.run():
            if trainer.state.step == 7 and ranks.number:
                trainer.state.network.parameters["softmax.bias"].value[:] = np.nan
            if trainer.state.step > 12:
                return trainer
        raise AssertionError

    for trainer in as_ranks(2, train):
        assert trainer.state.rate_scale == 0.5
        assert all(np.isfinite(value).all() for value in trainer.state.network.values().values())


def test_ranks_that_take_steps_by_themselves_count_by_their_sequences(corpus_file, as_ranks):
    def train(ranks: Ranks) -> list[dict[str, np.ndarray]]:
        options = {**SETTINGS, "threads": 1 if ranks.number else 2, "local_steps": 2}
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **options)
        team = trainer.stepper.team
        assert (team.share.start, team.share.stop) == ((8, 12) if ranks.number else (0, 8))
        for parameter in team.workers[0].network.parameters.values():
            parameter.value[...] = ranks.number
        trainer.state.carried = team.agree(trainer.state.carried)
        return trainer.state.network.values()

    for values in as_ranks(2, train):
        assert_alike(values, {name: np.full(value.shape, 1 / 3) for name, value in values.items()}, rtol=1e-6)


def test_a_step_after_which_the_ranks_are_lost_is_not_taken_twice(corpus_file, as_ranks):
    def train(ranks: Ranks) -> tuple[int, int, int]:
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **SETTINGS, local_steps=3)
        ranks.sums = 0
        with pytest.raises(RankLostError):
            for _ in trainer.run():
                pass
        state = trainer.state
        return state.step, state.optimizer.steps, state.position

    assert as_ranks(2, train) == [(3, 3, 3 * SETTINGS["bptt"])] * 2


def test_an_epoch_at_whose_end_the_ranks_are_lost_is_over(corpus_file, as_ranks):
    rows = len(Trainer.start(corpus_file, **SETTINGS).sequences) - 1
    steps = -(-rows // SETTINGS["bptt"])

    def train(ranks: Ranks) -> tuple[int, int, int, bool]:
        trainer = Trainer.start(corpus_file, hooks=Hooks(ranks=ranks), **SETTINGS, local_steps=steps)
        ranks.sums = 0
        with pytest.raises(RankLostError):
            for _ in trainer.run():
                pass
        state = trainer.state
        return state.step, state.epochs, state.position, state.is_report_due

    assert as_ranks(2, train) == [(steps, 1, 0, True)] * 2


def test_one_process_takes_no_steps_by_itself(corpus_file):
    usual = trained(corpus_file, Ranks())
    assert_alike(values_of(trained(corpus_file, Ranks(), local_steps=5)), values_of(usual), rtol=0)
