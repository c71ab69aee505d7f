"""The program: `python -m rnncli`, and the command `rnncli`."""

from __future__ import annotations

# The core of `signal`, which itself takes a millisecond to import: a Ctrl-C then would give a traceback.
import _signal as signal  # type: ignore[import-not-found]
import os

TYPE_CHECKING = False  # not that of `typing`, for the same reason
if TYPE_CHECKING:
    from typing import Any, NoReturn

GC_THRESHOLD = 100_000  # objects made before garbage is looked for
BY_SIGNAL = 128  # and its number: the exit status of a program that a signal ends


def _end_at_once(number: int, frame: Any) -> NoReturn:
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(BY_SIGNAL + number)


def _end_on_interrupt() -> None:
    """Let Ctrl-C end the program at once: an exception would come out of an import, or of the end of Python.

    Where the parent ignores it, as for a job in the background, it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
        signal.signal(signal.SIGINT, _end_at_once)


def run() -> None:
    """Run the command line, and exit.

    By default, Python looks for garbage again and again while modules are imported, and through everything they hold at
    exit. That takes a fifth of the time of a prediction, and finds nothing.
    """
    _end_on_interrupt()
    import gc
    import sys
    import warnings

    gc.set_threshold(GC_THRESHOLD)
    # Some BLAS raises these flags now and then for finite products. What is not finite is found by its value.
    warnings.filterwarnings("ignore", "(invalid value|overflow) encountered in matmul", RuntimeWarning)
    from .cli import main
    from .cli.output import protect_streams

    protect_streams()
    try:
        main(prog_name="rnncli")
    except SystemExit as end:
        if ranks := sys.modules.get(f"{__package__}.cli.ranks"):
            ranks.end_job()  # all output was flushed before
        if isinstance(end.code, int) and end.code > BY_SIGNAL:
            os._exit(end.code)  # a normal exit would wait for the threads that still work
        raise
    finally:
        _end_on_interrupt()
        gc.freeze()


if __name__ == "__main__":
    run()
