"""Measure the perplexity that a training time buys: python benchmarks/quality.py DATA_FOLDER [TEXT...] [--time 10m]...

DATA_FOLDER/ptb, wikitext-2 and tatoeba hold train.txt, valid.txt and test.txt. The novel is the first one of
DATA_FOLDER/gutenberg/pd_simple.txt, cut into four fifths, a tenth and a tenth. The script trains on each text with
`rnncli train --time`, and sets nothing else but the tokenizer and the validation text. It takes the time of the whole
command, and measures the model once on the test text with `rnncli evaluate`. One peer is the 5-gram model with
Kneser-Ney smoothing, a part of the model that is measured alone. The others are published figures
(benchmarks/results/published.json).

With `--dynamic` it also runs `rnncli evaluate --dynamic`, and shows what that gains and how much longer it takes. The
times are 2, 10 and 60 minutes unless `--time` says otherwise; the script runs for all of them, for each text.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import results

TOKENIZERS = {"ptb": "whitespace", "wikitext-2": "whitespace", "tatoeba": "word", "novel": "word"}
NOVEL_LINES = 2100
QUALITY = {
    "text": "",
    "time": "",
    "seconds": ",.0f",
    "units": "d",
    "MB": ".0f",
    "network": ".1f",
    "5-gram": ".1f",
    "all parts": ".1f",
}
DYNAMIC = {
    "text": "",
    "time": "",
    "network": ".1f",
    "network, dynamic": ".1f",
    "all parts": ".1f",
    "all parts, dynamic": ".1f",
    "times as long": ".1f",
}


def parts(text: str, data: Path, folder: Path) -> list[Path]:
    """Return the files of the training, the validation and the test text."""
    names = ("train", "valid", "test")
    if text != "novel":
        return [data / text / f"{name}.txt" for name in names]
    with (data / "gutenberg" / "pd_simple.txt").open(encoding="utf-8") as file:
        lines = [line for line, _ in zip(file, range(NOVEL_LINES), strict=False)]
    ends = (0, NOVEL_LINES * 8 // 10, NOVEL_LINES * 9 // 10, NOVEL_LINES)
    paths = [folder / f"novel-{name}.txt" for name in names]
    for path, start, end in zip(paths, ends, ends[1:], strict=False):
        path.write_text("".join(lines[start:end]), encoding="utf-8")
    return paths


def rnncli(*arguments: object) -> str:
    command = [sys.executable, "-m", "rnncli", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def evaluated(text: Path, model: Path, *options: str) -> tuple[dict, float]:
    """Return what `rnncli evaluate` prints, and the seconds that it takes."""
    began = time.perf_counter()
    found = json.loads(rnncli("evaluate", text, "-m", model, "--format", "jsonl", *options))
    return found, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help=f"{', '.join(TOKENIZERS)}; all by default")
    parser.add_argument("--time", action="append", metavar="TIME", help="such as 10m; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the models here; by default they are deleted")
    parser.add_argument("--dynamic", action="store_true", help="also measure rnncli evaluate --dynamic")
    results.add_option(parser)
    parser.add_argument("--json-dynamic", type=Path, metavar="FILE", help="the same for the figures of --dynamic")
    arguments = parser.parse_intermixed_args()
    for text in set(arguments.texts) - set(TOKENIZERS):
        parser.error(f"no text is called {text}: choose from {', '.join(TOKENIZERS)}")
    found = results.Results("quality", QUALITY, arguments.json)
    dynamic = results.Results("dynamic", DYNAMIC, arguments.json_dynamic)
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    for text in arguments.texts or TOKENIZERS:
        for budget in arguments.time or ("2m", "10m", "60m"):
            with tempfile.TemporaryDirectory() as folder:
                train, valid, test = parts(text, arguments.data, Path(folder))
                model = (arguments.keep or Path(folder)) / f"{text}-{budget}.npz"
                options = ["--tokenizer", TOKENIZERS[text], "--time", budget, "-o", model]
                began = time.perf_counter()
                rnncli("train", train, "--valid", valid, *options)
                seconds = time.perf_counter() - began
                megabytes = model.stat().st_size / 1e6
                info = json.loads(rnncli("info", "-m", model, "--format", "jsonl"))
                static, static_seconds = evaluated(test, model)
                alone = static["perplexity_of_parts"]
                figures = (alone["network"], alone["ngram"], static["perplexity"])
                found.add(text, budget, seconds, info["hidden_size"], megabytes, *figures)
                if arguments.dynamic:
                    learning, learning_seconds = evaluated(test, model, "--dynamic")
                    dynamic.add(
                        text,
                        budget,
                        alone["network"],
                        learning["perplexity_of_parts"]["learned"],
                        static["perplexity"],
                        learning["perplexity"],
                        learning_seconds / static_seconds,
                    )


if __name__ == "__main__":
    main()
