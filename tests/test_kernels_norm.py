"""What normalisations are made of, large and small, against its formula in float64."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.kernels import norm, threads

from .helpers import more
from .test_kernels import Array
from .test_kernels_pointwise import picture

FUNCTIONS = ("rescaled", "stretched", "deviation", "squares", "deviation_dot", "deviation_removed")
SHAPES = [(0, 3, 4, 4), (3, 1, 1, 1), (2, 3, 4, 5), (40, 5, 9, 20), (1, 24, 40, 30), (3, 2, 70, 60)]
GROUPS = [(1,), (0,), (0, 1), (2, 3), (0, 1, 2), ()]  # the axes along which there are several


def sample(
    shape: tuple[int, ...], order: tuple[int, ...], several: tuple[int, ...], dtype: type = np.float32
) -> list[Array]:
    """x and dY in a memory order, and four numbers for each group, the first near its mean."""
    rng = np.random.default_rng(1)
    groups = [size if axis in several else 1 for axis, size in enumerate(shape)]
    x, dy = picture(shape, order, dtype) + dtype(3), picture(shape, order, dtype)[::-1].copy("K")
    return [x, dy, *((rng.standard_normal(groups) + 3).astype(dtype) for _ in range(4))]


def results(x: Array, dy: Array, center: Array, a: Array, b: Array, c: Array) -> list[Array]:
    """What the kernels make of them."""
    np.testing.assert_array_equal(
        kernels.rescaled(x, center, a), kernels.rescaled(x, center, a, np.zeros_like(a))
    )
    distance, squares = kernels.deviation(x, center)
    np.testing.assert_array_equal(kernels.stretched(distance.copy("K"), a), kernels.rescaled(x, center, a))
    return [
        kernels.rescaled(x, center, a, b),
        kernels.stretched(distance.copy("K"), a, b),
        distance,
        squares,
        kernels.deviation_dot(dy, x, center),
        kernels.deviation_removed(dy, a, x, center, b, c),
    ]


def formulas(*arrays: Array) -> list[Array]:
    """The same by definition."""
    x, dy, center, a, b, c = (array.astype(np.float64) for array in arrays)
    axes = tuple(axis for axis, size in enumerate(center.shape) if size == 1)
    d = x - center
    return [
        d * a + b,
        d * a + b,
        d,
        (d * d).sum(axes, keepdims=True),
        (dy * d).sum(axes, keepdims=True),
        (dy - a - d * b) * c,
    ]


@pytest.mark.parametrize("several", GROUPS)
@pytest.mark.parametrize("shape", [*SHAPES[:4], *more(*SHAPES[4:])])
def test_formulas(shape: tuple[int, ...], several: tuple[int, ...]) -> None:
    for order in permutations(range(4)):
        arrays = sample(shape, order, several)
        before = [array.copy() for array in arrays]
        for name, got, expected in zip(FUNCTIONS, results(*arrays), formulas(*arrays), strict=True):
            assert got.shape == expected.shape and got.dtype == np.float32
            np.testing.assert_allclose(
                got, expected, rtol=2e-5, atol=2e-5 * np.abs(expected).max(initial=1), err_msg=name
            )
            assert not any(np.shares_memory(got, array) for array in arrays)
        assert all(map(np.array_equal, arrays, before))


def test_large_blocks_are_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for several in GROUPS:
        arrays = sample((6, 4, 50, 40), (2, 1, 3, 0), several, np.float64)
        whole = results(*arrays)
        with monkeypatch.context() as patch:
            patch.setattr(norm, "CACHE_BYTES_OF_PIECE", 100_000)
            norm._blocks.cache_clear()
            assert all(map(np.array_equal, results(*arrays), whole))
        norm._blocks.cache_clear()


def test_results_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = sample((32, 16, 30, 20), (2, 1, 3, 0), (1,))
    alone = results(*arrays)
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    for count in (2, 3):
        monkeypatch.setattr(threads, "get_num_threads", lambda count=count: count)
        assert all(map(np.array_equal, results(*arrays), alone))


def test_the_memory_order_of_x_is_kept_and_that_of_dy_may_be_another() -> None:
    x, dy, *numbers = sample((40, 5, 9, 20), (2, 1, 3, 0), (1,))
    other = np.ascontiguousarray(dy)
    assert all(map(np.array_equal, results(x, other, *numbers), results(x, dy, *numbers)))
    for got in (
        kernels.rescaled(x, *numbers[:2]),
        kernels.deviation_removed(other, numbers[1], x, *numbers[:1], *numbers[2:]),
    ):
        assert got.strides == x.strides


def test_strided_and_repeated_memory() -> None:
    x, dy, *numbers = sample((40, 10, 20, 30), (2, 1, 3, 0), (1,), np.float64)
    for view in (
        lambda a: a[:, :, ::2],
        lambda a: a[::20],
        lambda a: a[..., ::-1],
        lambda a: np.broadcast_to(a[:1], a.shape),
    ):
        arrays = [view(x), view(dy), *numbers]
        for got, expected in zip(results(*arrays), formulas(*arrays), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-8)


def test_other_shapes_and_dtypes_follow_numpy() -> None:
    x, dy, center, a, b, c = sample((40, 5, 9, 20), (2, 1, 3, 0), (1,))
    expected = formulas(x, dy, center, a, b, c)[-1]
    for got in (
        kernels.deviation_removed(dy, np.broadcast_to(a, x.shape), x, center, b, c),
        kernels.deviation_removed(dy, a, x, center.reshape(5, 1, 1), b, c),
        kernels.deviation_removed(dy, a, x, center, b.astype(np.float64), c),
        kernels.deviation_removed(dy.astype(np.float64), a, x, center, b, c),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    assert kernels.deviation_removed(dy.astype(np.float64), a, x, center, b, c).dtype == np.float64
    for dtypes in ((np.float32, np.float64), (np.float64, np.float32)):
        wide = kernels.deviation_dot(dy.astype(dtypes[0]), x, center.astype(dtypes[1]))
        assert wide.dtype == np.float64
        np.testing.assert_allclose(wide, formulas(x, dy, center, a, b, c)[-2], rtol=1e-4, atol=1e-2)
    one_row = dy[:, :, :1]
    got = kernels.deviation_removed(one_row, a, x, center, b, c)
    np.testing.assert_allclose(got, formulas(x, one_row, center, a, b, c)[-1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(1000, 4, 14, 10), (2, 3, 400, 300)])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 3, 0), (1, 0, 2, 3)])
def test_long_sums_are_as_exact_as_numpys(order: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Of two numbers again and again, added one after another, the sum would be 1e-4 away."""
    several = (1,) if order[0] != 1 else (0, 1)
    x, dy, *numbers = sample(shape, order, several)
    for array in (x, dy):
        array[...] = np.where(array > array.mean(), np.float32(0.3), np.float32(0.9))
    everything = zip(FUNCTIONS, results(x, dy, *numbers), formulas(x, dy, *numbers), strict=True)
    for name, got, expected in [each for each in everything if each[0] in ("squares", "deviation_dot")]:
        np.testing.assert_allclose(got, expected, rtol=2e-6, err_msg=name)


def test_squares_that_overflow_are_a_reason_to_warn() -> None:
    x, dy, *numbers = sample((40, 5, 9, 20), (2, 1, 3, 0), (1,))
    x[0, 0, 0, 0] = 1e30
    with pytest.warns(RuntimeWarning, match="overflow"):
        kernels.deviation(x, numbers[0])


def test_inf_and_nan_stay_in_their_group() -> None:
    arrays = sample((40, 5, 9, 20), (2, 1, 3, 0), (1,))
    arrays[0][3, 1, 2, 4], arrays[1][3, 3, 2, 4] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        for got, expected in zip(results(*arrays), formulas(*arrays), strict=True):
            np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
            np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))


def test_a_large_batch_norm_and_its_gradients_in_float32_are_those_in_float64() -> None:
    results_by_dtype = []
    for dtype in (np.float32, np.float64):
        arrays = picture((32, 8, 20, 20), (2, 1, 3, 0), np.float64), np.arange(8.0), np.ones(8)
        x, w, b = (tg.tensor(array, dtype=dtype, requires_grad=True) for array in arrays)
        y = tg.batch_norm(x, None, None, w, b, training=True)
        y.backward(np.sin(np.arange(y.data.size, dtype=dtype)).reshape(y.shape))
        results_by_dtype.append([y.data, x.grad, w.grad, b.grad])
    for got, expected in zip(*results_by_dtype, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
