"""rnncli predict"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..nn.threads import without_blas_threads
from .answering import STDIN, answer_lines, check_stdin_once
from .formats import Answer, format_option, print_answers
from .learning import learning, learning_options
from .options import Count, encoding_option, find_model, gives_way, model_option, named_in_command, words_option
from .output import on_terminal, tell, unknown_words_warning, warn
from .ranking import NoAnswer, RankingAnswer

if TYPE_CHECKING:
    from ..model import Model
    from ..tasks.evidence import SourceLine

PREDICTIONS_PER_BATCH = 50_000


@click.command("predict")
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@model_option
@click.option("-n", type=Count(0), default=10, show_default=True, help="How many words to show; 0: all.")
@click.option("--complete", is_flag=True, help="Complete the last word of the prompt, which is half typed.")
@words_option("--among", help="Rank only these words, separated by commas.")
@click.option("--parts", is_flag=True, help="Show how much of each probability comes from each part of the model.")
@click.option("--explain", is_flag=True, help="Show how much each word of the prompt adds to the likeliest next word.")
@click.option("--word", metavar="WORD", help="With --explain: explain this next word instead.")
@click.option(
    "--source",
    type=click.Path(),
    multiple=True,
    help="With --explain: name lines of this text that hold the word after the same words; may be repeated.",
)
@click.option(
    "--adapt",
    type=click.Path(),
    multiple=True,
    help="Read this text first, and let the networks adapt to it, for this command only; may be repeated.",
)
@learning_options("each prompt when it is answered")
@format_option
@encoding_option
def command(
    prompts: tuple[str, ...],
    model_path: Path | None,
    n: int,
    among: tuple[str, ...],
    explain: bool,
    word: str | None,
    source: tuple[str, ...],
    adapt: tuple[str, ...],
    learn: bool,
    learn_to: Path | None,
    output_format: str,
    encoding: str,
    **options: Any,
) -> None:
    """Rank the words that may come next, with their probabilities.

    Without a PROMPT, or for -, predict reads prompts from standard input, one a line, and answers each at once. Three
    underscores or more in a prompt are a blank: predict ranks the words that fit best between the text before it and
    the text after it.

    \b
    rnncli predict "Tom is not good at science, so he will"
    rnncli predict --complete "I would like to st"
    rnncli predict "I would like to ___ a book."
    rnncli predict --among read,write "I would like to"
    rnncli predict --explain "I would like to"
    rnncli predict --adapt letters.txt "Dear Tom,"
    rnncli predict -n 3 --format jsonl < prompts.txt
    """
    explain = _checked(explain)
    learn, learn_to, adapt, options["complete"] = _checked_learning(learn, learn_to, adapt, options["complete"])
    prompts = _named_prompts(prompts, adapt, source)
    _limit_threads(prompts, explain, adapt)
    path = find_model(model_path)
    model = _load(path, among, adapt, encoding)
    batches, place = _batches(prompts, encoding)
    lines_of_sources = _source_lines(source, encoding) if explain else []
    in_table = output_format == "table"
    with learning(path, model, learn, learn_to) as learner:

        def ask(lines: list[str]) -> Iterable[Answer]:
            if explain:
                return _explain(learner.model, lines, word, lines_of_sources)
            return _rank(learner.model, lines, titled=len(prompts) != 1, n=n, in_table=in_table, among=among, **options)

        at_once = 1 if explain else max(1, PREDICTIONS_PER_BATCH // (n or len(model.vocabulary)))
        answers = answer_lines(learner.after(batches), ask, NoAnswer, lines_per_call=at_once, source=place)
        print_answers(answers, output_format)
    _hint_of_quotes(prompts)


def _batches(prompts: tuple[str, ...], encoding: str) -> tuple[Iterable[list[str]], str]:
    """The prompts in batches: those of the command, else the lines of standard input; and what errors call these."""
    if prompts:
        return [list(prompts)], ""
    from ..text.reading import read_batches, source_name

    if on_terminal(sys.stdin):
        tell("Type a prompt, then Enter; Ctrl-D ends.")
    return read_batches(STDIN, encoding, "surrogateescape"), source_name(STDIN)


def _hint_of_quotes(prompts: Sequence[str]) -> None:
    """Warn where several prompts of one word may have been meant as one."""
    if len(prompts) > 1 and all(len(prompt.split()) == 1 for prompt in prompts):
        warn(f'these are {len(prompts)} prompts of one word; for a single prompt, write quotes: "{" ".join(prompts)}"')


def _named_prompts(prompts: tuple[str, ...], adapt: Sequence[str], source: Sequence[str]) -> tuple[str, ...]:
    """The prompts in the command; none if they come from standard input, which can be read once."""
    check_stdin_once([*adapt, *source])
    if STDIN in prompts:
        if len(prompts) > 1:
            raise click.UsageError("- reads the prompts from standard input: leave out the others.")
        prompts = ()
    for option, texts in (("--adapt", adapt), ("--source", source)):
        if STDIN in texts and not prompts:
            raise click.UsageError(f"{option} - reads standard input: name the prompts in the command.")
    return prompts


def _checked(explain: bool) -> bool:
    """Whether to explain. Refuses options that do not go together; one from the environment gives way."""
    because = "--explain is for one next word: leave out {others}."
    if explain and gives_way("explain", "complete", "among", "parts", "n", because=because):
        explain = False
    if named_in_command("word") and not explain:
        raise click.UsageError("--word is for --explain: to rank some words only, use --among.")
    if named_in_command("source") and not explain:
        raise click.UsageError("--source is for --explain: add that.")
    return explain


def _checked_learning(
    learn: bool, learn_to: Path | None, adapt: tuple[str, ...], complete: bool
) -> tuple[bool, Path | None, tuple[str, ...], bool]:
    """The same values, where what does not go together gives way. If all of it is in the command, it is refused."""
    if complete:
        half_typed = "half-typed words are not learned: leave out {others}, or --complete."
        if gives_way("complete", "learn", "learn_to", because=half_typed):
            complete = False
        else:
            learn, learn_to = False, None
    if adapt and learn:
        not_kept = "--adapt keeps nothing of what is learned: leave out that, or {others}."
        if gives_way("adapt", "learn", because=not_kept):
            adapt = ()
        else:
            learn = False
    return learn, learn_to, adapt, complete


def _limit_threads(prompts: Sequence[str], explain: bool, adapt: Sequence[str]) -> None:
    """Let a command that asks for the words after a single prompt do without the threads of BLAS.

    A blank is `rnncli.tasks.fill.BLANK`, which cannot be imported without NumPy.
    """
    if len(prompts) == 1 and not (explain or adapt or "___" in prompts[0]):
        without_blas_threads()


def _source_lines(source: Sequence[str], encoding: str) -> list[SourceLine]:
    """The lines of the sources, if there are any."""
    from ..tasks.evidence import source_lines

    return source_lines(source, encoding) if source else []


def _load(path: Path, among: Sequence[str], adapt: Sequence[str], encoding: str) -> Model:
    """Load the model, and let it adapt to some texts. Warns of words that it does not know."""
    from ..storage.model_file import load

    model = load(path, checked=False)
    unknown = [name for name in among if not model.knows(name)]
    if unknown and len(unknown) < len(among):
        warn(unknown_words_warning(unknown))
    if adapt:
        from ..tasks.adapt import adapt as adapt_to
        from .progress import reading
        from .texts import warn_of_text

        with reading() as progress:
            model = adapt_to(model, adapt, encoding, progress=progress, warn=warn_of_text)
        _warn_of_unlearned(adapt, **model.about["adapted_to"])
    return model


def _warn_of_unlearned(texts: Sequence[str], words: int, unknown_words: int) -> None:
    if unknown_words:
        named = " ".join(texts)
        warn(
            f"{unknown_words:,} of the {words:,} words of {named} are not in the model's vocabulary, and are not"
            f" learned: rnncli learn {named} would learn them"
        )


def _rank(
    model: Model, prompts: list[str], *, titled: bool, parts: bool, n: int, in_table: bool, **options: Any
) -> Iterable[RankingAnswer]:
    from ..tasks.predict import predict_all

    # One more for a table, where the end of a unit may be left out.
    rankings = predict_all(model, prompts, n + 1 if n and in_table else n, parts=parts, **options)
    return [RankingAnswer(ranking, n, titled, parts, model.unit) for ranking in rankings]


def _explain(model: Model, prompts: list[str], word: str | None, lines: Sequence[SourceLine]) -> Iterable[Answer]:
    from ..tasks.explain import explain
    from .explanation import ExplanationAnswer
    from .progress import reading

    with reading() as progress:
        found = [explain(model, prompt, word, lines=lines, progress=progress) for prompt in prompts]
    return [ExplanationAnswer(explanation, model.unit) for explanation in found]
