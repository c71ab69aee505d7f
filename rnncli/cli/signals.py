"""The signals that tell the program to stop: at once, or a training between two steps."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

DOUBLE_PRESS_SECONDS = 1.0  # in which a second Ctrl-C is taken for a slip of the finger
# Ctrl-C; kill and timeout; a terminal that is closed, or a connection that is lost.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the signals that tell the program to stop raise `KeyboardInterrupt`, so that what is open is closed."""
    with _handled(_interrupt):
        yield


def _interrupt(number: int, frame: Any) -> NoReturn:
    """Raise `KeyboardInterrupt` with the signal. A terminal that is closed may send more: these change nothing."""
    if number != signal.SIGINT:
        for other in _heard():
            if other != signal.SIGINT:
                signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _heard() -> dict[int, Any]:
    """The signals to stop that are not ignored, as the parent may have wished, under `nohup`; and what they call."""
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    return {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}


@contextmanager
def _handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Have a function called when a signal tells the program to stop. Only the main thread of Python may set that."""
    before = _heard() if threading.current_thread() is threading.main_thread() else {}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


class StopRequest:
    """Whether a signal has told the program to stop, and whether Ctrl-C may interrupt what it does before the end."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.interruptible_since = math.inf

    @property
    def signal(self) -> int:
        """The first signal that came, or 0."""
        return self.received[0] if self.received else 0

    def agreed(self, signals: Sequence[int]) -> int:
        """Return the signal that some rank has told, or 0: one that has come to this rank since is not agreed on."""
        told = next((number for number in signals if number), 0)
        if told and not self.received:
            self.received.append(told)
        return told

    def let_interrupt(self) -> None:
        """Let Ctrl-C raise `KeyboardInterrupt`, a second from now on: people press it twice by mistake.

        A third signal is always heard from now on.
        """
        self.interruptible_since = time.monotonic()

    def note(self, number: int, frame: Any) -> None:
        """Take down a signal. This is the handler."""
        self.received.append(number)
        seconds = time.monotonic() - self.interruptible_since
        if number == signal.SIGINT and (seconds > DOUBLE_PRESS_SECONDS or (seconds >= 0 and len(self.received) > 2)):
            raise KeyboardInterrupt


@contextmanager
def deferred_stop() -> Iterator[StopRequest]:
    """Only note the signals that tell the program to stop: ask for them between two steps."""
    request = StopRequest()
    with _handled(request.note):
        yield request


def exit_by(number: int) -> NoReturn:
    """Exit as a program that a signal ends."""
    sys.exit(128 + number)
