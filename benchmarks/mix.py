"""Measure what a mix costs each of its models: python benchmarks/mix.py FIRST_TEXT SECOND_TEXT

The texts are files of lines, such as one in English and one in German. Of each, the last lines are the test text, and a
model is trained on the others for --time. The mix of both is measured beside each model, its peer, on the test text of
its language, and on both test texts with their lines in turn. The perplexity is over the words that the model knows,
each given all before it.
"""

import argparse
import itertools
import math
import tempfile
from pathlib import Path

import numpy as np
import results
from fine_tuning import loss_of_each

import rnncli
from rnncli.text.vocabulary import EOS, UNK_ID

TEST_CHARACTERS = 60_000
COLUMNS = {"test text": "", "words": ",d", "its own model": ".1f", "mix": ".1f", "mix, lines in turn": ".1f"}
COLUMNS |= {"mix over own": ".3f", "in turn over own": ".3f"}


def cut(text: Path) -> tuple[list[str], list[str]]:
    """Return the lines to train on and the last ones."""
    lines = [line for line in text.read_text(encoding="utf-8").splitlines() if line.strip()]
    sizes = itertools.accumulate(len(line) + 1 for line in reversed(lines))
    count = max(1, sum(size <= TEST_CHARACTERS for size in sizes))
    return lines[:-count], lines[-count:]


def lines_of(losses: np.ndarray, words: list[str]) -> list[np.ndarray]:
    """Cut the losses of the words of a text by its lines."""
    ends = np.flatnonzero(np.array(words) == EOS) + 1
    return np.split(losses, ends[:-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs=2, metavar="TEXT")
    parser.add_argument("--time", type=float, default=300.0, help="seconds for each training")
    results.add_option(parser)
    arguments = parser.parse_args()
    found = results.Results("mix", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "text.txt"

        def write(lines: list[str]) -> Path:
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            return path

        parts = [cut(text) for text in arguments.texts]
        models = [rnncli.train(write(train), unit="line", time=arguments.time) for train, _ in parts]
        both = models[0].mixed(models[1])
        tests = [test for _, test in parts]
        in_turn = [line for pair in zip(*tests, strict=False) for line in pair]
        mixed_lines = lines_of(*loss_of_each(both, write(in_turn)))
        for number, (text, model, test) in enumerate(zip(arguments.texts, models, tests, strict=True)):
            test = test[: len(in_turn) // 2]
            own, words = loss_of_each(model, write(test))
            mix, _ = loss_of_each(both, path)
            turn = np.concatenate(mixed_lines[number::2])
            known = np.array([model.vocabulary.numbers.get(word, UNK_ID) != UNK_ID for word in words])
            perplexities = [math.exp(losses[known].mean()) for losses in (own, mix, turn)]
            ratios = [perplexity / perplexities[0] for perplexity in perplexities[1:]]
            found.add(text.stem, int(np.count_nonzero(known)), *perplexities, *ratios)


if __name__ == "__main__":
    main()
