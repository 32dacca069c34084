"""max(x, 0), and images to vectors and back, in whatever order the memory has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels

from .test_kernels import MEMORY_ORDERS

Array = np.ndarray[Any, Any]

SHAPES = [
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
HCWN = (2, 1, 3, 0)


def in_order(x: Array, order: tuple[int, ...]) -> Array:
    """The same numbers in another memory order."""
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


@pytest.mark.parametrize("shape", SHAPES)
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


@pytest.mark.parametrize(
    "shape", [(4, 3, 40, 50), (4, 3, 4, 5), (0, 3, 40, 50), (200, 60), (4, 3000, 2), (3, 0, 2, 2)]
)
@pytest.mark.parametrize("innermost", [False, True])
def test_flattening_there_and_back(shape: tuple[int, ...], innermost: bool) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    ordered = in_order(x, (*range(1, x.ndim), 0)) if innermost else x
    flat = kernels.flattened(ordered)
    np.testing.assert_array_equal(flat, x.reshape(len(x), int(np.prod(shape[1:]))))
    np.testing.assert_array_equal(kernels.unflattened(flat, shape), x)


def test_large_images_come_back_as_the_kernels_want_them() -> None:
    rows = kernels.unflattened(np.zeros((8, 3 * 30 * 20)), (8, 3, 30, 20)).transpose(HCWN)
    assert rows.flags.c_contiguous


def test_gradients_through_a_large_flatten() -> None:
    """The network of a convolution, relu and flatten, compared with the same net flattened by hand."""
    rng = np.random.default_rng(0)
    image, w, v = (
        rng.standard_normal((8, 3, 20, 20)),
        rng.standard_normal((4, 3, 3, 3)),
        rng.standard_normal((5, 4 * 20 * 20)),
    )
    found = []
    for flatten in (lambda y: tg.flatten(y, 1), lambda y: tg.reshape(y, (8, -1))):
        x, kernel, weight = (tg.tensor(a, requires_grad=True) for a in (image, w, v))
        loss = (tg.linear(flatten(tg.relu(tg.conv2d(x, kernel, padding=1))), weight) ** 2).sum()
        loss.backward()
        found.append([np.asarray(leaf.grad) for leaf in (x, kernel, weight)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-6)
