"""Perplexity on the Penn Treebank: python benchmarks/perplexity.py DATA_FOLDER [MODEL...]

DATA_FOLDER/ptb holds train.txt, valid.txt and test.txt in Mikolov's preparation. Trains each model with the
settings below (chosen on validation), measures it once on the test text, and prints a table beside published
figures. Takes some 40 minutes on two cores.
"""

import argparse
import sys
from pathlib import Path

from rnncli import training

MODELS = {
    "lstm": {"cell": "lstm", "hidden_size": 320, "dropout": 0.35, "epochs": 8, "softmax": "full"},
    "elman": {"cell": "elman", "hidden_size": 256, "dropout": 0.2, "epochs": 8},
}
# The network without the other parts, and what would else follow from its size.
FIXED = {"ngram_order": 0, "cache_size": 0, "batch_size": 20, "samples": 500, "word_dropout": 0, "recurrent_dropout": 0}
PUBLISHED = [
    ("5-gram, modified Kneser-Ney (Mikolov et al. 2011)", 141.1),
    ("Elman network (Mikolov et al. 2011)", 124.7),
    ("LSTM, 2 x 200 units, no dropout (Zaremba et al. 2014)", 114.5),
    ("LSTM, 2 x 650 units, 20 M parameters (Zaremba et al. 2014)", 82.7),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{' or '.join(MODELS)}; all by default")
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    rows = []
    for name in arguments.models or MODELS:
        options = MODELS[name]
        trainer = training.start(
            [ptb / "train.txt"],
            valid=[ptb / "valid.txt"],
            tokenizer="whitespace",
            embedding_size=options["hidden_size"],
            **FIXED,
            **options,
        )
        for progress in trainer.run():
            if report := progress.report:
                print(f"{name} {report}", file=sys.stderr)
        model, minutes = trainer.best(), trainer.state.seconds / 60
        what = ", ".join(f"{option} {value}" for option, value in options.items())
        valid, test = (model.evaluate(ptb / f"{part}.txt").perplexity for part in ("valid", "test"))
        rows.append((what, minutes, valid, test))
    print("| Penn Treebank | minutes of training | validation perplexity | test perplexity |")
    print("|---|--:|--:|--:|")
    for what, minutes, valid, test in rows:
        print(f"| rnncli: {what} | {minutes:.1f} | {valid:.1f} | {test:.1f} |")
    for what, test in PUBLISHED:
        print(f"| {what} | | | {test} |")


if __name__ == "__main__":
    main()
