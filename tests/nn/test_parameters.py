import numpy as np

from rnncli.nn.parameters import Parameter, glorot, orthogonal, uniform


def test_a_new_parameter_has_a_gradient_of_zeros_of_its_shape_and_type(rng):
    parameter = Parameter(rng.normal(size=(2, 3)).astype(np.float32))
    assert parameter.grad.shape == (2, 3)
    assert parameter.grad.dtype == np.float32
    assert not parameter.grad.any()


def test_a_gradient_of_the_rows_in_use_begins_with_zeros(rng):
    table = Parameter(rng.normal(size=(9, 2)))
    for rows in ([1, 4, 7], [0, 1, 2, 3, 8], [5]):
        table.use(np.array(rows))
        assert table.grad.shape == (len(rows), 2)
        assert not table.grad.any()
        assert table.grad_rows(np.array(rows)).tolist() == list(range(len(rows)))
        table.grad[...] += 1


def test_a_gradient_of_few_rows_takes_memory_for_few_rows_and_takes_it_once(rng):
    table = Parameter(rng.normal(size=(1000, 2)))
    table.use(np.arange(80))
    first = table.grad
    assert len(first.base) <= 90
    for count in (70, 85, 80):  # nearly as many
        table.use(np.arange(count))
        assert np.shares_memory(table.grad, first)
    table.use(np.arange(500))
    assert len(table.grad) == 500


def test_a_sum_is_kept_when_more_is_added(rng):
    parameter, a, b = Parameter(np.zeros((2, 3))), rng.normal(size=(2, 5)), rng.normal(size=(5, 3))
    parameter.add(np.ones((2, 3)))
    parameter.add(np.ones((2, 3)))
    parameter.add_product(a, b)
    np.testing.assert_allclose(parameter.grad, 2 + a @ b)
    np.testing.assert_allclose(parameter.grad, 2 + a @ b)


def test_products_and_sums_add_up_in_a_gradient_until_it_is_cleared(rng):
    parameter, a, b = Parameter(np.zeros((2, 3))), rng.normal(size=(2, 5)), rng.normal(size=(5, 3))
    for _ in range(2):
        parameter.add_product(a, b)
        parameter.add_product(a, b)
        parameter.add(np.ones((2, 3)))
        np.testing.assert_allclose(parameter.grad, 2 * a @ b + 1)
        parameter.clear()
        assert not parameter.grad.any()
        parameter.clear()


def test_an_orthogonal_matrix_keeps_every_length(rng):
    matrix = orthogonal(rng, 7)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(7), atol=1e-12)


def test_rotations_are_drawn_evenly_so_their_mean_is_near_zero(rng):
    mean = np.mean([orthogonal(rng, 3) for _ in range(2000)], axis=0)
    assert np.abs(mean).max() < 0.06


def test_glorot_values_stay_in_their_limit_and_fill_it(rng):
    matrix = glorot(rng, 50, 70)
    limit = (6 / 120) ** 0.5
    assert matrix.shape == (50, 70)
    assert 0.95 * limit < np.abs(matrix).max() <= limit


def test_uniform_values_stay_in_their_limit_and_fill_it(rng):
    values = uniform(rng, (1000,), 0.1)
    assert 0.09 < np.abs(values).max() <= 0.1
