"""The largest and the smallest, and where they are.

`amax` and `amin` share a gradient equally among elements that tie; `max` and `min`, which say where they
found their value, give all of it to that place, the first in order.
"""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arguments.dims import one_dim, reduced_dims
from .index import index_along, put_add
from .reduce import shared_by, spread
from .shape import reshape


@primitive(names=("input",))
def amax(x, *, dim=None, keepdim=False):
    """The maximum over `dim` (an int, a tuple, or None for all); NaN where there is one."""
    return np.maximum.reduce(x, reduced_dims("amax", dim, x.ndim, x.shape), keepdims=keepdim)


@amax.grad("x")
def amax_dx(dy, x, y, dim, keepdim):
    """To the maximum; elements that tie share it equally."""
    return shared_by(x == spread(y, x.shape, dim), spread(dy, x.shape, dim), dim)


@primitive(names=("input",))
def amin(x, *, dim=None, keepdim=False):
    """The minimum over `dim` (an int, a tuple, or None for all); NaN where there is one."""
    return np.minimum.reduce(x, reduced_dims("amin", dim, x.ndim, x.shape), keepdims=keepdim)


@amin.grad("x")
def amin_dx(dy, x, y, dim, keepdim):
    """To the minimum; elements that tie share it equally."""
    return shared_by(x == spread(y, x.shape, dim), spread(dy, x.shape, dim), dim)


@primitive(keeps=("index",))
def max(x, *, dim, keepdim=False):
    """(values, indices): the maximum along the one dimension `dim`, and the first place it is found.

    NaN is larger than all.
    """
    return extremes("max", np.argmax, x, dim, keepdim)


@max.grad("x")
def max_dx(dy, index, x_shape, dim, keepdim):
    """To the place it was found."""
    return put_extremes(dy[0], index, x_shape, dim)


@primitive(keeps=("index",))
def min(x, *, dim, keepdim=False):
    """(values, indices): the minimum along the one dimension `dim`, and the first place it is found.

    NaN is smaller than all.
    """
    return extremes("min", np.argmin, x, dim, keepdim)


@min.grad("x")
def min_dx(dy, index, x_shape, dim, keepdim):
    """To the place it was found."""
    return put_extremes(dy[0], index, x_shape, dim)


@primitive(names=("input",), differentiable=False)
def argmax(x, *, dim=None, keepdim=False):
    """Where the maximum along `dim` is, the first place if there are several; None: in the flattened x."""
    return index_of("argmax", np.argmax, x, dim, keepdim)


@primitive(names=("input",), differentiable=False)
def argmin(x, *, dim=None, keepdim=False):
    """Where the minimum along `dim` is, the first place if there are several; None: in the flattened x."""
    return index_of("argmin", np.argmin, x, dim, keepdim)


def index_of(op, find, x, dim, keepdim):
    """np.argmax or np.argmin, with dimensions as PyTorch counts them."""
    dims = reduced_dims(op, dim, x.ndim, x.shape)
    if dim is None or not dims:
        return np.asarray(find(x)).reshape((1,) * x.ndim if keepdim else ())
    return np.asarray(find(x, axis=one_dim(op, dim, x.ndim), keepdims=keepdim))


def extremes(op, find, x, dim, keepdim):
    """(values, indices), and the indices once more for the rule, with the reduced dimension."""
    index = index_of(op, find, x, one_dim(op, dim, x.ndim), keepdim=True)
    values = x[index_along(index, dim)] if x.ndim else x.copy()
    if keepdim or not x.ndim:
        return (values, index), index
    axis = one_dim(op, dim, x.ndim)
    return (values.squeeze(axis), index.squeeze(axis)), index


def put_extremes(dy, index, x_shape, dim):
    """dY at the places that were found, zeros elsewhere."""
    return (
        put_add(reshape(dy, shape=index.shape), index=index_along(index, dim), shape=x_shape)
        if x_shape
        else dy
    )
