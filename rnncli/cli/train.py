"""rnncli train"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..declaration import declarations, defaults
from ..errors import ModelError, RnncliError
from ..options import OPTION_CLASSES
from .answering import check_stdin_once, named_texts
from .clashes import without_clashes
from .declared import by_name, declared_options, flag
from .options import FILE_PATH, MODEL_PATH, is_given, named_in_command
from .output import escape_controls, tell, warn
from .progress import deferred_interrupt, display, logging_to, show_result
from .texts import print_what_was_read, warn_of_text

if TYPE_CHECKING:
    from ..model import Model
    from ..text.corpus import Corpus
    from ..training.trainer import Trainer

# The options that tell what a text is, by their parameters. They do not go together.
KINDS_OF_TEXT = {"as": "read_as", "field": "field", "column": "column", "chat": "chat"}


@click.command("train")
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=FILE_PATH,
    help="Where to write the model.  [default: models/<name of the corpus>.npz]",
)
@click.option(
    "--init",
    type=MODEL_PATH,
    metavar="MODEL",
    help="Go on from the network of this model (a file, or bundled), with its words and new ones. n-grams are counted"
    " anew.",
)
@declared_options(*OPTION_CLASSES)
@click.option("--log", type=FILE_PATH, help="Write one JSON object for each report to this file.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    corpora: tuple[str, ...], output: Path | None, log: Path | None, init: Path | None, quiet: bool, **values: Any
) -> None:
    """Learn from a text: files, folders, .gz, .bz2 and .xz, or - for standard input.

    Writes one model file and prints its path. Ctrl-C saves the best model so far.

    \b
    rnncli train corpus.txt
    rnncli train corpus.txt --time 1h
    rnncli train notes/ mails.txt.gz -o models/mine.npz
    rnncli train tokens.txt --tokenizer whitespace --layers 2
    rnncli train notes.txt --init bundled -o models/mine.npz
    """
    from ..storage.atomic import DEFAULT_FOLDER, MODEL, check_folder, check_writable
    from ..storage.model_file import load
    from ..text.corpus import corpus_name
    from ..training.trainer import Trainer

    corpora = named_texts(corpora, "CORPUS")
    options = _options(values, init is not None)
    check_stdin_once([*corpora, *options["valid"]])
    output = output or DEFAULT_FOLDER / f"{corpus_name(corpora)}.npz"
    if output.exists():
        check_writable(output, MODEL)  # before a long text is read
    check_folder(output)
    _check_log(log, output)
    model = load(init) if init else None
    trainer = Trainer.start(corpora, init=model, on_read=partial(_tell_of, quiet=quiet), **options)
    check_writable(output, MODEL)  # not before: it makes the folder, which a bad text should not leave behind
    with deferred_interrupt() as interrupted:
        _run(trainer, log, quiet, interrupted)
        if interrupted():
            _finish_early(trainer, output, interrupted())
        model = trainer.best()
        _save(model, output)
    if trainer.state.gave_up:
        warn("the training diverged again and again, and was given up: try a smaller learning rate (--lr)")
    if not quiet:
        show_result(model)
    click.echo(escape_controls(str(output)))
    if interrupted():
        sys.exit(128 + interrupted())


def _run(trainer: Trainer, log: Path | None, quiet: bool, interrupted: Any) -> None:
    """Train to the end, or until interrupted."""
    training = trainer.plan.training
    epochs = training.epochs if training.time == float("inf") else None
    with logging_to(log) as write, display(epochs, quiet) as show:
        for progress in trainer.run():
            show(progress)
            if progress.report:
                write(progress.report)
            if interrupted():
                break


def _tell_of(corpus: Corpus, quiet: bool) -> None:
    """Print what was read, and what was left out."""
    if not quiet:
        print_what_was_read(corpus.facts, "character" if corpus.tokenizer.is_char else "word")
    for warning in corpus.facts.warnings:
        warn_of_text(warning)


def _finish_early(trainer: Trainer, output: Path, signal_number: int) -> None:
    """Measure the network after an interruption; exit where the model would replace another one unmeasured."""
    if output.exists() and not trainer.state.history:
        path = escape_controls(str(output))
        tell(f"Interrupted before the first report: {path} stays as it was.")
        sys.exit(128 + signal_number)
    tell("Interrupted: measuring the model, then saving the best; Ctrl-C again saves nothing.")
    trainer.measure()


def _options(values: dict[str, Any], is_fine_tuning: bool) -> dict[str, Any]:
    """Return the options by name; of a training that goes on from a model, those that the model leaves open.

    An option that only the model decides is wrong in the command; from the environment it gives way.
    """
    options = without_clashes(by_name(values, *OPTION_CLASSES))
    if named_in_command("column") and not options["column"]:
        raise click.UsageError("--column is empty: name a column as the first row does.")
    if named_in_command(*KINDS_OF_TEXT):  # what the environment says of the kind of text gives way
        unnamed = [name for parameter, name in KINDS_OF_TEXT.items() if not named_in_command(parameter)]
        options |= {name: defaults(*OPTION_CLASSES)[name] for name in unnamed}
    if not is_fine_tuning:
        return options
    for name, declaration in declarations(*OPTION_CLASSES).items():
        if declaration.fixed_by_model:
            if named_in_command(declaration.flag or name):
                raise click.UsageError(f"{flag(name, declaration)} does not go with --init: the model has its own")
            del options[name]
    if not is_given(*KINDS_OF_TEXT):
        for name in KINDS_OF_TEXT.values():
            del options[name]
    return options


def _check_log(log: Path | None, output: Path) -> None:
    """Refuse to write a log over another file, or where the model goes."""
    from ..storage.atomic import LOG, check_folder, check_kind

    if log:
        try:
            check_folder(log)
            check_kind(log, LOG)
            if log.resolve() == output.resolve():
                raise RnncliError(f"the model goes to {log}: name another file with --log")
        except OSError as error:
            raise RnncliError(f"cannot write the log {log}: {error.strerror}") from error


def _save(model: Model, output: Path) -> None:
    """Save a model that was just trained; where that fails, as on a full disk, among the temporary files."""
    import tempfile

    from ..storage.model_file import save

    try:
        save(model, output)
    except ModelError as error:
        fallback = Path(tempfile.gettempdir()) / f"rnncli-{os.urandom(4).hex()}.npz"
        try:
            save(model, fallback)
        except ModelError:
            raise error from None
        raise ModelError(f"{error}: the model is in {fallback} instead, move it to where it shall stay") from None
