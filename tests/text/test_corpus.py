"""A text that is read and split for training. Which of its words become known is in test_plan.py."""

import numpy as np
import pytest

from rnncli.errors import SettingError, TextError
from rnncli.text import corpus
from rnncli.text.corpus import corpus_name, read_split, text_facts
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS, UNK, Vocabulary


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def read_corpus(sources, min_count: int = 1, **options):
    """Read a text and split it; all words of its training part that occur `min_count` times are known."""
    split = read_split(sources, **options)
    return split.numbered_by(Vocabulary.from_tokens(split.train, min_count))


def test_the_vocabulary_comes_from_the_training_part_only(tmp_path):
    text = write(tmp_path / "text.txt", "a b\n" * 19 + "b secret\n")
    corpus = read_corpus([text])
    assert corpus.vocabulary.words == [EOS, UNK, "a", "b"]
    assert (len(corpus.train), corpus.valid.tolist()) == (57, [3, 1, 0])
    assert corpus.counts().tolist() == [19, 0, 19, 19]


def test_a_validation_text_can_be_named_and_then_all_of_the_corpus_is_learned(tmp_path):
    text = write(tmp_path / "text.txt", "a b\nc d\n")
    valid = write(tmp_path / "valid.txt", "a d\n")
    corpus = read_corpus([text], valid=[valid])
    assert len(corpus.train) == 6
    assert [corpus.vocabulary.words[i] for i in corpus.valid] == ["a", "d", EOS]


def test_the_facts_of_a_text_are_those_of_its_training_part(tmp_path):
    plain = read_split(write(tmp_path / "plain.txt", "a b\nc d\n" * 10))
    assert text_facts(plain.train) == {"text_words": 38, "marks_unknown": False, "repeats": True}
    words = read_split(write(tmp_path / "list.txt", "a\nb\nc\n"))
    assert text_facts(words.train) == {"text_words": 2, "marks_unknown": False, "repeats": False}
    marked = read_split(write(tmp_path / "marked.txt", "a <unk>\nb c\n"), tokenizer=Tokenizer("whitespace"))
    assert text_facts(marked.train) == {"text_words": 2, "marks_unknown": True, "repeats": False}


def test_a_stray_unk_is_an_unknown_word_that_changes_no_rule(tmp_path):
    stray = read_split(
        write(tmp_path / "stray.txt", "the oven is hot\n" * 1000 + "what is <unk> ?\n" * 5), valid_fraction=0.01
    )
    assert UNK in stray.valid.types
    (warning,) = stray.facts.warnings
    assert warning.startswith("<unk> is written 5 times, too rarely for a corpus that marks its unknown words: it is")
    some = read_split(
        write(tmp_path / "some.txt", "the oven is hot\n" * 1000 + "what is <unk> ?\n" * 10), valid_fraction=0.001
    )
    assert (text_facts(some.train)["marks_unknown"], some.facts.warnings) == (True, ())
    assert text_facts(stray.train)["marks_unknown"] is False


@pytest.mark.parametrize("line", ["a b <eos>", "<s> a b </s>", "<s> a b", "a b"])
def test_a_line_of_a_prepared_corpus_ends_once_whatever_marks_it_has(tmp_path, line):
    text = write(tmp_path / "text.txt", f"{line}\n" * 20)
    corpus = read_corpus([text], tokenizer=Tokenizer("whitespace"))
    assert corpus.vocabulary.words == [EOS, UNK, "a", "b"]
    assert corpus.valid.tolist() == [2, 3, 0]


@pytest.mark.parametrize("kind", ["word", "char"])
def test_a_line_that_holds_nothing_to_be_seen_is_no_unit(tmp_path, kind):
    text = write(tmp_path / "text.txt", "a\n\u200b\n\ufeff\na\n\x1b[0m\n")
    split = read_split(text, tokenizer=Tokenizer(kind), valid_fraction=0.5)
    assert np.concatenate([split.train.ids, split.valid.ids]).tolist() == [2, 0, 2, 0]


def test_marks_of_ends_are_told_of(tmp_path):
    text = write(tmp_path / "text.txt", "<s> a b </s>\na <eos>\n<eos>\n")
    (warning,) = read_split(text, tokenizer=Tokenizer("whitespace")).facts.warnings
    assert warning.startswith(
        "the text holds <eos> 2 times, </s> once, <s> once: at the beginning or end of a line they"
    )
    words = read_split(text)
    (warning,) = words.facts.warnings
    assert warning.endswith(' read as ordinary characters: a tokenized corpus needs tokenizer="whitespace"')
    assert "eos" in words.train.types


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "no word"), ("\n \n", "no word"), ("word", "a single word"), ("\nword\n\n", "a single word")],
)
def test_a_text_of_less_than_two_words_is_refused(tmp_path, text, problem):
    with pytest.raises(TextError, match=rf"little\.txt holds {problem}: training needs"):
        read_split([write(tmp_path / "little.txt", text)])


def test_two_words_are_enough(tmp_path):
    for text in ("two words", "two\nwords"):
        corpus = read_corpus([write(tmp_path / "text.txt", text)])
        assert len(corpus.train) >= 1
        assert len(corpus.valid) >= 1


def test_an_empty_validation_text_is_refused(tmp_path):
    text = write(tmp_path / "text.txt", "a b\n")
    valid = write(tmp_path / "empty.txt", "\n")
    with pytest.raises(TextError, match=r"empty\.txt holds no word to validate on"):
        read_split([text], valid=[valid])


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_a_held_out_fraction_that_makes_no_sense_is_refused(fraction):
    with pytest.raises(SettingError, match=f"valid_fraction is {fraction}, and must be between 0 and 1"):
        read_split(["any"], valid_fraction=fraction)


def test_a_text_of_which_no_word_is_known_is_refused(tmp_path):
    text = write(tmp_path / "list.txt", "".join(f"word{i}\n" for i in range(60)))
    with pytest.raises(TextError, match=r"no word of .*list\.txt is left to learn: try min_count=1, or max_vocab=0"):
        read_corpus(text, min_count=2)


def test_what_a_unit_is_is_found_once_and_holds_for_the_validation_text(tmp_path):
    prose = (
        "it was a bright cold day in the garden and the clock\nwas striking four and nobody in the house had heard it\n"
    )
    text = write(tmp_path / "prose.txt", f"{prose}because all were asleep.\n\n" * 5)
    valid = write(tmp_path / "valid.txt", prose)
    corpus = read_corpus(text, valid=valid)
    assert corpus.unit == "paragraph"
    assert np.count_nonzero(corpus.valid == 0) == 1


def test_the_hash_tells_texts_apart_and_not_the_way_they_come(tmp_path):
    a = read_split([write(tmp_path / "a.txt", "a b\nc d\n")])
    same = read_split([write(tmp_path / "b.txt", "a b\n"), write(tmp_path / "c.txt", "c d\n")])
    other = read_split([write(tmp_path / "d.txt", "a b\nc e\n")])
    assert a.sha256 == same.sha256 != other.sha256


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/corpus.txt", "corpus"),
        ("b.v2.txt.GZ", "b.v2"),
        ("-", "stdin"),
        ("notes/", "notes"),
        ("plain", "plain"),
        ("/", "corpus"),
    ],
)
def test_a_corpus_is_called_after_its_first_source(source, name):
    assert corpus_name([source, "other.txt"]) == name


def test_what_is_asked_of_each_distinct_word_is_found_out_once_for_both_parts_of_a_text(monkeypatch, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one two. \nthree four, five\n" * 20, encoding="utf-8")
    built = []
    whole = corpus.SpacePredictor.__init__
    monkeypatch.setattr(corpus.SpacePredictor, "__init__", lambda *given: built.append(1) or whole(*given))
    read_split(path).spaced()
    assert len(built) == 1
