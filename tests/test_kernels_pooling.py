"""Pooling by the fast kernels against `reference`: ties, NaN and infinities, integers, windows of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.window import Window, make_window

from .test_kernels import assert_same, random_array, random_window

Array = np.ndarray[Any, Any]


def pool_windows() -> Iterator[tuple[int, Window]]:
    """(seed, window): random ones, the usual ones, and more windows than the floor gives, as in ceil_mode."""
    for seed in range(150):
        yield seed, random_window(np.random.default_rng(seed))
    for seed, (size, k, stride, padding) in enumerate(
        [
            ((8, 8), 2, 2, 0),
            ((9, 7), 2, 2, 0),
            ((7, 9), 3, 2, 1),
            ((6, 6), 3, 3, 0),
            ((5, 5), 3, 1, 1),
            ((1, 1), 2, 2, 1),
        ]
    ):
        yield (
            150 + seed,
            make_window(size, (k, k), (stride, stride), ((padding, padding), (padding, padding))),
        )
    yield 160, make_window((7, 6), (2, 2), (2, 2), out=(4, 3))
    yield 161, make_window((8, 8), (3, 3), (2, 2), out=(4, 5))
    yield 162, make_window((20, 20), (18, 17), (1, 1))
    yield 163, make_window((3, 3), (2, 2), (2, 2), ((4, 0), (0, 5)))


def pool_input(rng: np.random.Generator, window: Window, contents: str) -> Array:
    """Few different numbers, for ties; or with NaN and infinities; or integers."""
    shape = (int(rng.integers(0, 4)), int(rng.integers(1, 4)), *window.size)
    if contents == "int":
        return rng.integers(-3, 3, shape).astype(str(rng.choice(["int64", "int8", "uint16"])))
    x = np.array(random_array(rng, shape))
    if contents == "ties":
        return np.maximum(np.round(x), 0)
    if contents == "wild":
        return rng.choice(
            np.array([-np.inf, np.inf, np.nan, 0.0, -0.0, 1.0], np.float32),
            shape,
            p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.2],
        )
    return x


@pytest.mark.parametrize("contents", ["plain", "ties", "wild", "int"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_pooling_equals_reference(contents: str) -> None:
    for seed, window in pool_windows():
        x = pool_input(np.random.default_rng(seed), window, contents)
        y, tap = kernels.max_pool(x, window)
        expected_y, expected_tap = reference.max_pool(x, window)
        np.testing.assert_array_equal(y, expected_y)
        np.testing.assert_array_equal(tap, expected_tap)
        assert y.dtype == x.dtype and tap.dtype == expected_tap.dtype
        np.testing.assert_array_equal(
            kernels.gather_taps(x, tap, window), reference.gather_taps(x, tap, window)
        )
        dy = pool_input(np.random.default_rng(seed), window._replace(size=window.out), contents)
        tap = tap[: len(dy), : dy.shape[1]]
        dx, expected = kernels.scatter_taps(dy, tap, window), reference.scatter_taps(dy, tap, window)
        assert_same(dx, expected, 1e-6)
        if contents in ("plain", "ties"):
            assert_same(kernels.sum_windows(x, window), reference.sum_windows(x, window), 2e-6)
            assert_same(kernels.spread_windows(dy, window), reference.spread_windows(dy, window), 2e-6)


@pytest.mark.parametrize("shape", [(0, 2, 4, 4), (2, 0, 4, 4), (0, 0, 5, 7)])
@pytest.mark.parametrize("k", [2, 3])
def test_pooling_of_nothing(shape: tuple[int, int, int, int], k: int) -> None:
    window = make_window(shape[2:], (k, k), (2, 2))
    y, tap = kernels.max_pool(np.zeros(shape, np.float32), window)
    assert y.shape == tap.shape == (*shape[:2], *window.out)
    assert kernels.gather_taps(np.zeros(shape, np.float32), tap, window).shape == y.shape
    assert kernels.scatter_taps(y, tap, window).shape == shape


def test_pooling_adjoints() -> None:
    for seed, window in pool_windows():
        rng = np.random.default_rng(seed)
        x, dy = rng.standard_normal((2, 3, *window.size)), rng.standard_normal((2, 3, *window.out))
        _, tap = kernels.max_pool(x, window)
        pairs = (
            (kernels.gather_taps(x, tap, window), kernels.scatter_taps(dy, tap, window)),
            (kernels.sum_windows(x, window), kernels.spread_windows(dy, window)),
        )
        for y, dx in pairs:
            np.testing.assert_allclose(np.sum(y * dy), np.sum(x * dx), rtol=1e-10, atol=1e-10)


def test_pooling_half_precision_is_rounded_once() -> None:
    x = np.full((1, 1, 64, 64), 0.1, np.float16)
    window = make_window((64, 64), (64, 64))
    exact = np.float16(x.astype(np.float64).sum())
    assert kernels.sum_windows(x, window)[0, 0, 0, 0] == exact
    with kernels.use_kernels("reference"):
        assert kernels.sum_windows(x, window)[0, 0, 0, 0] == exact
