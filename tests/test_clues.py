"""The list of clues that the benchmark asks models about."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from rnncli.text.tokenizers import Tokenizer

PAIRS = Path(__file__).parents[1] / "benchmarks" / "clues.tsv"
MIN_WORDS_AFTER_CLUE = 2
MAX_CLUE_WORDS = 3

with PAIRS.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def words(text: str) -> list[str]:
    return Tokenizer().segment(text).tokens


def test_there_are_at_least_200_pairs_and_no_prompt_twice():
    assert len(ROWS) >= 200
    assert Counter(prompt for _, prompt, *_ in ROWS).most_common(1)[0][1] == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_pair_differs_in_one_clue_that_two_words_or_more_separate_from_the_answer(row):
    _, prompt, first, word, second, other = row
    assert prompt.count("___") == 1
    assert first != second
    assert len(words(prompt.partition("___")[2])) >= MIN_WORDS_AFTER_CLUE
    assert max(len(first.split()), len(second.split())) <= MAX_CLUE_WORDS
    assert word != other
    assert [len(words(word)), len(words(other))] == [1, 1]
