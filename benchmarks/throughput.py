"""Measure how much is answered in a second: python benchmarks/throughput.py DATA_FOLDER [--model MODEL] [--rounds N]

DATA_FOLDER/tatoeba/test.txt and valid.txt hold sentences. `rnncli predict` ranks the next words after the beginnings
of 10,000 sentences, `rnncli score` scores 10,000 whole sentences, `rnncli generate` writes 2,000 words, and
`rnncli evaluate` reads 1,000 sentences: once with all parts of MODEL (by default the bundled model), and once with its
network alone. The peer of the first three is a PyTorch script with the same network, which reads the same lines in
batches of 64 and prints the same columns.

Every run is a process of its own, with all cores. Start-up does not count: the time for one line is subtracted from
the time for all. The sides take turns. The script prints the medians over the rounds, and the medians of the rounds'
ratios: how much longer all parts take than the network alone, and how much faster the network is than PyTorch.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import results

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.model import Model

LINES = 10_000  # predicted and scored
WORDS_WRITTEN = 2_000
LINES_EVALUATED = 1_000
COLUMNS = {
    "in a second": "",
    "rnncli, all parts": ",.0f",
    "network alone": ",.0f",
    "times as long": ".2f",
    "PyTorch, the same network": ",.0f",
    "ratio": ".2f",
}
PEER = '''
import sys, torch
job, path = sys.argv[1:3]
saved = torch.load(path, weights_only=True)
words, table, bias = saved["words"], saved["table"], saved["bias"]
number = {word: place for place, word in enumerate(words)}
lstm = torch.nn.LSTM(table.shape[1], saved["hidden_size"], saved["layers"])
lstm.load_state_dict(saved["lstm"])
projection = torch.nn.Identity()
if saved["projection"]:
    projection = torch.nn.Linear(saved["hidden_size"], table.shape[1])
    projection.load_state_dict(saved["projection"])
EOS, UNK = number["<eos>"], number["<unk>"]

def batches(lines, end):
    """Yield batches of texts as numbers, each after an <eos>, padded to the longest, with their lengths."""
    for start in range(0, len(lines), 64):
        rows = [[EOS, *(number.get(word, UNK) for word in line.split()), *end] for line in lines[start : start + 64]]
        tensors = [torch.tensor(row) for row in rows]
        lengths = torch.tensor([len(row) for row in rows])
        yield torch.nn.utils.rnn.pad_sequence(tensors, padding_value=EOS), lengths

def predict(lines):
    first = True
    for padded, lengths in batches(lines, []):
        outputs, _ = lstm(table[padded])
        last = outputs[lengths - 1, torch.arange(len(lengths))]
        logits = projection(last) @ table.T + bias
        logits[:, UNK] = -torch.inf
        best = torch.softmax(logits, 1).topk(10)
        for probabilities, found in zip(best.values.tolist(), best.indices.tolist()):
            answer = "".join(f"{words[word]}\\t{p:.6g}\\n" for word, p in zip(found, probabilities))
            print(answer if first else "\\n" + answer, end="")
            first = False

def score(lines):
    place = 0
    for padded, lengths in batches(lines, [EOS]):
        outputs, _ = lstm(table[padded[:-1]])
        targets = padded[1:]
        logits = projection(outputs.flatten(0, 1)) @ table.T + bias
        nll = torch.nn.functional.cross_entropy(logits, targets.flatten(), reduction="none").reshape(targets.shape)
        nll[torch.arange(len(nll))[:, None] >= lengths - 1] = 0
        for total, length in zip(nll.sum(0).tolist(), lengths.tolist()):
            print(f"{-total:.6g}\\t{length - 2}\\t{lines[place]}")
            place += 1

def generate(count):
    torch.manual_seed(1)
    word, state = torch.tensor([[EOS]]), None
    for _ in range(count):
        output, state = lstm(table[word], state)
        logits = projection(output[0, 0]) @ table.T + bias
        logits[UNK] = -torch.inf
        word = torch.multinomial(torch.softmax(logits / 0.8, 0), 1)[None]
        print(words[word.item()], end=" ", flush=True)

with torch.inference_mode():
    if job == "generate":
        generate(int(sys.argv[3]))
    else:
        globals()[job](sys.stdin.read().splitlines())
'''


def write_peer(model: Model, folder: Path) -> list[str]:
    """Write a PyTorch script and the network of a `model` for it, and return the command."""
    import torch

    network = model.lm.find(Network)
    if network is None or network.config.cell != "lstm" or not network.config.tied:
        raise SystemExit("the peer is one LSTM with tied tables: name a MODEL that holds one, too")
    config, values = network.config, network.values()
    lstm = {}
    for layer in range(config.layers):
        for ours, theirs in {"input_weight": "weight_ih", "recurrent_weight": "weight_hh", "bias": "bias_ih"}.items():
            blocks = values[f"recurrent.{layer}.{ours}"].reshape(-1, 4, config.hidden_size)[:, [0, 1, 3, 2]]  # i f g o
            value = torch.tensor(blocks.reshape(len(blocks), -1).T)
            lstm[f"{theirs}_l{layer}"] = value.squeeze(1) if ours == "bias" else value.contiguous()
        lstm[f"bias_hh_l{layer}"] = torch.zeros(4 * config.hidden_size)
    projection = {}
    if config.is_projected:
        projection = {
            "weight": torch.tensor(values["projection.weight"].T.copy()),
            "bias": torch.tensor(values["projection.bias"]),
        }
    saved = {
        "words": list(model.vocabulary.words),
        "hidden_size": config.hidden_size,
        "layers": config.layers,
        "projection": projection,
        "table": torch.tensor(values["embedding.weight"]),
        "bias": torch.tensor(values["softmax.bias"]),
        "lstm": lstm,
    }
    torch.save(saved, folder / "model.pt")
    (folder / "peer.py").write_text(PEER, encoding="utf-8")
    return [sys.executable, str(folder / "peer.py")]


def seconds(command: list[str], lines: list[str]) -> float:
    text = "".join(line + "\n" for line in lines)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.perf_counter()
    subprocess.run(command, input=text, text=True, check=True, env=buffered, **quiet)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument("--model", type=Path, default=bundled, metavar="MODEL", help="the bundled one by default")
    parser.add_argument("--rounds", type=int, default=5)
    results.add_option(parser)
    arguments = parser.parse_args()
    texts = [(arguments.data / "tatoeba" / name).read_text(encoding="utf-8") for name in ("test.txt", "valid.txt")]
    sentences = [line.strip() for text in texts for line in text.splitlines()][:LINES]
    beginnings = [" ".join(words[: 1 + place % len(words)]) for place, words in enumerate(map(str.split, sentences))]
    model = rnncli.load(arguments.model)
    # With spaces between all tokens, both sides read the same words.
    sentences, beginnings = ([" ".join(model.tokenizer.tokenize(line)) for line in x] for x in (sentences, beginnings))
    lengths = [len(line.split()) + 1 for line in sentences]  # the end of each counts as a word
    results_file = results.Results("throughput", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, alone = folder / "whole.npz", folder / "alone.npz"
        rnncli.save(model, whole)
        rnncli.save(
            Model(
                Mixture([model.lm.find(Network)], len(model.vocabulary)), model.vocabulary, model.tokenizer, model.unit
            ),
            alone,
        )
        peer, ours = write_peer(model, folder), [sys.executable, "-m", "rnncli"]
        jobs = {
            "predict: prompts": ("predict", beginnings, len(beginnings)),
            "score: words": ("score", sentences, sum(lengths)),
            "generate: words": ("generate", [], WORDS_WRITTEN),
            "evaluate: words": ("evaluate -", sentences[:LINES_EVALUATED], sum(lengths[:LINES_EVALUATED])),
        }
        for title, (job, lines, units) in jobs.items():

            def rate(command: list[str], flag: list[str], lines=lines, units=units) -> float:
                """Return how many units are answered in a second, without the time of a single one."""
                one, all_of_them = [[], []] if lines else [[*flag, "1"], [*flag, str(units)]]
                return units / (seconds([*command, *all_of_them], lines) - seconds([*command, *one], lines[:1]))

            sides = [([*ours, *job.split(), "-m", str(path)], ["-n"]) for path in (whole, alone)]
            if job in ("predict", "score", "generate"):
                sides.append(([*peer, job, str(folder / "model.pt")], []))
            rounds = [[rate(*side) for side in sides] for _ in range(arguments.rounds)]
            whole_rate, alone_rate, *peer_rate = (statistics.median(column) for column in zip(*rounds, strict=True))
            times_as_long = statistics.median(row[1] / row[0] for row in rounds)
            ratio = statistics.median(row[1] / row[2] for row in rounds) if peer_rate else None
            results_file.add(title, whole_rate, alone_rate, times_as_long, peer_rate[0] if peer_rate else None, ratio)


if __name__ == "__main__":
    main()
