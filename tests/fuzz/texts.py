"""Random texts are read, cut, numbered, spaced, continued and completed: python tests/fuzz/texts.py"""

from __future__ import annotations

import itertools
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

import campaign
import numpy as np
from hostile import ENCODINGS, random_bytes, random_text

import rnncli
from rnncli.api import Predictor
from rnncli.errors import RnncliError
from rnncli.text import chunks, numbering
from rnncli.text.annotation import plain
from rnncli.text.columns import Store
from rnncli.text.corpus import read_tokens
from rnncli.text.folding import composed, folded
from rnncli.text.formats import FORMATS, UNITS, ReadOptions
from rnncli.text.reading import read_units
from rnncli.text.reserved import unit_segments
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.tokens import Tokens
from rnncli.text.vocabulary import EOS_ID, UNK_ID, StoredVocabulary, Vocabulary

SUFFIXES = ("", ".txt", ".md", ".html", ".srt", ".vtt", ".csv", ".tsv", ".npz", ".gz")
TOKENIZERS = [
    Tokenizer(kind, lowercase, fold)
    for kind in ("word", "whitespace", "char")
    for lowercase in (False, True)
    for fold in (False, True)
]
MODEL_TEXT = "The cat’s “toy” costs 5 €, so it - he said - is dear.\nشکرا for naïve 猫 cats -- and dogs!\n" * 20
PROMPT_CHARACTERS = 2000
KINDS = {"word": {}, "char": {"tokenizer": "char"}, "whitespace": {"tokenizer": "whitespace", "lowercase": True}}


@cache
def model(kind: str) -> Predictor:
    """Return a tiny model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(MODEL_TEXT, encoding="utf-8")
        return rnncli.train(path, epochs=1, hidden_size=8, seed=1, **KINDS[kind])


def check(rng: random.Random) -> str:
    """Check one random text in one way."""
    way = rng.choice((check_reading, check_tokens, check_tokens, check_numbering, check_vocabulary, check_model))
    return f"{way.__name__.removeprefix('check_')}: {way(rng)}"


def check_reading(rng: random.Random) -> str:
    """A file is read, or refused in one line."""
    data, encoding = random_bytes(rng)
    options = {
        "unit": rng.choice(UNITS),
        "encoding": rng.choice((encoding, "utf-8", rng.choice(ENCODINGS))),
        "strict": rng.random() < 0.1,
        "stanzas": rng.random() < 0.3,
        "keep_blank": rng.random() < 0.1,
    }
    special = {"read_as": rng.choice(FORMATS), "field": 2, "column": "text", "chat": True}
    name = rng.choice((*special, "none", "none"))
    if name in special:
        options[name] = special[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"text{rng.choice(SUFFIXES)}")
        path.write_bytes(data)
        try:
            read, units = read_units(folder if rng.random() < 0.2 else path, ReadOptions(**options))
            found = list(units)
        except RnncliError as error:
            assert_one_line(error)
            return type(error).__name__
    assert read.files[0].units == len(found)
    assert read.files[0].characters == sum(map(len, found))
    assert not any("\n" in unit for unit in found), "a unit goes over lines"
    for warning in read.warnings():
        assert "\n" not in warning
    return "read"


def check_tokens(rng: random.Random) -> str:
    """The tokens of a text are its characters."""
    text = random_text(rng)
    tokenizer = rng.choice(TOKENIZERS)
    segments = tokenizer.segment(text)
    assert segments.tokens == tokenizer.tokenize(text)
    assert all(segments.tokens), "an empty token"
    read = tokenizer.read(text, fold=False)
    if tokenizer.is_char:
        assert "".join(segments.tokens) == composed(tokenizer.read(text))
        return "characters"
    if tokenizer.is_pretokenized:
        assert segments.tokens == tokenizer.read(text).split()
        return "pieces"
    chunks = [composed(chunk) for chunk in read.split()]
    assert len(segments.gaps) == len(segments.tokens)
    assert not any(map(str.isspace, "".join(segments.tokens)))
    joined = "".join(segments.tokens)
    if not tokenizer.fold:
        assert joined == "".join(chunks)
        return "words"
    assert folded(joined) == "".join(composed(folded(chunk)) for chunk in chunks)
    written = "".join(segments.forms.get(place, token) for place, token in enumerate(segments.tokens))
    assert composed(folded(written)) == composed(folded("".join(chunks)))
    return "folded words"


def check_numbering(rng: random.Random) -> str:
    """Files are numbered while they are read as their units are one by one, whatever the sizes of batches and pieces.

    A unit that has no white space in a piece may be cut elsewhere; so the pieces are small only where there is some.
    """
    tokenizer = rng.choice(TOKENIZERS)
    texts = [random_text(rng) for _ in range(rng.randint(1, 3))]
    options = ReadOptions(unit=rng.choice(("line", "paragraph")), keep_blank=tokenizer.is_pretokenized)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as patches:
        for number, text in enumerate(texts):
            Path(folder, f"{number}.txt").write_bytes(text.encode("utf-8", "replace"))
        try:
            units = list(read_units(folder, options)[1])
        except RnncliError as error:
            assert_one_line(error)
            return type(error).__name__
        spaces = numbering.SPACE_RUN if tokenizer.is_pretokenized else numbering.CLEANED_SPACE_RUN
        piece = max([rng.choice((8, 30, 100)), *(1 + longest_word(unit, spaces) for unit in units)])
        for module, name, size in (
            (numbering, "MAX_PIECE", piece),
            (numbering, "CHARACTERS_PER_BATCH", rng.choice((1, 10, 1000))),
            (chunks, "MAX_KEPT", rng.choice((1, 100))),
        ):
            patches.enter_context(mock.patch.object(module, name, size))
        _, found = read_tokens(folder, tokenizer, options, store=Store(max_in_memory=rng.choice((0, 2**20))))
    segments = [unit_segments(tokenizer, unit) for unit in units]
    wanted = Tokens.from_segments(
        each for each, unit in zip(segments, units, strict=True) if each.tokens or not unit or tokenizer.is_pretokenized
    )
    assert found.types == wanted.types
    assert found.ids.tolist() == wanted.ids.tolist()
    assert gaps_of(found) == gaps_of(wanted)
    assert found.form_places.tolist() == wanted.form_places.tolist()
    assert [found.form_names[form] for form in found.forms] == [wanted.form_names[form] for form in wanted.forms]
    return "numbered while it is read"


def longest_word(text: str, spaces: re.Pattern[str]) -> int:
    """Return the most characters of a word of a text, with the white space before it."""
    starts = [0, *(found.start() for found in spaces.finditer(text)), len(text)]
    return max(end - start for start, end in itertools.pairwise(starts))


def gaps_of(tokens: Tokens) -> list[str]:
    """Return the white space before each token; nothing for a text of no words."""
    return [tokens.gap_names[gap] for gap in tokens.gaps] if tokens.words() else []


def check_vocabulary(rng: random.Random) -> str:
    """Every word has a number, and a vocabulary that is read from a file is the one that was written."""
    tokenizer = rng.choice(TOKENIZERS)
    units = [tokenizer.segment(unit) for unit in random_text(rng).split("\n")]
    tokens = Tokens.from_segments(units)
    vocabulary = Vocabulary.from_tokens(tokens, rng.randint(1, 2), rng.choice((0, 0, 2, 3, 10)))
    stored = StoredVocabulary(vocabulary.text())
    ids = vocabulary.encode(tokens)
    words = [word for unit in units for word in [*unit.tokens, "<eos>"]]
    assert len(ids) == len(words)
    assert [
        word for word, number in zip(words, ids, strict=True) if number > UNK_ID and vocabulary.word(number) != word
    ] == []
    assert int(np.count_nonzero(ids == EOS_ID)) >= len(units)
    assert len(stored) == len(vocabulary)
    assert list(stored.words) == list(vocabulary.words)
    queries = [*rng.sample(list(vocabulary.words), min(5, len(vocabulary))), *random_text(rng).split()[:5]]
    for query in queries:
        assert stored.find(query) == vocabulary.find(query)
        assert stored.number(query) == vocabulary.number(query)
    for word in vocabulary.words:
        assert vocabulary.word(vocabulary.find(word)) == word
    return "numbered"


def check_model(rng: random.Random) -> str:
    """A prompt is answered by probabilities, and words are written as text."""
    asked = model(rng.choice(tuple(KINDS)))
    prompt = random_text(rng)[:PROMPT_CHARACTERS]
    try:
        predictions = asked.predict(prompt, 5)
        if rng.random() < 0.5:
            predictions += asked.complete(prompt, 5)
        score = asked.score([prompt.replace("\n", " ")])[0]
        suggester = asked.suggester(3)
        for end in rng.sample(range(len(prompt) + 1), min(3, len(prompt) + 1)):
            suggester.suggest(prompt[:end])
            suggester.accept(prompt[:end], "word", prompt[end:])
    except RnncliError as error:
        assert_one_line(error)
        return type(error).__name__
    assert all(0 <= probability <= 1.0001 for _, probability in predictions)
    assert score.log_probability <= 0
    tokens = asked.tokenizer.tokenize(prompt)
    written = asked.detokenize(tokens)
    if not asked.tokenizer.is_pretokenized:
        same = [folded("".join(text.split())) for text in ("".join(map(plain, tokens)), written)]
        assert composed(same[0]) == composed(same[1])
    return "answered"


def assert_one_line(error: RnncliError) -> None:
    """Check the message of an error."""
    message = str(error)
    assert message
    assert "\n" not in message, message
    assert len(message) < 10_000, message[:200]


@contextmanager
def quiet() -> Iterator[None]:
    """Let a case make warnings, such as one of a text that is short."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


if __name__ == "__main__":
    with quiet():
        campaign.main(check, "tests/fuzz/texts.py")
