import io
import itertools
import os
from datetime import date

import numpy as np
import pytest

import rnncli
from rnncli import learned
from rnncli.errors import ModelError, SettingError, TextError
from rnncli.learned import before_learning
from rnncli.lm.ensemble import Ensemble
from rnncli.lm.mixture import Mixture
from rnncli.lm.personal import Personal
from rnncli.lm.tuning import tuned_beside
from rnncli.storage.model_file import _members as members
from rnncli.tasks.learn import forget, learn, learn_lines
from rnncli.text.vocabulary import EOS_ID

DAY = "2020-02-20"
TEXTS = {
    "band.txt": "Zelda plays the theremin every evening.\nZelda plays the zither on Sunday.\n" * 6,
    "garden.txt": "Basil and thyme grow by the wall.\nThe basil needs water every evening.\n" * 5,
    "one line.txt": "Ole lives by the fjord",
}


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, text in TEXTS.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def assert_same(found, expected):
    """Both models would be written as the same file."""
    ours, theirs = members(found), members(expected)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype, name
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def without_ngrams(model):
    parts = [part for part in model.lm.parts if part.name != "ngram"]
    return rnncli.api.Predictor(Mixture(parts, len(model.vocabulary)), model.vocabulary, model.tokenizer)


def with_two_networks(model):
    (network, *others) = model.lm.parts
    parts = [Ensemble([network, network]), *others]
    lm = Mixture(parts, len(model.vocabulary), model.lm.weights)
    return rnncli.api.Predictor(lm, model.vocabulary, model.tokenizer)


KINDS = {
    "as trained": lambda model: model,
    "8 bits": lambda model: model.compressed(bits=8),
    "16 bits": lambda model: model.compressed(bits=16),
    "without n-grams": without_ngrams,
    "two networks": with_two_networks,
}


def test_what_was_learned_is_predicted_with_its_new_words_and_the_model_stays_as_it_was(model, files):
    before = model.predict("Tom is good at", 0)
    learned = model.learned(files[0])
    assert isinstance(learned, rnncli.Predictor)
    words = [word for word, _ in learned.predict("Zelda plays the", 2)]
    assert sorted(words) == ["theremin", "zither"]
    assert learned.complete("Zelda plays the th", 1)[0].word == "theremin"
    assert learned.knows("theremin")
    assert not model.knows("theremin")
    assert model.predict("Tom is good at", 0) == before
    assert learned.predict("Tom is good at", 1)[0].word == before[0].word


@pytest.mark.parametrize("kind", KINDS)
def test_the_probabilities_of_all_words_sum_to_one_and_scores_equal_reading_word_by_word(
    model, files, kind, check_word_by_word
):
    learned = learn(KINDS[kind](model), files)
    lm = learned.lm
    words = np.array([[learned.number_of(word)] for word in ("Zelda", "by", "the", "theremin")])
    check_word_by_word(lm, words)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_are_forgotten_in_any_order_leave_a_model_that_never_learned_them(model, files, kind, tmp_path):
    base = KINDS[kind](model)
    for kept in range(len(files)):
        for forgotten in itertools.permutations(files, len(files) - kept):
            found = learn(base, files, day=DAY)
            rnncli.save(found, tmp_path / "learned.npz")
            found = rnncli.load(tmp_path / "learned.npz")
            for path in forgotten:
                found = forget(found, [path.name])
            left = [path for path in files if path not in forgotten]
            expected = learn(base, left, day=DAY) if left else base
            assert_same(found, expected)
            assert found.predict("The basil plays", 0) == rnncli.Predictor.of(expected).predict("The basil plays", 0)


def test_learning_again_adds_up(model, files):
    at_once = learn(model, files, day=DAY)
    found = model
    for path in files:
        found = learn(found, path, day=DAY)
    assert_same(found, at_once)


def test_the_new_version_of_a_text_takes_the_place_of_the_old_one(model, files):
    once = learn(model, files[0], day=DAY)
    files[0].write_text(TEXTS["garden.txt"], encoding="utf-8")
    again = learn(once, files[0], day=DAY)
    assert_same(again, learn(model, files[0], day=DAY))
    assert not again.knows("theremin")


def test_what_was_learned_is_kept_with_its_name_day_and_size(model, files, tmp_path):
    rnncli.save(learn(model, files), tmp_path / "learned.npz")
    (personal,) = (part for part in rnncli.load(tmp_path / "learned.npz").lm.parts if isinstance(part, Personal))
    facts = personal.facts()["learned"]
    assert [fact["name"] for fact in facts] == list(map(str, files))
    assert {fact["date"] for fact in facts} == {date.today().isoformat()}
    assert [fact["words"] for fact in facts] == [6 * 14, 5 * 15, 5]
    assert len({fact["sha256"] for fact in facts}) == 3


def test_the_end_of_a_long_text_is_read_in_pieces_that_begin_where_units_do(model, tmp_path, monkeypatch):
    text = tmp_path / "long.txt"
    text.write_text(TEXTS["band.txt"] * 20, encoding="utf-8")
    whole = learn(model, text).lm.find(Personal).gain
    read = []
    monkeypatch.setattr(learned, "tuned_beside", lambda *given: read.extend(given[-1]) or tuned_beside(*given))
    monkeypatch.setattr(learned, "WORDS_PER_PIECE", 40)
    cut = learn(model, text).lm.find(Personal).gain
    assert len(read) == 4
    assert all(piece[-1] == EOS_ID for piece in read)
    assert sum(map(len, read)) == cut.words == whole.words == 24 * 8
    assert cut.loss_now == pytest.approx(whole.loss_now, rel=0.1)


def test_all_is_forgotten_at_once(model, files):
    assert_same(model.learned(files).forgotten(), model)
    assert_same(model.forgotten(), model)


def test_a_text_without_a_word_is_refused(model, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    with pytest.raises(TextError, match=r"empty\.txt"):
        model.learned(tmp_path / "empty.txt")


def test_a_text_that_was_not_learned_is_not_forgotten(model, files, tmp_path):
    with pytest.raises(SettingError, match=r"no text called other\.txt was learned: the model has learned nothing"):
        model.forgotten(["other.txt"])
    learned = model.learned(files[:1])
    with pytest.raises(SettingError, match=r"no text called other\.txt was learned: the model has learned \S*band"):
        learned.forgotten(["other.txt"])
    (tmp_path / "more").mkdir()
    other = tmp_path / "more" / "band.txt"
    other.write_text(TEXTS["garden.txt"], encoding="utf-8")
    both = learned.learned(other)
    with pytest.raises(SettingError, match=r"2 texts called band\.txt were learned: name one of \S*band"):
        both.forgotten(["band.txt"])
    assert [text.name for text in before_learning(both.forgotten([str(other)]))[1]] == [str(files[0])]


@pytest.mark.parametrize(
    "change",
    [
        {"base_size": 1},
        {"base_size": "many"},
        {"order": 0},
        {"texts": []},
        {"texts": [{"name": 3, "date": DAY}]},
        {"texts": [{"name": "a"}]},
    ],
)
def test_what_makes_no_sense_is_refused(model, files, tmp_path, change, monkeypatch):
    learned = learn(model, files[0])
    config = learned.lm.find(Personal).stored_config()
    monkeypatch.setattr(Personal, "stored_config", lambda self: {"personal": config["personal"] | change})
    rnncli.save(learned, tmp_path / "wrong.npz")
    with pytest.raises(ModelError, match=r"wrong\.npz is damaged"):
        rnncli.load(tmp_path / "wrong.npz")


def test_a_new_version_is_told_of_and_texts_from_standard_input_add_up(model, files, monkeypatch):
    warnings = []
    once = learn(model, files[0], day=DAY, warn=warnings.append)
    learn(once, files[0], day=DAY, warn=warnings.append)
    assert warnings == []
    files[0].write_text(TEXTS["garden.txt"], encoding="utf-8")
    learn(once, files[0], warn=warnings.append)
    assert warnings == [f"the new version of {files[0]} takes the place of the one that was learned on {DAY}"]
    found = model
    for text in ("Zelda sings.\n", "Ole sails.\n"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        found = learn(found, "-")
    assert [text.name for text in before_learning(found)[1]] == ["stdin", "stdin-2"]
    assert found.knows("Zelda")
    assert found.knows("sails")


def test_a_file_without_what_the_model_was_before_is_damaged(model, files, tmp_path):
    rnncli.save(model.learned(files[0]), tmp_path / "learned.npz")
    arrays = dict(np.load(tmp_path / "learned.npz"))
    del arrays["personal.base_unigrams.ngram"]
    np.savez(tmp_path / "learned.npz", **arrays)
    with pytest.raises(ModelError, match=r"is damaged: it lacks the unigrams of its part 'ngram'"):
        rnncli.load(tmp_path / "learned.npz").forgotten()


@pytest.mark.parametrize("ngrams", [None, 0, 30])
def test_a_model_that_has_learned_is_compressed_and_can_forget_and_learn_after_that(model, files, tmp_path, ngrams):
    small = learn(model, files[:2], day=DAY).compressed(bits=8, ngrams=ngrams)
    base = model.compressed(bits=8, ngrams=ngrams)
    assert_same(small, learn(base, files[:2], day=DAY))
    rnncli.save(small, tmp_path / "small.npz")
    small = rnncli.load(tmp_path / "small.npz")
    assert_same(small.forgotten(), base)
    assert_same(learn(small, files[2], day=DAY), learn(base, files, day=DAY))


def test_texts_with_names_that_say_something_else_keep_apart(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("typed", "stdin", "stdin-2"):
        (tmp_path / name).write_text("Ole sails.\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("Ole rows.\n", encoding="utf-8")
    found = learn(learn_lines(model, ["Zelda sings."]), ["typed", "stdin", "stdin-2", "./notes.txt"])
    found = learn(found, "notes.txt")
    names = [text.name for text in before_learning(found)[1]]
    assert names == ["typed", *(os.path.join(".", name) for name in ("typed", "stdin", "stdin-2")), "notes.txt"]
    assert found.knows("sings")
    with pytest.raises(SettingError, match=r"no text called elsewhere/notes\.txt was learned"):
        forget(found, ["elsewhere/notes.txt"])
    assert len(before_learning(forget(found, ["./notes.txt"]))[1]) == 4
    assert "typed" in [text.name for text in before_learning(forget(found, ["./typed"]))[1]]
    with pytest.raises(SettingError, match=r"no text called \./typed was learned"):
        forget(learn_lines(model, ["Zelda sings."]), ["./typed"])


def test_lines_that_are_typed_have_a_place_besides_as_many_texts_as_a_model_learns(model, files, tmp_path, monkeypatch):
    for module in ("rnncli.tasks.learn", "rnncli.lm.personal"):
        monkeypatch.setattr(f"{module}.MAX_TEXTS", 2)
    full = learn_lines(learn(model, files[:2]), ["Zelda sings."])
    rnncli.save(full, tmp_path / "full.npz")
    assert rnncli.load(tmp_path / "full.npz").knows("sings")
    with pytest.raises(SettingError, match="2 texts at most"):
        learn(full, files[2])


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_a_model_that_forgets_new_words_learns_the_next_text_as_if_it_had_not_known_them(
    model, files, bits, tmp_path, monkeypatch
):
    monkeypatch.setattr("rnncli.nn.quantized.NUMBERS_PER_BLOCK", 100)  # products block by block differ in their digits
    base = model.compressed(bits=bits)
    (tmp_path / "known.txt").write_text("Tom is good at chess, so he will not lose.\nMary will study.\n" * 30)
    after = learn(base, files[0]).forgotten()
    assert_same(learn(after, tmp_path / "known.txt", day=DAY), learn(base, tmp_path / "known.txt", day=DAY))


def test_a_model_that_has_adapted_does_not_learn(model, files):
    adapted = model.adapted(files[0])
    with pytest.raises(SettingError, match="has adapted to a text"):
        adapted.learned(files[1])
    with pytest.raises(SettingError, match="has adapted to a text"):
        model.mixed(adapted)


def test_weights_that_make_no_sense_are_found_before_anything_is_forgotten(model, files, tmp_path):
    rnncli.save(model.learned(files[0]), tmp_path / "learned.npz")
    arrays = dict(np.load(tmp_path / "learned.npz"))
    arrays["personal.base_shares"] = arrays["personal.base_shares"][:-1]
    np.savez(tmp_path / "learned.npz", **arrays)
    with pytest.raises(ModelError, match=r"is damaged: before it learned, shares is float"):
        rnncli.load(tmp_path / "learned.npz").forgotten()
