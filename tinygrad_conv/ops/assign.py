"""`x[index] = value` as an op: a new array, with other numbers at the index."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .index import getitem, is_basic
from .reduce import sum_to
from .shape import reshape


@primitive
def setitem(x, value, *, index):
    """x with the value at the index, with NumPy's rules; where an index repeats, the last one remains.

    The value is cast to x's dtype, and broadcast. Raises IndexError for an index that x has no place for,
    ShapeError for a value that does not fit there.
    """
    y = x.copy()
    try:
        y[index] = value
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
