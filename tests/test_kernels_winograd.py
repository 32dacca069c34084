"""Winograd's tiles where rows of theirs lie in the padding: some, or all six."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels.window import Window, make_window

PADDINGS = [0, 1, 3, 4, 5, 6, 7, 9, 12]  # a tile sees six rows, the next one begins four further down


def window_of(top: int, bottom: int, dilation: int = 1) -> Window:
    """One over 8 rows and 6 columns."""
    return make_window((8, 6), (3, 3), padding=((top, bottom), (1, 1)), dilation=(dilation, 1))


def arrays(window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, w and dy in float64."""
    rng = np.random.default_rng(sum(map(sum, window.padding)))
    shapes = (3, 4, *window.size), (5, 4, 3, 3), (3, 5, *window.out)
    return tuple(rng.standard_normal(shape) for shape in shapes)  # type: ignore[return-value]


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("top", PADDINGS)
def test_weight_gradients_beside_any_padding(top: int, dilation: int) -> None:
    for bottom in PADDINGS:
        window = window_of(top, bottom, dilation)
        x, w, dy = arrays(window)
        if min(-(-window.out[0] // dilation), window.out[0] // dilation) < 4:  # not a full tile in each class
            continue
        with kernels.use_kernels("reference"):
            expected = kernels.correlate_weight_grad(x, dy, window)
        with kernels.use_kernels("winograd"):
            dw = kernels.correlate_weight_grad(x, dy, window)
        assert kernels.served() == "winograd"
        np.testing.assert_allclose(dw, expected, atol=1e-9)


@pytest.mark.parametrize("top", PADDINGS)
def test_of_zeros_all_tiles_are_zero(top: int) -> None:
    for bottom in PADDINGS:
        window = window_of(top, bottom)
        x, w, _ = arrays(window)
        with kernels.use_kernels("winograd"):
            y = kernels.correlate(np.zeros_like(x), w, window)
        assert kernels.served() == "winograd" and not y.any()


@pytest.mark.parametrize("top", PADDINGS)
def test_correlations_beside_any_padding(top: int) -> None:
    for bottom in PADDINGS:
        window = window_of(top, bottom)
        x, w, dy = arrays(window)
        pairs = (kernels.correlate, x, w), (kernels.correlate_input_grad, dy, w)
        for function, first, second in pairs:
            with kernels.use_kernels("reference"):
                expected = function(first, second, window)
            with kernels.use_kernels("winograd"):
                np.testing.assert_allclose(function(first, second, window), expected, atol=1e-9)
