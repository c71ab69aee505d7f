import math

import numpy as np
import pytest

from rnncli.lm.arpa import arpa_lines
from rnncli.lm.mixture import Mixture
from rnncli.lm.ngram import NGram
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


@pytest.fixture(params=[False, True], ids=["whole", "pruned"])
def ngram(request, rng):
    ids = rng.integers(0, len(WORDS) - 1, 400)
    ids[-1] = 0
    return NGram.count(ids, len(WORDS), 3, prune=request.param)


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
