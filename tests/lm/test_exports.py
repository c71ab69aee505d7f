"""Networks as other programs run them: they must say what ours say."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from rnncli.lm.ensemble import Ensemble
from rnncli.lm.mixture import Mixture
from rnncli.lm.onnx_step import onnx_step
from rnncli.lm.state_dict import state_dict
from rnncli.text.vocabulary import EOS, UNK

WORDS = [EOS, UNK, "Tom", "is", "good", "at", "it"]
SHAPES = {
    "elman": {"cell": "elman", "tied": False},
    "elman of relu": {"cell": "elman", "activation": "relu"},
    "elman of sigmoid": {"cell": "elman", "activation": "sigmoid"},
    "gru": {"cell": "gru", "layers": 2},
    "lstm": {"cell": "lstm", "layers": 2},
    "lstm with a table of its own": {"cell": "lstm", "tied": False},
    "lstm without a projection": {"cell": "lstm", "hidden_size": 5},
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
PAGE = Path(__file__).parents[2] / "docs" / "export.md"


@pytest.fixture(params=[1, 3], ids=["one network", "three networks"])
def networks(request, random_network, shape):
    return [random_network(**shape) for _ in range(request.param)]


def probabilities(networks, words: np.ndarray, exact_distribution) -> list[np.ndarray]:
    """What our networks say after each of the words (T, B), from a state of zeros on."""
    batch = words.shape[1]
    lm = Mixture([Ensemble(networks)], len(WORDS))
    state = lm.initial_state(batch)
    state = type(state)(batch, (tuple(network.zero_state(batch) for network in networks),))
    found = []
    for row in words:
        state = lm.read(row[None], state)
        found.append(exact_distribution(lm, state))
    return found


@every_shape
def test_onnxruntime_gives_the_same_probabilities(networks, rng, exact_distribution):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(onnx_step(networks, WORDS))
    assert json.loads(session.get_modelmeta().custom_metadata_map["words"]) == WORDS
    words = rng.integers(0, len(WORDS), (6, 2))
    state = {
        field.name: np.zeros([2 if size == "batch" else size for size in field.shape], np.float32)
        for field in session.get_inputs()[1:]
    }
    for row, expected in zip(words, probabilities(networks, words, exact_distribution), strict=True):
        found, *after = session.run(None, {"word": row, **state})
        np.testing.assert_allclose(found, expected, atol=1e-5)
        state = dict(zip(state, after, strict=True))


def block(heading: str) -> str:
    """The code of a chapter of the page."""
    return re.search(rf"^## {heading}\n.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[1]


def printed_first(text: str) -> dict[str, float]:
    return {word: float(p) for p, word in (line.split() for line in text.splitlines())}


@pytest.mark.parametrize(
    ("heading", "kind", "package"), [("PyTorch", "safetensors", "torch"), ("ONNX", "onnx", "onnxruntime")]
)
@every_shape
def test_the_code_on_the_page_prints_our_likeliest_words(
    heading, kind, package, shape, networks, exact_distribution, tmp_path, monkeypatch, capsys
):
    pytest.importorskip(package)
    if kind == "safetensors" and shape.get("activation") == "sigmoid":
        pytest.skip("PyTorch has no such cell")
    monkeypatch.chdir(tmp_path)
    if kind == "onnx":
        Path("corpus.onnx").write_bytes(onnx_step(networks, WORDS))
    else:
        from dataclasses import asdict

        from safetensors.numpy import save

        described = {"config": asdict(networks[0].config), "words": WORDS}
        Path("corpus.safetensors").write_bytes(save(state_dict(networks), {"rnncli": json.dumps(described)}))
    names: dict = {}
    exec(compile(block(heading), "the page", "exec"), names)
    expected = probabilities(networks, np.array([[0], [2], [3]]), exact_distribution)[-1][0]
    np.testing.assert_allclose(np.asarray(names["probabilities"]).reshape(-1), expected, atol=1e-5)
    best = np.argsort(-expected)[:5]
    assert printed_first(capsys.readouterr().out) == pytest.approx(
        {WORDS[number]: expected[number] for number in best}, abs=1e-4
    )


@every_shape
def test_the_arrays_of_pytorch_are_ours_in_its_layout(shape, random_network):
    if shape.get("activation") == "sigmoid":
        with pytest.raises(Exception, match="PyTorch has no Elman cell with a sigmoid: use the format onnx"):
            state_dict([random_network(**shape)])
        return
    network = random_network(**shape)
    found = state_dict([network])
    own = network.values()
    config = network.config
    gates = {"elman": 1, "gru": 3, "lstm": 4}[config.cell]
    assert found["0.rnn.weight_ih_l0"].shape == (gates * config.hidden_size, config.embedding_size)
    assert not found["0.rnn.bias_hh_l0"].any()
    for place, gate in enumerate({"lstm": (0, 1, 3, 2)}.get(config.cell, range(gates))):
        of_torch = slice(place * config.hidden_size, (place + 1) * config.hidden_size)
        ours = slice(gate * config.hidden_size, (gate + 1) * config.hidden_size)
        for name, kind in (("weight_ih", "input_weight"), ("weight_hh", "recurrent_weight"), ("bias_ih", "bias")):
            expected = own[f"recurrent.0.{kind}"][..., ours].T
            np.testing.assert_array_equal(found[f"0.rnn.{name}_l0"][of_torch], expected)
    assert ("0.decoder.weight" in found) is not config.tied
