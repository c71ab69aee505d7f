"""Pictures, drawn by Matplotlib, which is in the extra `plot`."""

from pathlib import Path

import click

from ..errors import RnncliError
from .output import visible


def check(picture: Path) -> None:
    """Refuse a picture that could not be drawn, before the work for it is done."""
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


def draw_evaluation(evaluation, title: str, picture: Path) -> None:
    """How often the model was right beside how sure it was, and the perplexity of frequent and of rare words."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    figure.suptitle(f"{title}: perplexity {evaluation.perplexity:.1f}", parse_math=False)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    confidence, accuracy = (
        [getattr(bin, name) for bin in evaluation.calibration] for name in ("confidence", "accuracy")
    )
    left.plot(confidence, accuracy, marker="o")
    left.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the likeliest word", ylabel="how often it was right")
    left.set_title(f"calibration error {evaluation.calibration_error:.3f}", fontsize="medium")
    bands = evaluation.bands
    right.bar([band.frequency_rank for band in bands], [band.perplexity for band in bands])
    right.set(yscale="log", xlabel="frequency rank of the word", ylabel="perplexity")
    _save(figure, picture)


def draw_reach(found, title: str, picture: Path) -> None:
    """The perplexity of the model, and of its parts, where it sees more and more of the words before."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    seen = [str(row.seen or "all") for row in found]
    parts = found[0].perplexity_of_parts
    curves = {name: [row.perplexity_of_parts[name] for row in found] for name in parts} if len(parts) > 1 else {}
    axes.plot(seen, [row.perplexity for row in found], marker="o", label="the whole")
    for name, values in curves.items():
        if None not in values:
            axes.plot(seen, values, marker=".", linewidth=1, label=name)
    axes.set(yscale="log", xlabel="words seen before the one foreseen", ylabel="perplexity")
    axes.set_title(title, parse_math=False)
    axes.legend()
    _save(figure, picture)


def _save(figure, picture: Path) -> None:
    try:
        figure.savefig(picture, dpi=150)
    except OSError as error:
        raise RnncliError(f"cannot write {picture}: {error.strerror or error}") from error
    click.echo(f"Drew {visible(str(picture))}", err=True)
