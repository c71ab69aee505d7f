"""Write texts back from their words: python benchmarks/round_trip.py DATA_FOLDER [TEXT...]

DATA_FOLDER holds tatoeba/test.txt, gutenberg/pd_simple.txt and open/us_presidential_speeches.txt; more texts may be
named. Every second line of a text is learned from: how it is spaced, and which marks carry notes on that. The other
lines are cut into words, known or not, and written back. The table shows the fraction of the lines that differ from the
original; any run of plain white space counts as one space. Its columns are: the rules for most languages alone, the
learned rules, and these with the notes, which the lines to be written carry: the last column tells what can be written
in the words of the model. The peer is sacremoses (pip install sacremoses), which cuts and writes the same
lines by its own rules for English; "-" where it is not installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import results

from rnncli.text.annotation import plain
from rnncli.text.detokenizer import Detokenizer
from rnncli.text.formats import ReadOptions
from rnncli.text.reading import read_units
from rnncli.text.spacer import Spacer
from rnncli.text.spacing import annotate, learn
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS_ID, Tokens, Vocabulary

TEXTS = ("tatoeba/test.txt", "gutenberg/pd_simple.txt", "open/us_presidential_speeches.txt")
COLUMNS = {
    "text": "",
    "lines": ",d",
    "differ, by usual rules": ".2%",
    "learned rules": ".2%",
    "learned rules and notes": ".2%",
    "sacremoses": ".2%",
    "notes": ",d",
    "bytes": ",d",
}
WORD = Tokenizer("word", fold=True)


def lines_of(path: Path) -> list[str]:
    """Read the lines of a text; Markdown with its marks."""
    read_as = "text" if path.suffix == ".md" else "auto"
    _, units = read_units([path], ReadOptions(unit="line", read_as=read_as))
    return [line for line in map(collapsed, units) if line]


def collapsed(line: str) -> str:
    """Return a line with one space for each run of plain white space."""
    return " ".join(part for part in line.replace("\t", " ").split(" ") if part)


def written(tokens: Tokens, vocabulary: Vocabulary, detokenizer: Detokenizer) -> list[str]:
    """Write the units of a text; a word that the vocabulary lacks as it is, a mark with the notes that are known."""
    names = []
    for word in tokens.types:
        number = vocabulary.find(word) if plain(word) != word else None
        names.append(plain(word) if number is None or number < 2 else vocabulary.word(number))
    lines = []
    unit: list[str] = []
    for number in tokens.ids.tolist():
        if number == EOS_ID:
            lines.append("".join(Spacer(detokenizer, WORD).write(unit)))
            unit = []
        else:
            unit.append(names[number])
    return lines


def peer() -> Callable[[str], str] | None:
    """Return what cuts a line with sacremoses and writes it back, if it is installed."""
    try:
        from sacremoses import MosesDetokenizer, MosesTokenizer
    except ImportError:
        return None
    tokenizer = MosesTokenizer("en")
    detokenizer = MosesDetokenizer("en")
    return lambda line: str(detokenizer.detokenize(tokenizer.tokenize(line, escape=False)))


def differing(lines: Sequence[str], found: Sequence[str]) -> float:
    """Return the fraction of the lines that differ."""
    return sum(line != other for line, other in zip(lines, found, strict=True)) / len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("texts", type=Path, nargs="*")
    results.add_option(parser)
    options = parser.parse_args()
    table = results.Results("round_trip", COLUMNS, options.json)
    moses = peer()
    for path in [*(options.data / name for name in TEXTS), *options.texts]:
        lines = lines_of(path)
        learned, others = lines[::2], lines[1::2]
        text = Tokens.from_segments(map(WORD.segment, learned))
        detokenizer = learn(text)
        noted = annotate(text, detokenizer)
        vocabulary = Vocabulary.from_tokens(noted)
        rest = Tokens.from_segments(map(WORD.segment, others))
        table.add(
            path.name,
            len(others),
            differing(others, written(rest, vocabulary, Detokenizer())),
            differing(others, written(rest, vocabulary, detokenizer)),
            differing(others, written(annotate(rest, detokenizer), vocabulary, detokenizer)),
            differing(others, [moses(line) for line in others]) if moses else None,
            len(vocabulary.noted[0]),
            len(detokenizer.text()),
        )


if __name__ == "__main__":
    main()
