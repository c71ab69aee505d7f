"""The best next word for the time: python benchmarks/quality.py DATA_FOLDER [TEXT...] [--time 10m]...

DATA_FOLDER/ptb, wikitext-2 and tatoeba hold train.txt, valid.txt and test.txt; the novel is the first one of
DATA_FOLDER/gutenberg/pd_simple.txt, cut into parts of four fifths, a tenth and a tenth. Trains each text with the
command `rnncli train --time`, no other option but the tokenizer and the validation text, takes the time of the whole
command, and measures the model once on the test text by `rnncli evaluate`. The peers are the 5-gram model with
Kneser-Ney smoothing, which is a part of the model and is measured alone, and published figures. With `--dynamic` it
measures once more by `rnncli evaluate --dynamic`, where the network learns on from the text: what that gains and how
much longer it takes. Budgets of 2, 10 and 60 minutes, unless `--time` says otherwise; takes as long as they do, for
each text.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOKENIZERS = {"ptb": "whitespace", "wikitext-2": "whitespace", "tatoeba": "word", "novel": "word"}
NOVEL_LINES = 2100
PUBLISHED = """\
| ptb | | | RNN (Mikolov et al. 2011) | 124.7 | 141.1 | with 5-gram and cache 97.5 |
| ptb | | | LSTM 2 x 650 on a GPU, 20 M parameters (Zaremba et al. 2014) | 82.7 | | |
| ptb | | | LSTM 2 x 1500 on a GPU, 66 M parameters (Zaremba et al. 2014) | 78.4 | | |
| ptb | | | LSTM 3 x 1150 on a GPU, 24 M parameters (Merity et al. 2018) | 57.3 | | with cache 52.8 |
| wikitext-2 | | | LSTM on a GPU (Grave et al. 2017) | 99.3 | | with cache 68.9 |
| wikitext-2 | | | LSTM 3 x 1150 on a GPU, 33 M parameters (Merity et al. 2018) | 65.8 | | with cache 52.0 |"""


def parts(text: str, data: Path, folder: Path) -> list[Path]:
    """The training, the validation and the test text."""
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
    """What `rnncli evaluate` finds, and the seconds that it takes."""
    began = time.perf_counter()
    found = json.loads(rnncli("evaluate", text, "-m", model, "--format", "jsonl", *options))
    return found, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help=f"{', '.join(TOKENIZERS)}; all by default")
    parser.add_argument("--time", action="append", metavar="BUDGET", help="such as 10m; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the models are kept; nowhere by default")
    parser.add_argument("--dynamic", action="store_true", help="also learn on from the test text")
    arguments = parser.parse_intermixed_args()
    for text in set(arguments.texts) - set(TOKENIZERS):
        parser.error(f"no text is called {text}: choose from {', '.join(TOKENIZERS)}")
    more = (" network learning on | the whole | times as slow |", "--:|--:|--:|") if arguments.dynamic else ("", "")
    print(f"| test perplexity | budget | seconds | model | network | 5-gram | the whole |{more[0]}")
    print(f"|---|--:|--:|---|--:|--:|--:|{more[1]}")
    for text in arguments.texts or TOKENIZERS:
        for budget in arguments.time or ("2m", "10m", "60m"):
            with tempfile.TemporaryDirectory() as folder:
                train, valid, test = parts(text, arguments.data, Path(folder))
                model, began = (arguments.keep or Path(folder)) / f"{text}-{budget}.npz", time.perf_counter()
                options = ["--tokenizer", TOKENIZERS[text], "--time", budget, "-o", model]
                rnncli("train", train, "--valid", valid, *options)
                seconds, megabytes = time.perf_counter() - began, model.stat().st_size / 1e6
                found, usual = evaluated(test, model)
                dynamic, longer = evaluated(test, model, "--dynamic") if arguments.dynamic else (None, None)
                told = json.loads(rnncli("info", "-m", model, "--format", "jsonl"))
            alone = found["perplexity_of_parts"]
            what = f"{told['hidden_size']} units, {megabytes:.0f} MB"
            figures = f"{alone['network']:.1f} | {alone['ngram']:.1f} | {found['perplexity']:.1f}"
            if dynamic:
                alone = dynamic["perplexity_of_parts"]
                figures += f" | {alone['network']:.1f} | {dynamic['perplexity']:.1f} | {longer / usual:.1f}"
            print(f"| {text} | {budget} | {seconds:.0f} | {what} | {figures} |", flush=True)
    print(PUBLISHED)


if __name__ == "__main__":
    main()
