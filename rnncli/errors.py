"""What can go wrong that a user can mend: every message is one line that names the thing and the remedy."""


class RnncliError(Exception):
    """The base of all errors that this package raises on purpose."""


class TextError(RnncliError):
    """A text cannot be read, or holds too little to work with."""


class ModelError(RnncliError):
    """A model file is missing, damaged, foreign or too new, or cannot be written."""


class OverflowedError(ModelError):
    """A model's numbers have become too large, or are no numbers."""

    def __init__(self) -> None:
        super().__init__("the model's numbers overflow, so it gives no probabilities: train it anew")


class SettingError(RnncliError):
    """A setting has a value that makes no sense."""


class TrainingError(RnncliError):
    """Training cannot go on."""
