import pytest

import rnncli
from rnncli.errors import SettingError
from rnncli.tasks.predict import predict_all
from rnncli.tasks.suggest import Suggester

LINE = "Tom is not good at science, so he will study more."


@pytest.fixture
def suggester(model):
    return Suggester(model, 3)


def test_while_a_line_is_typed_the_suggestions_are_the_predictions(model, suggester):
    texts = [LINE[:end] for end in range(len(LINE) + 1)]
    for text in [*texts, *texts[::-2], "Mary", "Tom was", "Tom is"]:  # typed, deleted, and changed
        (ranking,) = predict_all(model, [text], 3, complete=True)
        suggested = suggester.suggest(text)
        assert [word for word, _ in suggested] == [word for word, _ in ranking.predictions]
        expected = [p for _, p in ranking.predictions]
        assert [p for _, p in suggested] == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("", "Tom", "Tom "),
        ("Tom is not good at sc", "science", "Tom is not good at science "),
        ("Tom is ", "good", "Tom is good "),
        ("he will study more ", ".", "he will study more. "),
        ("he will study more.", "Tom", "he will study more. Tom "),
        ("good at science ", ",", "good at science, "),
        ("**st", "study", "**study "),  # as it was typed, in one piece
        ("x=st", "study", "x=study "),
    ],
)
def test_a_word_that_is_accepted_takes_the_place_of_the_half_typed_one(suggester, text, word, line):
    assert suggester.accept(text, word) == (line, "")


@pytest.mark.parametrize(
    ("line", "word", "found"),
    [
        ("he will st| more", "study", "he will study |more"),
        ("he will st|, but", "study", "he will study|, but"),
        ("he will st|op more", "study", "he will study |more"),
        ("he do|n't know", "does", "he does |know"),
        ("is a we|ll-known man", "week", "is a week |man"),
        ("he will |not", "study", "he will study |not"),
        ("the ca|fe\u0301 is", "cat", "the cat |is"),
    ],
)
def test_in_the_middle_of_a_line_only_the_half_typed_word_goes(suggester, line, word, found):
    text, _, after = line.partition("|")
    assert "|".join(suggester.accept(text, word, after)) == found


def test_the_end_of_a_unit_is_never_suggested(suggester):
    assert "<eos>" not in [word for word, _ in suggester.suggest(LINE + " ")]


def test_where_no_word_fits_nothing_is_suggested(suggester):
    assert suggester.suggest("Tom zzz") == []


def test_a_model_of_characters_has_no_words_to_suggest(corpus_file):
    characters = rnncli.train([corpus_file], tokenizer="char", hidden_size=4, epochs=1)
    with pytest.raises(SettingError, match="this model predicts characters"):
        Suggester(characters)


def test_where_words_have_no_spaces_the_next_one_is_suggested_without_one(tmp_path):
    (tmp_path / "text.txt").write_text("これは本です。\nこれは水です。\n" * 30, encoding="utf-8")
    model = rnncli.train([tmp_path / "text.txt"], hidden_size=16, epochs=20, lr=0.02, dropout=0.0)
    suggester = model.suggester(2)
    assert {word for word, _ in suggester.suggest("これは")} == {"本", "水"}
    assert suggester.accept("これは", "本") == ("これは本", "")
    assert suggester.accept("これは", "水", "です。") == ("これは水", "です。")
