"""Ask PyTorch what our networks should answer: python tests/lm/make_oracle.py writes oracle.npz beside this file.

The same weights, read by `torch.nn` modules over two windows with the state carried between them, two layers deep:
the outputs' log-probabilities, the losses, and the gradient of the second loss with respect to every parameter. The
gates of a layer stand in another order there (and in rows, not columns), which is all that is translated.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from rnncli.lm.network_config import NetworkConfig

ORACLE = Path(__file__).with_name("oracle.npz")
V, T, B = 11, 6, 3
SIZES = {"vocabulary_size": V, "embedding_size": 5, "hidden_size": 4, "layers": 2}
DROPOUTS = {"dropout": 0.0, "word_dropout": 0.0, "recurrent_dropout": 0.0}
CONFIGS = {
    "elman_tanh": NetworkConfig(cell="elman", activation="tanh", tied=False, **SIZES, **DROPOUTS),
    "elman_relu": NetworkConfig(cell="elman", activation="relu", tied=False, **SIZES, **DROPOUTS),
    "gru": NetworkConfig(cell="gru", tied=False, **SIZES, **DROPOUTS),
    "lstm": NetworkConfig(cell="lstm", tied=False, **SIZES, **DROPOUTS),
    "lstm_tied": NetworkConfig(cell="lstm", tied=True, **SIZES, **DROPOUTS),
}
# Where each of our gates stands among PyTorch's: i, f, o, g against i, f, g, o.
ORDER = {"elman": [0], "gru": [0, 1, 2], "lstm": [0, 1, 3, 2]}


def to_torch(value: np.ndarray, cell: str) -> torch.Tensor:
    """A layer's weight or bias, its gates in the last axis, as PyTorch has it: gates in the first."""
    gates = np.split(value, len(ORDER[cell]), axis=-1)
    ordered = [gates[ORDER[cell].index(place)] for place in range(len(gates))]
    return torch.tensor(np.concatenate(ordered, axis=-1).T.copy())


def from_torch(value: torch.Tensor, cell: str) -> np.ndarray:
    """The way back."""
    gates = np.split(value.numpy().T, len(ORDER[cell]), axis=-1)
    return np.concatenate([gates[place] for place in ORDER[cell]], axis=-1)


def answers(config: NetworkConfig, values: dict[str, np.ndarray], words: np.ndarray) -> dict[str, np.ndarray]:
    """What PyTorch says of `words` (2, T + 1, B), two windows, with these `values`."""
    cell = config.cell
    kinds = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    extra = {"nonlinearity": config.activation} if cell == "elman" else {}
    layers = kinds[cell](config.embedding_size, config.hidden_size, config.layers, dtype=torch.float64, **extra)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    with torch.no_grad():
        for i in range(config.layers):
            getattr(layers, f"weight_ih_l{i}").copy_(to_torch(values[f"recurrent.{i}.input_weight"], cell))
            getattr(layers, f"weight_hh_l{i}").copy_(to_torch(values[f"recurrent.{i}.recurrent_weight"], cell))
            getattr(layers, f"bias_ih_l{i}").copy_(to_torch(values[f"recurrent.{i}.bias"], cell))
            getattr(layers, f"bias_hh_l{i}").zero_()
    result, state = {}, None
    for window in range(2):
        inputs, targets = (torch.tensor(part) for part in (words[window, :-1], words[window, 1:]))
        out, state = layers(nn.functional.embedding(inputs, tensors["embedding.weight"]), state)
        if config.is_projected:
            out = out @ tensors["projection.weight"] + tensors["projection.bias"]
        table = tensors["embedding.weight" if config.tied else "softmax.weight"]
        log_p = nn.functional.log_softmax(out @ table.T + tensors["softmax.bias"], dim=-1)
        loss = nn.functional.nll_loss(log_p.flatten(0, 1), targets.flatten())
        result[f"log_p.{window}"] = log_p.detach().numpy()
        result[f"loss.{window}"] = loss.detach().numpy()
        if window == 0:
            state = tuple(s.detach() for s in state) if cell == "lstm" else state.detach()
    loss.backward()
    result |= {f"grad.{name}": t.grad.numpy() for name, t in tensors.items() if not name.startswith("recurrent")}
    for i in range(config.layers):
        for ours, theirs in [("input_weight", "weight_ih"), ("recurrent_weight", "weight_hh"), ("bias", "bias_ih")]:
            grad = getattr(layers, f"{theirs}_l{i}").grad
            result[f"grad.recurrent.{i}.{ours}"] = from_torch(grad, cell)
    return result


def main() -> None:
    rng = np.random.default_rng(2026)
    arrays = {}
    for name, config in CONFIGS.items():
        values = {key: rng.normal(scale=0.5, size=shape) for key, shape in config.shapes().items()}
        words = rng.integers(0, V, (2, T + 1, B))
        arrays |= {f"{name}/values.{key}": value for key, value in values.items()}
        arrays[f"{name}/words"] = words
        arrays |= {f"{name}/{key}": value for key, value in answers(config, values, words).items()}
    np.savez_compressed(ORACLE, **arrays)


if __name__ == "__main__":
    main()
