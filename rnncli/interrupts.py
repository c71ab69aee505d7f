"""What Ctrl-C does: before a command runs and after it has run, it ends the program at once."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

EXIT_INTERRUPTED = 128 + signal.SIGINT  # as a program that SIGINT ends


def end_at_once(number: int, frame: Any) -> NoReturn:
    """End the program. It is for the time when modules are imported, or Python shuts down.

    An exception would come out of whatever is done there, with a traceback.
    """
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(EXIT_INTERRUPTED)


def handle_interrupt(handler: Callable[[int, Any], Any]) -> None:
    """Let a handler answer Ctrl-C. Where the parent ignores it, as for a job in the background, it stays ignored."""
    is_main = threading.current_thread() is threading.main_thread()  # no other one may
    if is_main and signal.getsignal(signal.SIGINT) in (signal.default_int_handler, end_at_once):
        signal.signal(signal.SIGINT, handler)
