"""Measure whether a model prefers grammatical sentences: python benchmarks/grammar.py MODEL... [--kinds]

`grammar.tsv`, beside this script, holds pairs of sentences that differ in a word or two: one is right, the other one is
not. Most are of equal length; a missing object is the fault as often as one too many. A model is right about a pair if
it gives the right sentence the higher probability, with the end of the sentence. The list was written for this purpose;
nothing is trained on it, nor on texts made from it. The peer is the model's n-grams alone. The last column is the share
among the pairs all of whose words the model knows. With `--kinds` there is a row for each kind of pair.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import results
from clues import alone

import rnncli
from rnncli.tasks.score import score_all

PAIRS = Path(__file__).with_name("grammar.tsv")
COLUMNS = {"model": "", "part": "", "kind": "", "pairs": ",d", "right": ".1%", "known": ",d", "right, of known": ".1%"}


def read_pairs() -> list[tuple[str, str, str]]:
    """Return the kind, the right sentence and the wrong one of each pair."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return [(kind, right, wrong) for kind, right, wrong in list(csv.reader(file, delimiter="\t", quoting=3))[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--kinds", action="store_true", help="a row for each kind of pair as well")
    results.add_option(parser)
    arguments = parser.parse_args()
    pairs = read_pairs()
    found = results.Results("grammar", COLUMNS, arguments.json)
    for path in arguments.models:
        model = rnncli.load(path)
        parts = {"all": model} | {part.name: alone(model, part) for part in model.lm.parts if part.name != "cache"}
        for name, lm in parts.items():
            scores = iter(score_all(lm, [line for _, *lines in pairs for line in lines]))
            by_kind = defaultdict(list)
            for kind, _, _ in pairs:
                right, wrong = next(scores), next(scores)
                judgement = (
                    right.log_probability > wrong.log_probability,
                    not (right.unknown_words or wrong.unknown_words),
                )
                by_kind["all"].append(judgement)
                by_kind[kind].append(judgement)
            for kind, judgements in by_kind.items():
                if kind == "all" or (arguments.kinds and name == "all"):
                    known = [is_right for is_right, is_known in judgements if is_known]
                    right = sum(is_right for is_right, _ in judgements) / len(judgements)
                    found.add(
                        Path(path).stem, name, kind, len(judgements), right, len(known), sum(known) / max(1, len(known))
                    )


if __name__ == "__main__":
    main()
