"""Reads the messages of an exported chat, such as one of WhatsApp, Signal or IRC."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..errors import TextError
from .characters import is_unspaced

_DATE = r"(?:\d{1,4}[./-]\s?\d{1,2}[./-]\s?\d{1,4}\.?)"
_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
_MOMENT = rf"{_DATE}(?:,|\s|\sum|\sà|\sa\slas|\sas|\sat|\salle|\sob|\so|\skl\.?)*\s?{_TIME}"
MESSAGE_STARTS = (
    re.compile(rf"\[{_MOMENT}\]\s*(?P<text>.*)", re.DOTALL),  # iPhone: [31.12.23, 22:15:03] Ann: Hello
    re.compile(rf"{_MOMENT}(?:\sUhr)?(?:\s[-–—]|:)\s(?P<text>.*)", re.DOTALL),  # Android: 31.12.23, 22:15 - Ann: Hello
    re.compile(
        rf"\[?(?:{_DATE}\s)?{_TIME}\]?\s+(?P<text><[^<>\s]+>.*|\*\s.*|-!-.*)", re.DOTALL
    ),  # IRC: 22:15 <ann> hello
)
SENDER = re.compile(r"(?:<(?P<nick>[^<>\s]+)>|(?P<name>[^:\"“«„]{1,60}):)(?:\s(?P<text>.*)|$)", re.DOTALL)
LOG_LEVEL = re.compile(r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b", re.IGNORECASE)
MIN_MESSAGES = 3  # by which a chat is recognised
NOTE_BEGINS = re.compile("[:>] \u200e")  # a message that the program wrote itself, such as "image omitted"
MARKED_END = re.compile("\u200e(<[^<>]+>)\\s*$")  # a note at the end of a message that WhatsApp has marked as its own
DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
PLACEHOLDER = re.compile(r"<[^<>]+>")  # such as <Media omitted>, in any language
FINAL_NOTE = re.compile(r"(?:^|\s+)(<(?P<words>[^<>]+)>)$")  # such as <This message was edited>
MIN_NOTE_WORDS = 3  # of a final note that occurs once
MAX_NAME_WORDS = 4  # of a sender who writes once
MIN_VERB_WORDS = 2  # after a name, that make it a note, such as "Ann changed the subject"
MIN_VERB_LETTERS = 4  # in a script without spaces
MIN_RATIO = 4  # messages of a sender for each of a note about it that repeats


class Message(NamedTuple):
    """A message as it was read, before it is known whether the program wrote it."""

    sender: str  # empty on IRC, where < and > tell
    text: str
    note: str  # at its end, of the program; empty where there may be none


def chat_units(lines: Iterable[str], name: str, *, needed: bool = True) -> Iterator[str]:
    """Yield each message as one unit, without its time and sender; what the program itself wrote is left out.

    Raises `TextError`, which calls the file by its `name`, if a message is `needed` and there is none. Otherwise, a
    text without any is read line by line.
    """
    head: list[str] = []  # the lines before the first message
    messages: list[Message] = []
    lines_of_message: list[str] | None = None  # of the one that is read; None: not in one
    for line in lines:
        text = _after_time(DIRECTION_MARKS.sub("", line))
        if text is not None:
            messages += _messages(lines_of_message)
            lines_of_message = [line]
        elif lines_of_message is not None:
            lines_of_message.append(line)
        elif not needed:
            head.append(line)
    messages += _messages(lines_of_message)
    if lines_of_message is None and needed:
        raise TextError(f"{name} holds no message with a time and a sender, as chat=True needs")
    if lines_of_message is None:
        yield from (line for line in head if line.strip())
    yield from _written_by_people(messages)


def looks_like_chat(lines: list[str]) -> bool:
    """Whether most lines of a text begin a message with a time and a sender."""
    texts = [DIRECTION_MARKS.sub("", line) for line in lines if line.strip()]
    found = [text for line in texts if (text := _after_time(line)) and SENDER.match(text)]
    messages = sum(not LOG_LEVEL.match(text) for text in found)
    return messages >= MIN_MESSAGES and messages > len(texts) / 2


def _after_time(line: str) -> str | None:
    """Return what stands after the time of a message that begins in a line; None where none begins."""
    if not line[:1].isdigit() and not line.startswith("["):
        return None
    found = next(filter(None, (pattern.match(line) for pattern in MESSAGE_STARTS)), None)
    return found["text"] if found else None


def _messages(lines: list[str] | None) -> list[Message]:
    """Return the message of some lines, the first with its time and sender; none for a note of the program."""
    if not lines or NOTE_BEGINS.search(lines[0]):
        return []
    plain = [DIRECTION_MARKS.sub("", line) for line in lines]
    found = SENDER.match(_after_time(plain[0]) or "")
    if not found:
        return []
    text = " ".join(" ".join([found["text"] or "", *plain[1:]]).split())
    if MARKED_END.search(lines[-1]):
        text = FINAL_NOTE.sub("", text)
    note = FINAL_NOTE.search(text)
    may_be_note = note and not note["words"][0].islower() and (" " in note["words"] or is_unspaced(note["words"]))
    return [Message(found["name"] or "", text, note[1] if note and may_be_note else "")]


def _written_by_people(messages: list[Message]) -> Iterator[str]:
    """Yield the texts of messages, without what the program wrote.

    Its notes are in any language. But a sender who writes again is a sender, and so is one with a short name. A remark
    in < and > at the end of a message is the program's if it repeats or reads like a sentence.
    """
    senders = Counter(message.sender for message in messages)
    ends = Counter(message.note for message in messages)
    notes = {sender for sender in senders if _is_note(sender, senders)}
    for sender, text, note in messages:
        if sender in notes:
            continue
        if note and (ends[note] > 1 or len(note.split()) >= MIN_NOTE_WORDS):
            text = text.removesuffix(note).rstrip()
        if text and not PLACEHOLDER.fullmatch(text):
            yield text


def _is_note(name: str, senders: Counter[str]) -> bool:
    """Whether what stands before a colon is no sender, but a note such as "Ann changed the subject to"."""
    is_long = len(name.split()) > MAX_NAME_WORDS
    messages_of_subject = max(
        (senders[name[:end]] for end in range(1, len(name)) if name[:end] in senders and _goes_on(name[end:])),
        default=0,
    )
    if senders[name] == 1:
        return is_long or messages_of_subject > 1
    return is_long and messages_of_subject >= MIN_RATIO * senders[name]


def _goes_on(rest: str) -> bool:
    """Whether what follows a name is long enough to tell what someone has done."""
    if rest.startswith(" "):
        return len(rest.split()) >= MIN_VERB_WORDS
    return is_unspaced(rest) and len(rest) >= MIN_VERB_LETTERS
