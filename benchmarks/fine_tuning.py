"""What going on from a model gains on a small text: python benchmarks/fine_tuning.py DATA_FOLDER [--model MODEL]

DATA_FOLDER/open/masc.txt is American English of many kinds. Some 50 kB from its middle are a user's notes, the 50 kB
after them the test. Compared are the bundled model as it is, a training on the notes from nothing, and one that goes
on from the bundled model. As each knows other words, measured are the words that all three know, given their whole
context. Takes some minutes on two cores.
"""

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np

import rnncli
from rnncli.text.corpus import read_tokens
from rnncli.text.vocabulary import UNK_ID

NOTES = 50_000  # bytes


def loss_of_each(model: rnncli.Model, text: Path) -> tuple[np.ndarray, list[str]]:
    """The loss of every word of a text in nats, and the words."""
    _, tokens = read_tokens([text], model.tokenizer, "line")
    nll, _ = model.lm.score(model.vocabulary.encode(tokens)[:, None], model.lm.start(1))
    return nll[:, 0], [tokens.types[number] for number in tokens.ids]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument(
        "--model", type=Path, default=bundled, help="the model to go on from; the bundled one by default"
    )
    arguments = parser.parse_args()
    text = (arguments.data / "open" / "masc.txt").read_text(encoding="utf-8")
    start = text.index("\n", len(text) // 2) + 1
    middle, end = (text.index("\n", start + size) + 1 for size in (NOTES, 2 * NOTES))
    with tempfile.TemporaryDirectory() as folder:
        notes, test = Path(folder) / "notes.txt", Path(folder) / "test.txt"
        notes.write_text(text[start:middle], encoding="utf-8")
        test.write_text(text[middle:end], encoding="utf-8")
        base = rnncli.load(arguments.model)
        models = {
            "the model as it is": base,
            "trained on the notes from nothing": rnncli.train([notes]),
            "trained on the notes from the model on": rnncli.train([notes], init=base),
        }
        losses = {name: loss_of_each(model, test) for name, model in models.items()}
    words = next(iter(losses.values()))[1]
    known = np.array([all(m.vocabulary.numbers.get(w, UNK_ID) != UNK_ID for m in models.values()) for w in words])
    print(f"| {np.count_nonzero(known):,} words that all three know, of {len(words):,} | perplexity |")
    print("|---|--:|")
    for name, (nll, _) in losses.items():
        print(f"| {name} | {math.exp(nll[known].mean()):.1f} |")


if __name__ == "__main__":
    main()
