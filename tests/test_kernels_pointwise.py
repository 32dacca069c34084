"""A number added to each channel, each channel added up, and max(x, 0), against what NumPy makes of them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import threads

from .test_kernels import MEMORY_ORDERS, Array

SHAPES = [
    (0, 2, 3, 3),
    (2, 3, 0, 4),
    (1, 1, 1, 1),
    (2, 3, 4, 5),
    (8, 5, 20, 30),
    (1, 16, 40, 50),
    (64, 2, 9, 11),
]


def picture(shape: tuple[int, ...], order: tuple[int, ...], dtype: type) -> Array:
    """Random numbers in a memory order."""
    array = np.random.default_rng(0).standard_normal([shape[axis] for axis in order]).astype(dtype)
    return array.transpose(np.argsort(order))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", MEMORY_ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_channels(shape: tuple[int, ...], order: tuple[int, ...], dtype: type) -> None:
    x = picture(shape, order, dtype)
    b = np.arange(shape[1]).astype(dtype)
    expected = x + b[:, None, None]
    total = kernels.sum_by_channel(x)
    np.testing.assert_allclose(total, x.astype(np.float64).sum((0, 2, 3)), rtol=1e-5, atol=1e-3)
    assert total.dtype == dtype and total.shape == b.shape
    y = kernels.add_bias(x, b)
    np.testing.assert_array_equal(y, expected)
    assert y is x


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (8, 5, 20, 30)])
def test_dtypes_that_differ_follow_numpy(shape: tuple[int, ...]) -> None:
    x = picture(shape, (2, 1, 3, 0), np.float32)
    before, b = x.copy(), np.full(shape[1], 1 / 3)
    y = kernels.add_bias(x, b)
    np.testing.assert_array_equal(y, before + b[:, None, None])
    np.testing.assert_array_equal(x, before)
    assert y.dtype == np.float64


@pytest.mark.parametrize("order", MEMORY_ORDERS)
def test_strided_and_repeated_memory(order: tuple[int, ...]) -> None:
    x = picture((8, 10, 20, 30), order, np.float64)
    for view in (x[:, ::2, ::2], x[..., ::-1], np.broadcast_to(x[:1, :, :1], x.shape)):
        np.testing.assert_allclose(kernels.sum_by_channel(view), view.sum((0, 2, 3)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (8, 5, 20, 30)])
def test_inf_and_nan_stay_in_their_channel(shape: tuple[int, ...]) -> None:
    x = picture(shape, (2, 1, 3, 0), np.float32)
    x[0, 1, 2, 3], x[0, 2, 2, 3] = np.inf, np.nan
    total = kernels.sum_by_channel(x)
    assert np.isfinite(total[0]) and total[1] == np.inf and np.isnan(total[2])


@pytest.mark.parametrize("shape", [(3, 4, 30, 40), (1, 1, 120, 90), (7, 1, 40, 40)])
def test_channels_wherever_they_lie_in_memory(shape: tuple[int, int, int, int]) -> None:
    for order in permutations(range(4)):
        y = (
            np.random.default_rng(0)
            .standard_normal([shape[axis] for axis in order])
            .transpose(np.argsort(order))
        )
        b = np.arange(1.0, 1 + shape[1])
        np.testing.assert_allclose(kernels.sum_by_channel(y), y.sum((0, 2, 3)), rtol=0, atol=1e-10)
        np.testing.assert_array_equal(y + b[:, None, None], kernels.add_bias(y, b))


RECTIFIED = [
    (),
    (0,),
    (7,),
    (20_001,),
    (3, 5000),
    (2, 0, 5, 3),
    (4, 3, 40, 50),
    (33, 64, 2, 3),
    (1, 1, 1, 12_000),
]


def in_order(x: Array, order: tuple[int, ...]) -> Array:
    """The same numbers in another memory order."""
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


@pytest.mark.parametrize("shape", RECTIFIED)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_rectify_is_the_maximum_with_zero(shape: tuple[int, ...], dtype: Any) -> None:
    x = (np.random.default_rng(0).standard_normal(shape) * 10).astype(dtype)
    y = kernels.rectify(x)
    np.testing.assert_array_equal(y, np.maximum(x, dtype(0)), strict=True)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("order", MEMORY_ORDERS)
@pytest.mark.parametrize("strided", [False, True])
def test_rectify_keeps_the_order_of_memory(order: tuple[int, ...], strided: bool) -> None:
    x = in_order(np.random.default_rng(0).standard_normal((5, 6, 30, 40)).astype(np.float32), order)
    x = x[:, :, ::2] if strided else x
    y = kernels.rectify(x)
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    assert np.argsort(y.strides).tolist() == np.argsort(x.strides).tolist()
    assert y.flags.writeable and np.abs(y.strides).min() == y.itemsize


def test_rectify_of_what_is_not_finite() -> None:
    x = np.tile(np.array([np.nan, np.inf, -np.inf, -0.0, 1.0], np.float32), 4000).reshape(40, 500)
    np.testing.assert_array_equal(kernels.rectify(x), np.maximum(x, np.float32(0)))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("other", MEMORY_ORDERS)
def test_parts_of_several_arrays_are_the_same_places(
    other: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    monkeypatch.setattr(threads, "get_num_threads", lambda: count)
    x = picture((5, 6, 30, 41), (2, 1, 3, 0), np.float32)
    x[0, 0, 0, :3] = np.inf, -np.inf, np.nan
    mask = in_order(np.random.default_rng(1).random(x.shape) < 0.5, other)
    sizes: list[int] = []
    y = np.empty_like(x)

    def work(x: Array, mask: Array, y: Array) -> None:
        sizes.append(x.size)
        np.copyto(y, x, where=mask)
        np.copyto(y, 0, where=~mask)

    kernels.shared_elementwise(work, x, mask, y)
    expected = np.where(mask, x, np.float32(0))
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(kernels.masked(x, mask), expected)
    np.testing.assert_array_equal(kernels.masked(x[::2], mask[::2]), expected[::2])
    assert sum(sizes) == x.size and len(sizes) == (count if other == (2, 1, 3, 0) else 1)
