"""Pictures of an evaluation, drawn by Matplotlib, which the extra `plot` installs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RnncliError
from .output import escape_controls, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..tasks.context import ContextPoint
    from ..tasks.evaluate import Evaluation


def check(picture: Path) -> None:
    """Raise `RnncliError` for a picture that cannot be drawn, before any work is done for it."""
    try:
        import matplotlib
    except ImportError:
        raise RnncliError("--plot needs Matplotlib: pip install matplotlib") from None
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    if picture.suffix.lower().removeprefix(".") not in known:
        raise RnncliError(f"cannot draw {picture.name}: name a .png, .svg or .pdf file")
    if not picture.parent.is_dir():
        raise RnncliError(f"cannot write {picture}: there is no folder {picture.parent}")


def draw_evaluation(evaluation: Evaluation, title: str, picture: Path) -> None:
    """Draw the calibration of the likeliest words, and the perplexity of frequent and of rare words."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    figure.suptitle(f"{title}: perplexity {evaluation.perplexity:.1f}", parse_math=False)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    confidence = [point.confidence for point in evaluation.calibration]
    accuracy = [point.accuracy for point in evaluation.calibration]
    left.plot(confidence, accuracy, marker="o")
    left.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the likeliest word", ylabel="how often it was right")
    left.set_title(f"calibration error {evaluation.calibration_error:.3f}", fontsize="medium")
    bands = evaluation.bands
    right.bar([band.frequency_rank for band in bands], [band.perplexity for band in bands])
    right.set(yscale="log", xlabel="frequency rank of the word", ylabel="perplexity")
    _save(figure, picture)


def draw_context(curve: Sequence[ContextPoint], title: str, picture: Path) -> None:
    """Draw the perplexity of the model, and of its parts, by the number of words of context."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    seen = [str(point.seen or "all") for point in curve]
    axes.plot(seen, [point.perplexity for point in curve], marker="o", label="the whole")
    parts = curve[0].perplexity_of_parts
    for name in parts if len(parts) > 1 else ():
        values = [value for point in curve if (value := point.perplexity_of_parts[name]) is not None]
        if len(values) == len(seen):
            axes.plot(seen, values, marker=".", linewidth=1, label=name)
    axes.set(yscale="log", xlabel="words of context", ylabel="perplexity")
    axes.set_title(title, parse_math=False)
    axes.legend()
    _save(figure, picture)


def _save(figure: Figure, picture: Path) -> None:
    try:
        figure.savefig(picture, dpi=150)
    except OSError as error:
        raise RnncliError(f"cannot write {picture}: {error.strerror or error}") from error
    tell(f"Drew {escape_controls(str(picture))}")
