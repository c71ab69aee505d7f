"""Words that were cut at the end of a line become whole."""

import pytest

from rnncli.text.units import paragraphs


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        # The words of the text decide, in whatever case.
        ("A neigh-\nbourhood. Neighbourhood watch.", "A neighbourhood. Neighbourhood watch."),
        ("A well-\nknown man. Well-known men.", "A well-known man. Well-known men."),
        ("An e-\nmail. Email, email, e-mail.", "An email. Email, email, e-mail."),
        ("An e-\nmail. Email, e-mail, e-mail.", "An e-mail. Email, e-mail, e-mail."),
        # A word that occurs nowhere else is joined, unless both halves are words.
        ("The reno-\nvation.", "The renovation."),
        ("A side-\nline. The side of a line.", "A side-line. The side of a line."),
        ("The win-\nter of the win.", "The winter of the win."),
        ("A mother-in-\nlaw.", "A mother-in-law."),
        ("An Anglo-\nAmerican.", "An Anglo-American."),
        ("GREAT NEIGH-\nBOURS", "GREAT NEIGHBOURS"),
        ("Die Haupt-\nund Nebenstraße.", "Die Haupt- und Nebenstraße."),
        ("The is-\nland, and a thous-\nand. A thousand.", "The island, and a thousand. A thousand."),
        ("From 1990-\n1995.", "From 1990-1995."),
        ("A kind of –\nsay –\nbird, or --\nso.", "A kind of – say – bird, or -- so."),
        ("A neigh\u2010\nbourhood.", "A neighbourhood."),
        ("A neigh\u00ad\nbourhood.", "A neighbourhood."),
        ("The words l’an-\nnée and “neigh-\nbour”.", "The words l’année and “neighbour”."),
        ("A four-\nand-twenty.", "A four-and-twenty."),
        ("I know--\never so. One--two.", "I know--ever so. One--two."),
        ("I know--\never so. One-- two.", "I know-- ever so. One-- two."),
        ("I know—\never so.", "I know— ever so."),
        ("An end-", "An end-"),
        ("end-\n- a list", "end- - a list"),
    ],
)
def test_the_text_decides_whether_the_hyphen_at_a_line_end_stays(text, joined):
    assert list(paragraphs(text.split("\n"))) == [joined]


def test_the_beginning_of_a_cut_word_is_no_word_of_the_text():
    lines = ["the dis-", "trict", "", "another dis-", "trict", "", "the last dis-", "trict"]
    assert list(paragraphs(lines)) == ["the district", "another district", "the last district"]
