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

    def __init__(self, output: Path, seconds: float, *, is_written: bool = True):
        from ..training.checkpoint import checkpoint_path

        self.path = checkpoint_path(output)
        self.place = self.path  # where it was written last: somewhere else if it cannot be written there
        self.is_written = is_written  # of several ranks, by one
        self.kept = False  # whether it holds the training as it is after its last step
        self.trouble = ""  # the last warning
        self.seconds = seconds
        self.due = monotonic() + seconds

    def find(self, *, resume: bool, restart: bool) -> Checkpoint | None:
        """Return the checkpoint to go on from, if any. What is in its place must not be overwritten unasked."""
        from ..storage.atomic import CHECKPOINT, is_kind
        from ..training.checkpoint import read_checkpoint

        if not self.path.exists():
            if resume:
                raise RnncliError(f"there is no checkpoint {self.path}: leave --resume out to begin")
            return None
        if not (self.path.is_file() and is_kind(self.path, CHECKPOINT)):
            raise RnncliError(
                f"{self.path} is where the checkpoint goes, and is none: move it away, or name another model with"
                " --output"
            )
        if restart:
            return None
        kept = read_checkpoint(self.path)
        if not resume:
            raise RnncliError(f"{self.path} {_advice(kept)}, or --restart to begin anew")
        self.kept = True
        return kept

    def begin(self) -> None:
        """Remove the checkpoint of an older training, so that nobody goes on with that one by mistake."""
        if self.is_written:
            self.path.unlink(missing_ok=True)

    def keep_if_due(self, trainer: Trainer) -> None:
        """After a step: write the checkpoint if the last one is old enough."""
        self.kept = False
        if monotonic() >= self.due and trainer.stepper.team.is_whole:
            self.keep(trainer)

    def keep(self, trainer: Trainer, *, has_model: bool = False) -> bool:
        """Write the checkpoint; where that is impossible, say so, and leave the last one as it is."""
        if not self.is_written:
            return False
        try:
            written = trainer.save_checkpoint(self.path, has_model=has_model)
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
                _remove(self.place)
        self.place = place
        self.kept = True
        instead = f"{written.failure}. {place} keeps the training instead: to go on, move it to {self.path}"
        self._warn(instead if written.failure else "")
        return True

    def _warn(self, trouble: str) -> None:
        """Tell of a trouble once, until there is another or none."""
        if trouble and trouble != self.trouble:
            warn(trouble)
        self.trouble = trouble

    def end(self, trainer: Trainer, *, keep: bool) -> None:
        """Remove the checkpoint of a training whose model is saved, or keep it as it is in the end."""
        if keep:
            self.keep(trainer, has_model=True)
            return
        if not self.is_written:
            return
        for place in {self.path, self.place}:
            _remove(place)


def _advice(kept: Checkpoint) -> str:
    """Say what a checkpoint holds, and how to go on from it."""
    if kept.has_model:
        return "holds a training that has ended: add --resume with more --epochs or --time to go on"
    if kept.is_over:
        return "holds a training that has ended without its model: add --resume to save that"
    return "holds a training that has stopped: add --resume to go on"


def _remove(path: Path) -> None:
    """Remove a checkpoint that nobody needs any more. Where that is impossible, it stays."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
