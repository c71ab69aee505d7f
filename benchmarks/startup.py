"""Measure how soon an answer is there: python benchmarks/startup.py DATA_FOLDER [MODEL]

The script times whole processes, in turn, and prints the medians: `rnncli predict` with the bundled model beside Python
with NumPy and Click; the same beside a PyTorch script, if PyTorch is installed, that loads a network of the same size
and ranks the next words; and `rnncli --help` beside Python with Click. It also times `rnncli predict`, of one prompt
and of 1,000, with the bundled model that has learned a megabyte of DATA_FOLDER/gutenberg/pd_simple.txt, beside the
bundled model; these prompts are the beginnings of sentences of DATA_FOLDER/tatoeba/test.txt. With a MODEL, such as one
of DATA_FOLDER/ptb, it times `rnncli predict` with that model, too, and with the same model without its n-grams. Install
rnncli with `pip install .` first: an editable install starts more slowly.
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import results

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram

ROUNDS = 15
PROMPTS = 1_000
LEARNED_CHARACTERS = 1_000_000
PROMPT = "Tom is not good at science, so he will"
BUNDLED = Path(__file__).resolve().parents[1] / "models" / "english.npz"
PEER = """
import sys, torch
saved = torch.load(sys.argv[1], weights_only=True)
words, number = saved["words"], {word: place for place, word in enumerate(saved["words"])}
table = saved["table"]
lstm = torch.nn.LSTM(table.shape[1], saved["hidden_size"])
lstm.load_state_dict(saved["lstm"])
projection = torch.nn.Identity()
if saved["projection"]:
    projection = torch.nn.Linear(saved["hidden_size"], table.shape[1])
    projection.load_state_dict(saved["projection"])
with torch.inference_mode():
    ids = torch.tensor([0] + [number.get(word, 1) for word in sys.argv[2].split()])
    output, _ = lstm(table[ids].unsqueeze(1))
    p = torch.softmax(projection(output[-1, 0]) @ table.T + saved["bias"], 0)
    for probability, word in zip(*p.topk(10)):
        print(words[word], probability.item())
"""


def median_seconds(commands: dict[str, list[str]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def write_peer(folder: Path) -> list[str]:
    """Write a PyTorch script and an LSTM of the bundled model's size with its words, and return the command."""
    import torch

    model = rnncli.load(BUNDLED)
    config = model.lm.find(Network).config
    projection = torch.nn.Linear(config.hidden_size, config.embedding_size).state_dict() if config.is_projected else {}
    saved = {
        "words": model.vocabulary.words,
        "hidden_size": config.hidden_size,
        "table": torch.randn(config.vocabulary_size, config.embedding_size),
        "bias": torch.zeros(config.vocabulary_size),
        "lstm": torch.nn.LSTM(config.embedding_size, config.hidden_size).state_dict(),
        "projection": projection,
    }
    torch.save(saved, folder / "model.pt")
    (folder / "peer.py").write_text(PEER, encoding="utf-8")
    return [sys.executable, str(folder / "peer.py"), str(folder / "model.pt"), PROMPT]


def prompts_of(data: Path) -> list[str]:
    """Return the first halves of sentences."""
    lines = (data / "tatoeba" / "test.txt").read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()[: max(1, len(line.split()) // 2)]) for line in lines[:PROMPTS]]


def write_learned(data: Path, folder: Path) -> str:
    """Write the bundled model that has learned a text, and return its path."""
    text = folder / "text.txt"
    text.write_text(
        (data / "gutenberg" / "pd_simple.txt").read_text(encoding="utf-8")[:LEARNED_CHARACTERS], encoding="utf-8"
    )
    rnncli.save(rnncli.load(BUNDLED).learned(text), folder / "learned.npz")
    return str(folder / "learned.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("model", type=Path, nargs="?", metavar="MODEL")
    results.add_option(parser)
    arguments = parser.parse_args()
    ours = str(Path(sys.executable).parent / "rnncli")
    predict = [ours, "predict", PROMPT, "-m"]
    prompts = ["--", *prompts_of(arguments.data)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            "predict": [*predict, str(BUNDLED)],
            "numpy and click": [sys.executable, "-c", "import numpy, click"],
            "help": [ours, "--help"],
            "click": [sys.executable, "-c", "import click"],
            "many": [ours, "predict", "-m", str(BUNDLED), *prompts],
        }
        learned = write_learned(arguments.data, folder)
        commands |= {"learned": [*predict, learned], "many, learned": [ours, "predict", "-m", learned, *prompts]}
        if importlib.util.find_spec("torch"):
            commands["torch"] = write_peer(folder)
        if arguments.model:
            whole = rnncli.load(arguments.model)
            parts = [part for part in whole.lm.parts if not isinstance(part, NGram)]
            without = Mixture(parts, len(whole.vocabulary))
            rnncli.save(whole, folder / "whole.npz")
            rnncli.save(replace(whole, lm=without), folder / "without.npz")
            commands["whole"] = [*predict, str(folder / "whole.npz")]
            commands["without n-grams"] = [*predict, str(folder / "without.npz")]
        seconds = median_seconds(commands)
    columns = {"whole process": "", "ms": ",.0f", "peer": "", "ms of the peer": ",.0f", "ratio": ".2f"}
    found = results.Results("startup", columns, arguments.json)
    pairs = [
        ("rnncli predict, bundled model", "predict", 'python -c "import numpy, click"', "numpy and click"),
        ("rnncli predict, bundled model", "predict", "PyTorch, a network as large", "torch"),
        ("rnncli --help", "help", 'python -c "import click"', "click"),
        ("rnncli predict, 1 MB learned", "learned", "rnncli predict, bundled model", "predict"),
        ("rnncli predict, 1 MB learned, 1,000 prompts", "many, learned", "bundled model, 1,000 prompts", "many"),
        ("rnncli predict, MODEL", "whole", "without its n-grams", "without n-grams"),
    ]
    for what, one, beside, other in pairs:
        if one in seconds and other in seconds:
            found.add(what, 1e3 * seconds[one], beside, 1e3 * seconds[other], seconds[one] / seconds[other])


if __name__ == "__main__":
    main()
