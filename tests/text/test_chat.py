"""The messages of an exported chat are read without their times and senders."""

import pytest

from rnncli.errors import TextError
from rnncli.text.chat import chat_units, looks_like_chat

ANDROID = """\
31/12/23, 22:14 - Messages and calls are end-to-end encrypted. Tap to learn more.
31/12/23, 22:15 - Ann Lee: Are you coming?
We start at 8:30.

Bring: bread
31/12/23, 22:16 - +44 20 7946 0000: <Media omitted>
31/12/23, 22:16 - Bob changed the subject from "Party: 8pm" to "Party: 9pm"
31/12/23, 22:17 - Bob: On my way: 5 minutes <This message was edited>
31/12/23, 22:18 - Bob: I <3 it
01/01/24, 00:00 - Ann Lee: Happy new year!
"""
IPHONE = """\
[31.12.23, 22:14:01] Group: \u200eMessages and calls are end-to-end encrypted.
[31.12.23, 22:15:03] Ann: Kommst du?
\u200e[31.12.23, 22:15:40] Bob: \u200eBild weggelassen
[31.12.23, 22:16:05] \u202aBob\u202c: Ja, gleich.
Noch eine Zeile.
\u200e[31.12.23, 22:17:00] Ann: Gut. \u200e<Diese Nachricht wurde bearbeitet>
"""
IRC = """\
22:14 -!- ann [~ann@example.org] has joined #garden
22:15 <ann> hello there
[22:16] <@bob> hi: all
22:16 * bob waves
22:17:01 <ann> bye
"""


def units(text: str, needed: bool = True) -> list[str]:
    return list(chat_units(text.split("\n"), "chat.txt", needed=needed))


def test_a_message_of_an_android_is_a_unit_with_all_its_lines():
    assert units(ANDROID) == [
        "Are you coming? We start at 8:30. Bring: bread",
        "On my way: 5 minutes",
        "I <3 it",
        "Happy new year!",
    ]


def test_a_message_of_an_iphone_is_a_unit_and_notes_of_the_program_are_none():
    assert units(IPHONE) == ["Kommst du?", "Ja, gleich. Noch eine Zeile.", "Gut."]


def test_what_was_said_on_irc_is_read():
    assert units(IRC) == ["hello there", "hi: all", "bye"]


def android(*messages: str) -> list[str]:
    return units("".join(f"31/12/23, 22:15 - {message}\n" for message in messages))


@pytest.mark.parametrize(
    "note",
    [
        "Ann changed the subject to: Party",
        "Ann Lee changed this group's icon: a tree",
        "You changed the subject to: Party",
        "Messages and calls are end-to-end encrypted. Tap: to learn more",
        "Ann änderte den Betreff zu: Feier",
        "Ann konuyu değiştirdi: Parti",
        "Ann изменила тему на: Праздник",
        "太郎がグループ名を変更しました: 会",
    ],
)
def test_a_note_of_the_program_with_a_colon_is_no_message(note):
    assert android("Ann: one", "太郎: two", note, "Ann: three", "太郎: four") == ["one", "two", "three", "four"]


def test_a_note_that_repeats_is_no_message_either():
    spoken = [f"Ann: {number}" for number in range(8)]
    notes = ["Ann changed the subject to: Party", "Ann changed the subject to: Picnic"]
    assert android(*notes, *spoken) == [str(number) for number in range(8)]


@pytest.mark.parametrize(
    "sender",
    ["Ann", "Ann Lee", "Anna Maria Huber", "María del Carmen García", "+44 20 7946 0000", "Dr. A. B. Lee", "山田太郎"],
)
def test_a_sender_may_write_once(sender):
    assert android("Ann: one", "Ann: two", f"{sender}: Hi: all") == ["one", "two", "Hi: all"]


def test_a_sender_with_a_long_name_who_writes_again_is_a_sender():
    name = "Ann from the school run"
    assert android(f"{name}: one", "Bob: two", f"{name}: three") == ["one", "two", "three"]


@pytest.mark.parametrize(
    "own", ["See you <you too>", "A <b>", "See <Button>", "Love <3", "<you too> bye", "Hm <Me too>"]
)
def test_what_a_writer_puts_in_angles_is_kept(own):
    assert android(f"Ann: {own}", "Bob: yes", "Bob: no") == [own, "yes", "no"]


@pytest.mark.parametrize(
    "note", ["<Diese Nachricht wurde bearbeitet>", "<Mensagem editada>", "<このメッセージは編集されました>"]
)
def test_the_note_that_a_message_was_edited_is_left_out(note):
    assert android(f"Ann: one {note}", f"Bob: two\nmore {note}", "Bob: no") == ["one", "two more", "no"]
    assert android(f"Ann: one \u200e{note}", "Bob: no") == ["one", "no"]


@pytest.mark.parametrize(
    "begin",
    [
        "12/31/23, 10:15 PM - ",
        "12/31/23, 10:15\u202fPM - ",
        "31/12/2023, 10:15 p.\u00a0m. - ",
        "31.12.2023 um 22:15 - ",
        "31.12.23, 22:15 Uhr - ",
        "31/12/2023 à 22:15 - ",
        "2023-12-31, 22.15 - ",
        "31/12/23, 22:15:03: ",
        "[12/31/23, 10:15:03 PM] ",
        "[2023-12-31 22:15] ",
        "[31/12/2023, 22:15:03] ",
        "\u200e[31/12/2023, 22:15:03] ",
    ],
)
def test_dates_and_times_come_in_many_forms(begin):
    assert units(f"{begin}Ann: one\nand more\n{begin}Bob: two\n") == ["one and more", "two"]


def test_a_text_without_a_message_is_an_error_or_read_line_by_line():
    with pytest.raises(TextError, match=r"^chat\.txt holds no message with a time and a sender, as chat=True needs$"):
        units("Hello.\n\nAt 10:15 we left.\n")
    assert units("Hello.\n\nAt 10:15 we left.\n", needed=False) == ["Hello.", "At 10:15 we left."]


def test_a_chat_is_recognised():
    assert looks_like_chat(ANDROID.split("\n"))
    assert looks_like_chat(IPHONE.split("\n"))
    assert not looks_like_chat(IPHONE.split("\n")[:2])
    assert not looks_like_chat(
        [
            "2024-05-01 08:30:00 INFO copied: 3",
            "[2024-05-01 08:30:00] INFO: copied",
            "[08:30] done: yes",
            "8:30 - it rains",
        ]
        * 3
    )
