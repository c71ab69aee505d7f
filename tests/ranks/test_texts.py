"""Several ranks read and count a text as one does."""

import numpy as np
import pytest

from rnncli.errors import TrainingError
from rnncli.lm.ngram_columns import NoRoomError
from rnncli.lm.ngram_counts import count_ngrams
from rnncli.text.corpus import read_split
from rnncli.text.formats import ReadOptions
from rnncli.text.tokenizers import Tokenizer

LINES = [
    "The cat’s toy costs 5€ -- or not.",
    "“So,” he said, “it’s late.”",
    "Ein  Satz\u00a0mit “anderen” Zeichen…",
    "",
    "The cat slept--then left. 3.14, e.g. this",
    "日本語 text ✓ ｆｕｌｌ width ﬁne",
]


@pytest.fixture
def files(tmp_path, rng):
    found = []
    for name in ("a", "b", "empty", "c"):
        lines = [] if name == "empty" else [LINES[number] + f" {number}{name}" for number in rng.integers(0, 6, 40)]
        found.append(tmp_path / f"{name}.txt")
        found[-1].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return found


@pytest.mark.parametrize("tokenizer", [Tokenizer(fold=True), Tokenizer("char"), Tokenizer("whitespace")], ids=str)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("size", [1, 150, 10**6])
def test_a_text_is_numbered_as_by_one_rank(files, as_ranks, monkeypatch, tokenizer, count, size):
    monkeypatch.setattr("rnncli.text.shared_numbering.CHARACTERS_PER_BLOCK", size)
    named = [f"{files[0]}:2", *files[1:]]
    options = ReadOptions(unit="line")
    alone = read_split(named, options, tokenizer=tokenizer, valid=files[0])
    for found in as_ranks(
        count, lambda ranks: read_split(named, options, tokenizer=tokenizer, valid=files[0], ranks=ranks)
    ):
        assert (found.texts, found.sha256, found.facts) == (alone.texts, alone.sha256, alone.facts)
        for part in ("train", "valid"):
            own, expected = getattr(found, part), getattr(alone, part)
            assert own.types == expected.types
            assert (own.gap_names, own.form_names) == (expected.gap_names, expected.form_names)
            for name in ("ids", "gaps", "form_places", "forms"):
                np.testing.assert_array_equal(getattr(own, name), getattr(expected, name), err_msg=name)
                assert getattr(own, name).dtype == getattr(expected, name).dtype


def test_a_rank_without_room_for_ngrams_does_not_begin_again_by_itself(as_ranks, rng, monkeypatch):
    def full(*arguments):
        raise NoRoomError

    monkeypatch.setattr("rnncli.lm.ngram_counts.columns", full)
    ids = np.append(rng.integers(0, 30, 99), 0)

    def count(ranks) -> None:
        with pytest.raises(TrainingError, match="a folder has no room for counting n-grams"):
            count_ngrams(ids, 30, 4, False, most_in_memory=10, ranks=ranks)

    as_ranks(2, count)


@pytest.mark.parametrize("prune", [False, True])
def test_ngrams_are_counted_as_by_one_rank(as_ranks, rng, prune):
    ids = rng.integers(0, 30, 5000) * (rng.random(5000) < 0.9)
    ids[-1] = 0
    unigrams, levels = count_ngrams(ids, 30, 4, prune, range_size=64)
    for found, own in as_ranks(3, lambda ranks: count_ngrams(ids, 30, 4, prune, range_size=64, ranks=ranks)):
        np.testing.assert_array_equal(found, unigrams)
        for level, expected in zip(own, levels, strict=True):
            for name, array in vars(expected).items():
                np.testing.assert_array_equal(getattr(level, name), array, err_msg=name)
