"""Print what models answer to everyday prompts, to be judged: python benchmarks/prompts.py MODEL... [--key FILE]

For each of the prompts in prompts.txt, beside this script, the script prints the first five words of each model,
without the end of a sentence. Which model answers first is drawn anew for each prompt, so that a judge does not know:
the order goes to the file --key. The judge writes down for each line whether one of the words fits. The list was
written before the bundled model was trained, and nothing is trained on it.
"""

import argparse
import json
import random
from pathlib import Path

import rnncli

PROMPTS = Path(__file__).with_name("prompts.txt")
FIRST = 5
EOS = "<eos>"


def first_words(model: rnncli.Predictor, prompt: str) -> list[str]:
    return [word for word, _ in model.predict(prompt, FIRST + 1) if word != EOS][:FIRST]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--key", type=Path, metavar="FILE", help="write the models of each line to this file")
    arguments = parser.parse_args()
    models = {path: rnncli.load(path) for path in arguments.models}
    order = random.Random(1)
    key = []
    for prompt in PROMPTS.read_text(encoding="utf-8").splitlines():
        for path in order.sample(list(models), len(models)):
            print(prompt, ", ".join(first_words(models[path], prompt)), sep="\t")
            key.append(path)
    if arguments.key:
        arguments.key.write_text(json.dumps(key), encoding="utf-8")


if __name__ == "__main__":
    main()
