"""HTML is stripped to its text."""

from html.parser import HTMLParser

import pytest

from rnncli.text.html import HTMLText, html_units

HTML = """\
<!DOCTYPE html>
<html><head><title>A page</title><style>p { color: red }</style>
<script>if (a < b) { write("<p>no</p>") }</script></head>
<body><!-- hidden --><h1>Title</h1>
<p>A <b>bold</b> w<i>or</i>d &amp; an&nbsp;apple
over two lines.<br>A new line<br/>and another</p>
<ul><li>one<li>two &lt; three</ul>
<table><tr><td>left</td><td>right</td></tr></table>
<pre>a  poem
of lines</pre><pre><code>x = 1</code></pre>
<p>Use <code>ls</code>.</p><svg><text>drawn</text></svg>
<p>open</body></html>
"""


def test_each_block_of_html_is_a_unit_of_the_text_that_a_browser_shows():
    assert list(html_units(HTML.split("\n"))) == [
        "Title",
        "A bold word & an apple over two lines.",
        "A new line",
        "and another",
        "one",
        "two < three",
        "left",
        "right",
        "a poem",
        "of lines",
        "Use ls.",
        "open",
    ]


@pytest.mark.parametrize(
    ("html", "units"),
    [
        ("just text", ["just text"]),
        ("<head><title>t</title><p>a", ["a"]),  # the end of the head may be left out
        ("<p>a</p></div></script>b", ["a", "b"]),
        ("a <3 b & c", ["a <3 b & c"]),
        ("", []),
    ],
)
def test_html_with_faults_is_read_as_far_as_it_goes(html, units):
    assert list(html_units(html.split("\n"))) == units


@pytest.mark.parametrize(
    ("begin", "end", "units"),
    [
        ("<script>", "</script>", ["before", "after"]),
        ("<!--", "-->", ["before after"]),
        ('<img alt="', '">', ["before after"]),
        ("<style>", "", ["before"]),
    ],
)
def test_the_time_for_html_grows_with_its_length_whatever_is_open(monkeypatch, begin, end, units):
    html = ["before", begin, *["let a = 1; // & so on"] * 40_000, end, "after"]
    feed = HTMLText.feed
    characters_read = 0

    def counting(parser: HTMLText, data: str) -> None:
        nonlocal characters_read
        characters_read += len(parser.rawdata) + len(data)
        feed(parser, data)

    monkeypatch.setattr(HTMLText, "feed", counting)
    assert list(html_units(html)) == units
    assert characters_read < 4 * sum(len(line) + 1 for line in html)


def test_each_tag_that_never_ends_is_tried_once(monkeypatch):
    parse = HTMLText.parse_starttag
    places = []

    def counting(parser: HTMLText, place: int) -> int:
        places.append(place)
        return parse(parser, place)

    monkeypatch.setattr(HTMLText, "parse_starttag", counting)
    lines = ["if a <b &amp; c", 'then <d e="f'] * 500
    assert list(html_units(lines)) == [" ".join(lines).replace("&amp;", "&")]
    assert len(places) < 5


def test_html_is_the_same_however_long_it_is():
    html = ["<p>", *["a &amp; <b>b</b> <i", "class='x'>c</i>, <!-- d", "--> <pre>e", "f</pre>"] * 3000]
    assert list(html_units(html)) == ["a & b c,", "e", "f"] * 3000


@pytest.mark.parametrize(
    ("html", "units"),
    [
        ("<p>a &#" + "9" * 5000 + "; b</p>c", ["a \ufffd b", "c"]),  # Python reads no number of so many digits
        ("a <![ b <![x> c", ["a c"]),  # a section that there is not
        ('<p title="' + "x" * 200_000 + '">hello', ["hello"]),
        ("<script " + "a " * 50_000 + ">hidden</script>shown", ["shown"]),
        ("<a " * 50_000 + ">x", ["x"]),
        ("x > y " + "<c " * 1000, ["x > y" + " <c" * 1000]),  # tags that do not end
        ("<!-- a>b" * 1000, ["<!-- a>b" * 1000]),  # comments that do not end
        ("<![CDATA[ ]>a" * 1000, ["a" * 1000]),
        ("<svg>" * 1000 + "</math>hidden</svg>shown", ["shown"]),
        ("<div>" * 50_000 + "deep" + "</div>" * 50_000, ["deep"]),
    ],
    ids=range(10),
)
def test_html_of_strangers_is_read(html, units):
    assert list(html_units(html.split("\n"))) == units


@pytest.mark.parametrize("tail", ["<!-- a>", "<![CDATA[ >", "<a ", "<"])
def test_the_end_of_what_never_ends_is_looked_for_once(monkeypatch, tail):
    searches = []
    whole = HTMLParser.parse_comment
    monkeypatch.setattr(HTMLParser, "parse_comment", lambda *given: searches.append(1) or whole(*given))
    list(html_units(["x", tail * 1000]))
    assert len(searches) <= 2
