"""Compare one epoch of each cell with PyTorch: python benchmarks/cells.py DATA_FOLDER [CELL...]

DATA_FOLDER/ptb holds train.txt and valid.txt of the Penn Treebank. Both sides follow the same recipe: the same text in
the same sequences, the same initial values, locked dropout, Adam, clipping, schedule and sizes. They run one after the
other and are measured in the same way, with the last weights, which rnncli averages otherwise. Needs PyTorch. Takes
about 20 minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
import results
import torch
from torch import nn

import rnncli
from rnncli.lm.perplexity import mean_loss, perplexity
from rnncli.nn.schedules import SCHEDULES
from rnncli.text.batches import excerpts, window
from rnncli.training.trainer import Trainer

SEQUENCES = 32  # that the validation text is read in
STEPS = 128  # of a sequence, read at a time
CELLS = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
# The place of each of our gates (i, f, o, g) in PyTorch's order (i, f, g, o).
GATE_ORDER = {"elman": [0], "gru": [0, 1, 2], "lstm": [0, 1, 3, 2]}


class Peer(nn.Module):
    """The same network, built of PyTorch's layers, with the same initial values."""

    def __init__(self, trainer: Trainer):
        super().__init__()
        config, values = trainer.plan.network, trainer.state.best.values
        self.dropout = config.dropout
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        self.layer = CELLS[config.cell](config.embedding_size, config.hidden_size)
        self.bias = nn.Parameter(torch.tensor(values["softmax.bias"]))

        def gates(name: str) -> torch.Tensor:
            order = GATE_ORDER[config.cell]
            parts = np.split(values[f"recurrent.0.{name}"], len(order), axis=-1)
            return torch.tensor(np.concatenate([parts[place] for place in order], axis=-1).T.copy())

        with torch.no_grad():
            self.embedding.weight.copy_(torch.tensor(values["embedding.weight"]))
            self.layer.weight_ih_l0.copy_(gates("input_weight"))
            self.layer.weight_hh_l0.copy_(gates("recurrent_weight"))
            self.layer.bias_ih_l0.copy_(gates("bias"))
            self.layer.bias_hh_l0.zero_()

    def forward(self, words: torch.Tensor, state):
        out, state = self.layer(self.locked_dropout(self.embedding(words)), state)
        return self.locked_dropout(out) @ self.embedding.weight.T + self.bias, state

    def locked_dropout(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        return x * (torch.rand(x.shape[1:]) >= self.dropout) / (1 - self.dropout)


def train_peer(trainer: Trainer) -> float:
    """Train for one epoch with PyTorch, and return the validation perplexity."""
    torch.manual_seed(trainer.plan.training.seed)
    peer = Peer(trainer)
    rows = len(trainer.sequences) - 1
    bptt = trainer.plan.training.bptt
    optimizer = torch.optim.Adam(peer.parameters())
    state = None
    for position in range(0, rows, bptt):
        for group in optimizer.param_groups:
            group["lr"] = trainer.plan.training.lr * SCHEDULES[trainer.plan.training.schedule](position / rows)
        pair = window(trainer.sequences, position, bptt)
        inputs, targets = (torch.from_numpy(part.astype(np.int64)) for part in pair)
        logits, state = peer(inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(peer.parameters(), trainer.plan.training.clip)
        optimizer.step()
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    return peer_perplexity(peer.eval(), trainer.corpus.valid)


@torch.no_grad()
def peer_perplexity(peer: Peer, ids: np.ndarray) -> float:
    """Measure PyTorch's network as rnncli measures its own: in the same sequences, each word once."""
    length = -(-len(ids) // SEQUENCES)
    padded = np.zeros(SEQUENCES * length, np.int64)
    padded[: len(ids)] = ids
    words = torch.from_numpy(padded.reshape(SEQUENCES, length).T.copy())
    inputs = torch.cat([torch.zeros(1, SEQUENCES, dtype=torch.long), words[:-1]])
    losses, state = [], None
    for start in range(0, length, STEPS):
        logits, state = peer(inputs[start : start + STEPS], state)
        targets = words[start : start + STEPS]
        losses.append(nn.functional.cross_entropy(logits.permute(0, 2, 1), targets, reduction="none"))
    return perplexity(torch.cat(losses).T.flatten()[: len(ids)].double().mean().item())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("cells", nargs="*", default=[], metavar="CELL", help=f"{', '.join(CELLS)}; all by default")
    results.add_option(parser)
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    columns = {"cell": "", "rnncli": ".1f", "PyTorch": ".1f", "ratio": ".3f"}
    found = results.Results("cells", columns, arguments.json)
    for cell in arguments.cells or CELLS:
        trainer = rnncli.start_training(
            [ptb / "train.txt"],
            valid=[ptb / "valid.txt"],
            tokenizer="whitespace",
            cell=cell,
            hidden_size=200,
            dropout=0.2,
            epochs=1,
            softmax="full",
            ngram_order=0,
            cache_size=0,
        )
        theirs = train_peer(trainer)
        for _ in trainer.run():
            pass
        valid = trainer.corpus.valid
        ours = perplexity(mean_loss(trainer.state.network, excerpts(valid, len(valid), SEQUENCES), trainer.crew.map))
        found.add(cell, ours, theirs, ours / theirs)


if __name__ == "__main__":
    main()
