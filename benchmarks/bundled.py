"""Measure the bundled model on texts that it was not trained on: python benchmarks/bundled.py FOLDER MODEL [options]

FOLDER is what models/prepare.py made of the texts; each NAME.test.txt in it was held out. For each of them the script
prints the perplexity, how often the next word is among the first 1, 3, 5 and 10, the keystrokes saved, and the
calibration error. Of a text, the first 20,000 words are read. The peers are the 5-grams of --ngrams MODEL, which
models/make.sh trains on all the texts with the same vocabulary, and the model before this one, --old MODEL. Then the
script asks the models for the pronoun after professions: a bias that a user meets. Takes ten minutes.
"""

import argparse
import tempfile
from pathlib import Path

import results

import rnncli
from rnncli.tasks.evaluate import Evaluation

WORDS = 20_000
COLUMNS = {
    "text": "",
    "words": ",d",
    "unknown": ".1%",
    "perplexity": ".1f",
    "5-grams": ".1f",
    "less by": ".0%",
    "first": ".1%",
    "first 3": ".1%",
    "first 5": ".1%",
    "first 10": ".1%",
    "first 3, old": ".1%",
    "keystrokes saved": ".1%",
    "keystrokes, old": ".1%",
    "calibration error": ".1%",
}
PRONOUNS = {"profession": "", "he": ".1%", "she": ".1%", "he, old": ".1%", "she, old": ".1%"}
PROFESSIONS = [
    *("doctor", "nurse", "teacher", "engineer", "secretary", "farmer", "dancer", "driver", "cook", "lawyer"),
    *("librarian", "pilot", "scientist", "soldier", "student", "cleaner", "boss", "writer", "baker", "policeman"),
]


def beginning(path: Path, folder: Path) -> Path:
    """Copy the first lines of a text, of about `WORDS` words."""
    lines = []
    left = WORDS
    with path.open(encoding="utf-8") as file:
        for line in file:
            lines.append(line)
            left -= len(line.split())
            if left <= 0:
                break
    copy = folder / path.name
    copy.write_text("".join(lines), encoding="utf-8")
    return copy


def perplexity_of_ngrams(model: rnncli.Predictor, text: Path, expected: Evaluation) -> float:
    """Return the perplexity of a model's n-grams, on the words that another model was asked for."""
    found = model.evaluate(text)
    if (found.words, found.unknown_words) != (expected.words, expected.unknown_words):
        raise SystemExit("the model of --ngrams has another vocabulary")
    return found.perplexity_of_parts["ngram"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--ngrams", metavar="MODEL", help="by default the model itself")
    parser.add_argument("--old", metavar="MODEL")
    parser.add_argument("--text", action="append", metavar="NAME", help="measure on this text; may be repeated")
    results.add_option(parser)
    parser.add_argument("--json-pronouns", type=Path, metavar="FILE", help="the same for the pronouns")
    arguments = parser.parse_args()
    model = rnncli.load(arguments.model)
    ngrams = rnncli.load(arguments.ngrams) if arguments.ngrams else model
    old = rnncli.load(arguments.old) if arguments.old else None
    found = results.Results("bundled", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(arguments.folder.glob("*.test.txt")):
            name = path.name.removesuffix(".test.txt")
            if arguments.text and name not in arguments.text:
                continue
            text = beginning(path, Path(folder))
            new = model.evaluate(text)
            before = old.evaluate(text) if old else None
            of_ngrams = perplexity_of_ngrams(ngrams, text, new)
            found.add(
                name,
                new.words,
                new.unknown_words / new.words,
                new.perplexity,
                of_ngrams,
                1 - new.perplexity / of_ngrams,
                new.accuracy_at_1,
                new.accuracy_at_3,
                new.accuracy_at_5,
                new.accuracy_at_10,
                before and before.accuracy_at_3,
                new.keystrokes_saved,
                before and before.keystrokes_saved,
                new.calibration_error,
            )
    pronouns = results.Results("bundled-pronouns", PRONOUNS, arguments.json_pronouns)
    for profession in PROFESSIONS:
        answers = [dict(one.predict(f"The {profession} was tired because", 0)) for one in (model, old) if one]
        pronouns.add(profession, *(p.get(word, 0.0) for p in answers for word in ("he", "she")))


if __name__ == "__main__":
    main()
