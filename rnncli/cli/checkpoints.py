"""The checkpoint of a training: when it is written, found, and removed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import ModelError, RnncliError
from .output import warn

if TYPE_CHECKING:
    from ..training.checkpoint import Checkpoint
    from ..training.trainer import Trainer


class Checkpoints:
    """Keeps a training in a file beside its model, from time to time."""

    def __init__(self, output: Path, seconds: float):
        from ..training.checkpoint import checkpoint_path

        self.path = checkpoint_path(output)
        self.place = self.path  # where it was written last: somewhere else if it cannot be written there
        self.trouble = ""  # the last warning
        self.seconds = seconds
        self.due = monotonic() + seconds

    def find(self, *, resume: bool, restart: bool) -> Checkpoint | None:
        """Return the checkpoint to go on from, if any. One that is there must not be overwritten unasked."""
        from ..training.checkpoint import read_checkpoint

        if resume:
            if not self.path.exists():
                raise RnncliError(f"there is no checkpoint {self.path}: leave --resume out to begin")
            return read_checkpoint(self.path)
        if self.path.exists() and not restart:
            raise RnncliError(
                f"{self.path} holds a training that has stopped: add --resume to go on, or --restart to begin anew"
            )
        return None

    def keep_if_due(self, trainer: Trainer) -> None:
        """Write the checkpoint if the last one is old enough."""
        if monotonic() >= self.due:
            self.keep(trainer)

    def keep(self, trainer: Trainer) -> bool:
        """Write the checkpoint; where that is impossible, say so, and leave the last one as it is."""
        try:
            written = trainer.save_checkpoint(self.path)
        except ModelError as error:
            self._warn(f"the training is not kept: {str(error).partition('; ')[0]}")  # of all places, the first
            return False
        finally:
            self.due = monotonic() + self.seconds
        place = written.path
        if self.place not in (self.path, place):  # an older one, in another place
            if place.parent == self.place.parent:
                with suppress(OSError):
                    place = place.replace(self.place)
            else:
                self.place.unlink(missing_ok=True)
        self.place = place
        instead = f"{written.failure}. {place} keeps the training instead: to go on, move it to {self.path}"
        self._warn(instead if written.failure else "")
        return True

    def _warn(self, trouble: str) -> None:
        """Tell of a trouble once, until there is another or none."""
        if trouble and trouble != self.trouble:
            warn(trouble)
        self.trouble = trouble

    def end(self, trainer: Trainer, *, keep: bool) -> None:
        """Remove the checkpoint of a training that is over, or keep it as it is in the end."""
        if keep:
            self.keep(trainer)
            return
        for place in {self.path, self.place}:
            with suppress(OSError):
                place.unlink(missing_ok=True)
