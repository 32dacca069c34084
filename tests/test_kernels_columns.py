"""MEC by columns: places of several columns, cut at the border or not, and whatever lies in the padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels.conv import mec_columns
from tinygrad_conv.kernels.window import Window, make_window

from .helpers import more
from .test_kernels import assert_same, random_array


@pytest.mark.parametrize("wide", [1, 2, 3, 4, 7])
def test_every_column_is_in_its_place(wide: int) -> None:
    numbers = np.arange(20 * wide).reshape(-1, wide)
    for first, length in np.ndindex(9, 12):
        expected, seen = list(range(first, first + length)), []
        for place, columns in mec_columns.in_places(slice(first, first + length), wide):
            assert numbers[place].ravel().tolist() == list(range(columns.start, columns.stop))
            seen += range(columns.start, columns.stop)
        assert seen == expected


def literal_patches(x: Any, window: Window, wide: int) -> Any:
    """[places, P, kh * kw * C, columns of a place * N] of x [H, C, W, N], number by number."""
    (kh, kw), (down, along), (height, width) = window.kernel, window.stride, window.out
    (top, _), (left, _) = window.padding
    patches = np.zeros((width // wide, height, kh, kw, x.shape[1], wide, x.shape[3]), x.dtype)
    for place, p, i, j, b in np.ndindex(width // wide, height, kh, kw, wide):
        row, column = p * down + i - top, (place * wide + b) * along + j * window.dilation[1] - left
        if 0 <= row < x.shape[0] and 0 <= column < x.shape[2]:
            patches[place, p, i, j, :, b] = x[row, :, column]
    return patches.reshape(width // wide, height, -1, wide * x.shape[3])


def random_window(rng: np.random.Generator, along: int) -> Window:
    """Any window whose height is not dilated; it may lie wholly in the padding."""
    size, kernel, padding = rng.integers(1, 9, 2), rng.integers(1, 5, 2), rng.integers(0, 5, (2, 2))
    stride, dilation = (int(rng.integers(1, 3)), along), (1, int(rng.integers(1, 3)))
    pairs = [tuple(map(int, each)) for each in (size, kernel, *padding)]
    return make_window(pairs[0], pairs[1], stride, (pairs[2], pairs[3]), dilation)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [*range(40), *more(*range(40, 400))])
def test_patches_are_what_windows_see(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(mec_columns, "BLOCK_BYTES", int(rng.choice([1, 2000, 1 << 20])))
    window = random_window(rng, along=int(rng.integers(1, 3)))
    if 0 in window.out:
        return
    divisors = [count for count in range(1, 9) if window.out[1] % count == 0]
    wide = int(rng.choice(divisors)) if window.stride[1] == 1 else 1
    x = rng.standard_normal((window.size[0], 2, window.size[1], 3)).astype("f")
    expected = literal_patches(x, window, wide)
    begin = int(rng.integers(0, len(expected)))
    places = begin
    for some, values in mec_columns.column_patches(x, window, begin, len(expected), wide):
        assert some.start == places
        np.testing.assert_array_equal(values, expected[some])
        places = some.stop
    assert places == len(expected)


@pytest.mark.parametrize("samples", [1, 3, 16, 32, 64, 65])
@pytest.mark.parametrize("kernel", [(3, 3), (3, 1), (1, 5)])
def test_few_samples_are_multiplied_with_those_of_neighbours(samples: int, kernel: tuple[int, int]) -> None:
    rng = np.random.default_rng(samples)
    window = make_window((5, 12), kernel, padding=((1, 1), (kernel[1] // 2, kernel[1] // 2)))
    x, w = random_array(rng, (samples, 2, 5, 12), np.float32), random_array(rng, (4, 2, *kernel), np.float32)
    with kernels.use_kernels("reference"):
        expected = kernels.correlate(x, w, window)
    with kernels.use_kernels("mec_columns"):
        assert_same(kernels.correlate(x, w, window), expected, 1e-5)


def test_how_many_columns_are_multiplied_at_once() -> None:
    window = make_window((32, 32), (3, 3), padding=((1, 1), (1, 1)))
    together = mec_columns.columns_together
    assert [together(window, samples, 100) for samples in (1, 16, 32, 33, 64, 500)] == [32, 4, 2, 1, 1, 1]
    assert together(window._replace(out=(32, 30)), 16, 100) == 3  # a divisor of them
    assert together(window._replace(stride=(1, 2)), 16, 100) == 1
    assert [together(window, 32, weights) for weights in (2500, 2501)] == [2, 1]
