"""What sums are made of: which way is taken, what is laid side by side, what is added up in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import sums
from tinygrad_conv.kernels.sums import BLOCK, HALVED, MANY, NARROW, SHORT


def whole(*shape, dtype=np.float32):
    """Small whole numbers, whose sums are exact in any order."""
    return np.random.default_rng(0).integers(-8, 9, shape).astype(dtype)


def layout(x):
    """What says how the numbers of an array lie in memory."""
    return x.shape, x.strides, x.itemsize


WAYS = [  # x, axes, whether NumPy's own sum adds in pairs
    (whole(SHORT, 2), (0,), True),  # so few that it is all the same
    (whole(SHORT + 1, 2), (0,), False),
    (whole(3, SHORT + 1), (1,), True),
    (whole(2, 5, 70), (1, 2), True),
    (whole(2, 5, 70), (0, 1, 2), True),
    (whole(2, 5, 70), (0, 2), False),
    (whole(2, 5, 70), (-1, -2), True),
    (whole(2, 70, 1), (2, 1), True),  # an axis of one number is nowhere in the way
    (whole(2, 1, 70), (0, 2), True),
    (whole(70, 2).T, (1,), False),
    (whole(2, 70).T, (0,), True),
    (whole(2, 70).T, (-2,), True),
    (whole(2, 70, 5).T, (0, 1), True),
    (whole(2, 70, 5).T, (1, 2), False),
    (whole(70, 4)[:, :2], (1, 0), False),  # a gap in memory
    (whole(3, 140)[:, ::2], (1,), False),
    (whole(3, 70)[:, ::-1], (1,), False),
    (np.broadcast_to(whole(70), (3, 70)), (1,), False),  # the repeats do not lie outside
]


@pytest.mark.parametrize(("x", "axes", "pairs"), WAYS)
def test_where_numpy_adds_in_pairs(x, axes, pairs):
    assert sums.in_pairs(*layout(x), axes) is pairs
    np.testing.assert_array_equal(kernels.sum_over(x, axes), x.astype(np.float64).sum(axes).astype(x.dtype))


def test_what_lies_side_by_side_is_one_axis():
    x = whole(4, 5, 6)
    assert sums.lie_side_by_side(*layout(x), (2,)) is True
    assert sums.lie_side_by_side(*layout(x), (2, 1)) is True
    assert sums.lie_side_by_side(*layout(x), (-1, -2)) is True
    assert sums.lie_side_by_side(*layout(x), (1,)) is False
    assert sums.lie_side_by_side(*layout(x.T), (0, 1)) is True
    assert sums.lie_side_by_side(*layout(x[:, :4]), (1, 2)) is True
    assert sums.lie_side_by_side(*layout(x[:, :, :5]), (1, 2)) is False
    assert sums.lie_side_by_side(*layout(np.broadcast_to(x[0, 0], (3, 6))), (1,)) is False
    assert sums.lie_side_by_side(*layout(np.lib.stride_tricks.sliding_window_view(x[0, 0], 3)), (1,)) is False


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 2), (40, 20), (200, 3, 7), (200, 3, 100)])
def test_sums_of_whole_numbers_are_exact(shape, dtype, keepdims):
    x = (whole(*shape) % 2).astype(dtype)
    for axes in (None, 0, -1, (0,), (-2, -1), (0, 1)):
        y = kernels.sum_over(x, axes, keepdims)
        right = x.sum(axes, np.float64 if x.dtype.kind == "f" else np.int64, keepdims=keepdims)
        np.testing.assert_array_equal(y, right.astype(x.dtype if x.dtype.kind == "f" else np.int64))
        assert y.dtype == (dtype if x.dtype.kind == "f" else np.int64) and y.shape == right.shape


@pytest.mark.parametrize("rows", [50, MANY])
def test_halves_are_rounded_once(rows):
    for x in (np.random.default_rng(0).random((rows, 20)), np.full((rows, 20), 0.1)):
        x = x.astype(np.float16)
        np.testing.assert_array_equal(kernels.sum_over(x, 0), x.sum(0, np.float64).astype(np.float16))


@pytest.mark.parametrize("rows", [MANY // 2, MANY])
def test_many_doubles_are_not_added_one_after_another(rows):
    x = np.random.default_rng(0).random((rows, 2))
    exact = x.astype(np.longdouble).sum(0)
    assert np.max(abs(kernels.sum_over(x, 0) / exact - 1)) <= 4 * np.finfo(np.float64).eps


@pytest.mark.parametrize("times", [2, 3, 1000])
def test_what_is_repeated_is_multiplied(times):
    x = np.broadcast_to(whole(5, 6)[:, None], (5, times, 6))
    shown, repeats = sums.without_repeats(x, frozenset([0, 1]))
    assert repeats == times
    np.testing.assert_array_equal(shown, x[:, :1], strict=True)
    np.testing.assert_array_equal(sums.sum_of_many(x, frozenset([1]), False), times * x[:, 0], strict=True)
    np.testing.assert_array_equal(sums.sum_of_many(x, frozenset([0, 1]), True), x.sum((0, 1), keepdims=True))


def test_what_is_not_repeated_stays():
    x = whole(5, 6)
    for same in (x, np.broadcast_to(x, (1, 5, 6)), np.broadcast_to(x[:, None], (5, 3, 6))):
        shown, repeats = sums.without_repeats(same, frozenset([0]))
        assert shown is same and repeats == 1


MERGED = [  # values, what is summed; the shape in which neighbours are one axis, and what is summed of it
    (whole(2, 3, 4, 5), (True, True, False, False), (6, 20), [True, False]),
    (whole(2, 3, 4, 5), (False, True, True, False), (2, 12, 5), [False, True, False]),
    (whole(2, 3, 4), (True, True, True), (24,), [True]),
    (whole(2, 3, 8)[:, :, :4], (True, True, True), (6, 4), [True, True]),
    (whole(2, 6, 4)[:, :3], (True, True, True), (2, 12), [True, True]),
    (whole(7), (True,), (7,), [True]),
    (whole(1), (True,), (1,), [True]),
]


@pytest.mark.parametrize(("values", "summed", "shape", "left"), MERGED)
def test_neighbours_are_one_axis(values, summed, shape, left):
    together, of_it = sums.merged(values, list(summed))
    assert together.shape == shape and of_it == left and np.shares_memory(together, values)
    np.testing.assert_array_equal(together.reshape(values.shape), values)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("width", [1, 2, 3, 100, NARROW // 2, NARROW // 2 + 1, 300])
@pytest.mark.parametrize("rows", [1, BLOCK, BLOCK + 1, 1000])
def test_sums_along_an_axis(rows, width, axis):
    x = whole(*((3, rows, width) if axis else (rows, width)))
    for values in (x, np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]):
        y = sums.sum_along(values, axis)
        np.testing.assert_array_equal(y, x.sum(axis, keepdims=True))


@pytest.mark.parametrize("rows", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5])
def test_every_block_has_its_sum(rows):
    x = whole(2, rows, 3)
    y = sums.sums_of_blocks(x, 1)
    right = [x[:, first : first + BLOCK].sum(1) for first in range(0, rows, BLOCK)]
    np.testing.assert_array_equal(y, np.stack(right, 1), strict=True)
    np.testing.assert_array_equal(sums.sum_in_blocks(x, 1), x.sum(1, keepdims=True))


@pytest.mark.parametrize("together", [1, 2, 7])
@pytest.mark.parametrize("rows", [1, 6, 7, 100])
def test_narrow_rows_are_laid_side_by_side(rows, together):
    x = whole(2, rows, 3)
    np.testing.assert_array_equal(sums.sum_of_narrow(x, together), x.sum(1))


@pytest.mark.parametrize(
    ("first", "last", "most", "parts"),
    [
        (0, 4, 4, [(0, 4)]),
        (3, 8, 4, [(3, 5), (5, 8)]),
        (3, 13, 4, [(3, 5), (5, 8), (8, 10), (10, 13)]),
        (2, 2 + HALVED, HALVED, [(2, 2 + HALVED)]),
    ],
)
def test_a_loop_runs_over_halves(first, last, most, parts):
    seen = []

    def work(begin, end):
        seen.append((begin, end))
        return np.arange(begin, end, dtype=float).sum(keepdims=True)

    assert sums.sum_in_halves(work, first, last, most) == sum(range(first, last))
    assert seen == parts


def test_a_loop_over_few_rows_is_one():
    assert sums.sum_in_halves(lambda first, last: np.array([last - first]), 0, HALVED) == HALVED
    seen = []
    sums.sum_in_halves(lambda first, last: seen.append((first, last)) or np.zeros(1), 0, HALVED + 1)
    assert len(seen) == 2
