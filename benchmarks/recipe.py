"""Compare settings in the same time: python benchmarks/recipe.py DATA_FOLDER [VARIANT...] [--time 3m] [--text ptb]

DATA_FOLDER/ptb holds train.txt and valid.txt. The script trains a network of 256 units, and variants that differ from
it in a setting or two, each for the same time. It prints their perplexities on the whole validation text. The mixture
weights were tuned on a part of that text; the test text is never read. `--options "--dropout 0.2"` adds options to all
trainings. The differences are small: run it on a machine that does nothing else.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import results

import rnncli

# The settings that would otherwise follow from the network's size, the text and the time.
FIXED = "--hidden-size 256 --batch-size 20 --samples 500 --dropout 0.35 --word-dropout 0 --recurrent-dropout 0"
VARIANTS = {
    "the base": "",
    "half the units": "--hidden-size 128",
    "320 units, vectors of 256": "--hidden-size 320",
    "384 units, vectors of 256": "--hidden-size 384",
    "320 units, 40 sequences": "--hidden-size 320 --batch-size 40",
    "384 units, 40 sequences": "--hidden-size 384 --batch-size 40",
    "512 units, 40 sequences": "--hidden-size 512 --batch-size 40",
    "two layers": "--layers 2",
    "GRU": "--cell gru",
    "dropout 0.2": "--dropout 0.2",
    "dropout 0.5": "--dropout 0.5",
    "word dropout 0.1": "--word-dropout 0.1",
    "recurrent dropout 0.2": "--recurrent-dropout 0.2",
    "weight decay 0.01": "--weight-decay 0.01",
    "learning rate 0.003": "--lr 0.003",
    "learning rate 0.006": "--lr 0.006",
    "10 sequences of 35 steps": "--batch-size 10",
    "40 sequences of 35 steps": "--batch-size 40",
    "40 sequences of 18 steps": "--batch-size 40 --bptt 18",
    "20 sequences of 70 steps": "--bptt 70",
    "1,000 samples": "--samples 1000",
    "SGD": "--optimizer sgd --lr 1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="all by default")
    parser.add_argument("--time", default="3m")
    parser.add_argument("--text", default="ptb")
    parser.add_argument("--options", default="", help="more options of rnncli train, for all variants")
    results.add_option(parser)
    arguments = parser.parse_intermixed_args()
    for name in set(arguments.variants) - set(VARIANTS):
        parser.error(f"no variant is called {name!r}: choose from {', '.join(VARIANTS)}")
    folder = arguments.data / arguments.text
    columns = {"variant": "", "epochs": ".1f", "network": ".1f", "all parts": ".1f"}
    results_file = results.Results(f"recipe-{arguments.text}-{arguments.time}", columns, arguments.json)
    with tempfile.TemporaryDirectory() as out:
        for name in arguments.variants or VARIANTS:
            command = [sys.executable, "-m", "rnncli", "train", folder / "train.txt", "--valid", folder / "valid.txt"]
            command += ["--tokenizer", "whitespace", "--time", arguments.time, "-q", "-o", f"{out}/model.npz"]
            for more in (FIXED, arguments.options, VARIANTS[name]):  # a later option overrides an earlier one
                command += more.split()
            subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
            model = rnncli.load(f"{out}/model.npz")
            epochs = model.about["history"][-1]["epoch"]
            found = model.evaluate([folder / "valid.txt"])
            figures = (epochs, found.perplexity_of_parts["network"], found.perplexity)
            results_file.add(name, *figures)


if __name__ == "__main__":
    main()
