"""From texts and options to a plan."""

import math

import pytest

import rnncli
from rnncli.errors import SettingError
from rnncli.lm.network import Network
from rnncli.text.vocabulary import EOS, UNK
from rnncli.training import recipe
from rnncli.training.plan import Options, make_plan


def plan_of(*sources, **options):
    return make_plan(Options.of(options), sources)[0]


def vocabulary_of(*sources, **options):
    return make_plan(Options.of(options), sources)[1].vocabulary


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_left_open_is_decided_by_the_recipe(corpus_file):
    plan = plan_of(corpus_file)
    assert (plan.network.hidden_size, plan.network.embedding_size, plan.network.dropout) == (256, 256, 0.5)
    assert (plan.training.time, plan.training.epochs) == (600, 20)


def test_what_is_decided_goes_by_what_is_given(corpus_file):
    plan = plan_of(corpus_file, hidden_size=512)
    assert (plan.network.word_dropout, plan.network.recurrent_dropout) == (0.1, 0.25)
    assert plan.training.samples == 1000
    plan = plan_of(corpus_file, hidden_size=300, dropout=0, epochs=2, batch_size=3, samples=7)
    assert (plan.network.hidden_size, plan.network.embedding_size, plan.network.dropout) == (300, 256, 0)
    training = plan.training
    assert (training.time, training.epochs, training.batch_size, training.samples) == (math.inf, 2, 3, 7)


def test_a_small_text_is_read_in_fewer_sequences(corpus_file):
    trainer = rnncli.start_training(corpus_file, hidden_size=8)
    fewer = recipe.max_batch_size(len(trainer.corpus.train), 35)
    assert trainer.plan.training.batch_size == trainer.sequences.shape[1] == fewer < 20


def test_a_model_that_is_gone_on_from_decides_its_shape_and_the_recipe_its_dropout(corpus_file):
    trainer = rnncli.start_training(corpus_file, hidden_size=512, time=3600, epochs=5, cache_size=0)
    trainer.measure()
    again = rnncli.start_training(corpus_file, init=trainer.best(), word_dropout=0.2, time=3600, epochs=15).plan
    assert again.is_fine_tuning
    assert (again.network.hidden_size, again.network.dropout) == (512, 0.5)
    assert (again.network.word_dropout, again.network.recurrent_dropout) == (0.2, 0.25)


def test_a_plan_keeps_to_the_rule_for_ngrams_unless_told_otherwise(corpus_file, tmp_path):
    path = write(
        tmp_path / "text.txt", corpus_file.read_text() + "Mary will not be lonely.\n" + corpus_file.read_text()
    )
    sizes = []
    for options in ({}, {"prune": False}, {"prune": True}):
        trainer = rnncli.start_training(path, hidden_size=8, epochs=1, cache_size=0, **options)
        trainer.measure()
        sizes.append([len(level.words) for level in trainer.best().ngram.levels])
    assert sizes[0] == sizes[1]
    assert sizes[1][0] == sizes[2][0]  # pairs are all kept
    assert all(more > fewer for more, fewer in zip(sizes[1][1:], sizes[2][1:], strict=True))


def test_options_are_checked_before_the_text_is_read(tmp_path):
    with pytest.raises(SettingError, match="hidden_size is 0"):
        rnncli.start_training([tmp_path / "missing.txt"], hidden_size=0)


def test_words_that_occur_once_are_dropped_from_a_large_text_only(tmp_path):
    small = write(tmp_path / "small.txt", "rare word\n" + "the word\n" * 100)
    large = write(tmp_path / "large.txt", "rare word\n" + "the word\n" * 30_000)
    assert "rare" in vocabulary_of(small).words
    assert "rare" not in vocabulary_of(large).words
    assert "rare" in vocabulary_of(large, min_count=1).words


def test_only_the_most_frequent_words_are_kept_unless_all_are_wanted(tmp_path):
    text = write(tmp_path / "text.txt", "".join(f"word{i}\n" for i in range(22_000)))
    assert len(vocabulary_of(text)) == 20_000
    assert len(vocabulary_of(text, max_vocab=100)) == 100
    assert len(vocabulary_of(text, max_vocab=0)) == 20_900 + 2  # 5 % are held out


def test_a_text_that_marks_its_unknown_words_is_taken_as_it_is(tmp_path):
    text = write(tmp_path / "text.txt", "rare <unk>\n\n" + "the <unk>\n" * 30_000)
    _, corpus = make_plan(Options.of({"tokenizer": "whitespace"}), text)
    assert corpus.vocabulary.words == [EOS, UNK, "the", "rare"]
    assert corpus.train[:4].tolist() == [3, 1, 0, 0]  # the blank line counts


def test_words_that_occur_once_are_kept_where_no_word_occurs_twice(tmp_path):
    text = write(tmp_path / "list.txt", "".join(f"word{i}\n" for i in range(60_000)))
    assert len(vocabulary_of(text, max_vocab=0)) == 57_002


def test_new_words_of_a_text_join_a_model_where_they_occur_twice_or_as_often_as_told(model, tmp_path):
    text = write(
        tmp_path / "new.txt", "Tom saw one whale and one whale saw Tom and a penguin.\n" + "Tom is good.\n" * 20
    )
    sizes = []
    for options in ({}, {"min_count": 1}):
        plan, corpus = make_plan(Options.of(options, model), text, model)
        assert corpus.vocabulary.words[: len(model.vocabulary)] == model.vocabulary.words
        assert plan.network.vocabulary_size == len(corpus.vocabulary)
        assert plan.network.hidden_size == model.lm.find(Network).config.hidden_size
        sizes.append(set(corpus.vocabulary.words) - set(model.vocabulary.words))
    assert sizes == [{"saw", "one", "whale", "and"}, {"saw", "one", "whale", "and", "a", "penguin"}]
