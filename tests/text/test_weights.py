"""Texts that count by their weights."""

from collections import Counter

import numpy as np
import pytest

from rnncli.errors import SettingError
from rnncli.text.batches import parallel_sequences
from rnncli.text.columns import Store
from rnncli.text.corpus import read_split
from rnncli.text.vocabulary import EOS_ID, Vocabulary
from rnncli.text.weights import TrainingText, Weighted, weighted_source

STORES = {"memory": {}, "file": {"max_in_memory": 0}}


@pytest.mark.parametrize(
    ("named", "source", "weight"),
    [
        ("a.txt", "a.txt", 1),
        ("a.txt:3", "a.txt", 3),
        ("folder/:.5", "folder/", 0.5),
        ("a:b.txt:0.25", "a:b.txt", 0.25),
        (r"C:\a.txt", r"C:\a.txt", 1),
        ("a.txt:x", "a.txt:x", 1),
        ("a.txt:-1", "a.txt:-1", 1),
        (":3", ":3", 1),
        ("-", "-", 1),
    ],
)
def test_a_text_is_named_with_its_weight(named, source, weight):
    assert weighted_source(named) == (source, weight)


def test_a_file_that_has_such_a_name_weighs_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verse:3").write_text("a b")
    assert weighted_source("verse:3") == ("verse:3", 1)
    assert weighted_source("verse:3:2") == ("verse:3", 2)


@pytest.mark.parametrize("weight", ["0", "0.0", "1001", "99999999999999999999"])
def test_a_weight_of_nothing_or_a_huge_one_is_an_error(weight):
    with pytest.raises(SettingError, match=f"the weight in a.txt:{weight} is {weight}, and must be above 0"):
        weighted_source(f"a.txt:{weight}")


def test_each_text_is_read_as_often_as_it_weighs_and_in_turn():
    text = TrainingText(np.arange(100, 120), [Weighted(0, 8, 2.5), Weighted(8, 18, 0.5), Weighted(18, 20)])
    assert len(text) == 20 + 5 + 2
    epochs = [text.words(np.arange(len(text)), epoch).tolist() for epoch in range(4)]
    first, second, *_ = epochs
    assert first == [*range(100, 108)] * 2 + [*range(100, 104)] + [*range(108, 113)] + [118, 119]
    assert second == [*range(104, 108)] + [*range(100, 108)] * 2 + [*range(113, 118)] + [118, 119]
    read = Counter(word for epoch in epochs for word in epoch)
    assert read == dict.fromkeys(range(100, 108), 10) | dict.fromkeys(range(108, 118), 2) | {118: 4, 119: 4}


def test_several_texts_are_read_in_blocks_in_another_order_in_each_epoch(monkeypatch):
    monkeypatch.setattr("rnncli.text.weights.WORDS_PER_BLOCK", range(2, 5))
    monkeypatch.setattr("rnncli.text.weights.BLOCKS", 5)
    text = TrainingText(np.arange(62), [Weighted(0, 16, 2), Weighted(16, 62)])
    in_turn = [*range(16), *range(16), *range(16, 62)]
    orders = []
    for epoch in (0, 1, 0):
        words = text.words(np.arange(len(text)), epoch).tolist()
        assert words[76:] == in_turn[76:]  # what is left behind the last whole block
        blocks = [words[place : place + 4] for place in range(0, 76, 4)]
        assert sorted(blocks) == sorted(in_turn[place : place + 4] for place in range(0, 76, 4))
        orders.append(blocks)
    assert orders[0] == orders[2] != orders[1]
    assert text.words(np.array([[5, 77]]), 1).tolist() == [[orders[1][1][1], 61]]


def test_the_texts_of_a_corpus_are_read_in_blocks_if_there_are_several(tmp_path):
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in paths:
        path.write_text("".join(f"{path.stem}{number}\n" for number in range(900)), encoding="utf-8")

    def read(*sources):
        split = read_split(sources, valid_fraction=0.1)
        corpus = split.numbered_by(Vocabulary.from_tokens(split.train))
        return corpus.training_text, corpus.train

    text, ids = read(*paths)
    first, second = (text.words(np.arange(len(text)), epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == sorted(ids)
    assert (first != ids).any()
    assert (first != second).any()
    text, ids = read(paths[0])
    np.testing.assert_array_equal(text.words(np.arange(len(text)), 1), ids)


def test_without_weights_a_text_is_read_once_in_each_epoch():
    ids = np.arange(7)
    assert TrainingText(ids).words(np.array([[6, 0], [3, 3]]), 5).tolist() == [[6, 0], [3, 3]]
    assert (len(TrainingText(ids)), len(TrainingText(ids[:0]))) == (7, 0)


def test_the_sequences_are_those_of_the_epoch():
    words = parallel_sequences(TrainingText(np.arange(1, 9), [Weighted(0, 8, 0.5)]), 2)
    assert words[:].tolist() == [[EOS_ID, 2], [1, 3], [2, 4]]
    words.epoch = 1
    assert words[:].tolist() == [[EOS_ID, 6], [5, 7], [6, 8]]


@pytest.fixture
def files(tmp_path):
    def write(*texts: str) -> list:
        paths = [tmp_path / f"{number}.txt" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return paths

    return write


def weighed(sources: list, *weights: float) -> list[str]:
    return [f"{source}:{weight}" for source, weight in zip(sources, weights, strict=True)]


def lines(word: str, count: int) -> str:
    return "".join(f"{word} {word}{number}\n" for number in range(count))


def words_of(tokens) -> list[str]:
    return [tokens.types[number] for number in tokens.ids if number != EOS_ID]


@pytest.mark.parametrize("store", STORES)
def test_the_last_units_of_each_text_are_held_out_in_proportion_to_the_weights(files, store):
    sources = files(lines("a", 100), lines("b", 200), lines("c", 40))
    split = read_split(weighed(sources, 1, 0.5, 2), valid_fraction=0.1, store=Store(**STORES[store]))
    assert words_of(split.valid)[1::2] == [
        *(f"a{n}" for n in range(90, 95)),
        *(f"b{n}" for n in range(180, 185)),
        *(f"c{n}" for n in range(36, 40)),
    ]
    assert [words_of(split.train.part(text.begin, text.end)) for text in split.texts] == [
        [w for n in range(count) for w in (name, f"{name}{n}")] for name, count in (("a", 90), ("b", 180), ("c", 36))
    ]
    assert [text.weight for text in split.texts] == [1, 0.5, 2]


def test_of_many_small_texts_a_part_is_held_out_that_is_as_large_as_of_one(files):
    split = read_split(files(*(f"first {n}\nlast {n}\n" for n in range(100))), valid_fraction=0.1)
    assert words_of(split.valid) == [word for n in range(4, 100, 5) for word in ("last", str(n))]
    assert words_of(split.train)[:20:2] == ["first", "last"] * 4 + ["first", "first"]
    split = read_split(files("one\n", "two\n"), valid_fraction=0.1)
    assert (words_of(split.train), words_of(split.valid)) == (["one"], ["two"])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_empty_text_among_others_changes_nothing(files, place):
    texts = [lines("a", 10), lines("b", 20)]
    wanted = read_split(files(*texts))
    texts.insert(place, "")
    found = read_split(files(*texts))
    assert (words_of(found.train), words_of(found.valid)) == (words_of(wanted.train), words_of(wanted.valid))
    assert found.texts == wanted.texts


def test_how_texts_are_spaced_and_written_is_kept_for_each_of_them(files):
    sources = files("It’s his, she said.\n" * 40, "He said :no!\n" * 40)
    apart = [read_split([source], valid_fraction=0.1) for source in sources]
    both = read_split(sources, valid_fraction=0.1)
    for name in ("train", "valid"):
        found, wanted = getattr(both, name), [getattr(split, name) for split in apart]
        assert words_of(found) == [word for split in wanted for word in words_of(split)]
        gaps = [split.gap_names[gap] for split in wanted for gap in split.gaps]
        assert [found.gap_names[gap] for gap in found.gaps] == gaps
        forms = [split.form_names[form] for split in wanted for form in split.forms]
        assert [found.form_names[form] for form in found.forms] == forms
        starts = np.cumsum([0, *map(len, wanted)])
        places = [start + place for start, split in zip(starts, wanted, strict=False) for place in split.form_places]
        assert found.form_places.tolist() == places


def test_words_count_by_the_weights_of_their_texts(files):
    split = read_split(weighed(files("a\nx\n" * 30, "b\nx\n" * 20), 0.5, 3), valid_fraction=0.1)
    vocabulary = Vocabulary.from_tokens(split.train, max_size=4, weighted=split.counts())
    assert vocabulary.words[2:] == ["x", "b"]
    corpus = split.numbered_by(vocabulary)
    assert corpus.counts().tolist() == [27 + 108, 13.5, 13.5 + 54, 54]


@pytest.mark.parametrize("store", STORES)
def test_of_a_text_that_weighs_less_than_one_a_part_is_counted(files, store):
    split = read_split(weighed(files("a a a\n" * 20, "b b b\n" * 20), 2, 0.25), valid_fraction=0.1)
    corpus = split.numbered_by(Vocabulary.from_tokens(split.train))
    a, b = map(corpus.vocabulary.number, "ab")
    # 18 units of four numbers each, of which a quarter is four units and two words of the next one.
    assert corpus.once(Store(**STORES[store])).tolist() == [a, a, a, EOS_ID] * 18 + [b, b, b, EOS_ID] * 4 + [
        b,
        b,
        EOS_ID,
    ]
    assert read_split(files("a a\n" * 20, "b b\n" * 20)).numbered_by(corpus.vocabulary).once(Store()).tolist() == (
        [a, a, EOS_ID] * 19 + [b, b, EOS_ID] * 19
    )
