"""Compare what a training reports with the whole: python benchmarks/watching.py DATA_FOLDER [TEXT...] [--time 2m]

DATA_FOLDER holds `ptb`, `wikitext-2` and `tatoeba`, each with train.txt and valid.txt. A training by the clock watches
part of the validation text, and chooses the best network by it. For each text, the script trains for the time, and
prints the perplexity of the chosen network as it was reported, and that on the whole validation text, as `rnncli
evaluate` reads it: the peer. Takes the time for each text, and half a minute.
"""

import argparse
import math
from pathlib import Path

import results

import rnncli
from rnncli.cli.options import DURATION
from rnncli.lm.network import Network
from rnncli.lm.perplexity import mean_loss

TEXTS = {"ptb": "whitespace", "wikitext-2": "whitespace", "tatoeba": "word"}  # and their tokenizers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help=f"{', '.join(TEXTS)}; all by default")
    parser.add_argument("--time", default="2m")
    parser.add_argument("--threads", type=int)
    results.add_option(parser)
    arguments = parser.parse_args()
    columns = {
        "text": "",
        "time": "",
        "held-out words": ",d",
        "watched": ",d",
        "network, as reported": ".1f",
        "network, on the whole": ".1f",
        "reported over whole": ".3f",
    }
    found = results.Results("watching", columns, arguments.json)
    for text in arguments.texts or TEXTS:
        folder = arguments.data / text
        trainer = rnncli.start_training(
            [folder / "train.txt"],
            valid=[folder / "valid.txt"],
            tokenizer=TEXTS[text],
            time=DURATION.convert(arguments.time, None, None),
            threads=arguments.threads,
        )
        for _ in trainer.run():
            pass
        reported = trainer.state.best.perplexity
        network = Network(trainer.plan.network, trainer.state.best.values)
        valid = trainer.corpus.valid
        whole = math.exp(mean_loss(network, [valid]))
        found.add(text, arguments.time, len(valid), trainer.watch.words, reported, whole, reported / whole)


if __name__ == "__main__":
    main()
