"""Measure what `--init` gains on a small text: python benchmarks/fine_tuning.py DATA_FOLDER [--model MODEL]

DATA_FOLDER/open/masc.txt is American English of many kinds. 50 kB from its middle play the part of a user's notes, and
the next 50 kB are the test text. The script compares the bundled model, a model trained on the notes alone, and one
trained on the notes with `--init bundled`. Each knows other words, so the perplexity is over the words that all three
know, given their whole context. Takes a few minutes on two cores.
"""

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import results

import rnncli
from rnncli.text.corpus import read_tokens
from rnncli.text.formats import ReadOptions
from rnncli.text.vocabulary import UNK_ID

NOTES_BYTES = 50_000


def loss_of_each(model: rnncli.Model, text: Path) -> tuple[np.ndarray, list[str]]:
    """Return the loss of each word of a text in nats, and the words."""
    _, tokens = read_tokens([text], model.tokenizer, ReadOptions("line"))
    nll, _ = model.lm.score(model.vocabulary.encode(tokens)[:, None], model.lm.initial_state(1))
    return nll[:, 0], [tokens.types[number] for number in tokens.ids]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument(
        "--model", type=Path, default=bundled, help="the model to go on from; by default the bundled one"
    )
    results.add_option(parser)
    arguments = parser.parse_args()
    text = (arguments.data / "open" / "masc.txt").read_text(encoding="utf-8")
    start = text.index("\n", len(text) // 2) + 1
    middle, end = (text.index("\n", start + size) + 1 for size in (NOTES_BYTES, 2 * NOTES_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.txt"
        test = Path(folder) / "test.txt"
        notes.write_text(text[start:middle], encoding="utf-8")
        test.write_text(text[middle:end], encoding="utf-8")
        base = rnncli.load(arguments.model)
        models = {
            "the bundled model": base,
            "trained on the notes from nothing": rnncli.train([notes]),
            "trained on the notes from the bundled model on": rnncli.train([notes], init=base),
        }
        losses = {name: loss_of_each(model, test) for name, model in models.items()}
    words = next(iter(losses.values()))[1]
    known = np.array([all(m.vocabulary.numbers.get(w, UNK_ID) != UNK_ID for m in models.values()) for w in words])
    columns = {"model": "", "perplexity": ".1f", "words": ",d", "of": ",d"}
    found = results.Results("fine-tuning", columns, arguments.json)
    for name, (nll, _) in losses.items():
        found.add(name, math.exp(nll[known].mean()), int(np.count_nonzero(known)), len(words))


if __name__ == "__main__":
    main()
