"""rnncli info"""

import math
from pathlib import Path
from typing import Any

import click

from .options import find_model, format_option, model_option
from .output import chosen_format, print_record, print_table


@click.command("info")
@model_option
@format_option
def command(model_path: Path | None, output_format: str | None) -> None:
    """Show what a model file holds, and how its training went.

    \b
    rnncli info
    rnncli info -m models/corpus.npz --format jsonl
    """
    from ..checkpoint import load

    path = find_model(model_path)
    model = load(path)
    record, history = {"file": str(path), **_describe(model)}, model.about.get("history", [])
    chosen = chosen_format(output_format)
    if chosen == "jsonl":
        record["shares"] = [dict(zip(model.lm.parts, shares, strict=True)) for shares in model.lm.shares.tolist()]
        record["history"] = history
    elif chosen == "tsv" and len(model.lm.parts) > 1:
        for length, shares in enumerate(model.lm.shares.tolist()):
            record |= {f"share_of_{part}_{length}": share for part, share in zip(model.lm.parts, shares, strict=True)}
    print_record(record, chosen, title="Model")
    if chosen == "table" and len(model.lm.parts) > 1:
        click.echo()
        print_table(
            _shares(model.lm),
            [">"] * (1 + len(model.lm.parts)),
            title="Shares",
            header=["words known", *model.lm.parts],
        )
    if chosen == "table" and history:
        click.echo()
        print_table(
            _drawing(history), [">", ">", ">", "|"], title="Perplexity", header=["epoch", "training", "validation", ""]
        )


def _describe(model) -> dict[str, Any]:
    network, corpus, history = model.lm.network, model.about.get("corpus", {}), model.about.get("history")
    config = network.config
    return {
        "cell": config.cell + (f" ({config.activation})" if config.cell == "elman" else ""),
        "layers": config.layers,
        "embedding_size": config.embedding_size,
        "hidden_size": config.hidden_size,
        "tied": config.tied,
        "dropout": config.dropout,
        "word_dropout": config.word_dropout,
        "recurrent_dropout": config.recurrent_dropout,
        "parameters": sum(parameter.value.size for parameter in network.named_parameters().values()),
        "parts": ", ".join(model.lm.described()),
        "vocabulary": len(model.vocabulary),
        "tokenizer": model.tokenizer.kind + (", lowercase" if model.tokenizer.lowercase else ""),
        "unit": model.unit,
        "corpus": corpus.get("name"),
        "train_words": corpus.get("train_words"),
        "valid_words": corpus.get("valid_words"),
        "watched_words": corpus.get("watched_words"),
        "tuned_words": model.about.get("tuning", {}).get("words"),
        "corpus_sha256": corpus.get("sha256"),
        "valid_perplexity_of_network": model.about.get("best_valid_perplexity"),
        "tuned_perplexity": model.about.get("tuning", {}).get("perplexity"),
        "tuned_perplexity_of_network": model.about.get("tuning", {}).get("perplexity_of_network"),
        "readings": history[-1]["epoch"] if history else None,
        **model.about.get("settings", {}),
        "written_by": " ".join(f"{name} {version}" for name, version in model.about.get("versions", {}).items()),
    }


def _shares(lm) -> list[tuple[str, ...]]:
    """For each number of words that the n-gram model knows of a context, the parts' shares in what is predicted."""
    return [(str(length), *(f"{share:.3f}" for share in shares)) for length, shares in enumerate(lm.shares)]


def _drawing(history: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """One bar a report, as long as the logarithm of its validation perplexity asks, from the best to the worst."""
    losses = [epoch["valid_perplexity"] and math.log(epoch["valid_perplexity"]) for epoch in history]
    known = [loss for loss in losses if loss is not None]
    low, span = (min(known), max(known) - min(known)) if known else (0.0, 0.0)
    rows = []
    for epoch, loss in zip(history, losses, strict=True):
        share = 0.0 if loss is None else 0.1 + 0.9 * ((loss - low) / span if span else 0.0)
        perplexities = [
            f"{epoch[part]:.1f}" if epoch[part] else "-" for part in ("train_perplexity", "valid_perplexity")
        ]
        rows.append((f"{round(epoch['epoch'], 2):g}", *perplexities, share))
    return rows
