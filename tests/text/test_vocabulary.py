import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.text.annotation import annotated
from rnncli.text.vocabulary import EOS, UNK, UNK_ID, StoredVocabulary, Tokens, Vocabulary

units = st.lists(st.lists(st.text(min_size=1, max_size=3), max_size=6), min_size=1)


def decode(vocabulary: Vocabulary, ids: np.ndarray) -> list[str]:
    return [vocabulary.words[i] for i in ids]


def test_every_unit_ends_in_eos():
    tokens = Tokens.from_units([["a", "b"], [], ["a"]])
    assert [tokens.types[i] for i in tokens.ids] == ["a", "b", EOS, EOS, "a", EOS]
    assert tokens.words() == 3


def test_the_most_frequent_words_come_first_and_equals_as_they_appear():
    tokens = Tokens.from_units([["c", "a", "b", "b"], ["a", "b"]])
    assert Vocabulary.from_tokens(tokens).words == [EOS, UNK, "b", "a", "c"]


def test_rare_words_and_words_over_the_limit_are_left_out():
    tokens = Tokens.from_units([["c", "a", "b", "b"], ["a", "b"]])
    assert Vocabulary.from_tokens(tokens, min_count=2).words == [EOS, UNK, "b", "a"]
    assert Vocabulary.from_tokens(tokens, max_size=3).words == [EOS, UNK, "b"]
    assert Vocabulary.from_tokens(tokens, max_size=1).words == [EOS, UNK]


def test_an_unk_in_the_text_is_the_unknown_word():
    tokens = Tokens.from_units([["a", UNK]])
    assert Vocabulary.from_tokens(tokens).words == [EOS, UNK, "a"]
    assert Vocabulary.from_tokens(tokens).encode(tokens).tolist() == [2, UNK_ID, 0]


def test_the_last_units_are_split_off():
    tokens = Tokens.from_units([[str(i)] for i in range(20)])
    train, held_out = tokens.split(0.1)
    assert (len(train), held_out.ids.tolist()) == (36, tokens.ids[36:].tolist())


@given(units, st.floats(0.01, 0.99))
def test_both_parts_of_a_split_hold_a_word_and_nothing_is_lost(units, fraction):
    tokens = Tokens.from_units(units)
    if tokens.words() < 2:
        return
    train, held_out = tokens.split(fraction)
    assert train.words() >= 1
    assert held_out.words() >= 1
    assert np.concatenate([train.ids, held_out.ids]).tolist() == tokens.ids.tolist()


@given(units)
def test_encoding_and_decoding_with_a_whole_vocabulary_gives_the_text(units):
    tokens = Tokens.from_units(units)
    vocabulary = Vocabulary.from_tokens(tokens)
    expected = [word for unit in units for word in [*unit, EOS]]
    assert decode(vocabulary, vocabulary.encode(tokens)) == expected


@given(units, units, st.integers(1, 3), st.integers(0, 5))
def test_words_of_another_text_are_either_themselves_or_unknown(units, others, min_count, max_size):
    vocabulary = Vocabulary.from_tokens(Tokens.from_units(units), min_count, max_size)
    tokens = Tokens.from_units(others)
    for word, number in zip((w for unit in others for w in [*unit, EOS]), vocabulary.encode(tokens), strict=True):
        assert vocabulary.words[number] in (word, UNK)
        assert (number == UNK_ID) == (word == UNK or word not in vocabulary.words)


def test_a_word_is_found_as_written_then_in_lower_case_then_capitalised():
    vocabulary = Vocabulary([EOS, UNK, "Tom", "tom", "good", "Paris"])
    assert [vocabulary.find(word) for word in ("Tom", "tom", "TOM", "Good", "PARIS", "paris", "Rome")] == [
        2,
        3,
        3,
        4,
        5,
        5,
        UNK_ID,
    ]


def test_a_word_is_found_by_its_lookalikes_before_other_cases():
    vocabulary = Vocabulary([EOS, UNK, "don't", "Don't", '"', "fine", "She’s", "I'm"])
    typed = ("don’t", "Don’t", "DON’T", "“", "ﬁne", "She's", "she's", "i’m", "“”")
    assert [vocabulary.find(word) for word in typed] == [2, 3, 2, 4, 5, 6, 6, 7, UNK_ID]


def test_a_word_with_a_dotted_capital_is_found_in_lower_case():
    assert Vocabulary([EOS, UNK, "izmir"]).find("İzmir") == 2
    assert Vocabulary([EOS, UNK, "İzmir".lower()]).find("İzmir") == 2


@given(st.lists(st.text(st.characters(exclude_characters="\n")), unique=True), st.lists(st.text(), max_size=120))
def test_a_stored_vocabulary_is_as_the_one_that_was_stored(words, others):
    vocabulary = Vocabulary([EOS, UNK, *(word for word in words if word not in (EOS, UNK))])
    stored = StoredVocabulary(vocabulary.text())
    assert len(stored) == len(vocabulary)
    assert [stored.word(number) for number in range(len(vocabulary))] == vocabulary.words
    for word in [*vocabulary.words, *others, *vocabulary.words]:
        assert stored.number(word) == vocabulary.number(word)
        assert stored.find(word) == vocabulary.find(word)
    assert stored.words == vocabulary.words
    assert stored.text() == vocabulary.text()


def test_a_stored_vocabulary_has_the_variants_of_the_one_that_was_stored():
    noted = [annotated("-", "", ""), annotated("…", None, " "), annotated("-", "", None), annotated('"', " ", "")]
    vocabulary = Vocabulary([EOS, UNK, "-", noted[0], "Ähre", noted[1], noted[2], "—", noted[3]])
    stored = StoredVocabulary(vocabulary.text())
    assert stored.variants == vocabulary.variants
    assert list(vocabulary.variants) == ["-", "…", '"']
    for own, expected in zip(stored.noted, vocabulary.noted, strict=True):
        np.testing.assert_array_equal(own, expected)
    assert dict(zip(*(numbers.tolist() for numbers in vocabulary.noted), strict=True)) == {3: 2, 6: 2}


@pytest.mark.parametrize("text", [b"", b"a\nb", b"<eos>", b"<eos>\n<unknown>\na"])
def test_a_stored_vocabulary_begins_as_every_vocabulary(text):
    with pytest.raises(ValueError, match="does not begin with <eos> and <unk>"):
        StoredVocabulary(text)


def test_marks_with_notes_come_on_top_of_the_greatest_size():
    noted = annotated("-", "", None)
    tokens = Tokens.from_units([["a", "a", "a", noted, noted, "b", "b", "c", "-"]])
    words = Vocabulary.from_tokens(tokens, max_size=4).words
    assert list(words) == [EOS, UNK, "a", noted, "b"]
