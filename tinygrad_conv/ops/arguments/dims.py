"""Dimensions as PyTorch counts them: negative from the end, None for all."""

from __future__ import annotations

import operator
from functools import lru_cache

import numpy as np

from ...errors import ShapeError, show_shape


def one_dim(op: str, dim: int, ndim: int) -> int:
    """A dimension counted from the front. Raises ShapeError where there is none."""
    dim = operator.index(dim)
    if not -max(ndim, 1) <= dim < max(ndim, 1):
        raise ShapeError(f"{op}: dim {dim} is out of range for a tensor of {ndim} dimensions")
    return dim % max(ndim, 1)


def many_dims(op: str, dims: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front. Raises ShapeError for one that is out of range or named twice."""
    counted = tuple([one_dim(op, dim, ndim) for dim in (dims if np.iterable(dims) else (dims,))])
    if len(set(counted)) < len(counted):
        raise ShapeError(f"{op}: a dimension appears twice in dim={dims}")
    return counted


def reduced_dims(
    op: str, dim: int | tuple[int, ...] | None, ndim: int, shape: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """The dimensions a reduction runs over.

    With `shape`, raises ShapeError where one of them has no element to choose from.
    """
    try:
        dims = _reduced_dims(op, dim, ndim)
    except TypeError:  # a list cannot be looked up
        dims = _reduced_dims.__wrapped__(op, dim, ndim)
    if shape is not None and 0 in shape and 0 in [shape[axis] for axis in dims]:
        raise ShapeError(f"{op}: nothing to choose from in dim={dim} of shape {show_shape(shape)}")
    return dims


@lru_cache(maxsize=1024, typed=True)
def _reduced_dims(op: str, dim: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """Worked out once: it depends on a few integers alone."""
    dims = tuple(range(ndim)) if dim is None or dim in ((), []) else many_dims(op, dim, ndim)
    return dims if ndim else ()


def kept_shape(shape: tuple[int, ...], dim: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape after a reduction that keeps the reduced dimensions, at size 1."""
    dims = reduced_dims("reduction", dim, len(shape))
    return tuple([1 if axis in dims else size for axis, size in enumerate(shape)])
