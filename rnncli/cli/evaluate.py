"""rnncli evaluate"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .options import encoding_option, format_option, given, load_model, model_option
from .output import chosen_format, print_json, print_record, print_table, print_tsv
from .progress import reading


@click.command("evaluate")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...", type=click.Path())
@model_option
@encoding_option
@format_option
@click.option("--dynamic", is_flag=True, help="Let the network learn from the text as it goes: 4 to 8 times slower.")
@click.option(
    "--context", is_flag=True, help="Instead: perplexity where only the last 1, 2, 4, ... words are seen, and all."
)
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw how sure the model was and how often right, and perplexity by frequency; with --context its curve."
    " A .png, .svg or .pdf file.",
)
def command(
    texts: tuple[str, ...],
    model_path: Path | None,
    encoding: str,
    output_format: str | None,
    dynamic: bool,
    context: bool,
    picture: Path | None,
) -> None:
    """Measure how well a model predicts a text.

    Perplexity is per word, the end of each line counting as one, of the whole model and of each of its parts alone.
    The accuracies are the shares of words that were among the 1, 3, 5 and 10 likeliest next words. Keystrokes saved is
    the share of keys that one need not press where the three likeliest words that begin with the letters typed so far
    are offered, and one key accepts one. The calibration error is how far, on average, the probability of the likeliest
    word is from how often it is right. A TEXT is a file, a folder, or - for standard input.

    \b
    rnncli evaluate test.txt
    rnncli evaluate -m models/corpus.npz test.txt --format jsonl
    rnncli evaluate --context test.txt --plot context.png
    """
    from ..context import reach
    from ..evaluation import evaluate as measure

    if context and dynamic:
        if given("context") == given("dynamic"):
            raise click.UsageError("--context and --dynamic do not go together: choose one of them.")
        context, dynamic = given("context"), given("dynamic")  # what comes from the environment gives way
    if picture:
        from .plot import check, draw_evaluation, draw_reach

        check(picture)
    model = load_model(model_path)
    title, chosen = f"{texts[0]}{' ...' if texts[1:] else ''}", chosen_format(output_format)
    if context:
        with reading() as progress:
            found = reach(model, texts, encoding, progress=progress)
        _print_reach(found, chosen, title)
        if picture:
            draw_reach(found, title, picture)
        return
    with reading() as progress:
        evaluation = measure(model, texts, encoding, dynamic=dynamic, progress=progress)
    if chosen == "jsonl":
        print_json(asdict(evaluation))
    else:
        print_record(_flat(evaluation, bands=chosen == "tsv"), chosen, title=title)
    if chosen == "table":
        rows = [
            (band.frequency_rank, f"{band.words:,}", f"{band.perplexity:.4g}", f"{band.accuracy_at_1:.4f}")
            for band in evaluation.bands
        ]
        click.echo()
        print_table(rows, ["<", ">", ">", ">"], header=["frequency rank", "words", "perplexity", "accuracy at 1"])
    if picture:
        draw_evaluation(evaluation, title, picture)


def _print_reach(found, output_format: str, title: str) -> None:
    parts = list(found[0].perplexity_of_parts) if len(found[0].perplexity_of_parts) > 1 else []
    rows = [(str(row.seen or "all"), row.perplexity, *map(row.perplexity_of_parts.get, parts)) for row in found]
    if output_format == "jsonl":
        for row in found:
            print_json(asdict(row))
    elif output_format == "tsv":
        print_tsv([("seen", "perplexity", *parts), *rows])
    else:
        shown = [(seen, *("-" if value is None else f"{value:.4g}" for value in values)) for seen, *values in rows]
        print_table(
            shown,
            [">"] * len(shown[0]),
            header=["words seen", "perplexity", *parts],
            title=f"{title}: {found[0].words:,} of its words",
        )


def _flat(evaluation, bands: bool) -> dict[str, Any]:
    """One name for each value; the parts only where there are several."""
    record = asdict(evaluation)
    del record["bands"], record["calibration"]
    parts = record.pop("perplexity_of_parts")
    if len(parts) > 1:
        named = {f"perplexity_of_{name}": value for name, value in parts.items()}
        record = {"perplexity": record.pop("perplexity"), **named, **record}
    if bands:
        for band in evaluation.bands:
            for name in ("words", "perplexity", "accuracy_at_1"):
                record[f"{name}_of_rank_{band.frequency_rank}"] = getattr(band, name)
    return record
