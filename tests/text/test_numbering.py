"""The fast way to number a text gives what its slow definition gives: cut each unit, number the words one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.text import chunks, numbering
from rnncli.text.columns import Store
from rnncli.text.numbering import Numbering
from rnncli.text.reserved import unit_segments
from rnncli.text.tokenizers import TOKENIZERS, Tokenizer
from rnncli.text.vocabulary import Tokens

PIECES = [
    *(
        "the",
        "The",
        "dog's",
        "well-known",
        "U.S.",
        "3,000.5",
        "<unk>",
        "<eos>",
        "</s>",
        "<s>",
        "wait...",
        "(so)",
        "a--b",
    ),
    *("“so”", "it’s", "‘tis", "ﬁne", "ＡＢＣ", "cafe\u0301", "İstanbul", "ΟΔΟΣ", "soft\u00adhyphen", "can\u200bnot"),
    *(
        "日本語です。",
        "ที่นี่",
        "हिन्दी",
        "می‌خواهم",
        "👨‍👩‍👧👍🏽",
        "🇫🇷",
        "1️⃣",
        "Donaudampfschifffahrtsgesellschaft",
        "\u200b",
        "\x1b[0m",
    ),
    *("\x01", "\x02", "\x03x", "\x04", "x\x02\x01", "\ud800", "\ufdd0", "exactly-16-bytes", "just-17-bytes-ok."),
]
SPACES = ["", " ", " ", " ", "  ", "\t", "\u00a0", " \u202f", "\u3000", "\x85", "\u2028", "\x1f", "\n"]
units = st.lists(st.tuples(st.sampled_from(SPACES), st.sampled_from(PIECES) | st.text(max_size=3))).map(
    lambda pairs: "".join(space + piece for space, piece in pairs)
)
tokenizers = st.builds(
    lambda kind, lowercase, fold: Tokenizer(kind, lowercase, fold=fold),
    st.sampled_from(sorted(TOKENIZERS)), st.booleans(), st.booleans(),
)  # fmt: skip


def slowly(tokenizer: Tokenizer, texts: list[str]) -> Tokens:
    found = []
    for text in texts:
        segments = unit_segments(tokenizer, text)
        if segments.tokens or not text or tokenizer.is_pretokenized:
            found.append(segments)
    return Tokens.from_segments(found)


def fast(tokenizer: Tokenizer, texts: list[str], store: Store | None = None) -> Tokens:
    numbers = Numbering(tokenizer, store)
    for text in texts:
        numbers.add(text)
    return numbers.tokens()


def assert_same(found: Tokens, wanted: Tokens) -> None:
    assert found.types == wanted.types
    assert found.ids.tolist() == wanted.ids.tolist()
    if wanted.words():
        assert [found.gap_names[gap] for gap in found.gaps] == [wanted.gap_names[gap] for gap in wanted.gaps]
    assert found.form_places.tolist() == wanted.form_places.tolist()
    assert found.form_names == wanted.form_names
    assert found.forms.tolist() == wanted.forms.tolist()


@given(tokenizers, st.lists(units, max_size=8))
def test_a_text_is_numbered_as_unit_by_unit(tokenizer, texts):
    assert_same(fast(tokenizer, texts), slowly(tokenizer, texts))


@given(tokenizers, st.lists(units, min_size=1, max_size=8))
def test_batches_and_a_table_that_is_too_small_change_nothing(tokenizer, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "CHARACTERS_PER_BATCH", 5)
        patch.setattr(chunks, "SLOT_BITS", 2)
        patch.setattr(chunks, "_SHIFT", np.uint64(62))
        patch.setattr(chunks, "MAX_KEPT", 3)
        found = fast(tokenizer, texts * 2)
    assert_same(found, slowly(tokenizer, texts * 2))


@given(tokenizers, st.lists(units, max_size=8))
def test_a_text_is_numbered_alike_in_memory_and_in_files(tokenizer, texts):
    assert_same(fast(tokenizer, texts, Store(max_in_memory=0)), slowly(tokenizer, texts))


LONG = [
    "<s> one two, “three” a\u00a0 b " * 20 + "</s>",
    "four\u00a0five " * 30,
    "six\tseven\t" * 30,
    "eight  nine  " * 30,
    "日本語\u3000です\u3000" * 30,
    "one\u3000\u200b two\u2800three " * 30,
    "हिन्दी  " * 30,
    "a " + " " * 100 + "b",
    " " * 100,
]


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_a_long_unit_is_numbered_in_pieces_as_if_it_were_whole(kind, text, monkeypatch):
    monkeypatch.setattr(numbering, "MAX_PIECE", 40)
    tokenizer = Tokenizer(kind, fold=kind == "word")
    assert_same(fast(tokenizer, [text, "next"]), slowly(tokenizer, [text, "next"]))


@pytest.mark.parametrize(
    "text",
    [
        "xe\u0301",
        "e\u0301\u0323",
        "ที่นี่",
        "हिन्दी",
        "👨‍👩‍👧👍🏽",
        "x🇫🇷",
        "1️⃣",
        "क\u200cख",
        "\u1100\u1161\u11a8",
        "ΟΔΟΣ\u200bΑ",
    ],
)
@pytest.mark.parametrize("size", [10, 11, 12, 13])
def test_a_long_unit_is_not_cut_between_a_character_and_what_belongs_to_it(text, size, monkeypatch):
    monkeypatch.setattr(numbering, "MAX_PIECE", size)
    tokenizer = Tokenizer("char", lowercase=True)
    assert_same(fast(tokenizer, [text * 20]), slowly(tokenizer, [text * 20]))


@pytest.mark.parametrize("kind", ["word", "char"])
def test_a_long_unit_of_which_nobody_sees_anything_is_left_out(kind, monkeypatch):
    monkeypatch.setattr(numbering, "MAX_PIECE", 10)
    assert_same(fast(Tokenizer(kind), ["\u200b" * 25, "next"]), slowly(Tokenizer(kind), ["next"]))


def test_a_long_unit_of_nothing_but_marks_is_cut_anywhere(monkeypatch):
    monkeypatch.setattr(numbering, "MAX_PIECE", 10)
    assert fast(Tokenizer("char"), ["\u0301" * 25]).words() == 25


def test_a_word_that_is_longer_than_a_piece_is_cut_without_a_space(monkeypatch):
    monkeypatch.setattr(numbering, "MAX_PIECE", 10)
    tokens = fast(Tokenizer(), ["an " + "x" * 25 + " end"])
    assert [tokens.types[number] for number in tokens.ids] == ["an", "x" * 9, "x" * 10, "x" * 6, "end", "<eos>"]
    assert [tokens.gap_names[gap] for gap in tokens.gaps] == ["", " ", "", "", " ", ""]
