"""Measure what the sampled softmax costs in perplexity: python benchmarks/softmax.py DATA_FOLDER [CORPUS...]

DATA_FOLDER/ptb and DATA_FOLDER/wikitext-2 hold train.txt, valid.txt and test.txt. The script trains the default network
on each twice, with the softmax over all words and with the sampled softmax, all else equal. The peer is the full
softmax. Takes about 80 minutes on two cores.
"""

import argparse
import sys
from pathlib import Path

import results

import rnncli

EPOCHS = {"ptb": 6, "wikitext-2": 3}  # of each corpus
COLUMNS = {
    "text": "",
    "full: validation": ".1f",
    "full: test": ".1f",
    "sampled: validation": ".1f",
    "sampled: test": ".1f",
    "sampled over full, test": ".3f",
}


def perplexities(corpus: Path, softmax: str) -> list[float]:
    """Train, and return the perplexities of the validation and the test text."""
    trainer = rnncli.start_training(
        [corpus / "train.txt"],
        valid=[corpus / "valid.txt"],
        tokenizer="whitespace",
        softmax=softmax,
        epochs=EPOCHS[corpus.name],
        ngram_order=0,  # the network alone
        cache_size=0,
    )
    for progress in trainer.run():
        if progress.report:
            print(corpus.name, softmax, progress.report, file=sys.stderr)
    model = trainer.best()
    return [model.evaluate(corpus / f"{part}.txt").perplexity for part in ("valid", "test")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument(
        "corpora", nargs="*", default=[], metavar="CORPUS", help=f"{' or '.join(EPOCHS)}; both by default"
    )
    results.add_option(parser)
    arguments = parser.parse_args()
    found = results.Results("softmax", COLUMNS, arguments.json)
    for name in arguments.corpora or EPOCHS:
        sampled, full = (perplexities(arguments.data / name, softmax) for softmax in ("sampled", "full"))
        found.add(name, *full, *sampled, sampled[1] / full[1])


if __name__ == "__main__":
    main()
