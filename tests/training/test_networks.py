"""Several networks are trained one after the other."""

import numpy as np

import rnncli
from rnncli.lm.ensemble import networks_of
from rnncli.training.finish import MAX_PERPLEXITY_RATIO


def test_each_network_learns_from_another_beginning(start, finish):
    trainer = start(networks=3, epochs=2)
    reports = finish(trainer)
    assert [(report.network, report.epoch) for report in reports] == [(n, e) for n in (1, 2, 3) for e in (1, 2)]
    assert [report.step for report in reports] == sorted(report.step for report in reports)
    networks = networks_of(trainer.best().lm)
    assert len(networks) == 3
    tables = [network.embedding.weight.value for network in networks]
    assert min(np.abs(a - b).max() for a, b in ((tables[0], tables[1]), (tables[1], tables[2]))) > 0.01


def test_the_first_network_is_the_one_that_is_trained_alone(start, finish):
    alone, several = start(networks=1), start(networks=2)
    finish(alone)
    finish(several)
    (network,) = networks_of(alone.best().lm)
    first, _ = networks_of(several.best().lm)
    for name, value in network.values().items():
        np.testing.assert_array_equal(first.values()[name], value)


def test_a_network_whose_training_was_interrupted_counts_once_it_is_as_good(start):
    trainer = start(networks=2, epochs=20)
    run = trainer.run()
    for progress in run:
        if progress.network == 2 and progress.report:
            break
    trained = trainer.state.trained[0].perplexity
    is_good = trainer.state.best.perplexity <= MAX_PERPLEXITY_RATIO * trained
    assert not is_good  # after one epoch of twenty
    assert len(networks_of(trainer.best().lm)) == 1
    for _ in run:
        pass
    assert trainer.state.best.perplexity <= MAX_PERPLEXITY_RATIO * trained
    assert len(networks_of(trainer.best().lm)) == 2


def test_a_training_that_goes_on_from_a_model_goes_on_with_each_of_its_networks(start, finish, corpus_file):
    trainer = start(networks=2)
    finish(trainer)
    model = trainer.best()
    tuned = rnncli.start_training(corpus_file, init=model, epochs=1, lr=1e-7)
    finish(tuned)
    assert tuned.plan.training.networks == 2
    for ours, theirs in zip(networks_of(tuned.best().lm), networks_of(model.lm), strict=True):
        for name, value in ours.values().items():
            np.testing.assert_allclose(value, theirs.values()[name], atol=1e-3)


def test_a_network_that_always_diverges_does_not_cost_the_one_before_it(start):
    trainer = start(networks=2)
    for progress in trainer.run():
        if progress.network == 2:
            for values in (trainer.state.network.values(), trainer.state.best.values):
                values["softmax.bias"][3] = np.nan
    assert trainer.state.gave_up
    assert len(networks_of(trainer.best().lm)) == 1
