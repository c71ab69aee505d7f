"""What is shown while work goes on."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from .output import on_terminal, tell, warn

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    from ..model import Model
    from ..training.report import Progress, Report

MIN_TELLING_WORDS = 100  # of which a perplexity says something
SECONDS_WITHOUT_BAR = 1.0  # of work
MIN_COLUMNS_FOR_PERCENTAGE = 70  # beside the bar; fewer are needed for the figures
INTERRUPT_COLUMNS = 2
COOLDOWN_MESSAGE = "No better for long: from the best network on to the end."


@contextmanager
def display(epochs: int | None, quiet: bool, networks: int = 1) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows the progress of a training on standard error: a bar on a terminal, else lines.

    `epochs` is how many there will be, if that is known; `networks` is how many are trained, one after the other.
    """
    lines = TrainingLines(epochs, networks)
    if quiet:
        yield lambda progress: None
    elif on_terminal(sys.stderr):
        with training_bar() as bar:
            yield TrainingBar(bar, epochs, lines).show
    else:
        yield lines.print_after


class TrainingLines:
    """The lines that a training prints: for each report, and when a network or its cooldown begins."""

    def __init__(self, epochs: int | None, networks: int):
        self.epochs = epochs
        self.networks = networks
        self.network = 0  # the last one whose beginning was told
        self.cooling_down = 0  # the last network whose cooldown was told

    def after(self, progress: Progress) -> Iterator[str]:
        """The lines after a step."""
        if self.networks > 1 and self.network < progress.network:
            self.network = progress.network
            yield f"Network {self.network} of {self.networks}:"
        if progress.is_cooling_down and self.cooling_down < progress.network:
            self.cooling_down = progress.network
            yield COOLDOWN_MESSAGE
        if progress.report:
            yield self._report_line(progress.report)

    def print_after(self, progress: Progress) -> None:
        for line in self.after(progress):
            tell(line)

    def _report_line(self, report: Report) -> str:
        """Perplexities, speed and the time of all steps so far, in at most 60 columns."""
        minutes, seconds = divmod(round(report.seconds), 60)
        perplexities = (
            f"train {format_perplexity(report.train_perplexity)}, valid {format_perplexity(report.valid_perplexity)}"
        )
        speed = f"{report.words_per_second:,.0f} words/s"
        of = f"/{self.epochs}" if self.epochs else ""
        return f"epoch {round(report.epoch, 2):g}{of}: {perplexities}, {speed}, {minutes}:{seconds:02d}"


class TrainingBar:
    """The live bar of a training, with its lines above."""

    def __init__(self, bar: RichProgress, epochs: int | None, lines: TrainingLines):
        self.bar = bar
        self.lines = lines
        self.valid = ""  # the last validation perplexity
        of = f"/{epochs}" if epochs else ""
        self.task = bar.add_task("", total=1.0, epoch=1, of=of, perplexities="-", speed=0)

    def show(self, progress: Progress) -> None:
        """Draw the progress after a step."""
        for line in self.lines.after(progress):
            self.bar.console.print(line)
        if progress.report:
            self.valid = f"/{format_perplexity(progress.report.valid_perplexity, 0)}"
        self.bar.update(
            self.task,
            completed=progress.fraction,
            epoch=progress.epoch,
            perplexities=f"{format_perplexity(progress.train_perplexity, 0)}{self.valid}",
            speed=progress.words_per_second,
        )


def _console() -> Console:
    """Standard error as Rich writes to it, with room beside a bar for the ^C that a terminal shows."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.width = max(1, console.width - INTERRUPT_COLUMNS)
    return console


def training_bar() -> RichProgress:
    """An empty bar for a training."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = _console()
    percentage = [TaskProgressColumn()] if console.width >= MIN_COLUMNS_FOR_PERCENTAGE else []
    return Progress(
        TextColumn("epoch {task.fields[epoch]}{task.fields[of]}"),
        BarColumn(bar_width=None),
        *percentage,
        TextColumn("ppl {task.fields[perplexities]}"),
        TextColumn("{task.fields[speed]:,.0f} w/s"),
        TimeRemainingColumn(),
        console=console,
        expand=True,
        transient=True,
        refresh_per_second=4,
    )


class Work:
    """Shows on a terminal how much of a work is done, if it takes longer than some seconds."""

    def __init__(self, seconds_without_bar: float):
        self._seconds_without_bar = seconds_without_bar
        self._began = time.monotonic()
        self._bar: RichProgress | None = None

    def show(self, work: str, fraction: float) -> None:
        """Show the name of a work, and the fraction of it that is done, from 0 to 1."""
        seconds = time.monotonic() - self._began
        if self._bar is None and on_terminal(sys.stderr) and seconds > self._seconds_without_bar:
            from rich.progress import Progress

            self._bar = Progress(console=_console(), expand=True, transient=True)
            self._bar.add_task(work, total=1.0)
            self._bar.start()
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=work, completed=fraction)

    def clear(self) -> None:
        """Take away what is shown, so that a message can be printed."""
        if self._bar:
            self._bar.stop()
            self._bar = None


@contextmanager
def working(seconds_without_bar: float = SECONDS_WITHOUT_BAR) -> Iterator[Work]:
    """Yield what shows the progress of works, and take it away in the end."""
    work = Work(seconds_without_bar)
    try:
        yield work
    finally:
        work.clear()


@contextmanager
def reading(seconds_without_bar: float = SECONDS_WITHOUT_BAR) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the fraction of a text that was read: see `working`."""
    with working(seconds_without_bar) as work:
        yield partial(work.show, "Reading")


def show_result(model: Model) -> None:
    """Print how well a model that was just trained predicts the held-out text."""
    tuning = model.about["tuning"]
    if tuning["words"] < MIN_TELLING_WORDS:
        warn(f"only {tuning['words']} words were held out, which tell little")
    whole, network = (tuning[name] or math.inf for name in ("perplexity", "perplexity_of_network"))
    alone = f", of the network {format_perplexity(network)}" if len(model.lm.parts) > 1 else ""
    known = ""
    if tuning["unknown_words"] and tuning.get("perplexity_of_known_words"):
        unknown = tuning["unknown_words"] / tuning["words"]
        known = f", of known words {format_perplexity(tuning['perplexity_of_known_words'])} ({unknown:.1%} are unknown)"
    tell(f"Saved. Validation perplexity {format_perplexity(whole)}{alone}{known}:")


def format_perplexity(perplexity: float, digits: int = 1) -> str:
    """A perplexity in few characters, however large."""
    return f"{perplexity:.{digits}f}" if perplexity < 1e6 else f"{perplexity:.1e}"
