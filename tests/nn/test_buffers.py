import numpy as np

from rnncli.nn.buffers import Buffers


def test_the_memory_of_a_pass_is_used_again_in_the_next():
    buffers = Buffers()
    first = [buffers.empty((2, 3), np.float32), buffers.empty((4,), np.float32)]
    buffers.reset()
    second = [buffers.empty((2, 3), np.float32), buffers.empty((4,), np.float32)]
    for a, b in zip(first, second, strict=True):
        assert np.shares_memory(a, b)


def test_what_is_taken_in_one_pass_does_not_overlap():
    buffers = Buffers()
    arrays = [buffers.empty((3,), np.float32) for _ in range(4)]
    for k, array in enumerate(arrays):
        array.fill(k)
    assert [array.tolist() for array in arrays] == [[k] * 3 for k in range(4)]


def test_shapes_and_types_may_change_from_pass_to_pass():
    buffers = Buffers()
    for shape, dtype in [((2, 3), np.float32), ((50, 2), np.float32), ((1, 2), np.float64), ((), np.float32)]:
        buffers.reset()
        array = buffers.empty(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
