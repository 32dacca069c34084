"""The geometry of windows, counted out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.window import Window, make_window, overlap

from .test_kernels import random_window


def windows() -> Iterator[Window]:
    """Random ones, and such as have no place for their kernel."""
    for seed in range(200):
        yield random_window(np.random.default_rng(seed))
    yield make_window((2, 9), (5, 2))
    yield make_window((1, 1), (4, 4), (3, 2), ((1, 0), (0, 1)), (2, 3))


def places(window: Window, axis: int) -> range:
    """Where windows begin in the padded input, one stride apart, as long as their last tap lies inside."""
    padded = window.size[axis] + sum(window.padding[axis])
    reach = window.dilation[axis] * (window.kernel[axis] - 1)
    return range(0, max(0, padded - reach), window.stride[axis])


@pytest.mark.parametrize("axis", [0, 1])
def test_there_are_as_many_windows_as_there_is_room_for(axis: int) -> None:
    for window in windows():
        assert window.out[axis] == len(places(window, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_an_overlap_is_the_windows_whose_tap_meets_the_input(axis: int) -> None:
    for window in windows():
        for tap in range(window.kernel[axis]):
            read = [p + tap * window.dilation[axis] - window.padding[axis][0] for p in places(window, axis)]
            inside = [(number, at) for number, at in enumerate(read) if 0 <= at < window.size[axis]]
            met = overlap(window, axis, tap)
            numbers = range(window.out[axis])[met.windows]
            assert list(zip(numbers, range(window.size[axis])[met.inputs], strict=True)) == inside
            if not inside:
                assert met == (0, 0, 0, 0, window.stride[axis])


@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (0, 1))])
def test_max_pool_of_nothing_but_nan_names_the_last_tap(padding):
    x = np.full((2, 3, 7, 8), np.nan, np.float32)
    window = make_window((7, 8), (3, 3), (2, 2), padding)
    for ours, expected in zip(kernels.max_pool(x, window), reference.max_pool(x, window), strict=True):
        np.testing.assert_array_equal(ours, expected)
