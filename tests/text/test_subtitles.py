"""Subtitles are read without their numbers, times and tags."""

import pytest

from rnncli.errors import TextError
from rnncli.text.subtitles import looks_like_subtitles, subtitle_units

SUBRIP = """\
1
00:00:01,000 --> 00:00:02,500
<i>Where have you been,</i>
all the long day?

2
00:00:03,000 --> 00:00:04,000 X1:10
- At school.
- In the {\\an8}rain?

3
00:00:05,000 --> 00:00:06,000

4
00:00:07,000 --> 00:00:08,000
- 99 years
ago & later.
5
00:00:09,000 --> 00:00:10,000
1984
"""
WEBVTT = """\
WEBVTT - A film
Kind: captions

STYLE
::cue { color: white }

NOTE this is
no text

intro
00:01.000 --> 00:02.000 align:start position:10%
<v Ann><c.loud>Hello</c></v> &amp; welcome!

01:00:03.000 --> 01:00:04.000
I <3 you.
"""
ROLLING = """\
WEBVTT

00:00:01.000 --> 00:00:03.000
so<00:00:01.500><c> today</c><00:00:02.000><c> we</c>

00:00:03.000 --> 00:00:03.010
so today we

00:00:03.010 --> 00:00:05.000
so today we
bake<00:00:04.000><c> bread</c>

00:00:05.000 --> 00:00:05.010
bake bread
"""


def units(text: str) -> list[str]:
    return list(subtitle_units(text.split("\n"), "film.srt"))


def test_a_cue_of_subrip_is_a_unit_and_a_second_speaker_another_one():
    assert units(SUBRIP) == [
        "Where have you been, all the long day?",
        "- At school.",
        "- In the rain?",
        "- 99 years ago & later.",
        "1984",
    ]


def test_webvtt_is_read_without_its_head_notes_and_voices():
    assert units(WEBVTT) == ["Hello & welcome!", "I <3 you."]


def test_captions_that_roll_up_are_read_once():
    assert units(ROLLING) == ["so today we", "bake bread"]


def test_a_line_that_is_said_twice_is_read_twice():
    cue = "00:00:01.000 --> 00:00:02.000\nNo.\n\n"
    assert units(cue * 2) == ["No.", "No."]


def test_times_may_have_single_digits():
    assert units("1\n0:0:1,5 --> 0:0:2,5\nHello there.\n\n2\n00:00:03,000 --> 00:00:04,000\nGood bye.\n") == [
        "Hello there.",
        "Good bye.",
    ]


def test_a_file_with_words_but_without_a_cue_is_an_error():
    with pytest.raises(
        TextError, match=r'^film\.srt holds no subtitle with its times: read_as="text" reads it as it is$'
    ):
        units("Just a note.\nAnd another one.\n")
    assert units("WEBVTT\n\n00:01.000 --> 00:02.000\n\n") == []


def test_subtitles_are_recognised_by_their_times():
    assert looks_like_subtitles(SUBRIP.split("\n"))
    assert not looks_like_subtitles(["We met at 00:00:05,000 --> or so.", "", "1"])


def test_a_reference_by_a_number_of_thousands_of_digits_is_no_character():
    lines = ["1", "9" * 5000 + ":99:99,999 --> 99:99:99,999", "a &#" + "1" * 5000 + "; b &amp; c"]
    assert list(subtitle_units(lines, "a.srt")) == ["a \ufffd b & c"]
