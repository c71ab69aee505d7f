"""The program: `python -m rnncli`, and the command `rnncli`."""

import gc

SELDOM = 100_000  # objects made before garbage is looked for


def run() -> None:
    """Run the command line, and leave.

    A program that lives for a quarter of a second leaves nothing that is worth looking for. By default Python would
    look for garbage again and again while modules are imported, and through all that they hold when it ends: a third
    of the time that an answer takes.
    """
    gc.set_threshold(SELDOM)
    from .cli import main

    try:
        main(prog_name="rnncli")
    finally:
        gc.freeze()


if __name__ == "__main__":
    run()
