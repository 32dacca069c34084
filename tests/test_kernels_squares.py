"""Sums of squares: exact for few numbers and many, in any memory order; Inf and NaN stay what they are."""

import numpy as np
import pytest

from tinygrad_conv import kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (3, 0), (2, 2), (16, 10), (256,), (257,), (7, 8, 9), (300, 400)]
)
def test_a_sum_of_squares_is_as_exact_as_adding_in_pairs(shape, dtype):
    rng = np.random.default_rng(0)
    x = np.asarray(rng.standard_normal(shape), dtype)
    exact = np.square(x, dtype=np.longdouble).sum()
    rounding = np.finfo(dtype).eps * (4 + np.log2(max(x.size, 1)))
    for laid_out in (x, x.T, x[::-1] if x.ndim else x, np.asfortranarray(x)):
        total = kernels.sum_of_squares(laid_out)
        assert total.dtype == dtype
        assert abs(total - exact) <= rounding * exact
        assert kernels.settled_sum_of_squares(laid_out)(laid_out) == total


def test_squares_that_overflow_are_infinite_and_nan_stays_nan():
    with np.errstate(over="ignore"):
        assert kernels.sum_of_squares(np.full(4, 1e30, np.float32)) == np.inf
    assert kernels.sum_of_squares(np.array([1, -np.inf], np.float32)) == np.inf
    assert np.isnan(kernels.sum_of_squares(np.array([1, np.nan], np.float32)))
