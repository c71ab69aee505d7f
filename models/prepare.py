"""Cut the texts of the bundled model into parts to train on and parts to measure with.

python models/prepare.py DATA_FOLDER OUTPUT_FOLDER

DATA_FOLDER/english/*.txt.xz, DATA_FOLDER/gutenberg/pd_simple.txt and DATA_FOLDER/open/masc.txt are cut into blocks: the
conversations and documents between blank lines, or else a hundred lines each. Every twentieth block goes to
OUTPUT_FOLDER/NAME.test.txt; one in a hundred, and some sentences of DATA_FOLDER/tatoeba/valid.txt, to
OUTPUT_FOLDER/valid.txt, up to so many words of each text; the others to OUTPUT_FOLDER/NAME.txt. Of sentences that begin
with the same five words, all go to the same side where the text is made of pairs (sentences_winogrande): they are
blocks. Where a block goes is decided by a hash of its first line, so it does not depend on the others.

DATA_FOLDER/tatoeba is cut already: its train.txt and test.txt are copied. A longer line that is in one of the parts to
measure with is left out of all parts to train on.

The sentences to train on in which one clause explains another ("..., so ...", "because ...") go to
OUTPUT_FOLDER/reasons.txt as well, once each.
"""

import hashlib
import lzma
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

TEST_EVERY = 20
VALID_EVERY = 100
VALID_WORDS = 4_000  # of each text
VALID_WORDS_OF_TATOEBA = 20_000
LINES_PER_BLOCK = 100
MIN_BLOCKS = 200  # between blank lines; a text of fewer is cut into blocks of lines
SAME_WORDS = 5
LONG = 6  # words of a line that two texts have in common only where one has it from the other
TATOEBA = "tatoeba"
OF_PAIRS = {"sentences_winogrande"}
EXPLAINING = re.compile(
    r", (so|but|because|since|although|though|and so|if|when|while|unless|until)\b"
    r"|\b(because|although|unless|therefore|so that|too \w+ to|so \w+ that|not \w+ enough to)\b",
    re.IGNORECASE,
)
WORDS_OF_REASONS = range(6, 31)  # of a line that goes to reasons.txt
Block = list[str]


def lines_of(path: Path) -> list[str]:
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def words_in(lines: Iterable[str]) -> int:
    return sum(len(line.split()) for line in lines)


def first_words(lines: Iterable[str], words: int) -> Iterator[str]:
    """Yield the first lines, until they have so many words."""
    for line in lines:
        if words <= 0:
            return
        words -= len(line.split())
        yield line


def blocks_of(name: str, lines: list[str]) -> list[Block]:
    """Cut a text into blocks, which are trained on or held out as a whole."""
    if name in OF_PAIRS:
        groups = defaultdict(list)
        for line in filter(None, lines):
            groups[" ".join(line.split()[:SAME_WORDS])].append(line)
        return list(groups.values())
    blocks = list(between_blank_lines(lines))
    if len(blocks) >= MIN_BLOCKS:
        return [[*block, ""] for block in blocks]
    return [lines[start : start + LINES_PER_BLOCK] for start in range(0, len(lines), LINES_PER_BLOCK)]


def between_blank_lines(lines: Iterable[str]) -> Iterator[Block]:
    block: Block = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def part_of(block: Block) -> str:
    """Return where a block goes: to "train", "valid" or "test"."""
    first = next(filter(None, block), "")
    number = int.from_bytes(hashlib.blake2b(first.encode(), digest_size=8).digest(), "big")
    if number % TEST_EVERY == 0:
        return "test"
    return "valid" if number % VALID_EVERY == 1 else "train"


def texts(data: Path) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield the name of each text, and the lines of its three parts."""
    yield TATOEBA, {part: lines_of(data / TATOEBA / f"{part}.txt") for part in ("train", "valid", "test")}
    paths = [*sorted((data / "english").glob("*.txt.xz")), data / "gutenberg/pd_simple.txt", data / "open/masc.txt"]
    for path in paths:
        name = path.name.partition(".")[0]
        parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
        for block in blocks_of(name, lines_of(path)):
            parts[part_of(block)].extend(block)
        yield name, parts


def without(held_out: set[str]) -> Callable[[str], bool]:
    """Return whether a line may be trained on: no longer line that is held out may."""
    return lambda line: len(line.split()) < LONG or line.casefold() not in held_out


def explains(line: str) -> bool:
    """Whether a line is no longer than a sentence or two, and one clause in it explains another."""
    return len(line.split()) in WORDS_OF_REASONS and bool(EXPLAINING.search(line))


def main() -> None:
    data, output = map(Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    train = {}
    valid: list[str] = []
    held_out: set[str] = set()
    for name, parts in texts(data):
        train[name] = parts["train"]
        valid += first_words(parts["valid"], VALID_WORDS_OF_TATOEBA if name == TATOEBA else VALID_WORDS)
        write(output / f"{name}.test.txt", parts["test"])
        held_out.update(line.casefold() for part in ("valid", "test") for line in parts[part])
        print(f"{name}: {words_in(parts['test']):,} words held out to measure with")
    write(output / "valid.txt", valid)
    reasons: dict[str, None] = {}
    for name, lines in train.items():
        kept = list(filter(without(held_out), lines))
        write(output / f"{name}.txt", kept)
        reasons |= dict.fromkeys(filter(explains, kept))
        print(f"{name}: {words_in(kept):,} words to train on, {len(lines) - len(kept):,} lines left out")
    write(output / "reasons.txt", reasons)
    print(f"reasons: {words_in(reasons):,} words; valid: {words_in(valid):,} words")


if __name__ == "__main__":
    main()
