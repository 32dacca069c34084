"""Indexing: read, written to (`x[index] = value`), and added to, which puts back what reading forgets."""

from __future__ import annotations

import math
from types import EllipsisType, NoneType

import numpy as np

from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .arguments.shapes import check_places, check_source
from .reduce import sum_to
from .shape import reshape

BASIC = (int, np.integer, np.bool_, slice, EllipsisType, NoneType)


@primitive
def getitem(x, *, index):
    """x[index], with NumPy's rules: integers, slices, None, `…`, and integer or boolean arrays.

    Of a Tensor `x[0, :, [1, 2]]` has its dimensions in PyTorch's order: engine/index_order.py.
    """
    if type(index) is np.ndarray or (type(index) is tuple and np.ndarray in map(type, index)):
        index = with_integers(index)
    try:
        y = x[index]
        if isinstance(y, np.ndarray):
            return y
        return x[(*index, ...) if isinstance(index, tuple) else (index, ...)]  # one number, as a view of x
    except IndexError as error:
        raise IndexError(f"getitem: x {show_shape(x.shape)}: {error}") from None


def with_integers(index):
    """An index with integers in the place of arrays without dimensions: these would make a copy, no view."""
    if isinstance(index, tuple):
        return tuple(map(with_integers, index))
    is_integer = isinstance(index, np.ndarray) and index.ndim == 0 and index.dtype.kind in "iu"
    return int(index) if is_integer else index


@getitem.grad("x")
def getitem_dx(dy, x_shape, index):
    """To where each number was read from; an element read twice gets both."""
    return put_add(dy, index=index, shape=x_shape)


@primitive(names=("input",))
def put_add(x, *, index, shape):
    """Zeros of `shape` with x added at the index; where an index repeats, its contributions add up."""
    y = np.zeros(shape, x.dtype)
    if is_basic(index):
        y[index] = x  # which reaches each element once
    elif x.dtype.kind == "f":
        positions = np.arange(math.prod(shape)).reshape(shape)[index]
        y += np.bincount(positions.reshape(-1), x.reshape(-1), y.size).reshape(shape).astype(x.dtype)
    else:
        np.add.at(y, index, x)
    return y


def is_basic(index):
    """Whether it names no place twice for sure: whatever else there is may be a sequence to NumPy."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, BASIC) for part in parts)


@put_add.grad("x")
def put_add_dx(dy, index):
    """The adjoint of adding at an index is to read there."""
    return getitem(dy, index=index)


@primitive(names=("input",))
def gather(x, *, dim, index):
    """y[i, j, …] = x[i, index[i, j, …], …] for dim=1, and so on: the place in one dimension is looked up.

    index: integers, of as many dimensions as x, in the others no larger than x; or one, of a row. Raises
    ShapeError for another shape, DtypeError for other indices, IndexError for one that x has no place for.
    """
    check_places("gather", x.shape, dim, index)
    return x[index_along(index, dim)] if x.ndim else x.reshape(index.shape)


@gather.grad("x")
def gather_dx(dy, x_shape, dim, index):
    """To where each number was read from; an element read twice gets both."""
    return put_add(dy, index=index_along(index, dim), shape=x_shape) if x_shape else dy


@primitive
def scatter_add(x, src, *, dim, index):
    """x with src[i, j, …] added at x[i, index[i, j, …], …] for dim=1, and so on: the adjoint of `gather`.

    index: as for `gather`, and no larger than src; what src has beyond it is not read. Raises as `gather`
    does.
    """
    check_places("scatter_add", x.shape, dim, index)
    check_source("scatter_add", x, src, index)
    return x + (put_add(src[corner(index)], index=index_along(index, dim), shape=x.shape) if x.ndim else src)


@scatter_add.grad("x")
def scatter_add_dx(dy):
    """What was there before stays in the sum."""
    return dy


@scatter_add.grad("src")
def scatter_add_dsrc(dy, src_shape, dim, index):
    """The adjoint of adding at the places is to gather there; what was not read has no share."""
    return put_add(gather(dy, dim=dim, index=index), index=corner(index), shape=src_shape)


def index_along(index, dim):
    """NumPy's index for `gather`'s: the places in one dimension, every other dimension's own numbers."""
    if not index.ndim:
        return (index,)
    looked_up, shape = dim % index.ndim, index.shape
    return tuple([index if axis == looked_up else own_places(shape, axis) for axis in range(index.ndim)])


def own_places(shape, axis):
    """0, 1, 2 … along one axis of a shape, to broadcast over the others: np.ogrid, without its detours."""
    size = shape[axis]
    return np.arange(size).reshape((1,) * axis + (size,) + (1,) * (len(shape) - 1 - axis))


def corner(index):
    """The part of an array that an index of its own or a smaller shape covers."""
    return tuple(map(slice, index.shape))


@primitive(keeps=("stays", "wins", "winners"))
def scatter_extreme(x, src, *, dim, index, largest=True, include_self=True):
    """y[i, index[i, j, …], …], the largest, or smallest, of x there and of all src[i, j, …] that go there.

    include_self: whether x counts where something of src goes. index: as for `scatter_add`, whose errors it
    raises. NaN wins.
    """
    check_places("scatter_reduce", x.shape, dim, index)
    check_source("scatter_reduce", x, src, index)
    place = index_along(index, dim) if x.ndim else (np.zeros(index.shape, np.intp),)
    numbers = src[corner(index)]
    y, counts = np.array(x, ndmin=1), np.ones(x.shape or (1,), bool)
    if not include_self:
        y[place], counts[place] = numbers, False
    (np.maximum if largest else np.minimum).at(y, place, numbers)
    stays, wins = counts & (y == x), numbers == y[place]
    winners = stays.astype(np.int64)
    np.add.at(winners, place, wins)
    return y.reshape(x.shape), stays.reshape(x.shape), np.asarray(wins), winners.reshape(x.shape)


@scatter_extreme.grad("x")
def scatter_extreme_dx(dy, stays, winners):
    """To x where it is what remains; all that are as extreme have equal shares."""
    return share(dy, winners) * stays


@scatter_extreme.grad("src")
def scatter_extreme_dsrc(dy, wins, winners, src_shape, dim, index):
    """To what remains of src, likewise; what was not read has no share."""
    shares = gather(share(dy, winners), dim=dim, index=index)
    return put_add(shares * wins, index=corner(index), shape=src_shape)


def share(dy, winners):
    """dY over how many share it; where NaN remains there is none."""
    return dy / np.maximum(winners, 1).astype(dy.dtype)


@primitive
def setitem(x, value, *, index):
    """x with the value at the index, with NumPy's rules; where an index repeats, the last one remains.

    The value is cast to x's dtype, and broadcast. Raises IndexError for an index that x has no place for,
    ShapeError for a value that does not fit there.
    """
    y = x.copy()
    try:
        y[index] = value.reshape(()) if value.size == 1 else value  # NumPy puts no [1] into a number's place
    except IndexError as error:
        raise IndexError(f"setitem: x {show_shape(x.shape)}: {error}") from None
    except ValueError:
        place = show_shape(x[index].shape)
        raise ShapeError(
            f"setitem: value {show_shape(value.shape)} does not fit into x[index] {place}; "
            "broadcast it to that shape"
        ) from None
    return y


@setitem.grad("x")
def setitem_dx(dy, index):
    """What was overwritten has no share in y."""
    return setitem(dy, np.zeros((), dy.dtype), index=index)


@setitem.grad("value")
def setitem_dvalue(dy, value_shape, index):
    """From where it was written to; of those that were written to the same place, the last alone."""
    dvalue = getitem(dy, index=index)
    if not is_basic(index):
        dvalue = dvalue * last_at(index, dy.shape)
    leading = max(len(value_shape) - dvalue.ndim, 0)  # dimensions of size 1, which NumPy takes
    return reshape(sum_to(dvalue, shape=value_shape[leading:]), shape=value_shape)


def last_at(index, shape):
    """For each number that is read at an index: whether, written there, it remains (1) or not (0)."""
    writer = np.zeros(shape, np.intp)
    numbers = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = numbers
    return writer[index] == numbers
