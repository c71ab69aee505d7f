"""Writes an n-gram model as text, in the ARPA format that SRILM, KenLM and others read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from ..text.vocabulary import EOS_ID
from .ngram import NGram
from .ngram_level import UNSEEN

# White space would end a word or a line of the file. It is written by name: one of these, or the code.
NAMES = {" ": "space", "\t": "tab", "\n": "newline", "\v": "vtab", "\f": "page", "\r": "return"}
SPACE = r"[\s\0\u180e\ufeff]"  # as some program sees it
NOTE = r"[\ufdd0\ufdd1]"  # on a mark: see `rnncli.text.annotation`
# What begins such a name in the word itself, or a mark of the format: KenLM takes `<UNK>` for `<unk>`.
AMBIGUOUS = rf"<(?=(?:s|/s|UNK|{'|'.join(NAMES.values())}|U\+[0-9A-F]{{4,6}})>)"
ESCAPED = re.compile(f"{SPACE}|{NOTE}|{AMBIGUOUS}")


def arpa_lines(model: NGram, words: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the file, with the `words` of the model's numbers.

    The end of a unit is `</s>`, and `<s>` where it is the beginning of the next one.
    """
    last = [escaped(word) for word in words]
    last[EOS_ID] = "</s>"
    yield "\\data\\"
    yield f"ngram 1={len(last) + 1}"
    yield from (f"ngram {n}={len(level.words)}" for n, level in enumerate(model.levels, 2))
    # Of the n-grams of one length: their words; how they are written, alone and as contexts; their probabilities; and
    # the numbers of the n-grams one shorter that they end in, where they have not been pruned.
    grams = np.arange(len(last))[:, None]
    alone = last
    contexts = ["<s>", *last[1:]]
    p = model.unigrams
    ends = np.zeros(len(last), np.int64)
    for n in range(1, model.order + 1):
        level = model.levels[n - 1] if n < model.order else None
        expansion = level.expand(np.arange(len(p))) if level else None
        backoffs = np.log10(expansion.backoff) if expansion else np.zeros(len(p))
        yield from ("", f"\\{n}-grams:")
        if n == 1:
            yield f"-99\t<s>\t{backoffs[EOS_ID]:.7g}"
            backoffs[EOS_ID] = 0  # nothing comes after </s>
        yield from _rows(p, alone, backoffs)
        if expansion:
            index = expansion.context_index
            alone = [f"{contexts[k]} {last[word]}" for k, word in zip(index, expansion.words, strict=True)]
            own_words = expansion.words.astype(np.int64)
            ends = own_words if n == 1 else model.levels[n - 2].find(ends[index], own_words)
            grams = np.concatenate([grams[index], own_words[:, None]], axis=1)
            shorter = p[ends]
            is_pruned = ends == UNSEEN
            shorter[is_pruned] = model.probability_by_shorter_context(grams[is_pruned])
            p = expansion.discounted / expansion.total[index] + expansion.backoff[index] * shorter
            contexts = alone
    yield from ("", "\\end\\")


def escaped(word: str) -> str:
    """Write a word without white space, in a way that can be undone."""
    return ESCAPED.sub(lambda found: f"<{NAMES.get(found[0], f'U+{ord(found[0]):04X}')}>", word)


def _rows(p: np.ndarray, texts: Sequence[str], backoffs: np.ndarray) -> Iterator[str]:
    for log_p, text, backoff in zip(np.log10(p).tolist(), texts, backoffs.tolist(), strict=True):
        yield f"{log_p:.7g}\t{text}\t{backoff:.7g}" if backoff else f"{log_p:.7g}\t{text}"
