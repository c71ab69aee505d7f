"""The lists of clues that the benchmark asks models about."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from rnncli.text.tokenizers import Tokenizer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MIN_PAIRS = {"clues": 200, "degree": 30}
MIN_WORDS_AFTER_CLUE = 2
MAX_CLUE_WORDS = 3


def rows(name: str) -> list[list[str]]:
    with (BENCHMARKS / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def words(text: str) -> list[str]:
    return Tokenizer().segment(text).tokens


@pytest.mark.parametrize("name", MIN_PAIRS)
def test_there_are_enough_pairs_and_no_prompt_twice(name):
    pairs = rows(name)
    assert len(pairs) >= MIN_PAIRS[name]
    assert Counter(prompt for _, prompt, *_ in pairs).most_common(1)[0][1] == 1


@pytest.mark.parametrize("row", [row for name in MIN_PAIRS for row in rows(name)], ids=lambda row: row[1])
def test_a_pair_differs_in_one_clue_that_two_words_or_more_separate_from_the_answer(row):
    _, prompt, first, word, second, other = row
    assert prompt.count("___") == 1
    assert first != second
    assert len(words(prompt.partition("___")[2])) >= MIN_WORDS_AFTER_CLUE
    assert max(len(first.split()), len(second.split())) <= MAX_CLUE_WORDS
    assert word != other
    assert [len(words(word)), len(words(other))] == [1, 1]
