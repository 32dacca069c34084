"""Reductions: sums, means and extremes over some dimensions or all of them."""

from __future__ import annotations

import math

import numpy as np

from ..engine.op import primitive
from .dims import kept_shape, reduced_dims
from .elementwise import floating, to
from .shape import expand, reshape


@primitive
def sum(x, *, dim=None, keepdim=False):
    """Σ x over `dim` (an int, a tuple, or None for all); integers and bools sum to int64."""
    return np.sum(x, axis=reduced_dims("sum", dim, x.ndim), keepdims=keepdim)


@sum.grad("x")
def sum_dx(dy, x_shape, dim, keepdim):
    """Each x has its share of 1 in the sum: dY is spread over the dimensions that were summed."""
    return spread(dy, x_shape, dim)


def spread(dy, x_shape, dim):
    """A reduced array over the shape it was reduced from."""
    return expand(reshape(dy, shape=kept_shape(x_shape, dim)), shape=x_shape)


@primitive
def mean(x, *, dim=None, keepdim=False):
    """Σ x / n over `dim` (an int, a tuple, or None for all)."""
    return np.mean(floating(x), axis=reduced_dims("mean", dim, x.ndim), keepdims=keepdim)


@mean.grad("x")
def mean_dx(dy, x_shape, dim, keepdim):
    """As the sum's, divided by the number of elements in each mean."""
    count = math.prod(x_shape[one] for one in reduced_dims("mean", dim, len(x_shape)))
    return spread(dy / max(count, 1), x_shape, dim)


@primitive
def amax(x, *, dim=None, keepdim=False):
    """The maximum over `dim` (an int, a tuple, or None for all); NaN where there is one."""
    return np.amax(x, axis=reduced_dims("amax", dim, x.ndim, x.shape), keepdims=keepdim)


@amax.grad("x")
def amax_dx(dy, x, y, dim, keepdim):
    """To the maximum; elements that tie share it equally."""
    return shared_by(x == spread(y, x.shape, dim), spread(dy, x.shape, dim), dim)


def shared_by(winners, dy, dim):
    """dY, divided equally among the winners along `dim`."""
    winners = to(winners, dtype=dy.dtype)
    return dy * winners / sum(winners, dim=dim, keepdim=True)


@primitive
def sum_to(x, *, shape):
    """x summed over the dimensions along which an array of `shape` was broadcast to the shape of x."""
    extra = x.ndim - len(shape)
    stretched = tuple(at + extra for at, size in enumerate(shape) if size == 1 and x.shape[at + extra] != 1)
    return np.sum(x, axis=tuple(range(extra)) + stretched, keepdims=True).reshape(shape)


@sum_to.grad("x")
def sum_to_dx(dy, x_shape, shape):
    """The adjoint of summing what was broadcast is to broadcast."""
    return expand(dy, shape=x_shape)
