"""Measure bundled models on texts that they were not trained on: python benchmarks/bundled.py FOLDER MODEL...

FOLDER is what models/prepare.py made of the texts; each NAME.test.txt in it was held out. For each of them and each
model the script prints the perplexity, that of the 5-grams alone, how often the next word is among the first 1, 3, 5
and 10, the keystrokes saved, and the calibration error. Of a text, the first 20,000 words are read. The peers are the
5-grams, and other models that are named. Then the script asks each model for the pronoun after professions: a bias
that a user meets.
"""

import argparse
import tempfile
from pathlib import Path

import results

import rnncli

WORDS = 20_000
EVALUATION = {
    "text": "",
    "model": "",
    "words": ",d",
    "unknown": ".1%",
    "perplexity": ".1f",
    "5-grams": ".1f",
    "first": ".1%",
    "first 3": ".1%",
    "first 5": ".1%",
    "first 10": ".1%",
    "keystrokes saved": ".1%",
    "calibration error": ".1%",
}
PRONOUNS = {"model": "", "profession": "", "he": ".1%", "she": ".1%"}
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--text", action="append", metavar="NAME", help="measure on this text; may be repeated")
    results.add_option(parser)
    parser.add_argument("--json-pronouns", type=Path, metavar="FILE", help="the same for the pronouns")
    arguments = parser.parse_args()
    models = {Path(path).stem: rnncli.load(path) for path in arguments.models}
    evaluations = results.Results("bundled", EVALUATION, arguments.json)
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(arguments.folder.glob("*.test.txt")):
            text = path.name.removesuffix(".test.txt")
            if arguments.text and text not in arguments.text:
                continue
            for name, model in models.items():
                found = model.evaluate(beginning(path, Path(folder)))
                evaluations.add(
                    text,
                    name,
                    found.words,
                    found.unknown_words / found.words,
                    found.perplexity,
                    found.perplexity_of_parts.get("ngram"),
                    found.accuracy_at_1,
                    found.accuracy_at_3,
                    found.accuracy_at_5,
                    found.accuracy_at_10,
                    found.keystrokes_saved,
                    found.calibration_error,
                )
    pronouns = results.Results("bundled-pronouns", PRONOUNS, arguments.json_pronouns)
    for name, model in models.items():
        for profession in PROFESSIONS:
            p = dict(model.predict(f"The {profession} was tired because", 0))
            pronouns.add(name, profession, p.get("he", 0.0), p.get("she", 0.0))


if __name__ == "__main__":
    main()
