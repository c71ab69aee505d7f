"""The program: `python -m rnncli`, and the command `rnncli`."""

import gc

SELDOM = 100_000  # objects made before garbage is looked for


def run() -> None:
    """Run the command line, and leave.

    By default Python would look for garbage again and again while modules are imported, and through all that they hold
    when it ends. That is a fifth of the time that a prediction takes, and finds nothing.
    """
    gc.set_threshold(SELDOM)
    from .cli import main

    try:
        main(prog_name="rnncli")
    finally:
        gc.freeze()


if __name__ == "__main__":
    run()
