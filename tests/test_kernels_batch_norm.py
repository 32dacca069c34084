"""Batch norm of a large batch in one go is that step by step, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import batch_norm, threads
from tinygrad_conv.ops import norm
from tinygrad_conv.ops.reduce import summed

from .test_kernels import Array
from .test_kernels_pointwise import picture

EPS = 1e-5
PLACED = (2, 1, 3, 0)  # the memory order of the convolution's results, H, C, W, N
CASES = [
    ((33, 16, 20, 15), PLACED, np.float32),  # rows of 495 numbers, no multiple of what BLAS adds up
    ((40, 5, 17, 16), PLACED, np.float32),  # an odd number of channels
    ((16, 2, 32, 32), PLACED, np.float64),
    ((50, 7, 16, 16), (0, 1, 2, 3), np.float32),
]


def arrays(shape: tuple[int, ...], order: tuple[int, ...], dtype: type) -> tuple[Array, ...]:
    """x and dY, w and b."""
    x = picture(shape, order, dtype) * dtype(2) + dtype(3)
    w, b = picture((2, shape[1], 1, 1), (0, 1, 2, 3), dtype).reshape(2, -1)
    return x, x[::-1, :, ::-1].copy("K"), w, b


def step_by_step(x: Array, w: Array | None, b: Array | None) -> tuple[Array, ...]:
    """y, mean, variance and scale by a kernel for each."""
    distance, center, variance = norm.deviation(x, norm.batch_dims(x))
    scale, shape = norm.inverse_root(variance, EPS), norm.channel_shape(x)
    factor = scale if w is None else scale * w.reshape(shape)
    y = norm.stretched(distance, factor, None if b is None else b.reshape(shape))
    return y, center, variance, scale


def assert_same_bits(results: tuple[Array, ...], expected: tuple[Array, ...]) -> None:
    """Of every array, and the memory order of the first."""
    assert results[0].strides == expected[0].strides
    for result, each in zip(results, expected, strict=True):
        assert (result.shape, result.dtype) == (each.shape, each.dtype)
        assert result.tobytes() == each.tobytes()


@pytest.mark.parametrize("parts", (1, 2, 3))
@pytest.mark.parametrize("affine", (True, False))
@pytest.mark.parametrize("shape, order, dtype", CASES)
def test_in_one_go_is_step_by_step(
    shape: tuple[int, ...],
    order: tuple[int, ...],
    dtype: type,
    affine: bool,
    parts: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "get_num_threads", lambda: parts)
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    monkeypatch.setattr(batch_norm, "BYTES_OF_PIECE", 100_000)
    x, dy, w, b = arrays(shape, order, dtype)
    weight, bias = (w, b) if affine else (None, None)

    expected = step_by_step(x, weight, bias)
    result = kernels.batch_normalized(x, weight, bias, EPS)
    assert result is not None
    assert_same_bits(result, expected)
    rectified = kernels.batch_normalized(x, weight, bias, EPS, rectified=True)
    assert rectified is not None
    assert_same_bits(rectified, (kernels.rectify(expected[0]), *expected[1:]))

    _, center, _, scale = expected
    sent_back = kernels.batch_norm_sent_back(dy, x, weight, center, scale)
    assert sent_back is not None
    dx = norm.batch_norm_dx(dy, x, weight, center, scale, True)
    dots, total = kernels.deviation_dot(dy, x, center), summed(dy, norm.batch_dims(x), keepdim=True)
    assert_same_bits(sent_back, (dx, dots, total))


def test_what_it_does_not_serve() -> None:
    x, dy, w, b = arrays((33, 16, 20, 15), PLACED, np.float32)
    flat, channels_last = (
        picture((20_000, 4), (0, 1), np.float32),
        picture((33, 16, 20, 15), (0, 2, 3, 1), np.float32),
    )
    many_rows = picture((100, 4, 20, 15), (0, 1, 2, 3), np.float32)
    for array in (flat, channels_last, many_rows, x[:2, :, :4], x[:, :1]):
        assert kernels.batch_normalized(array, None, None, EPS) is None
    assert kernels.batch_normalized(x, w.astype(np.float64), b, EPS) is None
    center = np.zeros((1, 16, 1, 1), np.float32)
    assert kernels.batch_norm_sent_back(dy.astype(np.float64), x, w, center, center) is None
