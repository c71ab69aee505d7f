"""Markdown is stripped to its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rnncli.text import markdown
from rnncli.text.markdown import markdown_units

MARKDOWN = """\
---
title: Notes
---
# The *garden*

We **planted** a `rose`, and a [tree](https://example.org/tree "Oak")
beside ~~the wall~~ the [house][1].
A line ends\\
here; snake_case_words and 2 * 3 * 4 stay, AT&amp;T too.[^1]

- [ ] water it
- [x] dig
  a hole
1. Wait.

> Said the
> neighbour: ![a picture](x.png)never.

| plant | height |
|-------|--------|
| oak   | *tall* |

```python
print("code")
```

    indented code

<div class="note">Some <b>HTML</b></div>

A heading
---------

[1]: https://example.org/house
[^1]: A footnote.
"""


def test_each_block_of_markdown_is_a_unit_of_plain_text():
    assert list(markdown_units(MARKDOWN.split("\n"))) == [
        "The garden",
        "We planted a rose, and a tree beside the wall the house. A line ends",
        "here; snake_case_words and 2 * 3 * 4 stay, AT&T too.",
        "water it",
        "dig a hole",
        "Wait.",
        "Said the neighbour: never.",
        "plant",
        "height",
        "oak",
        "tall",
        "Some HTML",
        "A heading",
        "A footnote.",
    ]


def test_a_rule_at_the_top_is_no_front_matter():
    assert list(markdown_units(["---", "", "Text.", "", "---"])) == ["Text."]
    assert list(markdown_units(["---", "Text.", "---"])) == ["Text."]
    assert list(markdown_units([])) == []


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("---\ntitle: A\n\n# of the page\ntags:\n- a\n\ntext: |\n  one\n\n  two\n---\nText.", ["Text."]),
        ("---\ntitle: A\nother key: [\n  b\n]\n...\nText.", ["Text."]),
        ('+++\ntitle = "A"\n\n[extra]\nb = 1\n+++\nText.', ["Text."]),
        ("---\nNote: this is a text\n\nthat goes on.\n\n---\n", ["Note: this is a text", "that goes on."]),
        ("---\ntitle: A\na/b: c\n---\nText.", ["Text."]),
        ("---\ntitle: A\n\nText.", ["title: A", "Text."]),
        ("+++\nText\n+++", ["+++ Text +++"]),
    ],
)
def test_front_matter_may_hold_blank_lines_and_nothing_but_data(text, units):
    assert list(markdown_units(text.split("\n"))) == units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Hello my<br>good<BR />friend", ["Hello my", "good", "friend"]),
        ("| a<br>b | c |\n|---|---|\n| d<ul><li>e</li><li>f</li></ul> | g |", ["a", "b", "c", "d", "e", "f", "g"]),
        ("w<b>or</b>d, a List<String> and <break>b", ["word, a List and b"]),
        ("Term[^1] is, and [^2] too [^3].", ["Term is, and too."]),
        ("**Term**[^a]: a word.", ["Term: a word."]),
        ("`[^ab]` and `x[^1]`", ["[^ab] and x[^1]"]),
        ("A[^1] b[^2].\n\n[^1]: One.\n[^2]: See `two`\n    there.", ["A b.", "One.", "See two there."]),
        ("> A[^1] b.\n>\n> [^1]: One.", ["A b.", "One."]),
    ],
)
def test_words_of_markdown_stay_apart(text, units):
    assert list(markdown_units(text.split("\n"))) == units


BLOCKS = [
    *(
        "- a",
        "- b | c",
        "* x",
        "1. one",
        "2. two",
        "   - in",
        "    deep",
        "  two",
        "\tt",
        "-",
        "1.",
        "- ```",
        "- [ ] t",
    ),
    *(
        "```",
        "~~~",
        "--- | ---",
        "|-|",
        "| a | b |",
        "a | b",
        "---",
        "===",
        "# h",
        "> q",
        "> - l",
        "",
        "",
        "",
        "",
        "&amp;",
    ),
    *(
        "text *em*",
        "[r]",
        "[a][r2]",
        "[r]: /u",
        "[R2]: /v 'tit",
        "le'",
        "  [r3]:",
        "/w",
        "![p][r]",
        "- [n]: /z",
        "[^1]: f",
    ),
    *("<div>", "</div>", "<!-- c", "-->", "<pre>", "</pre>", "<b>x</b>", "a  ", "b\\", "  > k", "- - n"),
]


@given(st.lists(st.sampled_from(BLOCKS), max_size=18), st.sampled_from([1, 10, 30]))
def test_markdown_is_the_same_in_however_short_runs_it_is_parsed(lines, size):
    whole = list(markdown_units(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "CHARACTERS_PER_RUN", size)
        assert list(markdown_units(lines)) == whole


@pytest.mark.parametrize(
    ("begin", "line", "end", "unit"),
    [
        (["# The", ""], "- an *item* of a list", ["", "end"], "an item of a list"),
        (["| a | b |", "|---|---|"], "| one | *two* |", ["", "end"], "two"),
        (["```"], "x = 1", ["```", "end"], None),
        (["    x = 1"], "    x = 1", ["end"], None),
        ([], "[name]: https://example.org", ["", "end"], None),
        (["Text"], "goes on *and on*.", ["", "end"], None),
        (["<!-- hidden"], "for ever", ["-->", "", "end"], None),
    ],
)
def test_no_more_than_a_few_runs_of_markdown_are_parsed_at_once(monkeypatch, begin, line, end, unit):
    monkeypatch.setattr(markdown, "CHARACTERS_PER_RUN", 100)
    monkeypatch.setattr(markdown, "MAX_BLOCK", 1000)
    parse = MarkdownIt.parse
    sizes = []
    monkeypatch.setattr(MarkdownIt, "parse", lambda self, text, env: sizes.append(len(text)) or parse(self, text, env))
    units = list(markdown_units([*begin, *[line] * 1000, *end]))
    assert max(sizes) < 2500
    assert sum(sizes) < 4 * 1000 * (len(line) + 1)  # none is parsed again and again
    assert units[-1].endswith("end")
    assert units.count(unit) == (1000 if unit else 0)


def test_a_link_is_known_that_a_long_text_defines_in_the_end(monkeypatch):
    monkeypatch.setattr(markdown, "CHARACTERS_PER_RUN", 10)
    text = ["A [word][a].", "", "![Hidden][b]", "", "And [c].", *["", "More."] * 20, "", "[a]: /x", "", "> [b]: /y"]
    assert list(markdown_units(text)) == ["A word.", "And [c].", *["More."] * 20]
