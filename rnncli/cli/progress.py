"""Watching a training: the live display, the log, and being told to stop."""

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..errors import RnncliError
from .output import on_terminal, warn

LOG_BEGINS = b'{"epoch":'
FEW = 100  # held-out words, by which a perplexity says little
UNNOTICED = 1.0  # seconds of work that need no progress bar
TWICE = 1.0  # seconds in which a key is pressed twice by mistake
LANDING = "No better for long: from the best network on to the end."
STOPPING = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C; kill and timeout


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], int]]:
    """The signal that told to stop, or 0, to be asked between two steps. Once that was answered, another interrupts.

    Not before, nor at once: who presses Ctrl-C twice, or sees nothing happen and presses again, means no more by it.
    But a third one always does.
    """
    came: list[int] = []
    since = math.inf  # when it was answered

    def note(number: int, _: Any) -> None:
        came.append(number)
        if len(came) > 2 or time.monotonic() - since > TWICE:
            raise KeyboardInterrupt

    def asked() -> int:
        nonlocal since
        if came:
            since = min(since, time.monotonic())
        return came[0] if came else 0

    before = {number: signal.signal(number, note) for number in STOPPING}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_log(log: Path | None, output: Path) -> None:
    """Refuse to write a log over what is not one, or where the model goes."""
    try:
        if log and log.is_file():
            with log.open("rb") as file:
                if file.read(len(LOG_BEGINS)) not in (b"", LOG_BEGINS):
                    raise RnncliError(f"{log} is not a log, and would be overwritten: name another file with --log")
        if log and log.resolve() == output.resolve():
            raise RnncliError(f"the model goes to {log}: name another file with --log")
    except OSError as error:
        raise RnncliError(f"cannot write the log {log}: {error.strerror}") from error


@contextmanager
def logging_to(path: Path | None) -> Iterator[Any]:
    """What writes one JSON object a line for each report to `path`, if any; the first replaces an older log."""
    if path is None:
        yield lambda report: None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise RnncliError(f"cannot write the log {path}: {error.strerror}") from error

    anew = True

    def write(report) -> None:
        nonlocal anew
        if anew:
            with suppress(OSError):  # of what is no file, such as a pipe
                file.truncate(0)
            anew = False
        values = {name: value if math.isfinite(value) else None for name, value in asdict(report).items()}
        try:
            print(json.dumps(values), file=file, flush=True)
        except OSError as error:  # no reason to lose a training
            warn(f"cannot write the log {path}: {error.strerror}")

    try:
        yield write
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def display(epochs: int | None, quiet: bool) -> Iterator[Any]:
    """What shows the progress on stderr: a live bar on a terminal, else one line for each report.

    `epochs` is how many there will be, where that is known.
    """
    lines = _lines(epochs)
    if quiet:
        yield lambda progress: None
    elif not on_terminal(sys.stderr):

        def show_report(progress) -> None:
            for line in lines(progress):
                click.echo(line, err=True)

        yield show_report
    else:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("epoch {task.fields[epoch]}{task.fields[of]}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("ppl {task.fields[perplexities]}"),
            TextColumn("{task.fields[speed]:,.0f} w/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            expand=True,
            transient=True,
            refresh_per_second=4,
        )
        with bar:
            task = bar.add_task("", total=1.0, epoch=1, of=f"/{epochs}" if epochs else "", perplexities="-", speed=0)
            valid = ""

            def show(progress) -> None:
                nonlocal valid
                for line in lines(progress):
                    bar.console.print(line)
                if progress.report:
                    valid = f"/{rounded(progress.report.valid_perplexity, 0)}"
                bar.update(
                    task,
                    completed=progress.share,
                    epoch=progress.epoch,
                    perplexities=f"{rounded(progress.train_perplexity, 0)}{valid}",
                    speed=progress.words_per_second,
                )

            yield show


@contextmanager
def reading() -> Iterator[Callable[[float], None]]:
    """What is told which share of a text was read, and shows it on a terminal where reading takes its time."""
    began, bar, task = time.monotonic(), None, None

    def tell(share: float) -> None:
        nonlocal bar, task
        if bar is None and on_terminal(sys.stderr) and time.monotonic() - began > UNNOTICED:
            from rich.console import Console
            from rich.progress import Progress

            bar = Progress(console=Console(stderr=True, highlight=False), expand=True, transient=True)
            task = bar.add_task("Reading", total=1.0)
            bar.start()
        if bar:
            bar.update(task, completed=share)

    try:
        yield tell
    finally:
        if bar:
            bar.stop()


def show_result(model) -> None:
    """Tell how well a model that was just trained foresees the held-out text."""
    tuning = model.about["tuning"]
    if tuning["words"] < FEW:
        warn(f"only {tuning['words']} words were held out, which tell little")
    whole, alone = (tuning[name] or math.inf for name in ("perplexity", "perplexity_of_network"))
    network = f", of the network {rounded(alone)}" if len(model.lm.parts) > 1 else ""
    click.echo(f"Saved. Validation perplexity {rounded(whole)}{network}:", err=True)


def rounded(perplexity: float, digits: int = 1) -> str:
    """A perplexity in few characters, however absurd."""
    return f"{perplexity:.{digits}f}" if perplexity < 1e6 else f"{perplexity:.1e}"


def _lines(epochs: int | None) -> Callable[[Any], Iterator[str]]:
    """What is told after a step: what a report says, and once that the end comes sooner."""
    landing = False

    def lines(progress) -> Iterator[str]:
        nonlocal landing
        if progress.landing and not landing:
            landing = True
            yield LANDING
        if progress.report:
            yield _line(progress.report, epochs)

    return lines


def _line(report, epochs: int | None) -> str:
    """What is told of a stretch: its perplexities, its speed and the time of all steps so far; up to 60 columns."""
    minutes, seconds = divmod(round(report.seconds), 60)
    perplexities = f"train {rounded(report.train_perplexity)}, valid {rounded(report.valid_perplexity)}"
    speed = f"{report.words_per_second:,.0f} words/s"
    of = f"/{epochs}" if epochs else ""
    return f"epoch {round(report.epoch, 2):g}{of}: {perplexities}, {speed}, {minutes}:{seconds:02d}"
