"""Judge what models answer to everyday prompts.

python benchmarks/prompts.py MODEL... --key KEY > lines.tsv
python benchmarks/prompts.py --key KEY --verdicts VERDICTS

For each of the prompts in prompts.txt, beside this script, the first command prints the first five words of each model,
without the end of a sentence, and as a decoy the words that a model answered to another prompt. All lines are shuffled,
by a number that is drawn anew each time, so that nobody knows which model answered; the key tells it.

A judge reads the lines, but not the key, and writes a file with the number of each line, a tab, and yes or no: whether
one of the five words fits. A word fits if a careful writer could go on with it, to a sentence that makes sense after
all that the prompt says. A word that goes with the last words of the prompt alone does not fit, nor does one that could
stand after almost any prompt, such as "be" or "the", unless the prompt calls for it.

The second command prints for how many prompts each model has a fitting word. The judge is too mild if many decoys fit.
The list was written before the bundled model was trained, and nothing is trained on it.
"""

import argparse
import csv
import json
import random
from collections import defaultdict
from pathlib import Path

import results

import rnncli

PROMPTS = Path(__file__).with_name("prompts.txt")
FIRST = 5
EOS = "<eos>"
DECOY = "a decoy"


def first_words(model: rnncli.Predictor, prompt: str) -> list[str]:
    return [word for word, _ in model.predict(prompt, FIRST + 1) if word != EOS][:FIRST]


def ask(models: list[str], key: Path) -> None:
    """Print the lines to judge, and write the key."""
    order = random.SystemRandom()
    prompts = PROMPTS.read_text(encoding="utf-8").splitlines()
    lines = []
    for path in models:
        model = rnncli.load(path)
        lines += [(prompt, first_words(model, prompt), Path(path).stem) for prompt in prompts]
    answered = [words for _, words, _ in lines]
    for number, prompt in enumerate(prompts):
        others = [words for place, words in enumerate(answered) if place % len(prompts) != number]
        lines.append((prompt, order.choice(others), DECOY))
    order.shuffle(lines)
    for number, (prompt, words, _) in enumerate(lines, 1):
        print(number, prompt, ", ".join(words), sep="\t")
    key.write_text(json.dumps([title for *_, title in lines]), encoding="utf-8")


def tally(key: Path, verdicts: Path, path: Path | None) -> None:
    """Print how many lines of each model fit."""
    titles = json.loads(key.read_text(encoding="utf-8"))
    with verdicts.open(encoding="utf-8", newline="") as file:
        judged = {int(number): verdict.strip() for number, verdict in csv.reader(file, delimiter="\t")}
    if sorted(judged) != list(range(1, len(titles) + 1)) or not set(judged.values()) <= {"yes", "no"}:
        raise SystemExit(f"{verdicts} does not say yes or no for each of the {len(titles)} lines")
    by_model = defaultdict(list)
    for number, title in enumerate(titles, 1):
        by_model[title].append(judged[number] == "yes")
    found = results.Results("prompts", {"model": "", "prompts": "d", "a fitting word": "d", "share": ".0%"}, path)
    for title, fits in sorted(by_model.items()):
        found.add(title, len(fits), sum(fits), sum(fits) / len(fits))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--key", type=Path, metavar="FILE", required=True)
    parser.add_argument("--verdicts", type=Path, metavar="FILE")
    results.add_option(parser)
    arguments = parser.parse_args()
    if arguments.verdicts:
        tally(arguments.key, arguments.verdicts, arguments.json)
    else:
        ask(arguments.models, arguments.key)


if __name__ == "__main__":
    main()
