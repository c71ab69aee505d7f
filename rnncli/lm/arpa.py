"""An n-gram model as text, in the ARPA format that SRILM, KenLM and others read."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..text.vocabulary import EOS_ID
from .ngram import NGram

# Words that would end a word or a line of the file, or are other programs' marks, and what stands for them.
NAMES = {" ": "<space>", "\t": "<tab>", "\n": "<newline>", "\r": "<return>", "\v": "<vtab>", "\f": "<page>"}
NAMES |= {"<s>": "<<s>>", "</s>": "<</s>>"}


def arpa_lines(model: NGram, words: Sequence[str]) -> Iterator[str]:
    """The lines of the file, with the `words` behind the model's numbers.

    The end of a unit is `</s>`, and `<s>` where it is the beginning of the next one.
    """
    last = [NAMES.get(word, word) for word in words]
    last[EOS_ID] = "</s>"
    yield "\\data\\"
    yield f"ngram 1={len(last) + 1}"
    yield from (f"ngram {n}={len(level.words)}" for n, level in enumerate(model.levels, 2))
    # Of the n-grams of one length: how they are written, alone and as contexts; their chances; and the numbers of the
    # n-grams one shorter that they end in.
    alone, contexts, p, ends = last, ["<s>", *last[1:]], model.unigrams, np.zeros(len(last), np.int64)
    for n in range(1, model.order + 1):
        level, backoffs = (model.levels[n - 1] if n < model.order else None), np.zeros(len(p))
        if level:
            owners, its_words, discounted, total, left = level.expand(np.arange(len(p)))
            backoffs = np.log10(left)
        yield from ("", f"\\{n}-grams:")
        if n == 1:
            yield f"-99\t<s>\t{backoffs[EOS_ID]:.7g}"
            backoffs[EOS_ID] = 0  # nothing comes after </s>
        for log_p, text, backoff in zip(np.log10(p).tolist(), alone, backoffs.tolist(), strict=True):
            yield f"{log_p:.7g}\t{text}\t{backoff:.7g}" if backoff else f"{log_p:.7g}\t{text}"
        if level:
            alone = [f"{contexts[owner]} {last[word]}" for owner, word in zip(owners, its_words, strict=True)]
            ends = its_words.astype(np.int64) if n == 1 else model.levels[n - 2].find(ends[owners], its_words)
            contexts, p = alone, discounted / total[owners] + left[owners] * p[ends]
    yield from ("", "\\end\\")
