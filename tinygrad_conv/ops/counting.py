"""What holds, how often and where: truth and counts, places and orders. No gradient passes through them."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arguments.dims import one_dim, reduced_dims
from .arguments.values import check_counted, check_minlength, check_sequences


@primitive(names=("input",), differentiable=False)
def all(x, *, dim=None, keepdim=False):
    """Whether every x over `dim` (an int, a tuple, or None for all) is other than 0; of nothing True.

    Bools, and for uint8 0 and 1 of uint8, as in PyTorch.
    """
    return truth(np.logical_and.reduce(x, reduced_dims("all", dim, x.ndim), keepdims=keepdim), x)


@primitive(names=("input",), differentiable=False)
def any(x, *, dim=None, keepdim=False):
    """Whether some x over `dim` (an int, a tuple, or None for all) is other than 0; of nothing False.

    Bools, and for uint8 0 and 1 of uint8, as in PyTorch.
    """
    return truth(np.logical_or.reduce(x, reduced_dims("any", dim, x.ndim), keepdims=keepdim), x)


def truth(answer, x):
    """The answer to a question about x in the dtype that PyTorch gives it."""
    return np.asarray(answer, np.uint8 if x.dtype == np.uint8 else bool)


@primitive(names=("input",), differentiable=False)
def count_nonzero(x, *, dim=None):
    """How many x over `dim` (an int, a tuple, or None for all) are other than 0 → int64."""
    return np.asarray(np.count_nonzero(x, axis=reduced_dims("count_nonzero", dim, x.ndim)), np.int64)


@primitive(names=("input",), differentiable=False)
def nonzero(x):
    """The places of the x that are other than 0, in row-major order → int64 [count, dimensions]."""
    return np.argwhere(x).astype(np.int64, copy=False)


@primitive(names=("input",), differentiable=False)
def running_argmax(x, *, dim):
    """Where the largest number up to each place along `dim` is, of several the last → int64.

    NaN is larger than all.
    """
    return last_record(np.maximum, x, one_dim("cummax", dim, x.ndim))


@primitive(names=("input",), differentiable=False)
def running_argmin(x, *, dim):
    """Where the smallest number up to each place along `dim` is, of several the last → int64.

    NaN is smaller than all.
    """
    return last_record(np.minimum, x, one_dim("cummin", dim, x.ndim))


def last_record(extreme, x, axis):
    """The place of the last number up to each that is as extreme as those before it."""
    if not x.ndim:
        return np.zeros((), np.int64)
    records = extreme.accumulate(x, axis)
    is_record = (x == records) | (x != x)
    places = np.arange(x.shape[axis], dtype=np.int64).reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return np.maximum.accumulate(np.where(is_record, places, 0), axis)


@primitive(names=("input",), differentiable=False)
def argsort(x, *, dim=-1, descending=False, stable=False):
    """Where the numbers along `dim` stand in order: the place of the smallest, of the next … → int64.

    descending: the largest first. Numbers that are equal keep their order, with or without `stable`. NaN is
    larger than all.
    """
    axis = one_dim("argsort", dim, x.ndim)
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis, kind="stable").astype(np.int64, copy=False)
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    from_the_end = np.argsort(x[backwards], axis, kind="stable")[backwards]
    return x.shape[axis] - 1 - from_the_end.astype(np.int64, copy=False)


@primitive(names=("input", "weights"), differentiable=False)
def bincount(x, weights=None, *, minlength=0):
    """How often each of 0, 1, 2 … is among the integers x [n], or the sum of weights [n] at its places.

    minlength: how many numbers are counted at least. Raises ShapeError for other shapes, DtypeError for
    floats, ValueError for negative numbers.
    """
    check_counted("bincount", x, weights)
    check_minlength("bincount", x, minlength)
    counts = np.bincount(x.astype(np.intp), weights, minlength)
    floats = weights is not None and weights.dtype.kind == "f"
    return counts.astype(weights.dtype) if floats else counts


@primitive(names=("input",), differentiable=False)
def unique(x, *, dim=None):
    """(values, inverse, counts): what is in x, in order; for each x which of them; and how often each is.

    dim: of the slices along this dimension; None: of the numbers. NaN is equal to nothing, so each is kept.
    """
    axis = None if dim is None else one_dim("unique", dim, x.ndim)
    values, inverse, counts = np.unique(
        x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    return values, inverse.reshape(x.shape if axis is None else -1), counts


@primitive(names=("elements", "test_elements"), differentiable=False)
def isin(x, among):
    """Whether each x is one of the numbers `among`."""
    return np.isin(x, among)


@primitive(names=("sorted_sequence", "input"), differentiable=False)
def searchsorted(sequence, values, *, right=False):
    """At which place in a sequence in order each value would stand: how many numbers are below it → int64.

    sequence: [n], for values of any shape, or […, n] with a row for each row of values […, m]. right: how
    many are below it or equal. NaN is larger than all. Raises ShapeError for other shapes.
    """
    check_sequences("searchsorted", sequence, values)
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return np.asarray(np.searchsorted(sequence, values, side), np.int64)
    places = np.empty(values.shape, np.int64)
    for row in np.ndindex(values.shape[:-1]):
        places[row] = np.searchsorted(sequence[row], values[row], side)
    return places
