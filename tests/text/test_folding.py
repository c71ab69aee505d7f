"""Invisible characters and lookalikes."""

import itertools
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnncli.text.folding import FOLDS, LONG_TEXT, cleaned, composed, decomposed, folded, lowered
from rnncli.text.tokenizers import TOKENIZERS, Tokenizer

word = Tokenizer("word")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a co\xadop\xader\xada\xadtive baker", "a cooperative baker"),  # soft hyphens
        ("the\u200bbaker sings\u200b today\u200b.\u200b", "the baker sings today."),  # zero-width spaces
        ("cafe\u0301\u200bbar", "cafe\u0301 bar"),
        ("ขนม\u200bปัง bread\u200bขนม", "ขนมปัง breadขนม"),  # in a script without spaces
        ("pre\u2060fix\ufeff, 5\u2061x", "prefix, 5x"),  # word joiners, a byte order mark inside a text
        ("\u2068Anna\u2069: \u200ehello\u200f \u202bשלום\u202c\u061c", "Anna: hello שלום"),  # marks of direction
        ("half\u200clife, half\u200dlife", "halflife, halflife"),  # joiners where nothing is joined
        ("می\u200cروم می\u200c، کتاب\u200c\u200cها", "می\u200cروم می، کتاب\u200cها"),
        ("ক্\u200dষ র\u200d্যা ന്\u200d പി", "ক্\u200dষ র\u200d্যা ന്\u200d പി"),
        ("ᠠᠬᠠ\u180eᠠ ᠠ\u180b a\u180eb a\u180b", "ᠠᠬᠠ\u180eᠠ ᠠ\u180b ab a"),
        ("👩\u200d🍳 👍🏽 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3", "👩\u200d🍳 👍🏽 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3"),
        ("#\ufe0f\u20e3 *\ufe0f\u20e3 #\u20e3 5 #5", "# * # 5 #5"),  # keycaps of marks are the marks
        ("👩\u200d x\ufe0f ©\ufe0f 👍\u200bx", "👩 x © 👍x"),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f 😀\U000e0061\U000e0062", None),
        ("葛\U000e0100の葉", "葛の葉"),  # a variant of a character
        ("see\ufffcthis, a\u3164b", "see this, a b"),  # the place of a picture, an empty letter
        ("\x1b[1;31mError\x1b[0m: no\x07 oven\x00", "Error: no oven"),  # written for a terminal
        ("N\x08NA\x08AM\x08ME\x08E  _\x08b_\x08ake\x08", "NAME  bak"),
        ("\x1b]8;;https://a.org\x1b\\link\x1b]8;;\x1b\\ \x1b", "link "),
        ("\x93It\x92s\x94 5\x80 \x96 \x81", "“It’s” 5€ – "),  # Windows-1252, read as Latin-1
        ("a\tb\x0cc\x85d", "a\tb\x0cc\x85d"),
        ("plain été 日本", "plain été 日本"),
    ],
)
def test_what_nobody_sees_is_dropped_unless_it_belongs_to_a_word_or_sign(text, seen):
    assert cleaned(text) == (text[:7] + " 😀" if seen is None else seen)


invisible = st.sampled_from(
    "\x1b\x08\x92\x81\ufdd0\xad\u180b\u180e\u200b\u200c\u200d\u200e\u2060\ufe0e\ufe0f\ufeff\u20e3\U000e0067\U000e007f\ufffc"
)
visible = st.sampled_from("aß1#é\u0301 ._-'’人ขการরে্ಕᠠ👩❤🏽🏴♂©")
text_with_invisible = st.lists(st.one_of(invisible, visible, st.characters()), max_size=12).map("".join)


@given(text_with_invisible)
@example("ಕ\u200c\u180b")  # the mark after the joiner is invisible itself
def test_cleaning_a_clean_text_changes_nothing(text):
    assert cleaned(cleaned(text)) == cleaned(text)


@given(text_with_invisible, st.booleans())
def test_no_word_is_invisible(text, fold):
    for token in Tokenizer(fold=fold).tokenize(text):
        assert not all(character in "\ufe0e\ufe0f" or unicodedata.category(character) == "Cf" for character in token)


@given(text_with_invisible)
def test_what_can_be_seen_is_kept(text):
    text = "".join(character for character in text if unicodedata.category(character) != "Cc")
    letters = "".join(filter(str.isalnum, text))
    assert "".join(filter(str.isalnum, cleaned(text))) == letters.replace("\u3164", "").replace("\uffa0", "")


@pytest.mark.parametrize("kind", ["word", "char"])
def test_invisible_characters_reach_no_tokenizer_but_that_of_prepared_corpora(kind):
    assert Tokenizer(kind).tokenize("br\xadead\u200e") == Tokenizer(kind).tokenize("bread")
    assert Tokenizer("whitespace").tokenize("br\xadead") == ["br\xadead"]


@pytest.mark.parametrize(
    ("text", "one_form"),
    [
        ("I don’t, she`s ‘here’ ´n´ ʼtis ＇", "I don't, she`s 'here' 'n' 'tis '"),
        ("“so” „so“ ‚so‘ ＂", '"so" "so" \'so\' "'),
        ("« oui » ‹oui› 「はい」", "« oui » ‹oui› 「はい」"),
        ("ＡＺａｚ０９ ！", "AZaz09 ！"),
        ("ﬁne ﬂour oﬀice eﬃgy ﬅ", "fine flour office effigy st"),
        ("well‐known, well‑known – 5 − 3", "well-known, well-known – 5 − 3"),
    ],
)
def test_lookalikes_are_one(text, one_form):
    assert folded(text) == one_form


@given(st.text())
def test_folding_is_done_character_by_character_and_once(text):
    assert folded(text) == text.translate(FOLDS)
    assert folded(folded(text)) == folded(text)


def test_every_letter_has_one_in_lower_case():
    assert lowered("İZMİR İ Ilık ÉTÉ") == "izmir i ilık été"
    assert Tokenizer(lowercase=True, fold=True).tokenize("İzmir") == ["izmir"]


@given(st.text())
def test_lower_case_is_as_long_as_the_text(text):
    assert len(lowered(text)) == len(text)


def test_texts_that_look_alike_have_the_same_words():
    folding = Tokenizer(fold=True)
    curly = "“I don’t,” she said. It’s ﬁne ‑ Ａ１."
    straight = "\"I don't,\" she said. It's fine - A1."
    assert folding.tokenize(curly) == folding.tokenize(straight)
    assert word.tokenize("don’t") == ["don’t"]  # unless the model is of an earlier version


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_ascii_text_is_read_as_it_is(kind):
    assert Tokenizer(kind, fold=True).read("I don't\t-- `so`\n") == "I don't\t-- `so`\n"


MARKS = st.text(st.sampled_from("\u0301\u0323\u0344\u0f71\u0f73\u09c7\u09be\u05b0\u3099\u1ab0—"), max_size=60)


@given(st.lists(st.tuples(st.text(max_size=3), MARKS), max_size=8), st.sampled_from(["NFC", "NFD"]))
def test_a_long_text_is_composed_as_unicode_says_however_many_marks_follow_each_other(pieces, form):
    text = "a" * LONG_TEXT + "".join(itertools.chain.from_iterable(pieces))
    function = {"NFC": composed, "NFD": decomposed}[form]
    assert function(text) == unicodedata.normalize(form, text)


def test_no_unsorted_marks_without_end_reach_the_sort_of_python(monkeypatch):
    seen = []

    def normalize(form, text):
        seen.append(text)
        return "".join(sorted(text, key=unicodedata.combining)) if len(text) < LONG_TEXT else text

    monkeypatch.setattr("rnncli.text.folding.unicodedata.normalize", normalize)
    composed("e" + "\u0301\u0323" * LONG_TEXT)
    classes = list(map(unicodedata.combining, seen[-1]))
    assert classes == sorted(classes)
