"""Cut the texts of the bundled model into a part to train on and a part to measure with.

python models/prepare.py DATA_FOLDER OUTPUT_FOLDER

DATA_FOLDER/english/*.txt.xz, DATA_FOLDER/gutenberg/pd_simple.txt and DATA_FOLDER/open/masc.txt are cut into blocks: the
conversations and documents between blank lines, or else a hundred lines each. Every twentieth block goes to
OUTPUT_FOLDER/NAME.test.txt, the others to OUTPUT_FOLDER/NAME.txt. Of sentences that begin with the same five words, all
go to the same side where the text is made of pairs (sentences_winogrande): they are blocks. Which blocks are held out
is decided by a hash of their first line, so it does not depend on the others.

DATA_FOLDER/tatoeba is cut already: its train.txt and test.txt are copied.
"""

import hashlib
import lzma
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

EVERY = 20
LINES_PER_BLOCK = 100
MIN_BLOCKS = 200  # between blank lines; a text of fewer is cut into blocks of lines
SAME_WORDS = 5
OF_PAIRS = {"sentences_winogrande"}
Block = list[str]


def lines_of(path: Path) -> list[str]:
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


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


def is_held_out(block: Block) -> bool:
    first = next(filter(None, block), "")
    return int.from_bytes(hashlib.blake2b(first.encode(), digest_size=8).digest(), "big") % EVERY == 0


def main() -> None:
    data, output = map(Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    texts = [*sorted((data / "english").glob("*.txt.xz")), data / "gutenberg/pd_simple.txt", data / "open/masc.txt"]
    for path in texts:
        name = path.name.partition(".")[0]
        blocks = blocks_of(name, lines_of(path))
        sides = [[block for block in blocks if is_held_out(block) is held_out] for held_out in (False, True)]
        for side, suffix in zip(sides, (".txt", ".test.txt"), strict=True):
            (output / f"{name}{suffix}").write_text("".join(f"{line}\n" for block in side for line in block), "utf-8")
        words = [sum(len(line.split()) for block in side for line in block) for side in sides]
        print(f"{name}: {len(blocks):,} blocks, {words[0]:,} words to train on, {words[1]:,} held out")
    for part, suffix in (("train", ".txt"), ("test", ".test.txt")):
        shutil.copyfile(data / "tatoeba" / f"{part}.txt", output / f"tatoeba{suffix}")


if __name__ == "__main__":
    main()
