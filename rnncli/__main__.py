"""The program: `python -m rnncli`, and the command `rnncli`."""

import gc
import os

SELDOM = 100_000  # objects made before garbage is looked for
INTERRUPTED = 130  # the exit status after Ctrl-C


def run() -> None:
    """Run the command line, and leave.

    By default Python would look for garbage again and again while modules are imported, and through all that they hold
    when it ends. That is a fifth of the time that a prediction takes, and finds nothing. After Ctrl-C it would wait for
    the threads that are still at work.
    """
    gc.set_threshold(SELDOM)
    from .cli import main

    try:
        main(prog_name="rnncli")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            os._exit(INTERRUPTED)  # what was answered, and said, was sent off before
        raise
    finally:
        gc.freeze()


if __name__ == "__main__":
    run()
