"""Indexing, and its counterpart: what reading an index forgets, adding at an index puts back."""

from __future__ import annotations

import numpy as np

from ..engine.op import primitive


@primitive
def getitem(x, *, index):
    """x[index], with NumPy's rules: integers, slices, None, `…`, and integer or boolean arrays."""
    return x[index]


@getitem.grad("x")
def getitem_dx(dy, x_shape, index):
    """To where each number was read from; an element read twice gets both."""
    return put_add(dy, index=index, shape=x_shape)


@primitive
def put_add(x, *, index, shape):
    """Zeros of `shape` with x added at the index; where an index repeats, its contributions add up."""
    y = np.zeros(shape, x.dtype)
    if any(isinstance(one, (list, np.ndarray)) for one in (index if isinstance(index, tuple) else (index,))):
        np.add.at(y, index, x)
    else:
        y[index] = x  # a basic index reaches each element once
    return y


@put_add.grad("x")
def put_add_dx(dy, index):
    """The adjoint of adding at an index is to read there."""
    return dy[index]
