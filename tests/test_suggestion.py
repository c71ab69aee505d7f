import pytest

from rnncli.errors import SettingError
from rnncli.prediction import rank
from rnncli.suggestion import Suggester

LINE = "Tom is not good at science, so he will study more."


@pytest.fixture
def suggester(model):
    return Suggester(model, 3)


def test_what_is_offered_while_a_line_is_typed_is_what_is_predicted(model, suggester):
    texts = [LINE[:end] for end in range(len(LINE) + 1)]
    for text in [*texts, *texts[::-2], "Mary", "Tom was", "Tom is"]:  # typed, deleted, and changed
        expected, offered = rank(model, text, 3, complete=True).predictions, suggester.offer(text)
        assert [word for word, _ in offered] == [word for word, _ in expected]
        assert [p for _, p in offered] == pytest.approx([p for _, p in expected], rel=1e-3, abs=1e-6)


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
def test_a_word_that_is_accepted_takes_the_place_of_what_is_half_typed(suggester, text, word, line):
    assert suggester.accepted(text, word) == (line, "")


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
def test_in_the_middle_of_a_line_only_the_word_that_is_half_typed_goes(suggester, line, word, found):
    text, _, after = line.partition("|")
    assert "|".join(suggester.accepted(text, word, after)) == found


def test_the_end_of_a_unit_is_never_offered(suggester):
    assert "<eos>" not in [word for word, _ in suggester.offer(LINE + " ")]


def test_what_fits_nothing_has_no_offers(suggester):
    assert suggester.offer("Tom zzz") == []


def test_a_model_of_characters_has_no_words_to_offer(corpus_file):
    from rnncli import train

    with pytest.raises(SettingError, match="this model predicts characters"):
        Suggester(train([corpus_file], tokenizer="char", hidden_size=4, epochs=1))


def test_where_words_have_no_spaces_the_next_one_is_offered_without_one(tmp_path):
    from rnncli import train

    (tmp_path / "text.txt").write_text("これは本です。\nこれは水です。\n" * 30, encoding="utf-8")
    suggester = Suggester(train([tmp_path / "text.txt"], hidden_size=16, epochs=20, lr=0.02, dropout=0.0), 2)
    assert {word for word, _ in suggester.offer("これは")} == {"本", "水"}
    assert suggester.accepted("これは", "本") == ("これは本", "")
    assert suggester.accepted("これは", "水", "です。") == ("これは水", "です。")
