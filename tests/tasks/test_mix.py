import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError, SettingError
from rnncli.lm.voice import BOUNDS, KEPT, MIDDLES, SecondVoice
from rnncli.tasks.mix import mix

GERMAN = ["Tom ist gut in Musik, also wird er spielen.", "Meine Schwester ist gut in Schach, also wird sie spielen."]


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "schule.txt"
    path.write_text("\n".join(GERMAN * 20), encoding="utf-8")
    return rnncli.train(path, hidden_size=16, epochs=20, patience=20, batch_size=2, dropout=0.0, lr=0.02)


@pytest.fixture
def both(model, german, tmp_path):
    rnncli.save(mix(model, german), tmp_path / "both.npz")
    return rnncli.load(tmp_path / "both.npz")


def test_each_language_is_answered_in_its_own_words(model, german, both):
    assert both.vocabulary.words == [
        *model.vocabulary.words,
        *(word for word in german.vocabulary.words if word not in model.vocabulary.numbers),
    ]
    for own, prompt in ((model, "My sister is good at chess, so she will"), (german, "Tom ist gut in Musik, also")):
        (expected, probability), *_ = own.predict(prompt, 1)
        found = both.predict(prompt, 1)[0]
        assert found.word == expected
        assert found.probability == pytest.approx(probability, abs=0.05)


def test_the_mix_sums_to_one_and_scores_equal_reading_word_by_word(both, check_word_by_word):
    lm = both.lm
    words = both.encode("Tom is gut at Musik, so sie will")[0]
    check_word_by_word(lm, words)


def test_prompts_side_by_side_are_answered_as_by_themselves(both):
    prompts = ["Tom", "Tom ist gut in", "The doctor is not good"]
    together = rnncli.api.predict_all(both, prompts, 0)
    for prompt, ranking in zip(prompts, together, strict=True):
        alone = dict(both.predict(prompt, 0))
        assert dict(ranking.predictions) == pytest.approx(alone, rel=1e-4)


def test_the_weights_follow_who_has_predicted_the_last_words_better(model, german, both):
    words = both.encode("Tom ist gut in music")[0]
    first, second = both.lm.parts
    context, _ = both.lm.advance(words, both.lm.initial_state(1))
    p = both.lm.probabilities(words, context)[..., 0]
    odds = 0.0
    for place in range(len(words)):
        assert context.contexts["second"].odds[place, 0] == pytest.approx(odds)
        middle = MIDDLES[int(np.digitize(odds, BOUNDS))]
        expected = 1 / (1 + np.exp(-middle))
        np.testing.assert_allclose(context.weights[:, place, 0], [1 - expected, expected], rtol=1e-6)
        odds = KEPT * odds + np.log(p[1, place]) - np.log(p[0, place])
    assert isinstance(second, SecondVoice)
    assert first.lm.names == model.lm.names
    assert second.lm.names == german.lm.names


def test_a_mix_learns_texts_and_forgets_them(both, tmp_path):
    (tmp_path / "band.txt").write_text("Zelda plays the theremin.\n" * 5, encoding="utf-8")
    learned = both.learned(tmp_path / "band.txt")
    assert learned.predict("Zelda plays the", 1)[0].word == "theremin"
    assert learned.forgotten().predict("Tom ist", 0) == both.predict("Tom ist", 0)
    rnncli.save(learned, tmp_path / "learned.npz")
    kept = rnncli.load(tmp_path / "learned.npz")
    for prompt in ("Zelda plays the", "Tom ist gut in", "My sister is"):
        assert kept.predict(prompt, 0) == learned.predict(prompt, 0)
    assert kept.forgotten().predict("Tom ist", 0) == both.predict("Tom ist", 0)


def test_a_mix_remembers_how_the_first_model_reads(model, german):
    assert mix(model, german).about.get("reading") == model.about.get("reading")
    assert "corpus" not in mix(model, german).about


def test_models_that_cut_text_in_different_ways_and_mixes_are_refused(model, german, both, corpus_file):
    other = rnncli.train(corpus_file, tokenizer="whitespace", epochs=1, hidden_size=4)
    with pytest.raises(
        SettingError, match="one by tokenizer=word, line by line, and one by tokenizer=whitespace, line by line"
    ):
        mix(model, other)
    with pytest.raises(SettingError, match="is a mix itself"):
        mix(both, german)


def test_a_damaged_mix_is_refused(both, tmp_path):
    arrays = dict(np.load(tmp_path / "both.npz"))
    for name, array in {
        "first.numbers": arrays["first.numbers"] + 10**6,
        "second.shares": arrays["second.shares"] * 2,
        "first.fractions": arrays["first.fractions"] * 2,
        "second.fractions": -arrays["second.fractions"],
        "first.softmax.bias": arrays["first.softmax.bias"][:-1],
    }.items():
        np.savez(tmp_path / "wrong.npz", **(arrays | {name: array}))
        with pytest.raises(ModelError, match=r"wrong\.npz is damaged"):
            rnncli.load(tmp_path / "wrong.npz")
