"""What becomes of a network at the end of its training."""

import pytest

from rnncli.errors import TrainingError
from rnncli.lm.cache import Cache
from rnncli.ranks import Ranks
from rnncli.training.finish import ModelBuilder


class CountingCrew:
    """Does the work of a crew on one thread, and notes how many pieces of work it was given."""

    def __init__(self):
        self.pieces = []
        self.ranks = Ranks()

    def map(self, work, pieces):
        self.pieces.append(len(pieces))
        return list(map(work, pieces))


@pytest.mark.parametrize(("cache_size", "sequences"), [(50, 8), (1000, 5), (4000, 1), (0, 8)])
def test_the_mixture_is_tuned_on_sequences_that_fill_the_cache(corpus_file, start, cache_size, sequences):
    trainer = start(valid=[corpus_file], cache_size=cache_size)
    crew = CountingCrew()
    trainer.measure()
    builder = ModelBuilder(trainer.plan, trainer.corpus, crew)
    builder.fit(len(trainer.corpus.train))
    model = builder.model(trainer.state)
    words = len(trainer.corpus.valid)
    assert crew.pieces == [sequences]
    assert words // sequences >= cache_size // 2 or sequences == 1
    assert model.about["tuning"]["words"] == words == 2784
    assert (model.lm.find(Cache) is None) == (cache_size == 0)


def test_where_no_network_predicts_the_validation_text_there_is_no_best_one(start):
    with pytest.raises(TrainingError, match=r"no model came out .*: try a smaller learning rate"):
        start().best()
