"""rnncli train"""

import json
import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..errors import SettingError, TrainingError
from .options import encoding_option
from .output import on_terminal, visible, warn


@click.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the model goes.  [default: models/<name of the corpus>.npz]",
)
# The text.
@click.option(
    "--tokenizer",
    type=click.Choice(["word", "whitespace", "char"]),
    default="word",
    show_default=True,
    help="How lines are cut: into words and punctuation, at white space alone, or into characters.",
)
@click.option("--lowercase", is_flag=True, help="Read everything in lower case.")
@click.option(
    "--unit",
    type=click.Choice(["auto", "line", "paragraph"]),
    default="auto",
    show_default=True,
    help="What <eos> ends: a line, or a paragraph between blank lines; auto finds hard-wrapped prose.",
)
@encoding_option
@click.option(
    "--min-count",
    type=click.IntRange(1),
    help="Words that occur less often become <unk>.  [default: 2; 1 for a small text, or one with its own <unk>]",
)
@click.option(
    "--max-vocab",
    type=click.IntRange(0),
    help="How many words to know, 0: all.  [default: 20000; all for a text with its own <unk>]",
)
@click.option("--valid", type=click.Path(), multiple=True, help="A text to watch perplexity on; may be repeated.")
@click.option(
    "--valid-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Without --valid: the last part of the corpus, held out for that.",
)
# The network.
@click.option(
    "--cell", type=click.Choice(["lstm", "gru", "elman"]), default="lstm", show_default=True, help="The recurrent cell."
)
@click.option(
    "--activation",
    type=click.Choice(["tanh", "relu", "sigmoid"]),
    default="tanh",
    show_default=True,
    help="Of the Elman cell.",
)
@click.option(
    "--embedding-size", type=click.IntRange(1), help="Numbers in a word's vector.  [default: the hidden size]"
)
@click.option("--hidden-size", type=click.IntRange(1), default=256, show_default=True, help="Units of a layer.")
@click.option("--layers", type=click.IntRange(1), default=1, show_default=True, help="Layers of units.")
@click.option(
    "--tied/--untied", default=True, show_default=True, help="One table of words for input and output, or two."
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="What share of the units is hidden in training: of the inputs, between layers and before the output.",
)
# The training.
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Streams read in parallel; fewer for a small text.",
)
@click.option(
    "--bptt", type=click.IntRange(1), default=35, show_default=True, help="Steps of back-propagation through time."
)
@click.option(
    "--optimizer",
    type=click.Choice(["adam", "sgd"]),
    default="adam",
    show_default=True,
    help="The rule by which it learns.",
)
@click.option(
    "--lr",
    type=click.FloatRange(0, min_open=True),
    help="The peak learning rate.  [default: adam 0.004, with elman 0.001; sgd 1]",
)
@click.option(
    "--schedule",
    type=click.Choice(["cosine", "step"]),
    default="cosine",
    show_default=True,
    help="How the learning rate falls, after a short warm-up.",
)
@click.option(
    "--clip", type=click.FloatRange(0), default=1.0, show_default=True, help="Largest norm of the gradient, 0: any."
)
@click.option(
    "--weight-decay",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="How much weights shrink by themselves.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="How often to read the text.  [default: six million words in all, from 3 to 30 times]",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Stop after so many epochs without a better validation perplexity.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same model."
)
# What is told.
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Write one JSON object for each epoch.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def train(corpora: tuple[str, ...], output: Path | None, log: Path | None, quiet: bool, **options: Any) -> None:
    """Learn from a text: files, folders, .gz, .bz2 and .xz, or - for standard input.

    Writes one model file and prints its path. Ctrl-C saves the best model so far.

    \b
    rnncli train corpus.txt
    rnncli train notes/ mails.txt.gz -o models/mine.npz
    rnncli train tokens.txt --tokenizer whitespace --layers 2
    """
    from ..checkpoint import check_writable, save
    from ..text.corpus import corpus_name
    from ..training import start

    trainer = start(corpora, **options)
    output = output or Path("models") / f"{corpus_name(corpora)}.npz"
    check_writable(output)
    _check_log(log, output)
    state, old = trainer.state, output.exists()
    with _deferred_interrupt() as interrupted:
        with _logging(log) as write, _display(trainer.epochs, quiet) as show:
            for progress in trainer.run():
                show(progress)
                if progress.finished:
                    write(progress.finished)
                if interrupted():
                    break
        if interrupted():
            if old and not state.history:
                click.echo(f"Interrupted in the first epoch: {visible(str(output))} stays as it was.", err=True)
                sys.exit(130)
            click.echo("Interrupted: measuring the model, then saving the best; Ctrl-C again saves nothing.", err=True)
            trainer.measure()
        if math.isinf(state.best_perplexity):
            raise TrainingError("no model came out that foresees the validation text: try a smaller --lr")
        save(trainer.best(), output)
    if state.given_up:
        warn("the training diverged again and again, and was given up: try a smaller --lr")
    if not quiet:
        click.echo(f"Saved the best model, of validation perplexity {state.best_perplexity:.1f}:", err=True)
    click.echo(visible(str(output)))
    if interrupted():
        sys.exit(130)


@contextmanager
def _deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, to be asked between two steps; pressed a second time it interrupts at once."""
    presses = []

    def press(*_: Any) -> None:
        presses.append(True)
        if len(presses) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(presses)
    finally:
        signal.signal(signal.SIGINT, before)


def _check_log(log: Path | None, output: Path) -> None:
    """Refuse to write a log over what is not one."""
    try:
        if log and log.is_file():
            with log.open("rb") as file:
                if file.read(1) not in (b"", b"{") or (output.exists() and log.samefile(output)):
                    raise SettingError(f"{log} is not a log, and would be overwritten: name another file with --log")
    except OSError as error:
        raise SettingError(f"cannot write the log {log}: {error.strerror}") from error


@contextmanager
def _logging(path: Path | None) -> Iterator[Any]:
    """What writes one JSON object a line for each epoch to `path`, or nothing."""
    if path is None:
        yield lambda epoch: None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise SettingError(f"cannot write the log {path}: {error.strerror}") from error

    def write(epoch) -> None:
        values = {name: value if math.isfinite(value) else None for name, value in asdict(epoch).items()}
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
def _display(epochs: int, quiet: bool) -> Iterator[Any]:
    """What shows the progress on stderr: a live bar on a terminal, else one line for each epoch."""
    if quiet:
        yield lambda progress: None
    elif not on_terminal(sys.stderr):

        def show_epoch(progress) -> None:
            if progress.finished:
                click.echo(_line(progress.finished, epochs), err=True)

        yield show_epoch
    else:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
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
            task = bar.add_task("", total=1.0, epoch=1, epochs=epochs, perplexities="-", speed=0)
            valid = ""

            def show(progress) -> None:
                nonlocal valid
                if progress.finished:
                    valid = f"/{progress.finished.valid_perplexity:.0f}"
                    bar.console.print(_line(progress.finished, epochs))
                bar.update(
                    task,
                    completed=progress.share,
                    epoch=progress.epoch,
                    perplexities=f"{progress.train_perplexity:.0f}{valid}",
                    speed=progress.words_per_second,
                )

            yield show


def _line(epoch, epochs: int) -> str:
    """What is told of an epoch: its perplexities, its speed and the time since the beginning; up to 60 columns."""
    minutes, seconds = divmod(round(epoch.seconds), 60)
    perplexities = f"train {epoch.train_perplexity:.1f}, valid {epoch.valid_perplexity:.1f}"
    speed = f"{epoch.words_per_second:,.0f} words/s"
    return f"epoch {epoch.epoch}/{epochs}: {perplexities}, {speed}, {minutes}:{seconds:02d}"
