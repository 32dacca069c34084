"""Max-pooling with its window settled."""

from __future__ import annotations

from ... import kernels
from ..arguments.windows import pool_window
from ..pool import max_pool2d


@max_pool2d.replayed()
def max_pool2d_replayed(_, shared, x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """The maximum of each window, and its tap."""
    if x.ndim != 4:
        return None
    window = pool_window("max_pool2d", x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    max_pool = kernels.max_pool
    return lambda x: max_pool(x, window)


@max_pool2d.replayed("x")
def max_pool2d_dx_replayed(_, shared, dy, tap, x_shape, **geometry):
    """Each dy to the tap that won its window."""
    if dy.ndim != 4:
        return None
    window = pool_window("scatter_taps", x_shape[-2:], **geometry)
    scatter_taps = kernels.scatter_taps
    return lambda dy, tap, x_shape: scatter_taps(dy, tap, window)
