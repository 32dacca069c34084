"""Views, with their shapes settled."""

from __future__ import annotations

from ... import kernels
from ..shape import flatten, reshape


@flatten.replayed()
def flatten_replayed(_, shared, x, *, start_dim, end_dim):
    """All dimensions but the first as one."""
    if x.ndim < 2 or start_dim != 1 or end_dim not in (-1, x.ndim - 1):
        return None
    return kernels.flattened


@flatten.replayed("x")
def flatten_dx_replayed(_, shared, dy, x_shape):
    """Back into the shape of x."""
    return kernels.unflattened


@reshape.replayed("x")
def reshape_dx_replayed(_, shared, dy, x_shape):
    """Back into the shape of x."""
    return lambda dy, x_shape: dy.reshape(x_shape)
