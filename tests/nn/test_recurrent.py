import numpy as np
import pytest

from rnncli.nn import recurrent
from rnncli.nn.cells import GRU, LSTM, Elman
from rnncli.nn.parameters import Parameter
from rnncli.nn.recurrent import MAX_STEPS_WITHOUT_COPY, MIN_STRIP_COLUMNS, Recurrent, strip_count

B, D, H = 3, 5, 6
CELLS = [Elman("tanh"), Elman("relu"), Elman("sigmoid"), GRU(), LSTM()]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=["tanh", "relu", "sigmoid", "gru", "lstm"])


@pytest.fixture(params=[4, MAX_STEPS_WITHOUT_COPY + 1])
def steps(request) -> int:
    return request.param


@pytest.fixture(params=[1, 2], ids=["matrices", "strips"])
def layout(request, monkeypatch) -> None:
    """The recurrent weight of each gate in one piece, or in strips of columns."""
    monkeypatch.setattr(recurrent, "strip_count", lambda rows, size: request.param)


@pytest.fixture
def layer(cell, rng) -> Recurrent:
    width = cell.gates * H
    layer = Recurrent(cell, *(Parameter(rng.normal(size=shape)) for shape in [(D, width), (H, width), (width,)]))
    layer.recurrent_weight.value[...] *= 0.5  # else a relu explodes
    return layer


@pytest.fixture
def x(steps, rng) -> np.ndarray:
    return rng.normal(size=(steps, B, D))


@pytest.fixture
def state(layer, rng):
    return type(layer.zero_state(B))(*(rng.normal(size=(B, H)) for _ in layer.zero_state(B)))


@every_cell
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_every_gradient_is_right(layout, layer, x, state, masked, rng, check_gradient):
    mask = rng.normal(size=(B, H)) if masked else None
    out_weights = rng.normal(size=(len(x), B, H))
    last_weights = type(state)(*(rng.normal(size=(B, H)) for _ in state))

    def loss():
        out, last, _ = layer.forward(x, state, mask=mask)
        return (out * out_weights).sum() + sum((a * w).sum() for a, w in zip(last, last_weights, strict=True))

    _, _, backward = layer.forward(x, state, mask=mask)
    d_x, d_state = backward(out_weights, last_weights)
    check_gradient(loss, x, d_x)
    for array, gradient in zip(state, d_state, strict=True):
        check_gradient(loss, array, gradient)
    for parameter in (layer.input_weight, layer.recurrent_weight, layer.bias):
        check_gradient(loss, parameter.value, parameter.grad)


@pytest.mark.parametrize("kind", ["SkylakeX (openblas)", "Haswell (openblas)"])
@pytest.mark.parametrize("rows", [1, 20, 64])
@pytest.mark.parametrize("size", [64, 509, 512, 768, 1024])
def test_strips_are_the_widest_that_blas_multiplies_without_packing(monkeypatch, kind, rows, size):
    monkeypatch.setattr(recurrent, "processor_kind", lambda: kind)
    strip_count.cache_clear()
    count = strip_count(rows, size)
    strip_count.cache_clear()
    assert size % count == 0
    if count == 1:
        fitting = [n for n in range(2, size // MIN_STRIP_COLUMNS + 1) if size % n == 0 and rows * size**2 <= n * 10**6]
        assert "Haswell" in kind or rows * size**2 <= 10**6 or not fitting
    else:
        assert "SkylakeX" in kind
        assert rows * size**2 / count <= 10**6 < rows * size**2
        assert not any(size % n == 0 and rows * size**2 / n <= 10**6 for n in range(1, count))


@every_cell
def test_a_mask_multiplies_what_the_recurrent_weights_see_of_each_sequence(layer, x, state, rng):
    mask = rng.normal(size=(B, H))
    out, _, _ = layer.forward(x, state, mask=mask)
    weight = layer.recurrent_weight.value.copy()
    for b in range(B):
        layer.recurrent_weight.value[...] = weight * mask[b][:, None]
        np.testing.assert_allclose(layer.forward(x, state)[0][:, b], out[:, b])


@every_cell
def test_gradients_add_up_over_passes(layer, x, state, rng):
    mask = rng.normal(size=(B, H))
    parameters = (layer.input_weight, layer.recurrent_weight, layer.bias)
    for weights in (None, mask):
        layer.forward(x, state, mask=weights)[2](np.ones((len(x), B, H)))
        once = [parameter.grad.copy() for parameter in parameters]
        layer.forward(x, state, mask=weights)[2](np.ones((len(x), B, H)))
        for parameter, gradient in zip(parameters, once, strict=True):
            np.testing.assert_allclose(parameter.grad, 2 * gradient)
            parameter.clear()


@every_cell
def test_two_halves_with_the_state_carried_equal_one_run(layer, x, state):
    whole, last, _ = layer.forward(x, state)
    first, middle, _ = layer.forward(x[:2], state)
    second, end, _ = layer.forward(x[2:], middle)
    np.testing.assert_allclose(np.concatenate([first, second]), whole)
    np.testing.assert_allclose(end, last)


@every_cell
def test_the_first_input_changes_the_last_output(layer, x, state):
    if isinstance(layer.cell, Elman):
        layer.bias.value[...] = 3 if layer.cell.activation == "relu" else 0  # a dead unit passes nothing on
    x = x[:4]
    before = layer.forward(x, state)[0][-1]
    x[0] += 0.5
    assert (np.abs(layer.forward(x, state)[0][-1] - before).max(axis=1) > 1e-6).all()


@every_cell
def test_a_row_of_the_batch_does_not_see_its_neighbour(layer, x, state):
    out, _, _ = layer.forward(x, state)
    alone, _, _ = layer.forward(x[:, 1:2], type(state)(*(array[1:2] for array in state)))
    np.testing.assert_allclose(alone, out[:, 1:2])


@every_cell
def test_a_state_is_never_changed_in_place(layer, x, state):
    kept = [array.copy() for array in state]
    _, last, backward = layer.forward(x, state)
    after = [array.copy() for array in last]
    layer.forward(x, last)
    backward(np.ones((len(x), B, H)))
    np.testing.assert_array_equal(state, kept)
    np.testing.assert_array_equal(last, after)


@every_cell
def test_two_passes_at_once_do_not_disturb_each_other(layer, x, state, rng):
    out_weights = rng.normal(size=(len(x), B, H))
    expected, _ = layer.forward(x, state)[2](out_weights)
    _, _, backward = layer.forward(x, state)
    layer.forward(rng.normal(size=(len(x), B, D)), layer.zero_state(B))
    np.testing.assert_array_equal(backward(out_weights)[0], expected)


def test_an_elman_layer_follows_its_equation(rng):
    w_x, w_h, b = rng.normal(size=(D, H)), rng.normal(size=(H, H)), rng.normal(size=H)
    layer = Recurrent(Elman(), Parameter(w_x), Parameter(w_h), Parameter(b))
    x, h = rng.normal(size=(4, B, D)), np.zeros((B, H))
    out, _, _ = layer.forward(x, layer.zero_state(B))
    for t in range(4):
        h = np.tanh(x[t] @ w_x + h @ w_h + b)
        np.testing.assert_allclose(out[t], h)


def test_large_inputs_saturate_without_a_warning():
    for cell in CELLS:
        width = cell.gates * H
        layer = Recurrent(cell, *(Parameter(np.full(s, 1e4)) for s in [(D, width), (H, width), (width,)]))
        out, _, _ = layer.forward(np.full((1, B, D), -1e4), layer.zero_state(B))
        assert np.isfinite(out).all()


@every_cell
def test_inputs_that_recur_give_the_same_outputs_in_place(layout, layer, steps, state, rng):
    rows = rng.normal(size=(2, D))
    places = rng.integers(0, 2, (steps, B))
    expected, expected_last, _ = layer.forward(rows[places], state)
    outputs, last = layer.read(rows, places, state)
    np.testing.assert_allclose(outputs, expected, rtol=1e-10)
    for field, expected_field in zip(last, expected_last, strict=True):
        np.testing.assert_allclose(field, expected_field, rtol=1e-10)
