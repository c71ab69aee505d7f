"""The errors that a user can mend. Every message is one line that names the thing and the remedy.

    RnncliError
        TextError             a text cannot be read, or holds too little to work with
        ModelError            a model file is missing, damaged, foreign or too new, or cannot be written
            OverflowedError   a model's numbers are too large, or are no numbers
        SettingError          an option has a value that makes no sense
        TrainingError         training cannot go on
        RankLostError         another process of a job under MPI has ended, or is silent

A message names an option as Python does, `hidden_size` or `encoding="latin-1"`; the command line translates that.
"""

MAX_QUOTED_CHARACTERS = 80


def shortened(text: str) -> str:
    """A text as a message names it: the beginning of a long one, and its length."""
    if len(text) <= MAX_QUOTED_CHARACTERS:
        return text
    return f"{text[:MAX_QUOTED_CHARACTERS]}... ({len(text):,} characters)"


def quoted(text: str) -> str:
    """A text in quotes as a message names it: the beginning of a long one."""
    is_short = len(text) <= MAX_QUOTED_CHARACTERS
    return repr(text if is_short else f"{text[:MAX_QUOTED_CHARACTERS]}...")


class RnncliError(Exception):
    """The base of all errors that this package raises on purpose."""


class TextError(RnncliError):
    """A text cannot be read, or holds too little to work with."""


class ModelError(RnncliError):
    """A model file is missing, damaged, foreign or too new, or cannot be written."""


class OverflowedError(ModelError):
    """A model's numbers are too large, or are no numbers."""

    def __init__(self) -> None:
        super().__init__("the model's numbers overflow, so it gives no probabilities: train it anew")


class SettingError(RnncliError):
    """An option has a value that makes no sense."""


class TrainingError(RnncliError):
    """Training cannot go on."""


class RankLostError(RnncliError):
    """Another process of a job under MPI has ended, or is silent."""
