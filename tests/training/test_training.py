import copy
import hashlib
import itertools
import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

import rnncli
from rnncli import training
from rnncli.errors import SettingError, TrainingError
from rnncli.metrics import perplexity
from rnncli.training import Settings, loop, recipe
from rnncli.training.state import Report

TINY = {"hidden_size": 8, "epochs": 2, "bptt": 10}
SAMPLED = {"softmax": "sampled", "samples": 6}


def run(trainer) -> list[Report]:
    return [progress.report for progress in trainer.run() if progress.report]


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_cell_learns_with_either_optimizer(corpus_file, cell, optimizer):
    trainer = training.start(
        [corpus_file], cell=cell, optimizer=optimizer, hidden_size=16, bptt=10, epochs=5, batch_size=4
    )
    untrained = trainer.measure()
    epochs = run(trainer)
    assert trainer.state.best_perplexity < untrained / 2
    assert trainer.state.best_perplexity == min(epoch.valid_perplexity for epoch in epochs)


@pytest.mark.parametrize(
    "options",
    [
        {"layers": 2, "tied": False, "dropout": 0.3, "weight_decay": 1e-3},
        {"embedding_size": 5, "schedule": "step", "clip": 0},
        {"cell": "elman", "activation": "relu", "tokenizer": "char", "lowercase": True},
        {"unit": "paragraph", "min_count": 3, "max_vocab": 20},
    ],
)
def test_every_kind_of_network_and_text_can_be_trained(corpus_file, options):
    trainer = training.start([corpus_file], **TINY, **options)
    untrained = trainer.measure()
    run(trainer)
    assert trainer.state.best_perplexity < untrained
    assert trainer.best().predict("Tom is", n=1)


def test_the_model_has_learned_what_the_sentence_began_with(model):
    for field, verb in {"science": "study", "chess": "lose"}.items():
        assert model.predict(f"Tom is not good at {field}, so he will", 1)[0].word == verb
        assert model.predict(f"Tom is good at {field}, so he will", 1)[0].word == "not"


def test_a_sampled_training_ends_near_the_full_one(corpus_file, monkeypatch):
    monkeypatch.setattr(recipe, "LATE_SAMPLES", 6)  # fewer than there are words, to the end
    options = {"hidden_size": 16, "bptt": 10, "epochs": 12, "patience": 12, "batch_size": 4, "dropout": 0, "threads": 1}
    full, sampled = (training.start([corpus_file], **options, **softmax) for softmax in ({}, SAMPLED))
    assert full.samplers == []
    for trainer in (full, sampled):
        run(trainer)
    assert sampled.state.best_perplexity == pytest.approx(full.state.best_perplexity, rel=0.1)


@pytest.mark.parametrize(("samples", "late"), [(6, 3000), (4000, 4000)])
def test_a_sampled_softmax_draws_more_words_in_the_second_half(corpus_file, monkeypatch, samples, late):
    drawn = []
    monkeypatch.setattr(loop, "Sampler", lambda counts, size, make=loop.Sampler: Watched(make(counts, size), size))

    class Watched:
        def __init__(self, sampler, size):
            self.sampler, self.size = sampler, size

        def sample(self, words, rng):
            drawn.append((trainer.state.share, self.size))
            return self.sampler.sample(words, rng)

    trainer = training.start([corpus_file], **TINY, softmax="sampled", samples=samples)
    run(trainer)
    assert {size for share, size in drawn if share < 0.5} == {samples}
    assert {size for share, size in drawn if share >= 0.5} == {late}


def test_a_step_reads_only_rows_that_have_caught_up_and_a_measurement_reads_all(corpus_file, monkeypatch):
    trainer, seen = training.start([corpus_file], **TINY, **SAMPLED), []
    state, learn = trainer.state, loop.Team.learn

    def behind(rows) -> int:
        return int((state.optimizer.caught_up["embedding.weight"][rows] < state.optimizer.steps).sum())

    def watched(team, inputs, targets, carried, draw):
        seen.append((len(draw.sample.words), behind(draw.sample.words), behind(slice(None))))
        return learn(team, inputs, targets, carried, draw)

    monkeypatch.setattr(loop.Team, "learn", watched)
    for _ in itertools.islice(trainer.run(), 5):
        pass
    assert [late for _, late, _ in seen] == [0] * 5
    assert all(size < len(trainer.corpus.vocabulary) for size, *_ in seen)
    assert any(late for *_, late in seen)
    trainer.measure()
    assert behind(slice(None)) == 0


def test_records_count_what_was_done(corpus_file):
    trainer = training.start([corpus_file], **TINY, batch_size=4)
    first, second = run(trainer)
    length, batch = len(trainer.words) - 1, trainer.words.shape[1]
    assert batch == 4
    assert (first.epoch, second.epoch) == (1, 2)
    assert first.words == length * batch
    assert second.words == 2 * first.words
    assert first.step == math.ceil(length / 10)
    assert 0 < first.seconds < second.seconds
    assert first.words_per_second == pytest.approx(first.words / first.seconds)
    assert second.learning_rate == pytest.approx(0, abs=1e-9)


def test_progress_goes_evenly_from_zero_to_one(corpus_file):
    shares = [progress.share for progress in training.start([corpus_file], **TINY).run()]
    assert 0 < shares[0] < 0.1
    assert shares == sorted(shares)
    assert shares[-1] == 1


class Clock:
    """Time that passes by a second with every look at it."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1
        return self.now


@pytest.mark.parametrize("limit", [400.0, 1500.0])
def test_a_training_by_the_clock_anneals_to_its_end_within_its_time(corpus_file, monkeypatch, limit):
    clock = Clock()
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    trainer = training.start([corpus_file], hidden_size=8, time=limit, patience=99, epochs=10**6)
    shares = [(progress.share, progress.report) for progress in trainer.run()]
    assert clock.now <= limit + 5  # a few looks at the clock
    assert clock.now > 0.9 * limit
    assert shares[-1][0] == 1
    reports = [report for _, report in shares if report]
    assert len(reports) == 10
    assert reports[-1].learning_rate == 0
    rates = [report.learning_rate for report in reports]
    assert rates == sorted(rates, reverse=True)


def test_a_text_that_is_soon_read_often_enough_ends_a_training_before_its_time(corpus_file, monkeypatch):
    monkeypatch.setattr(loop, "time", Clock())
    trainer = training.start([corpus_file], hidden_size=8, time=1e9, epochs=3, patience=99)
    reports = run(trainer)
    assert trainer.state.epochs == 3
    assert len(reports) == 10
    assert reports[-1].epoch == 3
    assert trainer.settings.time == 1e9


def test_the_time_counts_from_the_reading_of_the_text_on(corpus_file, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    read_corpus = training.read_corpus

    def slow(*sources, **options):
        clock.now += 5000
        return read_corpus(*sources, **options)

    monkeypatch.setattr(training, "read_corpus", slow)
    trainer = training.start([corpus_file], hidden_size=8, time=6000.0, epochs=10**6, patience=99)
    shares = [progress.share for progress in trainer.run()]
    assert 0 < len(shares) < 1000
    assert shares[0] < 0.01  # the schedule begins with its beginning nevertheless
    assert clock.now <= 6005


@pytest.mark.parametrize(("cache_size", "slower"), [(25, 1), (100, 4)])  # a cache that fills while some words are read
def test_time_is_kept_for_watching_the_network_and_for_tuning_the_parts(corpus_file, monkeypatch, cache_size, slower):
    clock, limit = Clock(), 10_000.0
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(loop, "SOME", 50)

    def slowly(does, place, seconds):
        def slow(*arguments):
            clock.now += seconds * arguments[place].size
            return does(*arguments)

        return slow

    monkeypatch.setattr(loop, "mean_loss", slowly(loop.mean_loss, 1, 0.2))
    monkeypatch.setattr(loop, "tune", slowly(loop.tune, 3, 1.0))
    options = {"hidden_size": 8, "time": limit, "epochs": 10**6, "patience": 99, "cache_size": cache_size}
    trainer = training.start([corpus_file], valid=[corpus_file], **options)
    watched, tuned_on = len(trainer.watched), len(trainer.tuned_on)
    assert 0.8 < watched * 0.2 / (loop.WATCHING_SHARE * limit) < 1.1
    assert 0.8 < slower * tuned_on * 1.0 / (loop.TUNING_SHARE * limit) < 1.1
    run(trainer)
    model = trainer.best()
    assert 0.95 * limit < clock.now <= limit
    assert model.about["corpus"]["watched_words"] == watched
    assert model.about["tuning"]["words"] == tuned_on


@pytest.mark.parametrize(("cache_size", "pieces"), [(50, 8), (500, 2), (2000, 1), (0, 8)])
def test_the_parts_are_tuned_in_pieces_that_fill_the_cache(corpus_file, monkeypatch, cache_size, pieces):
    trainer = training.start([corpus_file], valid=[corpus_file], **TINY, cache_size=cache_size)
    shapes, tune = [], loop.tune
    monkeypatch.setattr(loop, "tune", lambda *a: shapes.append(a[3].shape) or tune(*a))
    trainer.measure()
    trainer.best()
    words = len(trainer.corpus.valid)
    assert words // pieces >= 2 * cache_size or pieces == 1
    assert shapes == [(words // pieces, pieces)]


def test_of_a_long_text_ngrams_that_occurred_once_are_left_out(corpus_file, tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text(corpus_file.read_text() + "Mary will not be lonely.\n" + corpus_file.read_text())
    whole = training.start([path], **TINY).ngram
    wanted = training.start([path], **TINY, prune=True).ngram
    monkeypatch.setattr(recipe, "PRUNED", 100)
    pruned, unwanted = training.start([path], **TINY).ngram, training.start([path], **TINY, prune=False).ngram
    sizes = [[len(level.words) for level in ngram.levels] for ngram in (whole, pruned, wanted, unwanted)]
    assert (sizes[2], sizes[3]) == (sizes[1], sizes[0])
    assert sizes[0][0] == sizes[1][0]  # pairs are all kept
    assert all(more > fewer for more, fewer in zip(sizes[0][1:], sizes[1][1:], strict=True))


def test_a_training_whose_time_is_up_before_it_begins_still_takes_a_step_and_gives_a_model(
    corpus_file, monkeypatch, tmp_path
):
    clock = Clock()
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    trainer = training.start([corpus_file], hidden_size=8, time=1.0)
    reports = run(trainer)
    assert (len(reports), trainer.state.step) == (1, 1)
    assert 0 < reports[0].epoch < 1
    rnncli.save(trainer.best(), tmp_path / "model.npz")
    assert rnncli.load(tmp_path / "model.npz").about["history"][0]["step"] == 1


def test_by_default_a_training_takes_ten_minutes_but_with_epochs_as_long_as_they_take(corpus_file):
    assert training.start([corpus_file], hidden_size=8).settings.time == 600
    assert training.start([corpus_file], hidden_size=8, epochs=1).settings.time is None


@pytest.mark.parametrize("options", [{}, SAMPLED])
def test_the_same_seed_gives_the_same_file_byte_for_byte(corpus_file, tmp_path, options):
    digests = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        model = rnncli.train([corpus_file], **TINY, **options, seed=seed, dropout=0.3)
        rnncli.save(model, tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_the_best_model_is_kept_not_the_last(corpus_file):
    trainer = training.start([corpus_file], hidden_size=16, bptt=10, epochs=4, lr=0.03, schedule="step")
    for _ in itertools.takewhile(lambda progress: not progress.report, trainer.run()):
        pass
    best = trainer.state.best_perplexity
    parameters = trainer.state.network.named_parameters()
    values = {name: parameter.value.copy() for name, parameter in parameters.items()}
    for parameter in parameters.values():
        parameter.value += 1  # ruins what comes after
    assert trainer.measure() > best
    for name, parameter in trainer.best().lm.network.named_parameters().items():
        np.testing.assert_array_equal(parameter.value, values[name])
    assert trainer.state.best_perplexity == best


def test_training_comes_to_its_end_sooner_when_validation_no_longer_improves(corpus_file, monkeypatch):
    perplexities = iter([5.0, 4.0, 4.5, 4.2, 3.0, 4.4])
    monkeypatch.setattr(loop, "mean_loss", lambda *_: math.log(next(perplexities)))
    trainer, values, shares = training.start([corpus_file], hidden_size=8, bptt=10, epochs=30, patience=2), [], []
    bias = trainer.state.network.parameters["softmax.bias"]
    for progress in trainer.run():
        shares.append(progress.share)
        if progress.report:
            values.append(bias.value.copy())
            if len(values) == 4:  # what comes now, begins with the best values
                monkeypatch.setattr(trainer, "_step", checked(trainer, bias, values[1]))
    reports = trainer.state.history
    assert [round(report.valid_perplexity, 6) for report in reports] == [5, 4, 4.5, 4.2, 3, 4.4]
    assert [report.epoch for report in reports] == [1, 2, 3, 4, 5, 6]  # half as many again
    assert reports[-1].step == trainer.state.step
    assert reports[3].learning_rate > 0.9 * trainer.settings.lr
    assert reports[5].learning_rate == 0
    assert shares == sorted(shares)
    assert trainer.state.best_perplexity == pytest.approx(3)


@pytest.mark.parametrize("patience", [1, 2])  # 3 readings and a half, 4 and a half of that
def test_the_end_is_measured_wherever_it_is(corpus_file, monkeypatch, patience):
    perplexities = iter([5.0, 4.0, *[4.5] * patience, 4.0, 3.0])
    monkeypatch.setattr(loop, "mean_loss", lambda *_: math.log(next(perplexities)))
    trainer = training.start([corpus_file], hidden_size=8, bptt=10, epochs=30, patience=patience)
    last = run(trainer)[-1]
    assert last.epoch == pytest.approx(1.5 * (2 + patience), abs=0.1)
    assert (last.learning_rate, round(last.valid_perplexity, 6)) == (0, 3)
    assert trainer.state.landing.epochs == 2 + patience


def test_a_training_by_the_clock_comes_to_its_end_sooner_too(corpus_file, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    trainer = training.start([corpus_file], hidden_size=8, time=20_000.0, epochs=10**6)
    monkeypatch.setattr(trainer, "_watch", lambda *_: 1.0)  # never better than the first time
    reports = run(trainer)
    assert len(reports) == 10
    assert (reports[3].learning_rate > 0.5 * trainer.settings.lr, reports[-1].learning_rate) == (True, 0)
    assert reports[-1].epoch == pytest.approx(1.5 * trainer.state.landing.epochs, rel=0.1)
    assert clock.now < 0.7 * 20_000


def checked(trainer, parameter, value: np.ndarray):
    """A trainer's step, that looks first whether the parameter has that value; the next ones do not."""
    step, looks = trainer._step, iter([True])

    def first(team) -> None:
        if next(looks, False):
            np.testing.assert_array_equal(parameter.value, value)
        step(team)

    return first


@pytest.mark.parametrize("options", [{}, SAMPLED])
@pytest.mark.parametrize("broken", ["loss", "validation"])
def test_a_loss_that_is_not_finite_leads_back_to_the_best_model_and_half_the_rate(
    corpus_file, broken, options, monkeypatch
):
    trainer = training.start([corpus_file], **TINY, **options)
    state = trainer.state
    before = {name: value.copy() for name, value in state.best.items()}
    next(trainer.run())
    if broken == "loss":
        state.network.parameters["softmax.bias"].value[3] = np.nan
        next(trainer.run())
    else:
        monkeypatch.setattr(loop, "mean_loss", lambda *_: math.nan)
        trainer._report()
    assert (state.rollbacks, state.rate_scale) == (1, 0.5)
    for name, parameter in state.network.named_parameters().items():
        np.testing.assert_array_equal(parameter.value, before[name])
    assert state.optimizer.steps == 0
    monkeypatch.undo()
    assert all(math.isfinite(epoch.valid_perplexity) for epoch in run(trainer))
    assert math.isfinite(trainer.state.best_perplexity)


def test_a_training_that_always_diverges_ends_with_an_error(corpus_file, monkeypatch):
    trainer = training.start([corpus_file], **TINY)
    broken = trainer.state.network.loss
    monkeypatch.setattr(trainer.state.network, "loss", lambda *a: (math.nan, *broken(*a)[1:]))
    with pytest.raises(TrainingError, match=r"training diverged, even with a learning rate of 0\.00013: try a smaller"):
        run(trainer)


def test_where_no_network_foresees_the_validation_text_there_is_no_best_one(corpus_file):
    with pytest.raises(TrainingError, match=r"no model came out .*: try a smaller learning rate"):
        training.start([corpus_file], **TINY).best()


def test_a_training_that_diverges_late_ends_with_the_best_model(corpus_file, monkeypatch):
    perplexities = iter([5.0, 4.0])
    monkeypatch.setattr(loop, "mean_loss", lambda *_: math.log(next(perplexities, math.nan)))
    trainer = training.start([corpus_file], hidden_size=8, bptt=10, epochs=30, patience=30)
    assert len(run(trainer)) == 2 + loop.ROLLBACKS + 1
    assert trainer.state.given_up
    assert trainer.best().about["best_valid_perplexity"] == pytest.approx(4)


@pytest.mark.parametrize("rate", [1e30, 1e39])
@pytest.mark.parametrize("options", [{"optimizer": "sgd"}, {}, SAMPLED, {"weight_decay": 1e30}])
def test_a_huge_learning_rate_never_gives_a_model_of_nans(corpus_file, options, rate):
    trainer = training.start([corpus_file], **TINY, **options, lr=rate, clip=0, cell="elman", activation="relu")
    with suppress(TrainingError):
        run(trainer)
    assert all(np.isfinite(value).all() for value in trainer.state.best.values())


def test_what_is_left_open_is_decided_by_the_recipe(corpus_file):
    trainer = training.start(corpus_file)
    assert (trainer.config.hidden_size, trainer.config.embedding_size, trainer.config.dropout) == (256, 256, 0.5)
    assert (trainer.settings.time, trainer.settings.epochs) == (600, 20)
    trainer = training.start(corpus_file, hidden_size=512)
    trainer.measure()
    assert (trainer.config.word_dropout, trainer.config.recurrent_dropout) == (0.1, 0.3)
    assert trainer.settings.samples == 1000
    assert (
        trainer.settings.batch_size == trainer.words.shape[1] == recipe.most_streams(len(trainer.corpus.train), 35) < 40
    )
    again = training.start_from(trainer.best(), corpus_file, word_dropout=0.2)
    assert (again.config.hidden_size, again.config.dropout) == (512, 0.5)
    assert (again.config.word_dropout, again.config.recurrent_dropout) == (0.2, 0.3)
    trainer = training.start(corpus_file, hidden_size=300, dropout=0, epochs=2, batch_size=3, samples=7)
    assert (trainer.config.hidden_size, trainer.config.embedding_size, trainer.config.dropout) == (300, 256, 0)
    settings = trainer.settings
    assert (settings.time, settings.epochs, settings.batch_size, settings.samples) == (None, 2, 3, 7)


@pytest.mark.parametrize("text", ["two words", "one two three\n", "a b\n" * 20])
def test_tiny_texts_can_be_learned(tmp_path, text):
    path = tmp_path / "tiny.txt"
    path.write_text(text)
    model = rnncli.train([path], **TINY)
    assert math.fsum(p for _, p in model.predict("", n=0)) == pytest.approx(1)


def test_the_state_alone_is_enough_to_go_on_as_if_nothing_had_happened(corpus_file):
    options = {**TINY, "epochs": 3, "layers": 2, "dropout": 0.3}
    trainer, kept = training.start([corpus_file], **options), None
    for progress in trainer.run():
        if kept is None and progress.share > 0.4:
            kept = copy.deepcopy(trainer.state)
    assert kept.position > 0
    other = training.start([corpus_file], **options)
    other.state = kept
    run(other)
    for ours, theirs in zip(other.state.history, trainer.state.history, strict=True):
        assert replace(ours, seconds=0, words_per_second=0) == replace(theirs, seconds=0, words_per_second=0)
    for name, value in trainer.state.best.items():
        np.testing.assert_array_equal(other.state.best[name], value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs is 0, and must be a whole number from 1 on"),
        ({"epochs": 1.5}, "epochs is 1.5, and must be a whole number"),
        ({"seed": 1.5}, "seed is 1.5, and must be a whole number from 0 on"),
        ({"time": "10m"}, "time is 10m, and must be a finite number of seconds above 0"),
        ({"clip": -1}, "clip is -1, and must be a finite number from 0 on"),
        ({"weight_decay": math.nan}, "weight_decay is nan"),
        ({"lr": 0}, "lr is 0, and must be a finite number above 0"),
        ({"optimizer": "lion"}, "no optimizer is called 'lion': choose from adam, sgd"),
        ({"schedule": "linear"}, "no schedule is called 'linear': choose from cosine, step"),
        ({"softmax": "hierarchical"}, "no softmax is called 'hierarchical': choose from full, sampled"),
        ({"threads": 0}, "threads is 0, and must be a whole number from 1 on"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(SettingError, match=message):
        Settings(**wrong)


def test_settings_are_checked_before_the_text_is_read(tmp_path):
    with pytest.raises(SettingError, match="hidden_size is 0"):
        training.start([tmp_path / "missing.txt"], hidden_size=0)


@pytest.fixture
def other_file(tmp_path):
    """A text of known words and a few new ones, in other sentences."""
    path = tmp_path / "other.txt"
    path.write_text("The penguin will not study chess, so Tom is good.\nMary will read more penguin music.\n" * 40)
    return path


def test_fine_tuning_does_better_on_a_new_text_than_the_model_it_began_with(model, other_file):
    tuned = rnncli.train([other_file], init=model, epochs=12, bptt=10)
    assert tuned.vocabulary.words == [*model.vocabulary.words, "penguin"]
    assert tuned.lm.network.config.hidden_size == model.lm.network.config.hidden_size
    before, after = (m.evaluate([other_file]).perplexity_of_parts["network"] for m in (model, tuned))
    assert after < before / 2
    assert tuned.predict("The", 1)[0].word in ("penguin", "doctor")


def test_new_words_are_at_first_to_the_network_what_unknown_words_are(model, other_file):
    trainer = training.start_from(model, [other_file], epochs=1)
    new, words = trainer.state.network, np.array([[4], [5]])
    old = model.lm.network
    state = new.read(words, new.start(1))
    np.testing.assert_allclose(state[0].h, old.read(words, old.start(1))[0].h, rtol=1e-5, atol=1e-6)
    p, q = (np.exp(network.log_prob(network.read(words, network.start(1))))[0] for network in (new, old))
    np.testing.assert_allclose(np.delete(p[:-1], 1), np.delete(q, 1), rtol=1e-4)
    assert p[1] + p[-1] == pytest.approx(q[1], rel=1e-4)
    assert p[-1] > p[1]


def test_fine_tuning_never_ends_with_a_worse_network_than_it_began_with(model, other_file):
    untouched = {name: p.value.copy() for name, p in model.lm.network.named_parameters().items()}
    trainer = training.start_from(model, [other_file], epochs=1, lr=1e3, clip=0.0)
    first = trainer.state.best_perplexity
    assert math.isfinite(first)
    run(trainer)
    assert trainer.state.history[-1].valid_perplexity > first
    assert perplexity(loop.mean_loss(trainer.best().lm.network, trainer.watched)) == pytest.approx(first)
    for name, parameter in model.lm.network.named_parameters().items():
        np.testing.assert_array_equal(parameter.value, untouched[name])
