"""The end of a training at the command line: what is kept, and what is saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError
from .checkpoints import Checkpoints
from .output import escape_controls, tell
from .signals import StopRequest, exit_by

if TYPE_CHECKING:
    from ..model import Model
    from ..training.trainer import Trainer


def finished(
    trainer: Trainer, checkpoints: Checkpoints, output: Path, stop: StopRequest, init: Path | None = None
) -> Model:
    """Save the model, and return it; `init` is the file of the one that the training began from."""
    if trainer.is_over:
        stop.let_interrupt()
    else:
        is_last = len(trainer.state.trained) + 1 >= trainer.plan.training.networks
        still_needed = not is_last and init is not None and init.resolve() == output.resolve()
        _finish_early(trainer, checkpoints, output, stop, still_needed)
    return _saved(trainer, output, checkpoints)


def _finish_early(
    trainer: Trainer, checkpoints: Checkpoints, output: Path, stop: StopRequest, still_needed: bool
) -> None:
    """Keep a training that was told to stop; exit where its model would replace another one unmeasured, or needed."""
    trainer.stepper.agree()
    kept = checkpoints.kept or checkpoints.keep(trainer)  # before the model is measured, which changes the training
    if kept:
        _tell_of_interrupt(checkpoints, "goes on")
    if trainer.crew.ranks.first(output.exists()) and not trainer.state.history:
        tell(f"Interrupted before the first report: {escape_controls(str(output))} stays as it was.")
        exit_by(stop.signal)
    if still_needed and kept:
        tell(f"Networks of {escape_controls(str(output))} are still to be trained: it stays as it was.")
        exit_by(stop.signal)
    tell("Measuring the model, then saving the best; Ctrl-C again leaves that out.")
    stop.let_interrupt()
    trainer.measure()


def _saved(trainer: Trainer, output: Path, checkpoints: Checkpoints) -> Model:
    """Save the best model; where that fails, as on a full disk, keep it elsewhere, or at least the training."""
    from ..storage.model_file import save_somewhere

    try:
        model = trainer.best()
        if not trainer.crew.ranks.is_first:
            return model
        written = save_somewhere(model, output)
    except KeyboardInterrupt:
        if trainer.is_over and (checkpoints.kept or checkpoints.keep(trainer)):
            _tell_of_interrupt(checkpoints, "saves its model")
        raise
    except ModelError as error:
        if checkpoints.kept or (trainer.is_over and checkpoints.keep(trainer)):  # one that is not has changed since
            raise ModelError(f"{error}; {checkpoints.place} keeps the training: go on by resume=True") from None
        raise
    if written.failure:
        raise ModelError(f"{written.failure}. The model is in {written.path} instead: move it to where it shall stay")
    return model


def _tell_of_interrupt(checkpoints: Checkpoints, what: str) -> None:
    """Tell that an interrupted training is kept, and what --resume does."""
    moved = "" if checkpoints.place == checkpoints.path else f"moved to {checkpoints.path}, "
    tell(escape_controls(f"Interrupted: {checkpoints.place} keeps the training; {moved}--resume {what}."))
