import math
import re
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rnncli.lm.arpa import arpa_lines
from rnncli.lm.mixture import Mixture
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_pruning import ngram_count, pruned
from rnncli.text.vocabulary import EOS, UNK

WORDS = [EOS, UNK, "a", "b", "c", " ", "never"]


def by_the_format(lines: list[str], context: list[str], word: str) -> float:
    """The log10 probability of a word by the rules of an ARPA file."""
    entries = {}
    for line in lines:
        if "\t" in line:
            log_p, gram, *backoff = line.split("\t")
            entries[tuple(gram.split(" "))] = float(log_p), float(backoff[0]) if backoff else 0.0
    total = 0.0
    while (*context, word) not in entries:
        total += entries.get(tuple(context), (0.0, 0.0))[1]
        context = context[1:]
    return total + entries[(*context, word)][0]


@pytest.fixture(params=["whole", "pruned by count", "pruned by cost"])
def ngram(request, rng):
    ids = rng.integers(0, len(WORDS) - 1, 400)
    ids[-1] = 0
    found = NGram.count(ids, len(WORDS), 3, prune=request.param == "pruned by count")
    return pruned(found, ngram_count(found) // 3) if request.param == "pruned by cost" else found


def test_the_file_gives_every_word_the_probability_that_the_model_gives_it(ngram, rng, exact_distribution):
    lines = list(arpa_lines(ngram, WORDS))
    names = [{" ": "<space>", EOS: "</s>"}.get(word, word) for word in WORDS]
    lm = Mixture([ngram], len(WORDS))
    seen = ["<s>"]
    state = lm.initial_state(1)
    for word in rng.integers(0, len(WORDS), 60):
        log_p = np.log10(exact_distribution(lm, state)[0])
        for number, name in enumerate(names):
            assert by_the_format(lines, seen[-2:], name) == pytest.approx(log_p[number], abs=1e-5)
        state = lm.read(np.array([[word]]), state)
        seen = ["<s>"] if word == 0 else [*seen, names[word]]


def test_the_head_counts_the_ngrams_of_each_length(ngram):
    lines = list(arpa_lines(ngram, WORDS))
    assert lines[0] == "\\data\\"
    assert lines[-1] == "\\end\\"
    for n in (1, 2, 3):
        start = lines.index(f"\\{n}-grams:") + 1
        count = next(i for i, line in enumerate(lines[start:]) if "\t" not in line)
        assert lines[n] == f"ngram {n}={count}"


WHITE_SPACE = [*filter(str.isspace, map(chr, range(sys.maxunicode))), "\0", "\u180e", "\ufeff"]
NAMED = {"space": " ", "tab": "\t", "newline": "\n", "vtab": "\v", "page": "\f", "return": "\r"}
MARKS = ["<s>", "</s>", "<UNK>"]


def written(*words: str) -> list[str]:
    """How words are written in the file."""
    ngram = NGram.count(np.array([2, 0] * 5), len(words) + 2, 2)
    lines = list(arpa_lines(ngram, [EOS, UNK, *words]))
    start = lines.index("\\1-grams:") + len(["\\1-grams:", "<s>", "</s>", UNK])
    return [line.split("\t")[1] for line in lines[start : start + len(words)]]


def as_documented(text: str) -> str:
    """A word as the page on `export` says to read it."""

    def character(name: re.Match[str]) -> str:
        return NAMED.get(name[1]) or chr(int(name[2], 16))

    return re.sub(rf"<({'|'.join(NAMED)}|U\+([0-9A-F]{{4,6}}))>", character, text)


def test_all_white_space_is_written_by_name():
    shown = written(*WHITE_SPACE)
    assert shown[:2] == ["<tab>", "<newline>"]
    assert "<U+00A0>" in shown
    assert len(set(shown)) == len(WHITE_SPACE)
    assert all(re.fullmatch(r"<[\w+]+>", word) for word in shown)
    assert [as_documented(word) for word in shown] == WHITE_SPACE


PIECES = st.sampled_from([*WHITE_SPACE, *MARKS, *(f"<{name}>" for name in (*NAMED, "U+00A0", "U+1F600")), *"<>aU+0"])


@given(st.lists(PIECES, min_size=1).map("".join))
def test_a_word_can_be_told_from_what_is_written(word):
    (shown,) = written(word)
    assert not any(mark in shown for mark in (*WHITE_SPACE, *MARKS))
    assert as_documented(shown) == word


def test_ordinary_words_are_written_as_they_are():
    words = ["a<b", "<b>", "<3", "naïve", "<unk>s", "x>y", "<<", "<U+XYZ>", "\u200b"]
    assert written(*words) == words


def test_kenlm_reads_white_space_and_marks_as_words(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    words = [*WHITE_SPACE, *MARKS, "\\end\\", "a"]
    ids = np.tile([*range(2, len(words) + 2), 0], 3)
    path = tmp_path / "model.arpa"
    lines = list(arpa_lines(NGram.count(ids, len(words) + 2, 2), [EOS, UNK, *words]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    model = kenlm.Model(str(path))
    scores = list(model.full_scores(" ".join(written(*words))))
    assert [(length, unknown) for _, length, unknown in scores] == [(2, False)] * (len(words) + 1)


def test_kenlm_reads_the_file_and_scores_alike(ngram, tmp_path):
    kenlm = pytest.importorskip("kenlm")
    path = tmp_path / "model.arpa"
    path.write_text("\n".join(arpa_lines(ngram, WORDS)) + "\n")
    theirs = kenlm.Model(str(path))
    lm = Mixture([ngram], len(WORDS))
    for sentence in (["a", "b", "c"], ["b"], [], ["c", "c", "never", "a", "a", "b"]):
        ids = np.array([[WORDS.index(word)] for word in [*sentence, EOS]])
        nll, _ = lm.score(ids, lm.initial_state(1))
        assert theirs.score(" ".join(sentence)) == pytest.approx(-nll.sum() / math.log(10), abs=1e-4)
