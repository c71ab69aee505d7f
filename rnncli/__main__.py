"""The program: `python -m rnncli`, and the command `rnncli`."""

import gc
import os
import warnings

from .interrupts import EXIT_INTERRUPTED, end_at_once, handle_interrupt

GC_THRESHOLD = 100_000  # objects made before garbage is looked for


def run() -> None:
    """Run the command line, and exit.

    By default, Python looks for garbage again and again while modules are imported, and through everything they hold at
    exit. That takes a fifth of the time of a prediction, and finds nothing.
    """
    handle_interrupt(end_at_once)
    gc.set_threshold(GC_THRESHOLD)
    # Some BLAS raises this flag now and then for finite products. What is not finite is found by its value.
    warnings.filterwarnings("ignore", "invalid value encountered in matmul", RuntimeWarning)
    from .cli import main
    from .cli.output import protect_streams

    protect_streams()
    try:
        main(prog_name="rnncli")
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:
            # A normal exit would wait for the threads that still work. All output was flushed before.
            os._exit(EXIT_INTERRUPTED)
        raise
    finally:
        handle_interrupt(end_at_once)
        gc.freeze()


if __name__ == "__main__":
    run()
