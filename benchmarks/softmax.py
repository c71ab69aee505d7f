"""What the sampled softmax costs in perplexity: python benchmarks/softmax.py DATA_FOLDER [CORPUS...]

DATA_FOLDER/ptb and DATA_FOLDER/wikitext-2 hold train.txt, valid.txt and test.txt. Trains the default network on each
twice, with the softmax over all words and with the sampled one, all else equal, to the end; the peer is the full
softmax. Takes some 80 minutes on two cores.
"""

import argparse
import sys
from pathlib import Path

from rnncli import training

CORPORA = {"ptb": 6, "wikitext-2": 3}  # epochs


def perplexities(corpus: Path, softmax: str) -> list[float]:
    """Of the validation and of the test text, after a whole training."""
    trainer = training.start(
        [corpus / "train.txt"],
        valid=[corpus / "valid.txt"],
        tokenizer="whitespace",
        softmax=softmax,
        epochs=CORPORA[corpus.name],
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
        "corpora", nargs="*", default=[], metavar="CORPUS", help=f"{' or '.join(CORPORA)}; both by default"
    )
    arguments = parser.parse_args()
    print("| text | full: validation | test | sampled: validation | test | sampled over full, test |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in arguments.corpora or CORPORA:
        sampled, full = (perplexities(arguments.data / name, softmax) for softmax in ("sampled", "full"))
        cells = " | ".join(f"{value:.1f}" for value in (*full, *sampled))
        print(f"| {name} | {cells} | {sampled[1] / full[1]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
