import math

import numpy as np
import pytest

from rnncli.nn.optimizers import NUMBERS_PER_BLOCK, SGD, Adam, clip_by_global_norm
from rnncli.nn.parameters import Parameter
from rnncli.nn.schedules import cosine

COLUMNS = [4, NUMBERS_PER_BLOCK // 2, NUMBERS_PER_BLOCK + 1]  # in one block, and in several


@pytest.fixture
def columns() -> int:
    return 4


@pytest.fixture
def parameters(rng, columns) -> dict[str, Parameter]:
    parameters = {"matrix": Parameter(rng.normal(size=(3, columns))), "bias": Parameter(rng.normal(size=columns))}
    for parameter in parameters.values():
        parameter.grad[...] = rng.normal(size=parameter.grad.shape)
    return parameters


def global_norm(parameters) -> float:
    return np.sqrt(sum((p.grad**2).sum() for p in parameters.values()))


def test_clipping_scales_all_gradients_to_the_limit_together(parameters):
    before = {name: p.grad.copy() for name, p in parameters.items()}
    norm = clip_by_global_norm(parameters, 0.5)
    assert norm == pytest.approx(np.sqrt(sum((g**2).sum() for g in before.values())))
    assert global_norm(parameters) == pytest.approx(0.5)
    for name, parameter in parameters.items():
        np.testing.assert_allclose(parameter.grad, before[name] * 0.5 / norm)


@pytest.mark.parametrize("limit", [0, 1e6])
def test_gradients_within_the_limit_or_without_one_stay_as_they_are(parameters, limit):
    before = parameters["matrix"].grad.copy()
    clip_by_global_norm(parameters, limit)
    np.testing.assert_array_equal(parameters["matrix"].grad, before)


def test_the_norm_of_gradients_that_are_not_finite_is_not_finite(parameters):
    parameters["bias"].grad[0] = np.nan
    assert np.isnan(clip_by_global_norm(parameters, 1.0))


@pytest.mark.parametrize("columns", COLUMNS)
def test_sgd_follows_its_rule_and_decays_matrices_only(parameters):
    before = {name: (p.value.copy(), p.grad.copy()) for name, p in parameters.items()}
    SGD(parameters, weight_decay=0.1).step(0.5)
    value, grad = before["matrix"]
    np.testing.assert_allclose(parameters["matrix"].value, value * (1 - 0.05) - 0.5 * grad)
    value, grad = before["bias"]
    np.testing.assert_allclose(parameters["bias"].value, value - 0.5 * grad)


@pytest.mark.parametrize("columns", COLUMNS)
def test_adam_follows_its_rule_over_several_steps(parameters, rng):
    adam = Adam(parameters, weight_decay=0.1)
    expected = {name: p.value.copy() for name, p in parameters.items()}
    mean, square = ({name: np.zeros_like(v) for name, v in expected.items()} for _ in range(2))
    for step in range(1, 4):
        for name, parameter in parameters.items():
            grad = parameter.grad[...] = rng.normal(size=parameter.grad.shape)
            mean[name] = 0.9 * mean[name] + 0.1 * grad
            square[name] = 0.999 * square[name] + 0.001 * grad**2
            if name == "matrix":
                expected[name] *= 1 - 0.01 * 0.1
            mean_hat, square_hat = mean[name] / (1 - 0.9**step), square[name] / (1 - 0.999**step)
            expected[name] = expected[name] - 0.01 * mean_hat / (np.sqrt(square_hat) + 1e-8)
        adam.step(0.01)
    for name, parameter in parameters.items():
        np.testing.assert_allclose(parameter.value, expected[name])


def test_adam_forgets_its_moments_when_it_is_reset(parameters):
    adam = Adam(parameters)
    adam.step(0.1)
    adam.reset()
    assert adam.steps == 0
    assert not any(moments.any() for moments in (*adam.sums.values(), *adam.squares.values()))


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("columns", COLUMNS)
def test_with_every_row_in_use_a_sparse_step_is_the_dense_one(rng, optimizer, columns):
    values = {"table": rng.normal(size=(6, columns)), "bias": rng.normal(size=6)}
    dense, sparse = ({name: Parameter(value.copy()) for name, value in values.items()} for _ in range(2))
    rules = [optimizer(parameters, weight_decay=0.1) for parameters in (dense, sparse)]
    for _ in range(3):
        for name, parameter in sparse.items():
            parameter.use(np.arange(6))
            parameter.grad[...] = dense[name].grad[...] = rng.normal(size=parameter.grad.shape)
        for rule in rules:
            rule.step(0.01)
    for name in values:
        np.testing.assert_array_equal(sparse[name].value, dense[name].value)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_a_row_that_is_not_in_use_stays_as_it_is(rng, optimizer):
    value = rng.normal(size=(6, 4))
    table = Parameter(value.copy())
    rule = optimizer({"table": table}, weight_decay=0.1)
    for rows in ([0, 2, 5], [2, 3]):
        table.use(np.array(rows))
        table.grad[...] = rng.normal(size=table.grad.shape)
        rule.step(0.01)
    np.testing.assert_array_equal(table.value[[1, 4]], value[[1, 4]])
    assert (table.value != value).any(axis=1).tolist() == [True, False, True, True, False, True]


def test_rows_that_catch_up_are_where_the_dense_rule_has_them(rng):
    value = rng.normal(size=(8, 3))
    dense, sparse = Parameter(value.copy()), Parameter(value.copy())
    dense_adam, sparse_adam = Adam({"table": dense}), Adam({"table": sparse})
    dense_adam.steps = sparse_adam.steps = 10_000  # the corrections of the moments' beginning no longer change
    for _ in range(400):
        rows = np.flatnonzero(rng.random(8) < 0.1)
        sparse.use(rows)
        sparse_adam.catch_up()
        np.testing.assert_allclose(sparse.value[rows], dense.value[rows], rtol=1e-4, atol=1e-5)
        dense.grad.fill(0)
        sparse.grad[...] = dense.grad[rows] = rng.normal(size=(len(rows), 3))
        dense_adam.step(0.01)
        sparse_adam.step(0.01)
    sparse_adam.catch_up(everything=True)
    np.testing.assert_allclose(sparse.value, dense.value, rtol=1e-4, atol=1e-5)
    assert np.abs(dense.value - value).max() > 0.1


def test_rows_that_were_used_lately_can_catch_up_in_between(rng):
    value = rng.normal(size=(30, 3))
    often, once = Parameter(value.copy()), Parameter(value.copy())
    adams = [Adam({"table": often}), Adam({"table": once})]
    for adam in adams:
        adam.steps = 10_000
        adam.caught_up["table"][:] = 10_000
    for step in range(100):
        rows = np.flatnonzero(rng.random(30) < (0.1 if step < 60 else 0.01))
        gradient = rng.normal(size=(len(rows), 3))
        for parameter, adam in zip((often, once), adams, strict=True):
            parameter.use(rows)
            adam.catch_up()
            parameter.grad[...] = gradient
            adam.step(0.01)
        if step % 7 == 0:
            adams[0].catch_up(within=14)
            is_late = adams[0].used["table"] >= adams[0].steps - 14
            np.testing.assert_array_equal(adams[0].caught_up["table"][is_late], adams[0].steps)
    assert (adams[0].caught_up["table"] < adams[0].steps).any()
    for adam in adams:
        adam.catch_up(everything=True)
    np.testing.assert_allclose(often.value, once.value, rtol=1e-5, atol=1e-6)


def test_rows_catch_up_at_the_rate_of_the_steps_that_they_missed(rng):
    value = rng.normal(size=(50, 3))
    dense, sparse = Parameter(value.copy()), Parameter(value.copy())
    dense_adam, sparse_adam = Adam({"table": dense}), Adam({"table": sparse})
    for step in range(400):
        rows = np.flatnonzero(rng.random(50) < 0.01)
        sparse.use(rows)
        dense.grad.fill(0)
        sparse.grad[...] = dense.grad[rows] = rng.normal(size=(len(rows), 3))
        sparse_adam.catch_up()
        for adam in (dense_adam, sparse_adam):
            adam.step(0.01 * cosine(step / 400))
    sparse_adam.catch_up(everything=True)
    assert np.std(sparse.value - dense.value) < 0.1 * np.std(dense.value - value)


def test_the_norm_is_that_of_the_rows_in_use(rng):
    table = Parameter(rng.normal(size=(6, 4)))
    table.use(np.array([1, 3]))
    table.grad[...] = 2
    assert clip_by_global_norm({"table": table}, 1.0) == pytest.approx(math.sqrt(8 * 4))
    np.testing.assert_allclose(table.grad, 1 / math.sqrt(8))


def test_an_infinite_norm_scales_nothing(parameters):
    parameters["bias"].grad[0] = np.inf
    before = parameters["matrix"].grad.copy()
    assert clip_by_global_norm(parameters, 1.0) == np.inf
    np.testing.assert_array_equal(parameters["matrix"].grad, before)


def test_a_row_that_has_missed_no_step_stays_as_it_is_when_it_catches_up(rng):
    table = Parameter(rng.normal(size=(4, 3)))
    adam = Adam({"table": table})
    for _ in range(2):
        table.use(np.array([1, 2]))
        table.grad[...] = rng.normal(size=(2, 3))
        adam.step(0.1)
        value = table.value.copy()
        adam.catch_up(everything=True)
        adam.catch_up()
        np.testing.assert_array_equal(table.value, value)


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_missed_step_moves_a_row_as_a_step_with_a_gradient_of_zero(rng, columns):
    value = rng.normal(size=(5, columns))
    dense, sparse = Parameter(value.copy()), Parameter(value.copy())
    adams = [Adam({"table": dense}), Adam({"table": sparse})]
    sparse.use(np.arange(5))
    sparse.grad[...] = dense.grad[...] = rng.uniform(0.5, 2, size=value.shape)  # where epsilon does not show
    for adam in adams:
        adam.steps = 10_000  # the bias of the moments is gone
        adam.step(0.01)
    dense.grad.fill(0)
    sparse.use(np.array([], int))
    for adam in adams:
        adam.step(0.01)
    for _ in range(2):  # the second time there is nothing left to do
        adams[1].catch_up(everything=True)
    np.testing.assert_allclose(sparse.value - value, dense.value - value, rtol=1e-6)
    for moments in ("sums", "squares"):
        np.testing.assert_allclose(getattr(adams[1], moments)["table"], getattr(adams[0], moments)["table"])
