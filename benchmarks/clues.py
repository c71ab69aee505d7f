"""Measure whether an early word decides a prediction: python benchmarks/clues.py MODEL... [--pairs FILE] [--kinds]

`clues.tsv`, beside this script, holds pairs of short prompts that differ in one early clue, each with a word that fits:
after "I live in Berlin, so I speak" it is "German", with Tokyo "Japanese". The words after the clue are the same, so
whoever hears only them cannot tell the two apart. The list was written for this purpose; nothing is trained on it, nor
on texts made from it. For each model the script prints three shares, in percent:

- of the pairs, where the clue moves the odds the right way: the ratio of the probabilities of the two words is larger
  with the clue that the first of them fits;
- of the prompts, where the fitting word is likelier than the other one;
- of the prompts, where the fitting word is among the first ten, the end of a sentence aside.

`degree.tsv` is another such list, of negations and degrees alone: "not hungry" beside "very hungry".

A word that a model does not know counts as a miss. The peer is the model's n-grams alone. With `--kinds` there is a row
for each kind of clue. Takes a minute.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import results

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.tasks.predict import Ranking, predict_all

PAIRS = Path(__file__).with_name("clues.tsv")
SLOT = "___"
FIRST = 10
EOS = "<eos>"


class Pair(NamedTuple):
    """Two prompts, and the word that fits each."""

    kind: str
    prompts: tuple[str, str]
    words: tuple[str, str]


class Judgement(NamedTuple):
    """What a model makes of a pair: numbers from 0 to 1."""

    moved: float  # whether the clue moves the odds the right way
    likelier: float  # of the two prompts, for how many the fitting word is the likelier one
    among_first: float  # and among the first ten


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [
        Pair(kind, (prompt.replace(SLOT, first), prompt.replace(SLOT, second)), (word, other))
        for kind, prompt, first, word, second, other in rows
    ]


def judge(model: rnncli.Model, pairs: list[Pair]) -> Iterator[Judgement]:
    """Ask a model about each of the pairs."""
    rankings = iter(predict_all(model, [prompt for pair in pairs for prompt in pair.prompts], 0))
    for pair in pairs:
        (a, b), ranks = answers(next(rankings), *pair.words)
        (d, c), other_ranks = answers(next(rankings), *reversed(pair.words))
        yield Judgement(
            moved=a * d > b * c,
            likelier=((a > b) + (d > c)) / 2,
            among_first=((ranks[0] < FIRST) + (other_ranks[0] < FIRST)) / 2,
        )


def answers(ranking: Ranking, *words: str) -> tuple[list[float], list[int]]:
    """Return the probabilities of some words, and their ranks from 0 on; an unknown word is behind all."""
    shown = [prediction for prediction in ranking.predictions if prediction.word != EOS]
    found = {prediction.word: (prediction.probability, rank) for rank, prediction in enumerate(shown)}
    probabilities, ranks = zip(*(found.get(word, (0.0, len(shown))) for word in words), strict=True)
    return list(probabilities), list(ranks)


def by_kind(pairs: list[Pair], judgements: Iterable[Sequence[float]]) -> Iterator[tuple[str, int, list[float]]]:
    """Yield the number of pairs and the means of their judgements, of all and of each kind."""
    found: dict[str, list[Sequence[float]]] = defaultdict(list)
    for pair, judgement in zip(pairs, judgements, strict=True):
        found["all"].append(judgement)
        found[pair.kind].append(judgement)
    for kind, judged in found.items():
        yield kind, len(judged), [sum(column) / len(judged) for column in zip(*judged, strict=True)]


def alone(model: rnncli.Model, part) -> rnncli.Model:
    return replace(model, lm=Mixture([part], len(model.vocabulary)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--pairs", type=Path, default=PAIRS, metavar="FILE", help="clues.tsv by default, or degree.tsv")
    parser.add_argument("--kinds", action="store_true", help="a row for each kind of clue as well")
    results.add_option(parser)
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.pairs)
    percent = {"moves the odds": ".0%", "is the likelier of the two": ".0%", "is among the first ten": ".0%"}
    columns = {"model": "", "part": "", "clues": "", "pairs": ",d", **percent}
    found = results.Results(arguments.pairs.stem, columns, arguments.json)
    for path in arguments.models:
        model = rnncli.load(path)
        parts = {"all": model} | {part.name: alone(model, part) for part in model.lm.parts if part.name != "cache"}
        for name, lm in parts.items():
            for kind, count, shares in by_kind(pairs, judge(lm, pairs)):
                if kind == "all" or (arguments.kinds and name == "all"):
                    found.add(Path(path).stem, name, kind, count, *shares)


if __name__ == "__main__":
    main()
