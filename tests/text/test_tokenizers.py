import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.errors import SettingError
from rnncli.text.tokenizers import KINDS, Tokenizer, _combining_marks, _word_pattern

word = Tokenizer("word")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("science, so he won't", ["science", ",", "so", "he", "won't"]),
        ("a well-known mother-in-law’s", ["a", "well-known", "mother-in-law’s"]),
        ("'tis the dogs' bones", ["'", "tis", "the", "dogs'", "bones"]),
        ("'Go!' said <unk>", ["'", "Go", "!", "'", "said", "<unk>"]),
        ("file.txt, www.a.com :-) C++ C#", ["file.txt", ",", "www.a.com", ":-)", "C++", "C#"]),
        ("می‌خواهم צה״ל col·lecció", ["می‌خواهم", "צה״ל", "col·lecció"]),
        ("3,000.50 at 10:30, 2nd B2B", ["3,000.50", "at", "10:30", ",", "2nd", "B2B"]),
        ("the U.S. and e.g. it.", ["the", "U.S.", "and", "e.g.", "it", "."]),
        ("wait... what?! a--b", ["wait", "...", "what", "?", "!", "a", "--", "b"]),
        ("see https://a.org/b?c=1, or a.b@c.org.", ["see", "https://a.org/b?c=1", ",", "or", "a.b@c.org", "."]),
        ("snake_case __init__", ["snake_case", "_", "_", "init", "_", "_"]),
        ("Привет, мир! Ελλάδα", ["Привет", ",", "мир", "!", "Ελλάδα"]),
        ("हिन्दी नमस्ते", ["हिन्दी", "नमस्ते"]),
        ("日本語です。", ["日", "本", "語", "で", "す", "。"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("abc漢字def", ["abc", "漢", "字", "def"]),
        ("👨‍👩‍👧 hi 👍🏽🇫🇷🇩🇪 1️⃣", ["👨‍👩‍👧", "hi", "👍🏽", "🇫🇷", "🇩🇪", "1️⃣"]),
        ("cafe\u0301", ["café"]),
        ("", []),
        (" \t ", []),
    ],
)
def test_words_numbers_punctuation_and_emoji_are_tokens(text, tokens):
    assert word.tokenize(text) == tokens


def test_white_space_alone_cuts_a_prepared_corpus():
    assert Tokenizer("whitespace").tokenize(" the <unk> co. 's $ N \n") == ["the", "<unk>", "co.", "'s", "$", "N"]


def test_characters_are_tokens_spaces_too():
    assert Tokenizer("char").tokenize("a b!") == ["a", " ", "b", "!"]


@pytest.mark.parametrize("kind", KINDS)
def test_lower_case_is_told_once_and_holds_for_every_text(kind):
    assert "".join(Tokenizer(kind, lowercase=True).tokenize("Tom IS")).replace(" ", "") == "tomis"


@pytest.mark.parametrize(
    "text",
    [
        "science, so he won't (really) go.",
        'He said "yes" and "no", twice.',
        "The dogs' bones [all of them]; it's 5–6% of $3,000: ok?",
        "and/or, see https://a.org/b.",
        "Wait... what?! She’s here.",
        "“Quoted” words—and dashes - of two kinds.",
        "日本語のテキスト、です。",
        "¿Qué? ¡Sí! «bonjour»",
        "a 👍🏽 b",
        "5 - 3 = 2 -- so they say",
        "He said 'yes'.",
        "He says 'hello' now, and the dogs' bones are 'there'.",
        "He said „Guten Tag“, and left.",
        "In file.txt, see :) and C++ too.",
    ],
)
def test_text_read_back_prints_as_people_write_it(text):
    assert word.detokenize(word.tokenize(text)) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("science , so he wo n't ( really ) go .", "science, so he won't (really) go."),
        ("the company 's $ N million , viewers ' opinions", "the company's $N million, viewers' opinions"),
        ("a role @-@ playing game of 3 @,@ 000 and 1 @.@ 5", "a role-playing game of 3,000 and 1.5"),
    ],
)
def test_prepared_corpora_print_as_people_write_too(tokens, text):
    tokenizer = Tokenizer("whitespace")
    assert tokenizer.detokenize(tokenizer.tokenize(tokens)) == text


@given(st.text())
def test_characters_read_back_are_the_text_itself(text):
    tokenizer = Tokenizer("char")
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == unicodedata.normalize("NFC", text)


@given(st.text())
def test_word_tokens_lose_nothing_but_white_space(text):
    squeezed = "".join(unicodedata.normalize("NFC", text).split())
    assert "".join("".join(word.tokenize(text)).split()) == squeezed


@given(st.text(st.characters(max_codepoint=127)))
def test_the_pattern_for_ascii_finds_what_the_full_one_finds(text):
    assert _word_pattern(True).findall(text) == _word_pattern(False).findall(text)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1)), st.sampled_from(KINDS))
def test_any_tokens_can_be_written_and_none_is_lost(tokens, kind):
    text = Tokenizer(kind).detokenize(tokens)
    joints = {"@-@": "-", "@,@": ",", "@.@": "."} if kind != "char" else {}
    assert text.replace(" ", "") == "".join(joints.get(token, token) for token in tokens)


def test_every_combining_mark_is_known():
    expected = {c for c in map(chr, range(0x300, sys.maxunicode + 1)) if unicodedata.category(c)[0] == "M"}
    ranges = _combining_marks()
    found = {
        chr(c) for first, _, last in zip(*[iter(ranges)] * 3, strict=True) for c in range(ord(first), ord(last) + 1)
    }
    assert found == expected


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(SettingError, match="no tokenizer is called 'bpe': choose from word, whitespace, char"):
        Tokenizer("bpe")
