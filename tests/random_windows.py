"""Convolutions of random geometry: what every view of a window has to get right."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.ops.conv import conv2d_input_grad


def random_convolution(rng, transposed=False):
    """The result of a convolution with random sizes, stride, padding, dilation and groups, and its x and w.

    transposed: of a transposed one, with what a stride leaves over.
    """
    groups, per_group, outputs = (int(rng.integers(1, 3)) for _ in range(3))
    kernel = tuple(int(size) for size in rng.integers(1, 4, 2))
    stride, dilation = (tuple(int(size) for size in rng.integers(1, 4, 2)) for _ in range(2))
    padding = int(rng.integers(0, 3))
    least = [max(1, dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding) for axis in range(2)]
    size = [int(rng.integers(size, size + 5)) for size in least]
    batch = (int(rng.integers(1, 3)),) if rng.integers(2) else ()
    x = leaf(rng, *batch, groups * per_group, *size)
    w = leaf(rng, groups * outputs, per_group, *kernel)
    y = tg.conv2d(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if not transposed:
        return y, x, w
    y = tg.Tensor(y.data, requires_grad=True)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv2d_input_grad(y, w, input_size=tuple(size), **geometry), y, w


def leaf(rng, *shape):
    return tg.Tensor(rng.integers(-4, 5, shape).astype(np.float64), requires_grad=True)


def paired(rng, y):
    """A loss that gives every number of y an error of its own."""
    return (y * rng.integers(-3, 4, y.shape).astype(np.float64)).sum()
