"""Subtitles are read without their numbers, times and tags."""

from rnncli.text.subtitles import subtitle_units

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
    return list(subtitle_units(text.split("\n")))


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


def test_a_text_without_times_holds_no_cue():
    assert units("Just a line.\n\nAnother one.\n") == []
