"""The signals that tell a training to stop, which it does between two steps."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

EXIT_INTERRUPTED = 128 + signal.SIGINT  # as a program that SIGINT ends
DOUBLE_PRESS_SECONDS = 1.0  # in which a second Ctrl-C is taken for a slip of the finger
# Ctrl-C; kill and timeout; a terminal that is closed, or a connection that is lost.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt`, so that what is open is closed. Where it is ignored it stays so."""
    is_main = threading.current_thread() is threading.main_thread()  # no other one may
    before = signal.getsignal(signal.SIGINT)
    if not is_main or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class StopRequest:
    """Whether a signal has told the program to stop, and whether Ctrl-C may interrupt what it does before the end."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.interruptible_since = math.inf

    @property
    def signal(self) -> int:
        """The first signal that came, or 0."""
        return self.received[0] if self.received else 0

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
    """Only note the signals that tell the program to stop: ask for them between two steps.

    Signals that the parent ignores stay ignored, as under `nohup`.
    """
    request = StopRequest()
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    before = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, request.note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_by(number: int) -> NoReturn:
    """Exit as a program that a signal ends."""
    sys.exit(128 + number)
