"""Measure the network alone on the Penn Treebank: python benchmarks/perplexity.py DATA_FOLDER [MODEL...]

DATA_FOLDER/ptb holds train.txt, valid.txt and test.txt in Mikolov's preparation. The script trains each model with the
settings below, which were chosen on the validation text, and measures it once on the test text. Its peers are published
figures (benchmarks/results/published.json). Takes about 40 minutes on two cores.
"""

import argparse
import sys
from pathlib import Path

import results

import rnncli

MODELS = {
    "lstm": {"cell": "lstm", "hidden_size": 320, "dropout": 0.35, "epochs": 8, "softmax": "full"},
    "elman": {"cell": "elman", "hidden_size": 256, "dropout": 0.2, "epochs": 8},
}
# The network without the other parts, and the settings that would otherwise follow from its size.
FIXED = {"ngram_order": 0, "cache_size": 0, "batch_size": 20, "samples": 500, "word_dropout": 0, "recurrent_dropout": 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{' or '.join(MODELS)}; all by default")
    results.add_option(parser)
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    columns = {"network": "", "minutes": ".1f", "validation perplexity": ".1f", "test perplexity": ".1f"}
    found = results.Results("perplexity", columns, arguments.json)
    for name in arguments.models or MODELS:
        options = MODELS[name]
        trainer = rnncli.start_training(
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
        model = trainer.best()
        minutes = trainer.state.seconds / 60
        what = ", ".join(f"{option} {value}" for option, value in options.items())
        valid, test = (model.evaluate(ptb / f"{part}.txt").perplexity for part in ("valid", "test"))
        found.add(what, minutes, valid, test)


if __name__ == "__main__":
    main()
