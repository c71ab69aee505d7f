import numpy as np
import pytest

from rnncli.errors import ModelError, TextError
from rnncli.prediction import rank


def chances(model, before: str, after: str) -> dict[str, float]:
    """The probability of each word between two texts, by reading every such text from its beginning."""
    words = model.vocabulary.words[2:]
    nll = []
    for word in words:
        ids, _ = model.encode(f"{before} {word} {after}")
        nll.append(model.lm.score(ids, model.lm.start(1))[0].sum())
    p = np.exp(min(nll) - np.array(nll))
    return dict(zip(words, (p / p.sum()).tolist(), strict=True))


@pytest.mark.parametrize("streams", [3, 50])
def test_a_blank_is_filled_from_both_sides(model, monkeypatch, streams):
    monkeypatch.setattr("rnncli.blanks.STREAMS", streams)
    before, after = "Tom is not good at", ", so he will study more."
    found = rank(model, f"{before} ___{after}", 0).predictions
    assert found[0].word == "science"
    assert dict(found) == pytest.approx(chances(model, before, after), rel=1e-3, abs=1e-9)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)


def test_only_the_likeliest_words_before_the_blank_are_tried(model, monkeypatch):
    monkeypatch.setattr("rnncli.blanks.CANDIDATES", 2)
    likeliest = {word for word, _ in rank(model, "Tom is", 3).predictions}
    found = rank(model, "Tom is ___ at chess", 0).predictions
    assert len(found) == 2
    assert {word for word, _ in found} <= likeliest
    assert sum(p for _, p in found) == pytest.approx(1)


def test_a_blank_at_the_end_asks_for_the_next_word_that_is_one(model):
    found = rank(model, "Tom is ___", 0).predictions
    after = {word: p for word, p in rank(model, "Tom is", 0).predictions if word != "<eos>"}
    assert dict(found) == pytest.approx({word: p / sum(after.values()) for word, p in after.items()}, rel=1e-4)


def test_a_blank_is_filled_among_some_words(model):
    everything = dict(rank(model, "Tom is ___ at chess", 0).predictions)
    few = dict(rank(model, "Tom is ___ at chess", among=["good", "Mary"]).predictions)
    total = everything["good"] + everything["Mary"]
    assert few == pytest.approx({word: everything[word] / total for word in ("good", "Mary")}, rel=1e-4)


def test_unknown_words_on_both_sides_are_named(model):
    assert rank(model, "Bogus is ___ at knitting").unknown_words == ["Bogus", "knitting"]


def test_blanks_and_other_prompts_are_answered_in_their_order(model):
    from rnncli.prediction import rank_all

    prompts = ["Tom is", "Tom is ___ at chess", "Mary"]
    assert [ranking.prompt for ranking in rank_all(model, prompts)] == prompts


def test_two_blanks_are_refused(model):
    with pytest.raises(TextError, match="has several blanks: fill one at a time"):
        rank(model, "Tom ___ ___ good")


def test_the_parts_of_a_blank_are_refused(model):
    with pytest.raises(TextError, match="has a blank: what the parts give is told of the next word only"):
        rank(model, "Tom is ___ good", parts=True)


def test_a_blank_may_be_drawn_as_long_as_one_likes(model):
    (three, more) = (rank(model, f"Tom is {blank} at chess").predictions for blank in ("___", "_______"))
    assert three == more


def test_numbers_that_ran_over_are_told(model, monkeypatch):
    monkeypatch.setattr(type(model.lm), "score", lambda self, words, state: (np.full(words.shape, np.nan), state))
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        rank(model, "Tom is ___ good")
