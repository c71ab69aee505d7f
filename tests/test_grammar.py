"""The list of grammatical and ungrammatical sentences that the benchmark asks models about."""

import csv
from collections import Counter
from pathlib import Path

PAIRS = Path(__file__).parents[1] / "benchmarks" / "grammar.tsv"
MIN_KINDS = 20
PAIRS_OF_A_KIND = 20

with PAIRS.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def test_there_are_20_kinds_or_more_of_20_pairs():
    kinds = Counter(kind for kind, _, _ in ROWS)
    assert len(kinds) >= MIN_KINDS
    assert set(kinds.values()) == {PAIRS_OF_A_KIND}


def test_a_right_sentence_is_nowhere_a_wrong_one():
    assert not {right for _, right, _ in ROWS} & {wrong for _, _, wrong in ROWS}


def test_no_kind_has_a_pair_twice():
    assert Counter(map(tuple, ROWS)).most_common(1)[0][1] == 1
