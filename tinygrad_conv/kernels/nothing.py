"""No samples, no channels or no windows: there is nothing to add up, so every result is zero."""

from __future__ import annotations

import numpy as np

from .layout import Array
from .window import Window


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q], zeros."""
    return np.zeros((len(x), len(w), *window.out), np.result_type(x, w))


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [O, C/groups, kh, kw], zeros."""
    return np.zeros((dy.shape[1], x.shape[1] // groups, *window.kernel), np.result_type(x, dy))


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """dx [N, C, H, W], zeros."""
    return np.zeros((len(dy), groups * w.shape[1], *window.size), np.result_type(dy, w))
