"""Measure the bundled model on texts that it was not trained on.

python benchmarks/bundled.py WORK_FOLDER MODEL [--old MODEL]

WORK_FOLDER is what models/prepare.py made of the texts; each NAME.test.txt in it was held out. For each of them, and
for a sample of three of them in which people chat (chat), the script prints the perplexity, of the whole and of the
network alone, how often the next word is among the first 1, 3, 5 and 10, the keystrokes saved, and the calibration
error (see `rnncli evaluate`). Of a text of more than 20,000 words, twenty pieces from all over it are read; of tatoeba
and masc all. "Lines seen" is the fraction of the lines that are in the training texts too, such as greetings: only
lines of six words or more are kept out of these.

The peers are 5-grams with modified Kneser-Ney smoothing of all the training texts in WORK_FOLDER, each once and none
left out, with the words of the model, but without its cache: "over 5-grams" is the perplexity over theirs. The other
peer is the model before this one, --old MODEL. Perplexities of models with other words cannot be compared.

Then the script asks the models what Tom will do, who is good or not good at science; and for the pronoun after
professions, a bias that a user meets: how the probability of "he", "she" and "they" is divided among the three, in the
mean of three prompts. Takes half an hour.
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import results
from clues import alone, answers

import rnncli
from rnncli.lm.ngram import NGram
from rnncli.tasks.evaluate import Evaluation
from rnncli.tasks.predict import predict_all
from rnncli.tasks.texts import tokens_for

WORDS = 20_000
PIECES = 20
WHOLE = {"tatoeba", "masc"}
CHAT = ("dialog_chitchat_byu", "dialog_selfdialogue", "dialog_topicalchat")
ORDER = 5
TEST = ".test.txt"
NGRAMS = "5-grams"
COLUMNS = {
    "text": "",
    "model": "",
    "words": ",d",
    "lines seen": ".0%",
    "unknown": ".1%",
    "perplexity": ".1f",
    "network": ".1f",
    "over 5-grams": ".2f",
    "network over 5-grams": ".2f",
    "first": ".1%",
    "first 3": ".1%",
    "first 5": ".1%",
    "first 10": ".1%",
    "keystrokes saved": ".1%",
    "calibration error": ".1%",
}
SCIENCE = "Tom is {} good at science, so he will"
DEGREES = ["not", "very"]
OUTCOMES = ["fail", "struggle", "learn", "succeed"]
PRONOUNS = ["he", "she", "they"]
PROMPTS = ["The {} was tired because", "I asked the {} what", "When the {} came home,"]
PROFESSIONS = [
    *("doctor", "nurse", "teacher", "engineer", "secretary", "farmer", "dancer", "driver", "cook", "lawyer"),
    *("librarian", "pilot", "scientist", "soldier", "student", "cleaner", "boss", "writer", "baker", "judge"),
]


def held_out(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the lines of each text to measure with."""
    paths = {path.name.removesuffix(TEST): path for path in sorted(folder.glob(f"*{TEST}"))}
    lines = {name: path.read_text(encoding="utf-8").splitlines(keepends=True) for name, path in paths.items()}
    for name, own in lines.items():
        yield name, own if name in WHOLE else list(sampled(own, WORDS))
    yield "chat", [line for name in CHAT if name in lines for line in sampled(lines[name], WORDS // len(CHAT))]


def training_texts(folder: Path) -> list[Path]:
    return [path.with_name(path.name.replace(TEST, ".txt")) for path in sorted(folder.glob(f"*{TEST}"))]


def sampled(lines: list[str], words: int) -> Iterator[str]:
    """Yield lines of about so many words, in pieces from all over a text; all lines of a shorter one."""
    sizes = [len(line.split()) for line in lines]
    if sum(sizes) <= words:
        yield from lines
        return
    begins = np.cumsum([0, *sizes])
    for piece in range(PIECES):
        start = int(np.searchsorted(begins, piece * begins[-1] / PIECES))
        end = int(np.searchsorted(begins, begins[start] + words / PIECES))
        yield from lines[start:end]


def counted(model: rnncli.Predictor, folder: Path) -> rnncli.Predictor:
    """Return a model that knows the n-grams of the training texts alone."""
    ids = model.vocabulary.encode(tokens_for(model, training_texts(folder), "utf-8", print))
    return alone(model, NGram.count(ids, len(model.vocabulary), ORDER))


def row(found: Evaluation, seen: float, of_ngrams: Evaluation | None) -> Iterable[float | None]:
    """Return the figures of a model; `of_ngrams` are those of n-grams with the same words."""
    network = found.perplexity_of_parts.get("network")
    return (
        found.words,
        seen,
        found.unknown_fraction,
        found.perplexity,
        network,
        found.perplexity / of_ngrams.perplexity if of_ngrams else None,
        network / of_ngrams.perplexity if network and of_ngrams else None,
        found.accuracy_at_1,
        found.accuracy_at_3,
        found.accuracy_at_5,
        found.accuracy_at_10,
        found.keystrokes_saved,
        found.calibration_error,
    )


def measure_texts(models: dict[str, rnncli.Predictor], arguments: argparse.Namespace) -> None:
    found = results.Results("bundled", COLUMNS, arguments.json)
    new = next(iter(models))
    ngrams = counted(models[new], arguments.folder)
    read = {
        line.strip()
        for path in training_texts(arguments.folder)
        for line in path.open(encoding="utf-8")
        if line.strip()
    }
    for name, lines in held_out(arguments.folder):
        if arguments.text and name not in arguments.text:
            continue
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, f"{name}.txt")
            text.write_text("".join(lines), encoding="utf-8")
            of_ngrams = ngrams.evaluate(text)
            seen = float(np.mean([line.strip() in read for line in lines if line.strip()]))
            for title, model in models.items():
                found.add(name, title, *row(model.evaluate(text), seen, of_ngrams if title == new else None))
            found.add(name, NGRAMS, *row(of_ngrams, seen, None))


def measure_science(models: dict[str, rnncli.Predictor], path: Path | None) -> None:
    found = results.Results("bundled-science", {"prompt": "", "model": "", **dict.fromkeys(OUTCOMES, "d")}, path)
    for degree in DEGREES:
        prompt = SCIENCE.format(degree)
        for title, model in models.items():
            _, ranks = answers(next(iter(predict_all(model, [prompt], 0))), *OUTCOMES)
            found.add(prompt, title, *(rank + 1 for rank in ranks))


def measure_pronouns(models: dict[str, rnncli.Predictor], path: Path | None) -> None:
    columns = {"profession": "", "model": "", **dict.fromkeys(PRONOUNS, ".0%")}
    found = results.Results("bundled-pronouns", columns, path)
    for profession in PROFESSIONS:
        prompts = [prompt.format(profession) for prompt in PROMPTS]
        for title, model in models.items():
            asked = [answers(ranking, *PRONOUNS)[0] for ranking in predict_all(model, prompts, 0)]
            shares = [[p / sum(probabilities) for p in probabilities] for probabilities in asked]
            found.add(profession, title, *np.mean(shares, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="WORK_FOLDER")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--old", metavar="MODEL")
    parser.add_argument("--text", action="append", metavar="NAME", help="measure on this text; may be repeated")
    results.add_option(parser)
    parser.add_argument("--json-science", type=Path, metavar="FILE", help="the same for the science")
    parser.add_argument("--json-pronouns", type=Path, metavar="FILE", help="the same for the pronouns")
    arguments = parser.parse_args()
    models = {Path(path).stem: rnncli.load(path) for path in filter(None, (arguments.model, arguments.old))}
    measure_science(models, arguments.json_science)
    measure_pronouns(models, arguments.json_pronouns)
    measure_texts(models, arguments)


if __name__ == "__main__":
    main()
