"""Pooling with its window settled, and what the sums of windows are divided by."""

from __future__ import annotations

import numpy as np

from ... import kernels
from ..activations import relu, relu_dx
from ..arguments.windows import pool_window, touching
from ..pool import avg_pool2d, divisors, max_pool2d
from .pointwise import relu_dx_replayed


@max_pool2d.replayed()
def max_pool2d_replayed(out, shared, x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """The maximum of each window, and its tap."""
    if x.ndim != 4:
        return None
    window = pool_window("max_pool2d", x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    return kernels.settled_max_pool(out, x, window, shared)


@max_pool2d.replayed("x")
def max_pool2d_dx_replayed(out, shared, dy, tap, x_shape, **geometry):
    """Each dy to the tap that won its window."""
    if dy.ndim != 4:
        return None
    window = pool_window("scatter_taps", x_shape[-2:], **geometry)
    scatter_taps = kernels.settled_scatter_taps(out, dy, tap, window, shared)
    return lambda dy, tap, x_shape: scatter_taps(dy, tap)


@max_pool2d.replayed("x", then=relu)
def max_pool2d_dx_relu_dx_replayed(out, shared, dy, tap, x_shape, y, **geometry):
    """The same where x is that of a relu, and y the maxima: only those above 0 send anything back.

    The place that won has the number y, so what relu's rule would clear there need not be sent at all.
    """
    scatter = max_pool2d_dx_replayed(out, shared, dy, tap, x_shape, **geometry)
    if kernels.may_name_none(pool_window("scatter_taps", x_shape[-2:], **geometry)):
        of_positive = kernels.taps_of_positive
        return lambda dy, tap, x_shape, y: scatter(dy, of_positive(tap, y), x_shape)
    rectified = relu_dx_replayed(np.empty_like(dy), shared, dy, y) or relu_dx
    return lambda dy, tap, x_shape, y: scatter(rectified(dy, y), tap, x_shape)


@avg_pool2d.replayed()
def avg_pool2d_replayed(
    _, shared, x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    """The sum of each window, divided by how many numbers it has."""
    if x.ndim != 4 or x.dtype.kind != "f" or x.dtype.itemsize <= 2:
        return None
    window = pool_window("avg_pool2d", x.shape[-2:], kernel_size, stride, padding, 1, ceil_mode)
    summed, divisor = touching(window), divisors(window, count_include_pad, divisor_override, x.dtype)
    sum_windows = kernels.sum_windows

    def run(x):
        sums = sum_windows(x, summed)
        return np.divide(sums, divisor, out=sums)

    return run


@avg_pool2d.replayed("x")
def avg_pool2d_dx_replayed(
    _, shared, dy, x_shape, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    """Each dY, divided as its window was, to every place the window covers."""
    if dy.ndim != 4 or dy.dtype.itemsize <= 2:
        return None
    window = pool_window("avg_pool2d", x_shape[-2:], kernel_size, stride, padding, 1, ceil_mode)
    divisor = divisors(window, count_include_pad, divisor_override, dy.dtype)
    spread_windows = kernels.spread_windows
    return lambda dy, x_shape: spread_windows(dy / divisor, window)
