"""Lines are told from wrapped prose, and become units."""

import itertools
import textwrap

import pytest

from rnncli.text.formats import ReadOptions
from rnncli.text.reading import read_units
from rnncli.text.units import judge, lines_with_stanzas

WRAPPED = """\
It was a bright cold day in the garden, and the old clock on the
wall was striking four. Nobody in the house had heard it, because
everyone was asleep, except for the cat.

The cat sat on the stairs and waited for somebody to come down and
open the door for her, as somebody did every morning at this time,
when the milk was brought.
"""
RAGGED = """\
We took the early train to the coast because it was cheaper,
and nobody else was awake at that hour,
so we had the whole carriage to ourselves and could
spread the maps on two tables, which pleased my brother
who likes maps more than anything.

Later the sun came out over the fields
and the man who sells the tickets told us about a beach
that is not on any map, behind the old harbour.
"""
PROSE = {
    "German": "Am Morgen ging die Lehrerin mit ihren Schülern in den Wald, weil sie ihnen zeigen wollte, wo die Füchse"
    " wohnen. Der Weg war lang, und die Kinder wurden müde, aber niemand beschwerte sich darüber.",
    "Hebrew": "למחרת בבוקר הלכה המורה עם תלמידיה ליער כי רצתה להראות להם איפה גרים השועלים. הדרך הייתה ארוכה"
    " והילדים התעייפו, אבל אף אחד לא התלונן. לקראת הצהריים מצאו שם מקום יפה.",
    "Hindi": "अगली सुबह शिक्षिका अपने छात्रों के साथ जंगल में गई क्योंकि वह उन्हें दिखाना चाहती थी कि लोमड़ियाँ कहाँ रहती हैं।"
    " रास्ता लंबा था और बच्चे थक गए लेकिन किसी ने शिकायत नहीं की।",
    "Russian": "На следующее утро учительница пошла со своими учениками в лес, потому что хотела показать им, где живут"
    " лисы. Дорога была длинной, и дети устали, но никто не жаловался.",
}
JAPANESE = (
    "翌朝、先生は生徒たちを森へ連れて行きました。道は長く、子どもたちは疲れましたが、だれも文句を言いませんでした。"
)


def units(tmp_path, text: str, unit: str = "auto", **options) -> list[str]:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return list(read_units(path, ReadOptions(unit, **options))[1])


def test_a_paragraph_of_hard_wrapped_prose_is_a_unit(tmp_path):
    found = units(tmp_path, WRAPPED)
    assert len(found) == 2
    assert found[1].startswith("The cat sat on the stairs and waited for somebody to come down and open the door")
    assert len(units(tmp_path, WRAPPED, "line")) == 6
    assert len(units(tmp_path, WRAPPED, keep_blank=True)) == 7


@pytest.mark.parametrize("blank", ["\u200b", " \ufeff\xa0", "\u2060\u200e", "\u3164", "\x1b[0m"])
def test_a_line_in_which_nothing_can_be_seen_is_blank(tmp_path, blank):
    text = WRAPPED.replace("\n\n", f"\n{blank}\n")
    assert units(tmp_path, text) == units(tmp_path, WRAPPED)
    assert units(tmp_path, text, "paragraph") == units(tmp_path, WRAPPED)
    poem = [line or blank for line in POEM]
    assert list(lines_with_stanzas(poem)) == list(lines_with_stanzas(POEM))


def test_ragged_prose_is_read_by_paragraphs_too():
    assert judge(RAGGED.split("\n")) == ("paragraph", "wrapped at up to 55", "")


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
@pytest.mark.parametrize("width", [44, 72])
def test_prose_is_recognised_in_other_languages(text, width):
    assert judge([*textwrap.wrap(text, width), ""] * 3).unit == "paragraph"


LOG = [f"2024-05-{day:02}T08:30:00.000Z INFO copied {day} files to the archive" for day in range(1, 20)]
DUMP = [f"{16 * row:08x}: 4865 6c6c 6f20 776f 726c 640a 4865 6c6c  Hello world.Hell" for row in range(20)]


@pytest.mark.parametrize(
    "lines",
    [
        ["One sentence.", "Another one, a little longer.", "", "A third.", "And a fourth one here.", "A fifth.", ""],
        [*LOG[:9], "", *LOG[9:]],
        [*DUMP, "", DUMP[0], "00000150: 0a"],
        ["the page about birds", "https://example.org/animals/of/the/air/birds.html", ""] * 4 + ["a", "b", "c", "d"],
        ["https://example.org/animals/of/the/air/birds.html"] * 8 + ["", "https://example.org/animals/cats.html"],
        [*textwrap.wrap("aGVsbG8gd29ybGQhIGhlbGxv" * 20, 76), "", "aGVsbG8="],
        [*textwrap.wrap(JAPANESE * 4, 40), "", JAPANESE],
        ["ann: i was thinking that we could go to the sea on sunday", "bob: that is a very good idea if it is warm"] * 4
        + ["", "ann: then i will ask my sister whether she comes with us"],
        ["def copied_words(lines: list[str], known: set[str]) -> int:", "    found = [word for line in lines]"] * 4
        + ["", "    return sum(word in known for word in found) / max(1, count)", "print(copied_words(lines, set()))"],
        ["Whose woods these are I only know by ear and eye,", "Whose house is in the village over there, I guess;"] * 4
        + ["", "He will not see me stopping here to watch the rain."],
    ],
    ids=["sentences", "log", "hex", "links", "addresses", "base64", "Japanese", "chat", "code", "verse"],
)
def test_other_texts_are_read_line_by_line(lines):
    assert judge(lines).unit == "line"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "A paragraph in one line, however long it may be, is not wrapped.\n\nAnother one.\n",
            "no line goes on in the next",
        ),
        (WRAPPED.replace("\n\n", "\n"), "no blank lines"),
        ("", "no line goes on in the next"),
    ],
)
def test_a_text_that_does_not_tell_is_read_by_lines_or_by_the_units_of_the_model(tmp_path, text, reason):
    assert judge(text.split("\n")) == ("", reason, "")
    lines = [line for line in text.split("\n") if line]
    assert units(tmp_path, text) == lines
    by_paragraphs = units(tmp_path, text, usual_unit="paragraph")
    assert len(by_paragraphs) == (text + "\n").strip("\n").count("\n\n") + bool(text)


def wrapped(*lengths: int) -> list[str]:
    """Lines of words of three letters, of these lengths; the last one begins a paragraph of its own."""
    lines = [("abc " * length)[: length - 1] + "a" for length in lengths]
    return [*lines[:-1], "abc", "", lines[-1]]


@pytest.mark.parametrize(
    ("lengths", "found"),
    [
        ([60] * 4, True),
        ([60] * 3, False),  # two breaks
        ([40] * 4, True),
        ([39] * 4, False),
        ([200] * 4, True),
        ([201] * 4, False),
        ([57, 60, 60, 60, 9], True),  # the next word would have made it 61
        ([56, 57, 60, 60, 60], True),  # three quarters are full
        ([29, 29, 29, 60, 60, 60, 9], False),  # half of them are
        ([30, 300] + [60] * 49 + [9], True),  # one line in fifty may be longer
        ([300, 300] + [60] * 49 + [9], False),
    ],
)
def test_prose_is_hard_wrapped_where_most_lines_are_full(lengths, found):
    assert (judge(wrapped(*lengths)).unit == "paragraph") == found


def test_paragraphs_can_be_asked_for(tmp_path):
    text = "a\nb\n\n\nc\n"
    assert units(tmp_path, text) == ["a", "b", "c"]
    assert units(tmp_path, text, "paragraph") == ["a b", "c"]


def test_wrapped_lines_of_a_script_without_spaces_join_without_one(tmp_path):
    assert units(tmp_path, "\n".join(textwrap.wrap(JAPANESE, 11)), "paragraph") == [JAPANESE]


POEM = ["the moon is up", "the cat is out", "", "", "the moon is down", "the cat is in", "", "the end of it", "is here"]


def test_a_blank_line_between_stanzas_is_an_empty_unit_where_lines_are_asked_for(tmp_path):
    stanzas = [line for line, _ in itertools.groupby(POEM)]
    assert list(lines_with_stanzas(["", *POEM, ""])) == stanzas
    text = "\n".join(POEM)
    assert units(tmp_path, text, "line", stanzas=True) == stanzas
    assert units(tmp_path, text, "line") == units(tmp_path, text) == [line for line in stanzas if line]


@pytest.mark.parametrize("lines", [["a", "", "b", "", "c"], ["a", "b", "c"], ["a", "b", "", "c", "", "d"], ["", ""]])
def test_blank_lines_that_only_part_lines_are_left_out(lines):
    assert list(lines_with_stanzas(lines)) == [line for line in lines if line]
