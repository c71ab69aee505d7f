"""The recurrent language model: its sizes and its wiring. The arithmetic is in `rnncli.nn`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import SettingError
from ..nn.buffers import Empty
from ..nn.cells import ACTIVATIONS, GRU, LSTM, Cell, Elman, LayerState
from ..nn.layers import Embedding, Linear, dropout, dropout_mask
from ..nn.parameters import Parameter, glorot, orthogonal, uniform
from ..nn.recurrent import Recurrent
from ..nn.sampling import Sample, Sampler
from ..nn.softmax import Softmax
from ..text.vocabulary import EOS_ID, UNK_ID

CELLS: dict[str, type[Elman] | type[GRU] | type[LSTM]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}

WORD_TABLES = {"embedding.weight", "softmax.weight", "softmax.bias"}  # parameters with a row for each word
LARGEST = {"vocabulary_size": 10**8, "hidden_size": 10**5, "embedding_size": 10**5, "layers": 100}

State = tuple[LayerState, ...]  # one for each layer, the first layer first


@dataclass(frozen=True)
class Config:
    """Everything that decides a network's shape, and the dropout that it is trained with."""

    vocabulary_size: int
    cell: str = "lstm"  # elman, gru or lstm
    activation: str = "tanh"  # of the Elman cell: tanh, relu or sigmoid
    hidden_size: int = 256
    embedding_size: int = 256
    layers: int = 1
    tied: bool = True  # one table of words serves as embedding and as output
    dropout: float = 0.0  # on the inputs, between layers and before the output
    word_dropout: float = 0.0  # of words: the whole vectors of some are hidden wherever they stand in a step
    recurrent_dropout: float = 0.0  # on the recurrent weights

    def __post_init__(self):
        if self.cell not in CELLS:
            raise SettingError(f"no cell is called {self.cell!r}: choose from {', '.join(CELLS)}")
        if self.activation not in ACTIVATIONS:
            raise SettingError(f"no activation is called {self.activation!r}: choose from {', '.join(ACTIVATIONS)}")
        for name, most in LARGEST.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= most:
                raise SettingError(f"{name} is {value}, and must be a whole number from 1 to {most:,}")
        if self.activation != "tanh" and self.cell != "elman":
            raise SettingError(f"the activation {self.activation} is for the elman cell; {self.cell} has its own")
        for name in ("dropout", "word_dropout", "recurrent_dropout"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise SettingError(f"{name} is {value}, and must be a number from 0 on and below 1")

    def make_cell(self) -> Cell:
        """The cell that this network's layers run."""
        return Elman(self.activation) if self.cell == "elman" else CELLS[self.cell]()

    @property
    def width(self) -> int:
        """How many features the softmax sees."""
        return self.embedding_size if self.tied else self.hidden_size

    @property
    def projected(self) -> bool:
        """Whether features must be brought to the embedding's size before they meet the tied table."""
        return self.tied and self.embedding_size != self.hidden_size

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every parameter."""
        V, D, H = self.vocabulary_size, self.embedding_size, self.hidden_size
        width = CELLS[self.cell].gates * H
        shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (V, D)}
        for layer in range(self.layers):
            shapes[f"recurrent.{layer}.input_weight"] = (D if layer == 0 else H, width)
            shapes[f"recurrent.{layer}.recurrent_weight"] = (H, width)
            shapes[f"recurrent.{layer}.bias"] = (width,)
        if self.projected:
            shapes["projection.weight"] = (H, D)
            shapes["projection.bias"] = (D,)
        if not self.tied:
            shapes["softmax.weight"] = (V, H)
        shapes["softmax.bias"] = (V,)
        return shapes


def initial_values(
    config: Config, rng: "np.random.Generator", counts: np.ndarray | None = None, dtype: type = np.float32
) -> dict[str, np.ndarray]:
    """Values to start training from, by parameter name.

    Word tables are small and even, input matrices Glorot's, each gate's recurrent matrix a rotation. With the `counts`
    (V,) of the training text's words, the output bias is the log of their frequencies, so that training need not
    begin by learning those.
    """
    H, cell = config.hidden_size, config.make_cell()
    values: dict[str, np.ndarray] = {}
    for name, shape in config.shapes().items():
        kind = name.rpartition(".")[2]
        if name in ("embedding.weight", "softmax.weight"):
            value = uniform(rng, shape, 0.1)
        elif kind == "recurrent_weight":
            value = np.concatenate([orthogonal(rng, H) for _ in range(cell.gates)], axis=1)
        elif kind == "input_weight":
            value = np.concatenate([glorot(rng, shape[0], H) for _ in range(cell.gates)], axis=1)
        elif name == "projection.weight":
            value = glorot(rng, *shape)
        elif name.startswith("recurrent"):
            value = cell.initial_bias(H)
        elif name == "softmax.bias" and counts is not None:
            value = np.log((counts + 1) / (counts.sum() + counts.size))
        else:
            value = np.zeros(shape)
        values[name] = np.ascontiguousarray(value, dtype)
    return values


def grown(values: Mapping[str, np.ndarray], counts: np.ndarray) -> dict[str, np.ndarray]:
    """A network's values with rows for new words: those of `<unk>`, whose chance is shared out among them.

    The `counts` (V,) are how often each word stands in a text, the new ones last.
    """
    old = len(values["softmax.bias"])
    shares = np.append(counts[old:], counts[UNK_ID]) + 1.0
    values = dict(values)
    for name in WORD_TABLES & values.keys():
        values[name] = np.concatenate([values[name], np.repeat(values[name][[UNK_ID]], len(shares) - 1, axis=0)])
    values["softmax.bias"][[*range(old, len(counts)), UNK_ID]] += np.log(shares / shares.sum())
    return values


@dataclass(frozen=True)
class Draw:
    """What chance decides in one step of training."""

    masks: list[np.ndarray]  # (B, features) each: what is hidden from each layer and from the softmax; or none
    words: np.ndarray | None = None  # (T, B, 1): which inputs are hidden altogether
    weights: tuple[np.ndarray, ...] = ()  # (G, H, H) for each layer: which recurrent weights are hidden
    sample: Sample | None = None  # the words that the softmax is over; None: all

    def share(self, streams: slice) -> "Draw":
        """The part for some of the batch's streams."""
        words = None if self.words is None else self.words[:, streams]
        return Draw([mask[streams] for mask in self.masks], words, self.weights, self.sample)


class Network:
    """A recurrent language model (see `rnncli.lm` for the interface that all models share)."""

    def __init__(self, config: Config, values: Mapping[str, np.ndarray]):
        """Wire the `values` (by the names of `config.shapes()`) together; they are used, not copied."""
        self.config = config
        self.parameters = {name: Parameter(values[name]) for name in config.shapes()}
        p, cell = self.parameters, config.make_cell()
        self.embedding = Embedding(p["embedding.weight"])
        self.layers = [
            Recurrent(
                cell,
                p[f"recurrent.{i}.input_weight"],
                p[f"recurrent.{i}.recurrent_weight"],
                p[f"recurrent.{i}.bias"],
            )
            for i in range(config.layers)
        ]
        self.projection = Linear(p["projection.weight"], p["projection.bias"]) if config.projected else None
        self.softmax = Softmax(p["embedding.weight" if config.tied else "softmax.weight"], p["softmax.bias"])

    def named_parameters(self) -> dict[str, Parameter]:
        """Every parameter under its name; a shared one once."""
        return self.parameters

    # Reading.

    def blank(self, batch: int) -> State:
        """The state of a network that has read nothing at all."""
        return tuple(layer.start(batch) for layer in self.layers)

    def start(self, batch: int) -> State:
        """The state at the beginning of a unit: the end of some other one was just read."""
        return self.read(np.full((1, batch), EOS_ID), self.blank(batch))

    def read(self, words: np.ndarray, state: State) -> State:
        """The state after reading `words` (T, B) from `state` on."""
        return self._outputs(words, state)[1]

    def log_prob(self, state: State) -> np.ndarray:
        """The log-probability (B, V) of every word to come next."""
        return self.softmax.log_prob(self.features(state))

    def score(self, words: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Minus the log-probability (T, B) of each of the `words`, given `state` and the words before it."""
        features, state = self.foresee(words, state)
        nll = self.softmax.score(features.reshape(words.size, -1), words.ravel())
        return nll.reshape(words.shape), state

    def features(self, state: State) -> np.ndarray:
        """What the softmax sees (B, D) to foresee the next word."""
        return self._projected(state[-1].h)

    def foresee(self, words: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """What the softmax sees (T, B, D) before each of the `words` (T, B), and the state after them."""
        outputs, after = self._outputs(words, state)
        return self._projected(np.concatenate([state[-1].h[None], outputs[:-1]])), after

    def _outputs(self, words: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        x, _ = self.embedding.forward(words)
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x, last, _ = layer.forward(x, before)
            after.append(last)
        return x, tuple(after)

    def _projected(self, h: np.ndarray) -> np.ndarray:
        return h if self.projection is None else self.projection.forward(h)[0]

    # Learning.

    def replica(self) -> "Network":
        """A network with the same values (shared, not copied), and gradients of its own."""
        return Network(self.config, {name: parameter.value for name, parameter in self.parameters.items()})

    def draw(
        self, inputs: np.ndarray, targets: np.ndarray, rng: "np.random.Generator", sampler: Sampler | None = None
    ) -> Draw:
        """Decide by chance what the next step on `inputs` and `targets` (T, B) hides, and what its softmax is over.

        The targets are the inputs moved on by one word, so the text's places are the first inputs and the targets.
        """
        config, dtype = self.config, self.softmax.bias.value.dtype.type
        sizes = [*(layer.input_weight.value.shape[0] for layer in self.layers), config.hidden_size]
        masks = [dropout_mask(rng, config.dropout, (inputs.shape[1], size), dtype) for size in sizes]
        words, weights = None, ()
        if config.word_dropout:
            different, places = np.unique(inputs, return_inverse=True)
            mask = dropout_mask(rng, config.word_dropout, (len(different),), dtype)
            words = mask[places].reshape(*inputs.shape, 1)
        if config.recurrent_dropout:
            shape = (self.layers[0].cell.gates, config.hidden_size, config.hidden_size)
            weights = tuple(dropout_mask(rng, config.recurrent_dropout, shape, dtype) for _ in self.layers)
        sample = sampler.sample(np.concatenate([inputs[:1], targets]), rng) if sampler else None
        return Draw(masks if config.dropout else [], words, weights, sample)

    def clear(self) -> None:
        """Begin all gradients anew, with zeros."""
        for parameter in self.parameters.values():
            parameter.clear()

    def use(self, inputs: np.ndarray, sample: Sample | None) -> None:
        """Begin the gradients of the words' tables for a step: only of the rows that it touches."""
        if sample is not None:
            for table in {self.embedding.weight, self.softmax.weight, self.softmax.bias}:  # two, where tied
                table.use(sample.words)
        elif not self.config.tied:
            self.embedding.weight.use(np.unique(inputs))

    def loss(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        state: State,
        draw: Draw | None = None,
        empty: Empty = np.empty,
    ) -> tuple[float, State, Callable[..., None]]:
        """The mean loss in nats of predicting `targets` (T, B), each after the input in its place (T, B).

        Returns the loss, the state after the inputs, and `backward`, which adds the loss's derivative to the
        gradients of all parameters, times its argument (1 by default): a network that is given a share of a batch
        passes that share. It is for one call. Without a `draw` nothing is hidden and the softmax is over all words.
        """
        draw = draw or Draw([])
        hidden, weights, backwards = iter(draw.masks), iter(draw.weights), []

        def through(forward_result):
            result, *_, backward = forward_result
            backwards.append(backward)
            return result

        x, embed_backward = self.embedding.forward(inputs, empty)
        x = through(dropout(x, draw.words, empty))
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x = through(dropout(x, next(hidden, None), empty))
            x, last, layer_backward = layer.forward(x, before, empty, next(weights, None))
            backwards.append(lambda d_out, backward=layer_backward: backward(d_out)[0])
            after.append(last)
        x = through(dropout(x, next(hidden, None), empty))
        if self.projection is not None:
            x = through(self.projection.forward(x, empty))
        nll, softmax_backward = self.softmax.forward(x.reshape(targets.size, -1), targets.ravel(), draw.sample, empty)

        def backward(share: float = 1.0) -> None:
            d_out = softmax_backward(np.full(targets.size, share / targets.size, x.dtype)).reshape(x.shape)
            for step_back in reversed(backwards):
                d_out = step_back(d_out)
            embed_backward(d_out)

        return float(nll.mean(dtype=np.float64)), tuple(after), backward
