"""Showing why a word is predicted."""

from dataclasses import asdict

from .output import number, print_json, print_table, print_tsv, print_words, short


def print_explanation(explanation, output_format: str) -> None:
    """Print what each word of a prompt does for the word explained, and what each part of the model gives to it.

    As TSV a line for the word explained, with its probability and the parts, and one for each word of the prompt.
    """
    influences, parts = explanation.influences, explanation.parts
    if output_format == "jsonl":
        print_json(asdict(explanation))
    elif output_format == "tsv":
        given = [f"{name}={number(value)}" for name, value in parts.items()]
        print_tsv([(explanation.word, explanation.probability, *given)])
        print_tsv([(influence.word, influence.change) for influence in influences])
    else:
        most = max((abs(influence.change) for influence in influences), default=0) or 1
        print_words(
            [
                *((influence.word, influence.change / most) for influence in influences),
                (explanation.word, None),
            ]
        )
        rows = [
            (influence.word, f"{influence.change:+.4f}", max(0.0, influence.change / most)) for influence in influences
        ]
        print_table(rows, ["~", ">", "|"], header=["word", "adds", ""])
        given = ", ".join(f"{name} {short(value)}" for name, value in parts.items())
        print_table([(explanation.word, short(explanation.probability), given)], ["~", ">", "<"])
