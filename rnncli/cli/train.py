"""rnncli train"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..declaration import declarations, defaults
from ..errors import RnncliError
from ..options import OPTION_CLASSES
from .answering import check_stdin_once, named_texts
from .checkpoints import Checkpoints
from .clashes import without_clashes
from .declared import by_name, declared_options, flag, parameter
from .errors import in_options
from .finishing import finished
from .learning import check_learned_stays
from .log import Write, check_log, logging_to
from .options import DURATION, FILE_PATH, MODEL_PATH, is_given, named_in_command
from .output import discard_output, escape_controls, tell, warn
from .progress import Work, display, show_result, working
from .ranks import all_ranks, timeout_option
from .signals import StopRequest, deferred_stop, exit_by
from .texts import print_cache_entry, print_counted_part, print_what_was_read, warn_of_text

if TYPE_CHECKING:
    from ..model import Model
    from ..text.corpus import Corpus
    from ..training.checkpoint import Checkpoint
    from ..training.hooks import Hooks
    from ..training.trainer import Trainer

# The options that tell what a text is, by their parameters. They do not go together.
KINDS_OF_TEXT = {"as": "read_as", "field": "field", "column": "column", "chat": "chat"}

FEW_STEPS = 100
FEW_WORDS = 100_000  # of which a model that knows others makes more than a new one does


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
    help="Go on from the network of this model (a file, or bundled), with its words and new ones. Its n-grams stay"
    " beside those of the text.",
)
@declared_options(*OPTION_CLASSES)
@click.option("--resume", is_flag=True, help="Go on with a training that was interrupted, from its checkpoint.")
@click.option("--restart", is_flag=True, help="Begin anew, although there is a checkpoint.")
@click.option(
    "--checkpoint-every",
    type=DURATION,
    default="5m",
    show_default=True,
    help="How often to write the checkpoint, beside the model.",
)
@click.option(
    "--keep-checkpoint",
    is_flag=True,
    help="Keep the checkpoint in the end, so that --resume with more --epochs or --time goes on.",
)
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep large texts, cut into numbered words.  [default: rnncli in the folder of your caches, such as"
    " ~/.cache]",
)
@timeout_option
@click.option("--log", type=FILE_PATH, help="Write one JSON object for each report to this file.")
@click.option("-q", "--quiet", is_flag=True, help="Print only warnings, errors and the path of the model.")
def command(
    corpora: tuple[str, ...], output: Path | None, log: Path | None, init: Path | None, quiet: bool, **values: Any
) -> None:
    """Learn from a text: files, folders, .gz, .bz2 and .xz, or - for standard input.

    Writes one model file and prints its path. Ctrl-C saves the best model so far, and keeps the training in a
    checkpoint: the same command with --resume goes on. In mine.txt:3, 3 is the text's weight: how often an epoch
    reads it.

    \b
    rnncli train corpus.txt
    rnncli train corpus.txt --time 1h
    rnncli train notes/ mails.txt.gz -o models/mine.npz
    rnncli train mine.txt:3 others.txt:0.5
    rnncli train tokens.txt --tokenizer whitespace --layers 2
    rnncli train notes.txt --init bundled -o models/mine.npz
    """
    from ..storage.atomic import DEFAULT_FOLDER
    from ..text.corpus import corpus_name
    from ..training.clock import AwakeTime
    from ..training.hooks import Hooks

    corpora = named_texts(corpora, "CORPUS")
    options = _options(values, init is not None)
    check_stdin_once([*corpora, *options.get("valid", ())])
    with all_ranks(values["mpi_timeout"]) as job:
        output = output or DEFAULT_FOLDER / f"{corpus_name(corpora)}.npz"
        checkpoints = Checkpoints(output, values["checkpoint_every"], is_written=job.ranks.is_first)
        with ExitStack() as stack:
            now = stack.enter_context(AwakeTime())
            first = job.ranks.is_first
            kept = job.ranks.first(_reserved(output, init, log, checkpoints, values, stack) if first else None)
            hooks = Hooks(now=now, cache_dir=values["cache_dir"], ranks=job.ranks)
            write = stack.enter_context(logging_to(log if first else None, kept.state.step if kept else 0))
            trainer = _start(corpora, init, kept, options, quiet, hooks)
            del kept  # it is as large as the training
            if values["restart"]:
                checkpoints.begin()
            stop = stack.enter_context(deferred_stop())
            stack.enter_context(job.kept_if_lost(trainer, checkpoints))
            _run(trainer, checkpoints, write, quiet, stop)
            model = finished(trainer, checkpoints, output, stop, init)
            job.ranks.all(None)  # the model is saved; who is lost before that leaves the training to the others
            if trainer.is_over:
                checkpoints.end(trainer, keep=values["keep_checkpoint"])
        _conclude(trainer, model, quiet)
        _print_path(output, 0 if trainer.is_over else stop.signal)


def _reserved(
    output: Path,
    init: Path | None,
    log: Path | None,
    checkpoints: Checkpoints,
    values: dict[str, Any],
    stack: ExitStack,
) -> Checkpoint | None:
    """Keep other trainings from the files that this one writes, and return the checkpoint to go on from, if any."""
    from ..storage.atomic import MODEL, check_writable
    from ..storage.locks import locked

    _check_places(output, log)
    stack.enter_context(locked(output, "output"))
    stack.enter_context(locked(checkpoints.path, "output"))
    kept = checkpoints.find(resume=values["resume"], restart=values["restart"])
    check_writable(output, MODEL)  # before a long text is read
    check_learned_stays(output, init)
    return kept


def _check_places(output: Path, log: Path | None) -> None:
    """Refuse files that cannot be written, before a long text is read."""
    from ..storage.atomic import MODEL, check_folder, check_writable

    if output.exists():
        check_writable(output, MODEL)
    check_folder(output)
    check_log(log, output)


def _start(
    corpora: Sequence[str],
    init: Path | None,
    kept: Checkpoint | None,
    options: dict[str, Any],
    quiet: bool,
    hooks: Hooks,
) -> Trainer:
    """Prepare a training, and tell what was read."""
    from ..storage.model_file import load
    from ..training.hooks import ignore
    from ..training.resuming import differences
    from ..training.trainer import Trainer

    if kept:  # what is not given anew is as it was
        known = declarations(*OPTION_CLASSES)
        options = {name: value for name, value in options.items() if is_given(parameter(name, known[name]))}
        check_stdin_once([*corpora, *(options.get("valid") or kept.plan.text.valid)])
        for difference in differences(kept, options.get("threads", kept.plan.training.threads), hooks.ranks.count):
            warn(in_options(RnncliError(difference), [command]))
    model = load(init) if init else None
    with working() as work:
        on_read = partial(_tell_of, work=work, quiet=quiet)
        hooks = replace(hooks, on_read=on_read, on_progress=ignore if quiet else work.show)
        trainer = Trainer.start(corpora, init=model, resume=kept, hooks=hooks, **options)
    for warning in trainer.builder.warnings:
        warn_of_text(warning)
    if not quiet and kept:
        tell(f"Going on at {trainer.state.fraction:.0%} of the training.")
    if not quiet and trainer.plan.training.ngram_order:
        print_counted_part(trainer.state.counted_words, len(trainer.builder.text))
    is_new = not (init or kept)
    if not quiet and is_new and trainer.corpus.facts.words < FEW_WORDS and not trainer.corpus.tokenizer.is_char:
        tell("Few words: `rnncli learn` adds them to what a model knows in seconds, --init MODEL in minutes.")
    return trainer


def _run(trainer: Trainer, checkpoints: Checkpoints, write: Write, quiet: bool, stop: StopRequest) -> None:
    """Train to the end, or until told to stop."""
    training = trainer.plan.training
    ranks = trainer.crew.ranks
    epochs = training.epochs if training.time == float("inf") else None
    if ranks.count > 1:  # some launchers kill all ranks as soon as one has ended
        checkpoints.keep(trainer)
    with display(epochs, quiet, training.networks) as show:
        for progress in trainer.run():
            show(progress)
            if progress.report:
                write(progress.report)
            checkpoints.keep_if_due(trainer)
            if trainer.stepper.team.is_whole and stop.agreed(ranks.all(stop.signal)):
                break


def _tell_of(corpus: Corpus, work: Work, quiet: bool) -> None:
    """Print what was read, and what was left out."""
    work.clear()
    if not quiet:
        print_what_was_read(corpus.facts, "character" if corpus.tokenizer.is_char else "word")
        if corpus.cache_entry:
            print_cache_entry(corpus.cache_entry)
    for warning in corpus.facts.warnings:
        warn_of_text(warning)


def _print_path(output: Path, signal: int) -> None:
    """Print where the model is; exit as by a signal if one told the training to end early."""
    try:
        click.echo(escape_controls(str(output)))
    except OSError:
        if not signal:
            raise
        discard_output()  # the terminal was closed
    if signal:
        exit_by(signal)


def _conclude(trainer: Trainer, model: Model, quiet: bool) -> None:
    """Tell how the training went."""
    if trainer.state.gave_up:
        warn("the training diverged again and again, and was given up: try a smaller learning rate (--lr)")
    if trainer.state.budget.fraction() >= 1 and trainer.state.step < FEW_STEPS:
        steps = f"{trainer.state.step} step{'' if trainer.state.step == 1 else 's'}"
        teach = "teaches" if trainer.state.step == 1 else "teach"
        warn(f"the time was up after {steps}, which {teach} little: give it more --time, or less text")
    if not quiet:
        show_result(model)


def _options(values: dict[str, Any], is_fine_tuning: bool) -> dict[str, Any]:
    """Return the options by name; of a training that goes on from a model, those that the model leaves open.

    An option that only the model decides is wrong in the command; from the environment it gives way.
    """
    if values["resume"] and values["restart"]:
        raise click.UsageError("--resume goes on, and --restart begins anew: leave out one of them.")
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
