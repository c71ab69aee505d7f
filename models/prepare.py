"""Cut the texts of the bundled model into parts to train on and parts to measure with.

python models/prepare.py DATA_FOLDER WORK_FOLDER

DATA_FOLDER/english/*.txt.xz, DATA_FOLDER/gutenberg/pd_simple.txt and DATA_FOLDER/open/masc.txt are cut into blocks: the
conversations and documents between blank lines, or else a hundred lines each. What belongs together makes one block:
sentences of a text of pairs that begin with the same five words, and the versions of an article, which have eight words
in a row in common. A hash of a block decides where it goes: every twentieth to WORK_FOLDER/NAME.test.txt, those with
the lowest hashes, up to so many words of each text, to WORK_FOLDER/valid.txt, the others to WORK_FOLDER/NAME.txt.

DATA_FOLDER/tatoeba is cut already: its train.txt and test.txt are copied, and the beginning of its valid.txt goes to
valid.txt. A longer line that is in one of the parts to measure with is left out of all parts to train on, and so is a
sentence of benchmarks/grammar.tsv.

Some of the texts hold sentences of everyday life. WORK_FOLDER/valid-everyday.txt is the part of valid.txt that is
from these, with more of tatoeba. The sentences in which one clause gives the reason for another ("..., so ...",
"because ...") go to WORK_FOLDER/reasons.txt as well, once each; but not those of the pairs, most of which do.
"""

import hashlib
import lzma
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

TEST_EVERY = 20
VALID_WORDS = 4_000  # of each text
VALID_WORDS_OF_TATOEBA = 20_000
EVERYDAY_WORDS = 2_000  # of each text but tatoeba
LINES_PER_BLOCK = 100
MIN_BLOCKS = 200  # between blank lines; a text of fewer is cut into blocks of lines
SAME_WORDS = 5
RUN = 8
LONG = 6  # words of a line that two texts have in common only where one has it from the other
TATOEBA = "tatoeba"
OF_PAIRS = {"sentences_winogrande"}
OF_VERSIONS = {"news_onestop"}
EVERYDAY = {
    *(TATOEBA, "sentences_winogrande", "sentences_commonvoice", "dialog_chitchat_byu", "dialog_topicalchat"),
    *("dialog_star", "dialog_personachat_synth", "dialog_selfdialogue", "fiction_standardebooks", "pd_simple"),
    *("stories_asp", "masc"),
}
REASON = re.compile(  # with three words before it and after it
    r"(\S+ ){3,}((?<=, )(so|but)|because|although|therefore|so (\w+ )?that|too \w+ to|not \w+ enough to)( \S+){3,}",
    re.IGNORECASE,
)
# Speech that goes on from another sentence, or breaks off.
GOES_ON = re.compile(r"(so|because|but|and|or|yeah|well|right|okay|yes|no|i mean)\b", re.IGNORECASE)
BREAKS_OFF = re.compile(r"\.\.\.|[—–:]")
WORDS_OF_REASONS = range(6, 31)  # of a line that goes to reasons.txt
Block = list[str]


class Parts(NamedTuple):
    """The lines of a text, by what they are for."""

    train: list[str]
    valid: list[str]
    test: list[str]


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
    blocks = [[*block, ""] for block in between_blank_lines(lines)]
    if name in OF_VERSIONS:
        return joined(blocks)
    if len(blocks) >= MIN_BLOCKS:
        return blocks
    return [lines[start : start + LINES_PER_BLOCK] for start in range(0, len(lines), LINES_PER_BLOCK)]


def between_blank_lines(lines: Iterable[str]) -> Iterator[Block]:
    block: Block = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def joined(blocks: list[Block]) -> list[Block]:
    """Join the blocks that have some words in a row in common."""
    groups = list(range(len(blocks)))  # of each block, an earlier one of its group, or itself
    first_with: dict[tuple[str, ...], int] = {}

    def group_of(number: int) -> int:
        while groups[number] != number:
            number = groups[number]
        return number

    for number, block in enumerate(blocks):
        words = " ".join(block).casefold().split()
        for run in zip(*(words[start:] for start in range(RUN)), strict=False):
            a, b = sorted(map(group_of, (first_with.setdefault(run, number), number)))
            groups[b] = a
    together = defaultdict(list)
    for number, block in enumerate(blocks):
        together[group_of(number)].extend(block)
    return list(together.values())


def hash_of(block: Block) -> int:
    return int.from_bytes(hashlib.blake2b("\n".join(block).encode(), digest_size=8).digest(), "big")


def cut(blocks: list[Block]) -> Parts:
    """Share out the blocks of a text."""
    parts = Parts([], [], [])
    hashes = list(map(hash_of, blocks))
    to_tune = set()
    words = 0
    for number in sorted(range(len(blocks)), key=hashes.__getitem__):
        if words >= VALID_WORDS:
            break
        if hashes[number] % TEST_EVERY:
            to_tune.add(number)
            words += words_in(blocks[number])
    for number, block in enumerate(blocks):
        is_test = hashes[number] % TEST_EVERY == 0
        (parts.test if is_test else parts.valid if number in to_tune else parts.train).extend(block)
    return parts


def texts(data: Path) -> Iterator[tuple[str, Parts]]:
    """Yield the name and the parts of each text."""
    train, valid, test = (lines_of(data / TATOEBA / f"{part}.txt") for part in Parts._fields)
    yield TATOEBA, Parts(train, list(first_words(valid, VALID_WORDS_OF_TATOEBA)), test)
    paths = [*sorted((data / "english").glob("*.txt.xz")), data / "gutenberg/pd_simple.txt", data / "open/masc.txt"]
    for path in paths:
        name = path.name.partition(".")[0]
        yield name, cut(blocks_of(name, lines_of(path)))


def without(held_out: set[str], judged: set[str]) -> Callable[[str], bool]:
    """Return whether a line may be trained on: no `judged` sentence may, and no longer line that is held out."""

    def may_be_read(line: str) -> bool:
        folded = line.casefold()
        return folded not in judged and (len(line.split()) < LONG or folded not in held_out)

    return may_be_read


def judged_sentences() -> set[str]:
    """Return the sentences of the list that judges the grammar of a model."""
    rows = lines_of(Path(__file__).resolve().parents[1] / "benchmarks" / "grammar.tsv")[1:]
    return {sentence.casefold() for row in rows for sentence in row.split("\t")[1:]}


def gives_a_reason(line: str) -> bool:
    """Whether a line is no longer than a sentence or two, and one clause in it gives the reason for another."""
    is_whole = not GOES_ON.match(line) and not BREAKS_OFF.search(line)
    return len(line.split()) in WORDS_OF_REASONS and is_whole and bool(REASON.fullmatch(line))


def main() -> None:
    data, output = map(Path, sys.argv[1:])
    if missing := [name for name in (TATOEBA, "english", "gutenberg", "open") if not (data / name).is_dir()]:
        sys.exit(f"{data} has no folder {', '.join(missing)}: name the folder that holds the texts")
    output.mkdir(parents=True, exist_ok=True)
    found = dict(texts(data))
    held_out = {line.casefold() for parts in found.values() for line in (*parts.valid, *parts.test)}
    judged = judged_sentences()
    valid: list[str] = []
    everyday: list[str] = []
    reasons: dict[str, None] = {}
    for name, parts in found.items():
        kept = list(filter(without(held_out, judged), parts.train))
        valid += parts.valid
        if name in EVERYDAY:
            everyday += parts.valid if name == TATOEBA else first_words(parts.valid, EVERYDAY_WORDS)
        if name not in OF_PAIRS:
            reasons |= dict.fromkeys(filter(gives_a_reason, kept))
        write(output / f"{name}.test.txt", parts.test)
        write(output / f"{name}.txt", kept)
        left_out = len(parts.train) - len(kept)
        print(
            f"{name}: {words_in(kept):,} words to train on, {left_out:,} lines left out; {words_in(parts.valid):,} to"
            f" tune, {words_in(parts.test):,} to measure with"
        )
    for name, lines in (("valid", valid), ("valid-everyday", everyday), ("reasons", reasons)):
        write(output / f"{name}.txt", lines)
        print(f"{name}: {words_in(lines):,} words")


if __name__ == "__main__":
    main()
