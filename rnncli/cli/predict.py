"""rnncli predict"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from .answering import Unanswered, answered
from .options import Count, encoding_option, format_option, given, load_model, model_option, words_option
from .output import chosen_format, on_terminal, print_json, print_table, print_tsv, put, short, warn, warn_of_unknown

MANY = 20_000  # words that are told of prompts answered together, about


@click.command("predict")
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@model_option
@click.option("-n", "count", type=Count(0), default=10, show_default=True, help="How many words; 0: all.")
@click.option("--complete", is_flag=True, help="Take the last word of a prompt as half typed.")
@words_option("--among", help="Rank only these words, with commas between them.")
@click.option("--parts", is_flag=True, help="Show what each part of the model gives to each word.")
@click.option("--explain", is_flag=True, help="Show what each word of the prompt does for the likeliest next word.")
@click.option("--word", metavar="WORD", help="With --explain: for this next word instead.")
@click.option(
    "--adapt",
    "texts",
    type=click.Path(),
    multiple=True,
    help="Read this text and learn from it before; may be repeated.",
)
@format_option
@encoding_option
def command(
    prompts: tuple[str, ...],
    model_path: Path | None,
    count: int,
    complete: bool,
    among: tuple[str, ...],
    parts: bool,
    explain: bool,
    word: str | None,
    texts: tuple[str, ...],
    output_format: str | None,
    encoding: str,
) -> None:
    """Rank the words that may come next, with their probabilities.

    Prompts are read from standard input, one a line, where none is given; each is answered at once. Three underscores
    or more in a prompt are a blank to be filled: with the words that fit best between what stands before and after it.

    \b
    rnncli predict "Tom is not good at science, so he will"
    rnncli predict --complete "Tom is not good at science, so he will st"
    rnncli predict "Tom is not good at ___ , so he will study."
    rnncli predict --among study,play,fail "Tom is not good at science, so he will"
    rnncli predict --explain "Tom is not good at science, so he will"
    rnncli predict --adapt letters.txt "Dear Tom,"
    rnncli predict -n 3 --format jsonl < prompts.txt
    """
    from ..prediction import rank_all
    from ..text.reading import STDIN, read_batches, source_name

    if explain and given("complete", "among", "parts", "count"):
        if given("explain"):
            raise click.UsageError("--explain is for one next word: leave out --complete, --among, --parts and -n.")
        explain = False  # what comes from the environment gives way
    if given("word") and not explain:
        raise click.UsageError("--word is for --explain: to rank some words only, use --among.")
    if STDIN in texts and not prompts:
        raise click.UsageError("--adapt - reads standard input: name the prompts in the command.")
    model = load_model(model_path, checked=False)
    unknown = [name for name in among if not model.knows(name)]
    if len(unknown) < len(among):
        warn_of_unknown(unknown)
    if texts:
        from .progress import reading

        with reading() as progress:
            model = model.adapted(texts, encoding, progress=progress)
        _warn_of_unlearned(texts, **model.about["adapted_to"])
    chosen = chosen_format(output_format)
    if not prompts and on_terminal(sys.stdin):
        click.echo("Type a prompt, then Enter; Ctrl-D ends.", err=True)

    if explain:
        from ..explanation import explain as explain_one
        from .explanation import print_explanation as show
        from .progress import reading

        def ask(some: list[str]) -> list[Any]:
            with reading() as progress:
                return [explain_one(model, prompt, word, progress=progress) for prompt in some]
    else:
        ask = partial(rank_all, model, n=count, parts=parts, among=among, complete=complete)
        show = partial(_print_ranking, titled=len(prompts) != 1, with_parts=parts)
    batches, source = (
        ([list(prompts)], "") if prompts else (read_batches(STDIN, encoding, "surrogateescape"), source_name(STDIN))
    )
    most = 1 if explain else max(1, MANY // (count or len(model.vocabulary)))
    for place, answer in enumerate(answered(batches, ask, most, source)):
        if chosen != "jsonl" and place:
            put("\n")
        if isinstance(answer, Unanswered):
            if chosen == "jsonl":
                print_json({"prompt": answer.line, "error": answer.error})
        else:
            warn_of_unknown(answer.unknown_words)
            if not explain and not answer.predictions:
                warn(f"no word fits {answer.prompt!r}")
            show(answer, chosen)


def _warn_of_unlearned(texts: Sequence[str], words: int, unknown_words: int) -> None:
    if unknown_words:
        named = " ".join(texts)
        warn(
            f"{unknown_words:,} of the {words:,} words of {named} are not in the model's vocabulary, and are not"
            f" learned: rnncli train {named} --init MODEL would"
        )


def _print_ranking(ranking, output_format: str, *, titled: bool, with_parts: bool) -> None:
    of_parts = ranking.parts or [{}] * len(ranking.predictions)
    rows = list(zip(ranking.predictions, of_parts, strict=True))
    if output_format == "jsonl":
        predictions = [word._asdict() | ({"parts": parts} if with_parts else {}) for word, parts in rows]
        print_json({"prompt": ranking.prompt, "predictions": predictions, "unknown_words": ranking.unknown_words})
    elif output_format == "tsv":
        print_tsv([(*word, *parts.values()) for word, parts in rows])
    else:
        best = ranking.predictions[0].probability if ranking.predictions else 1.0
        table = [
            (
                str(place),
                name if name.strip() else repr(name),
                short(probability),
                *(map(short, parts.values()) if with_parts else [probability / best]),
            )
            for place, ((name, probability), parts) in enumerate(rows, 1)
        ]
        names = list(of_parts[0]) if with_parts and of_parts else []
        last = [">"] * len(names) if with_parts else ["|"]
        header = ["rank", "word", "probability", *(names if with_parts else [""])]
        print_table(table, [">", "~", ">", *last], title=ranking.prompt if titled else "", header=header)
