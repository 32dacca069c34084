"""Indexing, and its counterpart: what reading an index forgets, adding at an index puts back."""

from __future__ import annotations

import math

import numpy as np

from ..engine.declare import primitive
from ..errors import DtypeError, ShapeError, show_array, show_shape
from .dims import one_dim


@primitive
def getitem(x, *, index):
    """x[index], with NumPy's rules: integers, slices, None, `…`, and integer or boolean arrays."""
    try:
        return x[index]
    except IndexError as error:
        raise IndexError(f"getitem: x {show_shape(x.shape)}: {error}") from None


@getitem.grad("x")
def getitem_dx(dy, x_shape, index):
    """To where each number was read from; an element read twice gets both."""
    return put_add(dy, index=index, shape=x_shape)


@primitive
def put_add(x, *, index, shape):
    """Zeros of `shape` with x added at the index; where an index repeats, its contributions add up."""
    y = np.zeros(shape, x.dtype)
    if not any(
        isinstance(one, (list, np.ndarray)) for one in (index if isinstance(index, tuple) else (index,))
    ):
        y[index] = x  # a basic index reaches each element once
    elif x.dtype.kind == "f":
        positions = np.arange(math.prod(shape)).reshape(shape)[index]
        y += np.bincount(positions.reshape(-1), x.reshape(-1), y.size).reshape(shape).astype(x.dtype)
    else:
        np.add.at(y, index, x)
    return y


@put_add.grad("x")
def put_add_dx(dy, index):
    """The adjoint of adding at an index is to read there."""
    return dy[index]


@primitive
def gather(x, *, dim, index):
    """y[i, j, …] = x[i, index[i, j, …], …] for dim=1, and so on: one dimension's place is looked up, the
    others stay.

    index: integers, of as many dimensions as x, in the others no larger than x. Raises ShapeError for another
    shape, DtypeError for other indices, IndexError for an index that x has no place for.
    """
    check_places("gather", x.shape, dim, index)
    return x[along(index, dim)] if x.ndim else x.reshape(index.shape)


@gather.grad("x")
def gather_dx(dy, x_shape, dim, index):
    """To where each number was read from; an element read twice gets both."""
    return put_add(dy, index=along(index, dim), shape=x_shape) if x_shape else dy


@primitive
def scatter_add(x, src, *, dim, index):
    """x with src[i, j, …] added at x[i, index[i, j, …], …] for dim=1, and so on: what `gather` reads, added
    back.

    index: as for `gather`, and no larger than src; what src has beyond it is not read. Raises as `gather`
    does.
    """
    check_places("scatter_add", x.shape, dim, index)
    if (
        src.ndim != index.ndim
        or any(most < size for most, size in zip(src.shape, index.shape))
        or src.dtype != x.dtype
    ):
        raise ShapeError(
            f"scatter_add: src {show_array(src)} must have the dtype of x, {x.dtype}, and be no smaller than index "
            f"{show_shape(index.shape)}"
        )
    return x + (put_add(src[corner(index)], index=along(index, dim), shape=x.shape) if x.ndim else src)


@scatter_add.grad("x")
def scatter_add_dx(dy):
    """What was there before stays in the sum."""
    return dy


@scatter_add.grad("src")
def scatter_add_dsrc(dy, src_shape, dim, index):
    """The adjoint of adding at the places is to gather there; what was not read has no share."""
    return put_add(gather(dy, dim=dim, index=index), index=corner(index), shape=src_shape)


def along(index, dim):
    """NumPy's index for `gather`'s: the places themselves in one dimension, every other dimension's own
    numbers.
    """
    places = list(np.ogrid[tuple(map(slice, index.shape))])
    places[dim] = index
    return tuple(places)


def corner(index):
    """The part of an array that an index of its own or a smaller shape covers."""
    return tuple(map(slice, index.shape))


def check_places(op, shape, dim, index):
    """Refuse an index that does not belong to an array of this shape."""
    at = one_dim(op, dim, len(shape))
    if index.dtype.kind not in "iu":
        raise DtypeError(f"{op}: index must hold integers, not {show_array(index)}")
    if index.ndim != len(shape) or any(
        axis != at and size > shape[axis] for axis, size in enumerate(index.shape)
    ):
        raise ShapeError(
            f"{op}: index {show_shape(index.shape)} must have the dimensions of x {show_shape(shape)}, and be no larger than it "
            f"but in dim={dim}"
        )
    size = shape[at] if shape else 1
    if index.size and not 0 <= index.min() <= index.max() < size:
        raise IndexError(
            f"{op}: index holds {index.min()} … {index.max()}, but x has the places 0 … {size - 1} in dim={dim}"
        )
