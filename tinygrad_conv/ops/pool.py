"""Pooling: the maximum or the mean of each window.

Max-pooling is linear once its choice is made: `tap` says which tap of each window won, `gather_taps` reads
there and `scatter_taps`, its adjoint, writes there; each is the other's rule. Likewise `sum_windows` and
`spread_windows`. `**geometry` is kernel_size, stride, padding and ceil_mode, and dilation where an op has it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from .arguments.values import check_divisor
from .arguments.windows import batched, check_images, pool_window, touching
from .conversion import floating, wide


@primitive(keeps=("tap",))
def max_pool2d(x, *, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The maximum of each window of x [N, C, H, W] (or [C, H, W]) → [N, C, P, Q].

    stride: kernel_size by default. Padding never wins. The first in row-major order wins a tie; a NaN wins
    over every number. Raises ShapeError where the window does not fit, ValueError where more than half of it
    can lie in the padding.
    """
    check_images("max_pool2d", "x", x)
    window = pool_window("max_pool2d", x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    y, tap = kernels.max_pool(batched(x), window)
    return (y, tap) if x.ndim == 4 else (y[0], tap[0])


@max_pool2d.grad("x")
def max_pool2d_dx(dy, tap, x_shape, **geometry):
    """Each dY goes to the tap that won its window."""
    return scatter_taps(dy, tap=tap, size=x_shape[-2:], **geometry)


@primitive(keeps=("tap",))
def max_pool2d_with_indices(x, *, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """(y, indices): as `max_pool2d`, and where each maximum was found: h W + w for row h and column w."""
    y, tap = max_pool2d.forward(
        x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    window = pool_window("max_pool2d", x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    return (y, places_of(tap, window)), tap


@max_pool2d_with_indices.grad("x")
def max_pool2d_with_indices_dx(dys, tap, x_shape, **geometry):
    """Each dY goes to the tap that won its window; the indices have no gradient."""
    return scatter_taps(dys[0], tap=tap, size=x_shape[-2:], **geometry)


def places_of(tap, window):
    """Where in the image [H, W], read row by row, a tap of each window lies."""
    taps = np.divmod(tap.astype(np.int64), window.kernel[1])
    starts = [np.arange(window.out[axis]) * window.stride[axis] - window.padding[axis][0] for axis in (0, 1)]
    row, column = starts[0][:, None] + taps[0] * window.dilation[0], starts[1] + taps[1] * window.dilation[1]
    return row * window.size[1] + column


@primitive
def scatter_taps(dy, *, tap, size, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """dy [N, C, P, Q] added to one tap of each window of an image of `size` (H, W) → [N, C, H, W]."""
    window = pool_window("scatter_taps", size, kernel_size, stride, padding, dilation, ceil_mode)
    dx = kernels.scatter_taps(batched(dy), batched(tap), window)
    return dx if dy.ndim == 4 else dx[0]


@scatter_taps.grad("dy")
def scatter_taps_ddy(u, tap, size, **geometry):
    """The adjoint of writing at a tap is to read there."""
    return gather_taps(u, tap=tap, **geometry)


@primitive
def gather_taps(x, *, tap, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """x [N, C, H, W] at one tap of each window → [N, C, P, Q]."""
    window = pool_window("gather_taps", x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    y = kernels.gather_taps(batched(x), batched(tap), window)
    return y if x.ndim == 4 else y[0]


@gather_taps.grad("x")
def gather_taps_dx(dy, x_shape, tap, **geometry):
    """The adjoint of reading at a tap is to write there."""
    return scatter_taps(dy, tap=tap, size=x_shape[-2:], **geometry)


@primitive(names=("input",))
def avg_pool2d(
    x, *, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """The mean of each window of x [N, C, H, W] (or [C, H, W]) → [N, C, P, Q].

    stride: kernel_size by default. The sum is divided by the window's size, padding included unless
    count_include_pad is False, or by divisor_override. Raises ShapeError where the window does not fit,
    ValueError where more than half of it can lie in the padding.
    """
    check_images("avg_pool2d", "x", x)
    check_divisor("avg_pool2d", divisor_override)
    window = pool_window("avg_pool2d", x.shape[-2:], kernel_size, stride, padding, 1, ceil_mode)
    x = floating(x)
    sums = kernels.sum_windows(batched(wide(x)), touching(window))
    y = sums / divisors(window, count_include_pad, divisor_override, sums.dtype)
    return (y if x.ndim == 4 else y[0]).astype(x.dtype, copy=False)


@avg_pool2d.grad("x")
def avg_pool2d_dx(dy, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each dY, divided as its window was, to every place the window covers."""
    window = pool_window("avg_pool2d", x_shape[-2:], kernel_size, stride, padding, 1, ceil_mode)
    dy = wide(dy)
    dy = dy / divisors(window, count_include_pad, divisor_override, dy.dtype)
    return spread_windows(
        dy, size=x_shape[-2:], kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode
    )


@primitive
def spread_windows(dy, *, size, kernel_size, stride=None, padding=0, ceil_mode=False):
    """dy [N, C, P, Q] added to all places that its window covers, of `size` (H, W) → [N, C, H, W]."""
    window = pool_window("spread_windows", size, kernel_size, stride, padding, 1, ceil_mode)
    dx = kernels.spread_windows(batched(dy), window)
    return dx if dy.ndim == 4 else dx[0]


@spread_windows.grad("dy")
def spread_windows_ddy(u, size, **geometry):
    """The adjoint of spreading over windows is to sum over them."""
    return sum_windows(u, **geometry)


@primitive
def sum_windows(x, *, kernel_size, stride=None, padding=0, ceil_mode=False):
    """The sum of each window of x [N, C, H, W] → [N, C, P, Q]; padding counts as 0."""
    window = pool_window("sum_windows", x.shape[-2:], kernel_size, stride, padding, 1, ceil_mode)
    y = kernels.sum_windows(batched(x), window)
    return y if x.ndim == 4 else y[0]


@sum_windows.grad("x")
def sum_windows_dx(dy, x_shape, **geometry):
    """The adjoint of summing over windows is to spread over them."""
    return spread_windows(dy, size=x_shape[-2:], **geometry)


@lru_cache(maxsize=1024)
def divisors(window, count_include_pad, divisor_override, dtype):
    """What the sum of each window is divided by: a number where they all agree, else an array [P, Q]."""
    if divisor_override is not None:
        return divisor_override
    rows, columns = (covered(window, axis, count_include_pad) for axis in (0, 1))
    counts = np.outer(rows, columns)
    return int(counts.flat[0]) if counts.size and (counts == counts.flat[0]).all() else counts.astype(dtype)


def covered(window, axis, count_include_pad):
    """How many rows (axis 0) or columns (1) each window covers: of the input, or of the padded input."""
    before, after = window.padding[axis] if count_include_pad else (0, 0)
    starts = np.arange(window.out[axis]) * window.stride[axis] - window.padding[axis][0]
    stops = np.minimum(starts + window.kernel[axis], window.size[axis] + after)
    return stops - np.maximum(starts, -before)
