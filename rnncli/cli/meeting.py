"""A program that ends a rank if it has not met the others in time: python meeting.py PROCESS SECONDS FILE MESSAGE

Of the ranks of a machine, the one that makes the FILE prints the message.
"""

import os
import signal
import sys
import time
from contextlib import suppress

LOOK_SECONDS = 0.2
TELLING_SECONDS = 1.0  # for which the file is there, so that no other rank tells the same
LAST_SECONDS = 1.5  # until a rank ends by which nothing is told: some launchers then kill all


def main(process: int, seconds: float, path: str, message: str) -> None:
    """Wait, unless the process ends before; then end it."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
        if os.getppid() != process:
            return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        time.sleep(LAST_SECONDS)
    except OSError:  # no file can be made: each one tells
        print(message, file=sys.stderr, flush=True)
    else:
        print(message, file=sys.stderr, flush=True)
        time.sleep(TELLING_SECONDS)
        with suppress(OSError):
            os.unlink(path)
    if os.getppid() == process:  # not ended meanwhile, as by the launcher
        with suppress(ProcessLookupError):
            os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
