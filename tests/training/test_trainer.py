"""What a training learns, and what it tells of itself."""

import hashlib
import itertools
import math

import numpy as np
import pytest

import rnncli
from rnncli.nn.schedules import LAST

SAMPLED = {"softmax": "sampled", "samples": 6}


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_cell_learns_with_either_optimizer(start, finish, cell, optimizer):
    trainer = start(cell=cell, optimizer=optimizer, hidden_size=16, epochs=5, batch_size=4)
    untrained = trainer.measure()
    reports = finish(trainer)
    assert trainer.state.best.perplexity < untrained / 2
    assert trainer.state.best.perplexity == min(report.valid_perplexity for report in reports)


@pytest.mark.parametrize(
    "options",
    [
        {"layers": 2, "tied": False, "dropout": 0.3, "weight_decay": 1e-3},
        {"embedding_size": 5, "schedule": "step", "clip": 0},
        {"cell": "elman", "activation": "relu", "tokenizer": "char", "lowercase": True},
        {"unit": "paragraph", "min_count": 3, "max_vocab": 20},
    ],
)
def test_every_kind_of_network_and_text_can_be_trained(start, finish, options):
    trainer = start(**options)
    untrained = trainer.measure()
    finish(trainer)
    assert trainer.state.best.perplexity < untrained
    assert trainer.best().predict("Tom is", n=1)


def test_the_model_has_learned_what_the_sentence_began_with(model):
    for field, verb in {"science": "study", "chess": "lose"}.items():
        assert model.predict(f"Tom is not good at {field}, so he will", 1)[0].word == verb
        assert model.predict(f"Tom is good at {field}, so he will", 1)[0].word == "not"


def test_a_sampled_training_does_about_as_well_as_a_full_one(start):
    """The second half would draw all words of so small a vocabulary, so both trainings are ended at the half."""
    perplexities = []
    for softmax in ({"softmax": "full"}, SAMPLED):
        trainer = start(hidden_size=16, epochs=12, patience=12, batch_size=4, dropout=0, threads=1, **softmax)
        for _ in itertools.takewhile(lambda progress: progress.fraction < 0.5, trainer.run()):
            pass
        perplexities.append(trainer.measure())
    full, sampled = perplexities
    assert full < 8
    assert sampled == pytest.approx(full, rel=0.1)


@pytest.mark.parametrize(("samples", "later"), [(100, 3000), (4000, 4000)])
def test_a_sampled_softmax_draws_more_words_in_the_second_half(start, tmp_path, samples, later):
    path = tmp_path / "words.txt"
    path.write_text("\n".join(f"word{number}" for number in range(6000)))
    trainer = start(path, softmax="sampled", samples=samples, epochs=1, batch_size=10, bptt=20, ngram_order=0)
    own_words = 10 * 20 + 10
    fraction = 0.0
    halves = []
    for progress in trainer.run():
        normalised_over = len(trainer.state.network.softmax.bias.rows)
        drawn = later if fraction >= 0.5 else samples
        assert 0.9 * drawn <= normalised_over <= drawn + own_words
        halves.append(fraction >= 0.5)
        fraction = progress.fraction
    assert set(halves) == {False, True}


def test_a_step_reads_only_rows_that_have_caught_up_and_a_measurement_reads_all(start, before_each_step):
    trainer = start(**SAMPLED, batch_size=2, bptt=5)
    trainer.state.average.count = lambda: False  # where values are averaged, rows catch up sooner
    optimizer = trainer.state.optimizer
    missed = [set()]  # after each step, the words that have missed a step
    returned = []
    still_behind = []

    def behind() -> set[int]:
        return set(np.flatnonzero(optimizer.caught_up["embedding.weight"] < optimizer.steps).tolist())

    def look(noise) -> None:
        words = set(noise.sample.words.tolist())
        returned.append(missed[-1] & words)
        still_behind.append(behind() & words)

    before_each_step(trainer, look)
    missed.extend(behind() for _ in itertools.islice(trainer.run(), 20))
    assert sum(map(len, returned)) > 20
    assert not any(still_behind)
    assert missed[-1]
    trainer.measure()
    assert behind() == set()


def test_reports_count_what_was_done(start, finish):
    trainer = start(batch_size=4)
    first, second = finish(trainer)
    length = len(trainer.sequences) - 1
    batch = trainer.sequences.shape[1]
    assert batch == 4
    assert (first.epoch, second.epoch) == (1, 2)
    assert first.words == length * batch
    assert second.words == 2 * first.words
    assert first.step == math.ceil(length / 10)
    assert 0 < first.seconds < second.seconds
    assert first.words_per_second == pytest.approx(first.words / first.seconds)
    assert second.learning_rate == pytest.approx(LAST * trainer.plan.training.lr)


def test_the_state_is_carried_from_step_to_step_and_begins_anew_with_each_epoch(start):
    trainer = start()
    for progress in trainer.run():
        carries = [field.any() for layer in trainer.state.carried for field in layer]
        assert all(carries) if not progress.report else not any(carries)


def test_progress_goes_evenly_from_zero_to_one(start):
    fractions = [progress.fraction for progress in start().run()]
    assert 0 < fractions[0] < 0.1
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize("options", [{}, SAMPLED])
def test_the_same_seed_gives_the_same_file_byte_for_byte(corpus_file, tmp_path, options):
    digests = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        model = rnncli.train([corpus_file], hidden_size=8, epochs=1, bptt=10, **options, seed=seed, dropout=0.3)
        rnncli.save(model, tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_the_best_model_is_kept_not_the_last(start):
    trainer = start(hidden_size=16, epochs=4, lr=0.03, schedule="step")
    for _ in itertools.takewhile(lambda progress: not progress.report, trainer.run()):
        pass
    best_perplexity = trainer.state.best.perplexity
    values = {name: value.copy() for name, value in trainer.state.average.values.items()}
    for value in trainer.state.average.values.values():
        value += 1  # ruins the network
    assert trainer.measure() > best_perplexity
    for name, value in trainer.best().lm.parts[0].values().items():
        np.testing.assert_array_equal(value, values[name])
    assert trainer.state.best.perplexity == best_perplexity


@pytest.mark.parametrize("text", ["two words", "one two three\n", "a b\n" * 20])
def test_tiny_texts_can_be_learned(tmp_path, text):
    path = tmp_path / "tiny.txt"
    path.write_text(text)
    model = rnncli.train([path], hidden_size=8, epochs=2, bptt=10)
    assert math.fsum(p for _, p in model.predict("", n=0)) == pytest.approx(1)


def test_a_training_that_is_left_at_once_gives_a_model(start):
    trainer = start(epochs=2)
    next(trainer.run())
    assert trainer.best().predict("Tom is", 1)
