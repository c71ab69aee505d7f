"""Reads the messages of an exported chat, such as one of WhatsApp, Signal or IRC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..errors import TextError

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
NOTE = ""  # what a message is taken for that the program wrote itself, such as "image omitted"
NOTE_BEGINS = re.compile("[:>] \u200e")
DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
PLACEHOLDER = re.compile(r"<[^<>]+>")  # such as <Media omitted>, in any language
FINAL_NOTE = re.compile(r"\s*<[^<>\s]+ [^<>]+>$")  # such as <This message was edited>


def chat_units(lines: Iterable[str], name: str, *, needed: bool = True) -> Iterator[str]:
    """Yield each message as one unit, without its time and sender; what the program itself wrote is left out.

    Raises `TextError`, which calls the file by its `name`, if a message is `needed` and there is none. Otherwise, a
    text without any is read line by line.
    """
    message: list[str] | None = None  # the lines of the message that is read; None: not in one
    head: list[str] = []  # the lines before the first message
    for line in lines:
        plain = DIRECTION_MARKS.sub("", line)
        text = _after_time(plain)
        if text is not None:
            yield from _unit(message)
            message = [NOTE if NOTE_BEGINS.search(line) else text]
        elif message is not None:
            message.append(plain)
        elif not needed:
            head.append(line)
    yield from _unit(message)
    if message is None and needed:
        raise TextError(f"{name} holds no message with a time and a sender, as chat=True needs")
    if message is None:
        yield from (line for line in head if line.strip())


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


def _unit(message: list[str] | None) -> Iterator[str]:
    """Yield the text of a message that begins with its sender; nothing for a note of the program."""
    found = SENDER.match(message[0]) if message else None
    if not message or not found:
        return
    text = FINAL_NOTE.sub("", " ".join(" ".join([found["text"] or "", *message[1:]]).split()))
    if text and not PLACEHOLDER.fullmatch(text):
        yield text
