"""Measure what learning a person's text is worth: python benchmarks/personal.py DATA_FOLDER WORK_FOLDER

Four texts that the bundled model has not seen play the part of a person's own: a chat (dialog_chitchat_byu.test.txt
in WORK_FOLDER, held out by models/prepare.py), a novel (the first one of DATA_FOLDER/gutenberg/pd_novels.txt.xz),
notes in Markdown (the documents of this project), and source code (modules of Python's standard library). Each is
split in its order: that of time for the chat and the novel, that of names for the others. Of the first four fifths,
the first 10, 30 and 100 % are learned, and the last fifth is predicted. Of each part, a beginning of limited size is
taken.

`rnncli learn` with the bundled model, or another --model, is measured beside that model alone, the n-grams of the text
alone, `rnncli train --init MODEL` and `rnncli train`, which take --time each, and `rnncli mix` of the model and the
latter. The figures are how often the next word is among the first three, and the fraction of keystrokes saved. A
picture of all result files, personal.svg, is drawn beside the script if Matplotlib is installed.
"""

import argparse
import lzma
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np
import results

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.lm.ngram import NGram
from rnncli.text.corpus import read_tokens
from rnncli.text.formats import ReadOptions
from rnncli.text.vocabulary import Vocabulary

MODULES = ("argparse", "difflib", "doctest", "optparse", "pdb", "pickle", "pydoc", "tarfile", "turtle", "zipfile")
LEARNED_BYTES = 1_000_000  # at most
TEST_BYTES = 60_000  # at most
FRACTIONS = (0.1, 0.3, 1.0)
SUFFIXES = {"notes": ".md"}
COLUMNS = {
    "text": "",
    "learned, kB": ",.0f",
    "way": "",
    "seconds": ".1f",
    "among the first three": ".1%",
    "keystrokes saved": ".1%",
}


def beginning(path: Path, size: int) -> str:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return file.read(size)


def texts(data: Path, prepared: Path) -> dict[str, str]:
    """Return the texts of a person by what they are."""
    size = LEARNED_BYTES + LEARNED_BYTES // 4
    project = Path(__file__).resolve().parents[1]
    notes = [*sorted(project.glob("*.md")), *sorted((project / "docs").glob("*.md"))]
    code = [Path(sysconfig.get_path("stdlib")) / f"{name}.py" for name in MODULES]
    return {
        "chat": (prepared / "dialog_chitchat_byu.test.txt").read_text(encoding="utf-8")[:size],
        "novel": beginning(data / "gutenberg" / "pd_novels.txt.xz", size),
        "notes": "\n".join(path.read_text(encoding="utf-8") for path in notes),
        "code": "\n".join(path.read_text(encoding="utf-8") for path in code)[:size],
    }


def ngrams_alone(path: Path, base: rnncli.Model) -> rnncli.Predictor:
    """Return a model of the n-grams of a text."""
    _, tokens = read_tokens([path], base.tokenizer, ReadOptions("line"))
    vocabulary = Vocabulary.from_tokens(tokens)
    ngram = NGram.count(vocabulary.encode(tokens), len(vocabulary))
    lm = Mixture([ngram], len(vocabulary), np.ones((ngram.groups, 1)))
    return rnncli.Predictor(lm, vocabulary, base.tokenizer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("prepared", type=Path, metavar="WORK_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument("--model", type=Path, default=bundled, help="by default the bundled model")
    parser.add_argument("--time", type=float, default=60.0, help="seconds for each training")
    parser.add_argument("--text", action="append", help="measure on this text only; may be repeated")
    results.add_option(parser)
    arguments = parser.parse_args()
    base = rnncli.load(arguments.model)
    found = results.Results("personal", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, text in texts(arguments.data, arguments.prepared).items():
            if arguments.text and title not in arguments.text:
                continue
            cut = text.index("\n", len(text) * 4 // 5) + 1
            suffix = SUFFIXES.get(title, ".txt")
            test = folder / f"test{suffix}"
            test.write_text(text[cut:][:TEST_BYTES], encoding="utf-8")

            def measure(size: float, way: str, make, title=title, test=test) -> rnncli.Model:
                began = time.perf_counter()
                model = make()
                seconds = time.perf_counter() - began
                evaluation = model.evaluate(test)
                found.add(title, size / 1e3, way, seconds, evaluation.accuracy_at_3, evaluation.keystrokes_saved)
                return model

            measure(0, "the model alone", lambda: base)
            for fraction in FRACTIONS:
                own = folder / f"own{suffix}"
                own.write_text(text[: int(cut * fraction)][:LEARNED_BYTES], encoding="utf-8")
                size = own.stat().st_size
                measure(size, "learn", lambda own=own: base.learned(own))
                measure(size, "n-grams of the text alone", lambda own=own: ngrams_alone(own, base))
                limits = {"time": arguments.time}
                measure(size, "train --init", lambda own=own, limits=limits: rnncli.train(own, init=base, **limits))
                limits["unit"] = base.unit  # so that the two go together
                trained = measure(size, "train", lambda own=own, limits=limits: rnncli.train(own, **limits))
                measure(size, "train, and mix", lambda trained=trained: base.mixed(trained))
    draw([row for record in results.read("personal") for row in record["rows"]] or found.rows)


def draw(rows: list) -> None:
    """Draw the keystrokes saved against the size of what was learned."""
    try:
        from matplotlib import pyplot
    except ImportError:
        return
    names = list(dict.fromkeys(row["text"] for row in rows))
    figure, axes = pyplot.subplots(1, len(names), figsize=(3 * len(names), 3), sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        own = [row for row in rows if row["text"] == name]
        axis.axhline(100 * own[0]["keystrokes saved"], color="grey", linestyle=":", label=own[0]["way"])
        for way in dict.fromkeys(row["way"] for row in own[1:]):
            points = [row for row in own if row["way"] == way]
            axis.semilogx(
                [row["learned, kB"] for row in points],
                [100 * row["keystrokes saved"] for row in points],
                marker="o",
                label=way,
            )
        axis.set_title(name)
        axis.set_xlabel("kB learned")
    axes[0, 0].set_ylabel("keystrokes saved, %")
    axes[0, -1].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(Path(__file__).with_name("personal.svg"))


if __name__ == "__main__":
    main()
