"""How far a fine-tuning should go from the network it began with: python benchmarks/interpolation.py DATA_FOLDER

The bundled model, or another --model, is trained further on the beginnings of two texts that it has not seen, and
predicts their ends: novels (from DATA_FOLDER/gutenberg/pd_novels.txt.xz) and source code (modules of Python's standard
library). Neither text is one of `personal.py`. The network of each training is measured at several places on the way
between the two, with the other parts of the model tuned beside it.
"""

import argparse
import lzma
import sysconfig
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import results

import rnncli
from rnncli.lm.network import Network
from rnncli.training.interpolation import interpolated

MODULES = ("ast", "dis", "ftplib", "http/server", "imaplib", "inspect", "locale", "mailbox", "smtplib", "subprocess")
MODULES += ("typing", "unittest/mock", "zipapp")
NOVELS_START = 20_000_000  # characters; personal.py takes the first ones
SIZE = 1_250_000  # characters
TEST_SIZE = 60_000
LEARNED = (0.1, 0.3, 0.8)  # of the text; the end is predicted
WAYS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
COLUMNS = {"text": "", "words": ",d", "way": ".2f", "perplexity": ".2f", "first three": ".1%", "keystrokes": ".1%"}


def texts(data: Path) -> dict[str, str]:
    with lzma.open(data / "gutenberg" / "pd_novels.txt.xz", "rt", encoding="utf-8") as file:
        file.read(NOVELS_START)
        file.readline()
        novels = file.read(SIZE)
    library = Path(sysconfig.get_path("stdlib"))
    code = "\n".join((library / f"{name}.py").read_text(encoding="utf-8") for name in MODULES)
    return {"novels": novels, "code": code[:SIZE]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument("--model", type=Path, default=bundled, help="by default the bundled model")
    parser.add_argument("--time", type=float, default=60.0, help="seconds for each training")
    results.add_option(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # about marks in source code
    base = rnncli.load(arguments.model)
    found = results.Results("interpolation", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as name:
        own, test = (Path(name, file) for file in ("own.txt", "test.txt"))
        for title, text in texts(arguments.data).items():
            test.write_text(text[text.index("\n", len(text) * 4 // 5) + 1 :][:TEST_SIZE], encoding="utf-8")
            for fraction in LEARNED:
                own.write_text(text[: int(len(text) * fraction)], encoding="utf-8")
                training = rnncli.start_training(own, init=base, time=arguments.time)
                begun_with = {name: value.copy() for name, value in training.state.network.values().items()}
                for _ in training.run():
                    pass
                model = training.best()
                ids = training.builder.tuning_texts(training.corpus.valid, training.state.tuning_words)
                for way in WAYS:
                    values = interpolated(begun_with, training.state.best.values, way)
                    tuned = training.builder.tune([Network(training.plan.network, values)], ids)
                    told = replace(model, lm=tuned.mixture).evaluate(test)
                    words = len(training.corpus.training_text)
                    found.add(title, words, way, told.perplexity, told.accuracy_at_3, told.keystrokes_saved)


if __name__ == "__main__":
    main()
