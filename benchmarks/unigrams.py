"""Compare n-grams with KenLM's: python benchmarks/unigrams.py DATA_FOLDER [--lmplz PROGRAM] [--order N]

DATA_FOLDER/tatoeba/valid.txt holds sentences. rnncli and KenLM's `lmplz` count the n-grams of its words, as white space
separates them. The script prints the probabilities of some words without context. Then it gives `<unk>` the count that
it has in `lmplz`, and compares all n-grams: what differs in a logarithm to the base 10, at most.
"""

import argparse
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import results

from rnncli.lm.arpa import arpa_lines
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_counts import discounts
from rnncli.text.vocabulary import EOS, UNK

COLUMNS = {"probability without context": "", "rnncli": ".3g", "lmplz": ".3g", "ratio": ".4g"}
WORDS_SHOWN = 4  # spread evenly, from the most frequent one to the rarest

NGrams = dict[str, tuple[float, float]]  # the logarithms of the probability and of the backoff weight


def entries(lines: Iterable[str]) -> NGrams:
    """Read the n-grams of an ARPA file."""
    found = {}
    for line in lines:
        if "\t" in line:
            log_p, words, *backoff = line.rstrip("\n").split("\t")
            found[words] = float(log_p), float(backoff[0]) if backoff else 0.0
    found.pop("<s>")  # its probability is a convention: each program has its own
    return found


def without_count_of_unk(ngram: NGram) -> NGram:
    """Return the same n-grams where `<unk>` did not occur: it has a share of the discounts only, as in lmplz."""
    counts = np.bincount(ngram.levels[0].words, minlength=len(ngram.unigrams))  # the different words before each
    discounted = np.maximum(counts - discounts(counts)[np.minimum(counts, 3)], 0) / counts.sum()
    return NGram(discounted + (1 - discounted.sum()) / len(counts), ngram.levels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--lmplz", default="lmplz", help="KenLM's program; by default the one on the path")
    parser.add_argument("--order", type=int, default=5)
    results.add_option(parser)
    options = parser.parse_args()

    text = (options.data / "tatoeba" / "valid.txt").read_bytes()
    tokens = [word for line in text.decode().splitlines() for word in (*line.split(), EOS)]
    types, occurrences = np.unique(tokens, return_counts=True)
    frequent = [str(word) for word in types[np.argsort(-occurrences, kind="stable")] if word != EOS]
    words = [EOS, UNK, *frequent]
    number = {word: i for i, word in enumerate(words)}
    ngram = NGram.count(np.array([number[word] for word in tokens]), len(words), options.order)
    ours = entries(arpa_lines(ngram, words))
    command = [options.lmplz, "--order", str(options.order), "-S", "1G"]
    theirs = entries(subprocess.check_output(command, input=text, stderr=subprocess.DEVNULL).decode().splitlines())

    table = results.Results("unigrams", COLUMNS, options.json)
    places = np.geomspace(1, len(frequent), WORDS_SHOWN).astype(int) - 1
    for word in (UNK, *(frequent[i] for i in places)):
        mine, other = 10 ** ours[word][0], 10 ** theirs[word][0]
        table.add(f"`{word}`", mine, other, mine / other)
    alike = entries(arpa_lines(without_count_of_unk(ngram), words))
    assert alike.keys() == theirs.keys()
    difference = np.abs(np.array([alike[words] for words in theirs]) - np.array(list(theirs.values()))).max()
    table.add("largest difference of all logarithms, if `<unk>` is as in lmplz", difference, None, None)


if __name__ == "__main__":
    main()
