"""The signals that tell a training to stop, which it does between two steps."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

DOUBLE_PRESS_SECONDS = 1.0  # in which a second Ctrl-C is taken for a slip of the finger
# Ctrl-C; kill and timeout; a terminal that is closed, or a connection that is lost.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def deferred_stop() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the signal that told the program to stop, or 0. Call it between two steps.

    The first signal is only noted. A second Ctrl-C does nothing until a second after the first was asked for, since
    people press it twice by mistake, or again when nothing happens; after that it raises `KeyboardInterrupt`. A third
    one always does. Signals that the parent ignores stay ignored, as under `nohup`.
    """
    received: list[int] = []
    asked_at = math.inf

    def note(number: int, frame: Any) -> None:
        received.append(number)
        presses = received.count(signal.SIGINT)
        is_late = len(received) > 1 and time.monotonic() - asked_at > DOUBLE_PRESS_SECONDS
        if number == signal.SIGINT and (presses > 2 or is_late):
            raise KeyboardInterrupt

    def stopped() -> int:
        nonlocal asked_at
        if received:
            asked_at = min(asked_at, time.monotonic())
        return received[0] if received else 0

    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    before = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, note)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_by(number: int) -> NoReturn:
    """Exit as a program that a signal ends."""
    sys.exit(128 + number)
