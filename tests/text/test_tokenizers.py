import re
import unicodedata
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnncli.errors import SettingError
from rnncli.text.characters import PICTOGRAPHS, UNSPACED, is_unspaced
from rnncli.text.folding import JOINERS, cleaned
from rnncli.text.tokenizers import TOKENIZERS, Tokenizer, WordCutter

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


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_lower_case_is_told_once_and_holds_for_every_text(kind):
    assert "".join(Tokenizer(kind, lowercase=True).tokenize("Tom IS")).replace(" ", "") == "tomis"


@given(st.text())
def test_word_tokens_lose_nothing_but_white_space_and_what_is_invisible(text):
    squeezed = "".join(unicodedata.normalize("NFC", cleaned(text)).split())
    assert "".join("".join(word.tokenize(text)).split()) == squeezed


MARKS = "".join(c for c in map(chr, range(0x110000)) if unicodedata.category(c).startswith("M"))


@cache
def full_pattern() -> re.Pattern[str]:
    """What a word token is, with every character in its classes: slow to compile."""
    letter = f"[^\\W_{UNSPACED}]"
    run = f"{letter}+(?:[{MARKS}{JOINERS}]+{letter}*)*"
    joint = "['’_‐‑·״׳-]"
    modifier = f"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f{MARKS}]"
    alternatives = [
        "<unk>",
        r"https?://[^\s<>\"]*[\w/]",
        r"(?<![\w.+-])[\w.+-]+@\w+(?:[.-]\w+)*\.\w+",
        r"(?<!\S)[:;=]['-]?[()DPp](?!\w)",
        r"\b[A-Z](?:\+\+|#)(?!\w)",
        f"(?:[^\\W\\d_{UNSPACED}]\\.){{2,}}",
        f"{run}(?:(?:{joint}|(?<=\\d)[.,:](?=\\d)|\\.(?=[a-z0-9])){run})*(?:(?<=s)'(?!\\w))?",
        "[\U0001f1e6-\U0001f1ff]{2}",
        f"[{PICTOGRAPHS}]{modifier}*(?:\u200d[{PICTOGRAPHS}]{modifier}*)*",
        f"[{UNSPACED}][{MARKS}]*",
        r"\.{2,}",
        "-{2,}",
        r"[^\s]",
    ]
    return re.compile("|".join(alternatives))


def full_tokens(text: str) -> list[str]:
    return full_pattern().findall(unicodedata.normalize("NFC", text))


# Where the tokens depend on the kind of character: marks, pictographs and flags, unspaced scripts, joints, addresses.
special = st.one_of(
    st.sampled_from(MARKS),
    st.sampled_from("\u0301\u0308\u094d\u0e34\u0e48\u05b0\u064b\u3099\ufe0f\u20e3\U000e0067\U000e007f\U0001f3fd"),
    st.sampled_from("←⌚☀➿⬛👍👩🇫🇩🏴\u200d"),
    st.sampled_from("กຂကក々あー日本豈ｱ\U00020000\U0003ffff\u0e3b\u0e4f\u303f\u31ef\uff65"),
    st.sampled_from("éßдαह'’-_.·\u200c\u200dsS12,:@/ \n"),
    st.characters(),
)
special_text = st.lists(special, max_size=12).map("".join)


@given(special_text)
def test_a_pattern_for_the_characters_at_hand_finds_what_the_full_one_finds(text):
    assert WordCutter().cut(text) == full_tokens(text)


@given(st.lists(special_text, max_size=8))
def test_earlier_texts_do_not_change_how_a_text_is_cut(texts):
    cutter = WordCutter()
    for text in texts:
        assert cutter.cut(text) == full_tokens(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_is_cut_as_by_the_full_pattern(text):
    assert WordCutter().cut(text) == full_tokens(text)


def test_the_bounds_of_scripts_and_pictographs_are_those_of_the_full_pattern():
    bounds = set((UNSPACED + PICTOGRAPHS).replace("-", ""))
    for code in sorted(ord(bound) + step for bound in bounds for step in (-1, 0, 1)):
        text = f"x{chr(code)}y"
        assert WordCutter().cut(text) == full_tokens(text)


def test_every_mark_belongs_to_the_letter_before_it():
    cutter = WordCutter()
    for mark in MARKS:
        (token,) = cutter.cut(f"x{mark}y")
        assert token == unicodedata.normalize("NFC", f"x{mark}y")


def test_a_token_of_an_unspaced_script_or_its_punctuation_is_told_by_its_first_character():
    assert [token for token in ("日本", "ที่", "。", "！", "ｱ") if not is_unspaced(token)] == []
    assert [token for token in ("", "a", "été", "हिन्दी", "’", "👍") if is_unspaced(token)] == []


def test_a_tokenizer_says_of_what_kind_its_tokens_are():
    assert [kind for kind in TOKENIZERS if Tokenizer(kind).is_char] == ["char"]
    assert [kind for kind in TOKENIZERS if Tokenizer(kind).is_pretokenized] == ["whitespace"]


@given(st.text())
@example("a \ufdd0 b\ufdd1")
def test_white_space_alone_cuts_a_prepared_text_whatever_it_holds_but_notes_on_marks(text):
    notes = dict.fromkeys((0xFDD0, 0xFDD1))  # which are no characters
    assert Tokenizer("whitespace").tokenize(text) == text.translate(notes).split()


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(SettingError, match="no tokenizer is called 'bpe': choose from word, whitespace, char"):
        Tokenizer("bpe")


@pytest.mark.parametrize("kind", [*TOKENIZERS])
def test_the_characters_of_notes_are_left_out_of_a_text(kind):
    assert "".join(Tokenizer(kind).tokenize("a \ufdd0-- b\ufdd1")).replace(" ", "") == "a--b"
