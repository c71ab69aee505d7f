"""rnncli train"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import ModelError
from .options import DURATION, MODEL_PATH, Count, encoding_option, named_in_command
from .output import escape_controls, warn
from .progress import check_log, deferred_interrupt, display, logging_to, show_result

# What a model that a training goes on from has decided already.
MODELS_OWN = {
    "tokenizer", "lowercase", "unit", "max_vocab",
    "cell", "activation", "embedding_size", "hidden_size", "layers", "tied",
}  # fmt: skip


@click.command("train")
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...", type=click.Path())
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
    help="Words that occur less often become <unk>.  [default: 2; without --init 1 for a small text, or one with its "
    "own <unk>]",
)
@click.option(
    "--max-vocab",
    type=Count(0),
    help="How many words to know, with <eos> and <unk>; 0: all.  [default: 20000; all for a text with its own <unk>]",
)
@click.option(
    "--valid",
    type=click.Path(),
    multiple=True,
    help="A text to choose the best network and tune the parts on; may be repeated.",
)
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
    "--embedding-size",
    type=click.IntRange(1),
    help="Numbers in a word's vector.  [default: the hidden size, 256 at most]",
)
@click.option(
    "--hidden-size",
    type=click.IntRange(1),
    help="Units of a layer.  [default: 256; of half a million words or more 384 in ten minutes, 512 in half an hour]",
)
@click.option("--layers", type=click.IntRange(1), default=1, show_default=True, help="Layers of units.")
@click.option(
    "--tied/--untied", default=True, show_default=True, help="One table of words for input and output, or two."
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    help="What share of the units is hidden in training: of the inputs, between layers and before the output."
    "  [default: 0.5; 0.35 where the text is read less than 15 times, about, 0.2 for less than 5]",
)
@click.option(
    "--word-dropout",
    type=click.FloatRange(0, 1, max_open=True),
    help="What share of the words of a step is hidden wherever they stand."
    "  [default: 0; 0.1 with 512 units or more where the text is read 5 times or more]",
)
@click.option(
    "--recurrent-dropout",
    type=click.FloatRange(0, 1, max_open=True),
    help="What share of the recurrent weights is hidden in a step."
    "  [default: 0; 0.3 with 512 units or more where the text is read 5 times or more]",
)
# The training.
@click.option(
    "--init",
    type=MODEL_PATH,
    metavar="MODEL",
    help="Go on from the network of this model (a file, or bundled), with its words and new ones; n-grams are counted"
    " anew.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    help="Streams read in parallel; fewer for a small text.  [default: 20; 40 with more than 256 units]",
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
    "--softmax",
    type=click.Choice(["full", "sampled"]),
    help="Over all words in every step, or over those of the step and a sample: fast with any vocabulary."
    "  [default: sampled where more words are known than twice the samples]",
)
@click.option(
    "--samples",
    type=Count(1),
    help="How many words a sampled softmax takes besides a step's own, the most frequent ones and others by chance;"
    " 3,000 at least in the second half of the training.  [default: 500; 1000 with 512 units or more]",
)
@click.option(
    "--lr",
    type=click.FloatRange(0, min_open=True),
    help="The peak learning rate.  [default: adam 0.004, with elman or --init 0.001; sgd 1]",
)
@click.option(
    "--schedule",
    type=click.Choice(["cosine", "step"]),
    default="cosine",
    show_default=True,
    help="How the learning rate falls, after a short warm-up.",
)
@click.option(
    "--clip",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Clip the gradient to this norm; 0: do not.",
)
@click.option(
    "--weight-decay",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="How strongly the weights are drawn to zero.",
)
@click.option(
    "--time",
    type=DURATION,
    help="How long it may take in all, such as 90s, 10m or 1h.  [default: 10m; no limit where --epochs are given]",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="How often to read the text; with --time at most.  [default: as often as there is time for, up to 20 times,"
    " 40 from half a million words on]",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Go back to the best network, and come to the end soon, after so many reports without a better validation"
    " perplexity: one for each epoch, or ten in the --time.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="How many cores to work on; no more than one for four streams.  [default: all that may be used]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="With --epochs and no --time, the same seed and number of threads give the same model.",
)
# The parts beside the network.
@click.option(
    "--ngram-order",
    type=click.IntRange(0, 20),
    default=5,
    show_default=True,
    help="Words of the longest n-grams that are counted, 0: none.",
)
@click.option(
    "--prune/--no-prune",
    default=None,
    help="Leave out n-grams of three words and more that occurred once.  [default: only of more than 5 million words]",
)
@click.option(
    "--cache",
    "cache_size",
    type=Count(0),
    default=2000,
    show_default=True,
    metavar="SIZE",
    help="The last words of a text that may come again, 0: none.",
)
# What is told.
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Write one JSON object for each report.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    corpora: tuple[str, ...], output: Path | None, log: Path | None, init: Path | None, quiet: bool, **options: Any
) -> None:
    """Learn from a text: files, folders, .gz, .bz2 and .xz, or - for standard input.

    Writes one model file and prints its path. Ctrl-C saves the best model so far.

    \b
    rnncli train corpus.txt
    rnncli train corpus.txt --time 1h
    rnncli train notes/ mails.txt.gz -o models/mine.npz
    rnncli train tokens.txt --tokenizer whitespace --layers 2
    rnncli train notes.txt --init models/corpus.npz -o models/mine.npz
    """
    from ..checkpoint import check_writable, load
    from ..text.corpus import corpus_name
    from ..training import start, start_from

    output = output or Path("models") / f"{corpus_name(corpora)}.npz"
    if output.exists():
        check_writable(output)  # before a long text is read
    check_log(log, output)
    old = init and load(init)
    trainer = start_from(old, corpora, **_without_the_models_own(options)) if old else start(corpora, **options)
    check_writable(output)  # not before: it makes the folder, which a bad text should not leave behind
    state, replaces = trainer.state, output.exists()
    epochs = None if trainer.settings.time else trainer.settings.epochs
    with deferred_interrupt() as interrupted:
        with logging_to(log) as write, display(epochs, quiet) as show:
            for progress in trainer.run():
                show(progress)
                if progress.report:
                    write(progress.report)
                if interrupted():
                    break
        if interrupted():
            if replaces and not state.history:
                click.echo(
                    f"Interrupted before the first report: {escape_controls(str(output))} stays as it was.", err=True
                )
                sys.exit(128 + interrupted())
            click.echo("Interrupted: measuring the model, then saving the best; Ctrl-C again saves nothing.", err=True)
            trainer.measure()
        model = trainer.best()
        _save(model, output)
    if state.given_up:
        warn("the training diverged again and again, and was given up: try a smaller learning rate (--lr)")
    if not quiet:
        show_result(model)
    click.echo(escape_controls(str(output)))
    if interrupted():
        sys.exit(128 + interrupted())


def _save(model, output: Path) -> None:
    """Save a model that was just trained: if need be, as where the disk is full, among the temporary files."""
    import tempfile

    from ..checkpoint import save

    try:
        save(model, output)
    except ModelError as error:
        refuge = Path(tempfile.gettempdir()) / f"rnncli-{os.urandom(4).hex()}.npz"
        try:
            save(model, refuge)
        except ModelError:
            raise error from None
        raise ModelError(f"{error}: the model is in {refuge} instead, move it to where it shall stay") from None


def _without_the_models_own(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a training that goes on from a model; what only the model can decide must not be among them."""
    for parameter in click.get_current_context().command.params:
        if parameter.name in MODELS_OWN and named_in_command(parameter.name):
            named = "/".join([max(parameter.opts, key=len), *parameter.secondary_opts])
            raise click.UsageError(f"{named} does not go with --init: the model has its own")
    return {name: value for name, value in options.items() if name not in MODELS_OWN}
