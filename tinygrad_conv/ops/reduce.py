"""Reductions over some dimensions or all of them; and copying, the adjoint of summing."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..dtypes import HALF
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .arguments.dims import kept_shape, one_dim, reduced_dims
from .arguments.shapes import check_repeats
from .arguments.values import check_float
from .arithmetic import pow, where
from .conversion import floating, to, wide
from .elementary import exp
from .masking import masked
from .shape import cat, flip, reshape


@primitive
def sum(x, *, dim=None, keepdim=False):
    """Σ x over `dim` (an int, a tuple, or None for all); integers and bools sum to int64."""
    return summed(x, reduced_dims("sum", dim, x.ndim), keepdim)


@sum.grad("x")
def sum_dx(dy, x_shape, dim, keepdim):
    """Each x has its share of 1 in the sum: dY is spread over the dimensions that were summed."""
    return spread(dy, x_shape, dim)


def summed(x, dims, keepdim):
    """Σ x, float16 in float32, rounded once."""
    if dims == (0, 2, 3) and x.ndim == 4 and x.dtype.kind == "f" and x.dtype != HALF:
        sums = kernels.sum_by_channel(x)
        return sums.reshape(1, -1, 1, 1) if keepdim else sums
    return kernels.sum_over(x, dims, keepdim)


def spread(dy, x_shape, dim):
    """A reduced array over the shape it was reduced from."""
    return expand(reshape(dy, shape=kept_shape(x_shape, dim)), shape=x_shape)


def count_of(x_shape, dim):
    """How many elements each result of a reduction is made of."""
    return size_along(x_shape, reduced_dims("reduction", dim, len(x_shape)))


def size_along(shape, dims):
    """The product of the sizes of some dimensions."""
    return math.prod([shape[axis] for axis in dims])


def shared_by(winners, dy, dim):
    """dY, divided equally among the winners along `dim`."""
    dy = wide(dy)
    count = to(sum(winners, dim=dim, keepdim=True), dtype=dy.dtype)
    return masked(dy, mask=winners) / count


@primitive
def sum_to(x, *, shape):
    """x summed over the dimensions along which an array of `shape` was broadcast to the shape of x."""
    extra = x.ndim - len(shape)
    stretched = tuple(
        axis + extra for axis, size in enumerate(shape) if size == 1 and x.shape[axis + extra] != 1
    )
    return summed(x, tuple(range(extra)) + stretched, keepdim=True).reshape(shape)


@sum_to.grad("x")
def sum_to_dx(dy, x_shape, shape):
    """The adjoint of summing what was broadcast is to broadcast."""
    return expand(dy, shape=x_shape)


@primitive
def expand(x, *, shape):
    """x repeated, without a copy, along dimensions of size 1 and new leading ones; -1 keeps a size."""
    extra = len(shape) - x.ndim
    sizes = tuple(
        [x.shape[axis - extra] if size == -1 and axis >= extra else size for axis, size in enumerate(shape)]
    )
    try:
        return np.broadcast_to(x, sizes)
    except ValueError:
        shapes = f"x {show_shape(x.shape)} cannot be expanded to {show_shape(shape)}"
        raise ShapeError(f"expand: {shapes}") from None


@expand.grad("x")
def expand_dx(dy, x_shape):
    """Every copy of x adds to its gradient."""
    return sum_to(dy, shape=x_shape)


@primitive
def repeat(x, *, repeats):
    """x repeated repeats[k] times along dimension k, counted from the last; more repeats add dimensions."""
    check_repeats("repeat", x, repeats)
    return np.tile(x, repeats)


@repeat.grad("x")
def repeat_dx(dy, x_shape, repeats):
    """Every copy of x adds to its gradient."""
    sizes = (1,) * (len(repeats) - len(x_shape)) + x_shape
    copies = [size for pair in zip(repeats, sizes) for size in pair]  # each dimension as [copies, size]
    return reshape(sum(reshape(dy, shape=copies), dim=tuple(range(0, len(copies), 2))), shape=x_shape)


@primitive
def mean(x, *, dim=None, keepdim=False):
    """Σ x / n over `dim` (an int, a tuple, or None for all); that of integers has the default dtype."""
    x, dims = floating(x), reduced_dims("mean", dim, x.ndim)
    with np.errstate(invalid="ignore"):  # the mean of nothing is NaN
        return average(wide(x), dims, keepdim).astype(x.dtype, copy=False)


def average(x, dims, keepdim):
    """Σ x / n of an array of floats: where the sum overflows, of numbers that a power of 2 makes smaller."""
    count = size_along(x.shape, dims)
    with np.errstate(over="ignore"):
        y = np.divide(summed(x, dims, keepdim), count)
    if np.isinf(y).any() if y.ndim else math.isinf(y):  # of one number NumPy's way takes 20 times as long
        overflowed = np.isinf(y) & ~has_infinite(x, dims, keepdim)
        if overflowed.any():
            scale = x.dtype.type(2.0 ** count.bit_length())
            y = np.where(overflowed, np.divide(summed(x / scale, dims, keepdim), count) * scale, y)
    return y


def has_infinite(x, dims, keepdim):
    """Whether an infinite number is among those along `dims`."""
    extremes = (extreme(x, axis=dims, keepdims=keepdim) for extreme in (np.max, np.min))
    return np.logical_or(*map(np.isinf, extremes))


@mean.grad("x")
def mean_dx(dy, x_shape, dim, keepdim):
    """As the sum's, divided by the number of elements in each mean."""
    dy = wide(dy)
    return spread(dy / np.asarray(max(count_of(x_shape, dim), 1), dy.dtype), x_shape, dim)


@primitive
def var(x, *, dim=None, correction=1, keepdim=False):
    """The variance Σ (x - x̄)² / (n - correction) over `dim`.

    correction: 1 for a sample's estimate, 0 for the population's own. NaN or infinite where n ≤ correction.
    Raises DtypeError for integers.
    """
    check_float("var", x=x)
    values, dims = wide(x), reduced_dims("var", dim, x.ndim)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        deviation = values - average(values, dims, keepdim=True).astype(values.dtype, copy=False)
        count = freedom(x.shape, dim, correction, deviation.dtype)
        y = np.divide(kernels.sum_over(deviation * deviation, dims, keepdim), count)
        if count and np.isinf(y).any():  # the sum may have overflowed where its share does not
            shares = deviation / np.sqrt(count)
            y = np.where(np.isinf(y), kernels.sum_over(shares * shares, dims, keepdim), y)
        return y.astype(x.dtype)


@var.grad("x")
def var_dx(dy, x, dim, correction, keepdim):
    """∂var/∂x = 2 (x - x̄) / (n - correction): what x̄ changes adds up to Σ (x - x̄) = 0."""
    x, dy = wide(x), wide(dy)
    deviation = x - mean(x, dim=dim, keepdim=True)
    return spread(dy, x.shape, dim) * (2 * deviation / freedom(x.shape, dim, correction, x.dtype))


def freedom(x_shape, dim, correction, dtype):
    """n - correction, at least 0, as an array: dividing by it then follows the rules for floats."""
    return np.asarray(max(count_of(x_shape, dim) - correction, 0), dtype)


@primitive
def prod(x, *, dim=None, keepdim=False):
    """Π x over `dim` (an int, or None for all); integers and bools have a product of int64."""
    axis = None if dim is None or not x.ndim else one_dim("prod", dim, x.ndim)
    is_float = x.dtype.kind == "f"  # whose products, made one by one, lose digits
    y = np.prod(x, axis, np.float64 if is_float else np.int64, keepdims=keepdim)
    return y.astype(x.dtype) if is_float else y


@prod.grad("x")
def prod_dx(dy, x, dim, keepdim):
    """∂Πx/∂x[i] = Π x[j] over the others j ≠ i, which holds at zeros too; in float64, as the product."""
    doubles = to(x, dtype=np.dtype(np.float64))
    if dim is None or not x.ndim:
        others = products_of_others(reshape(doubles, shape=(-1,)), 0)
    else:
        others = products_of_others(doubles, one_dim("prod", dim, x.ndim))
    return to(spread(dy, x.shape, dim) * reshape(others, shape=x.shape), dtype=x.dtype)


def products_of_others(x, dim):
    """Π x[j], j ≠ i, for each i along `dim`, in O(n).

    In each pair a member's others are its partner and the pair's others.
    """
    count, before = x.shape[dim], (slice(None),) * dim
    if count < 2:
        return pow(x, 0.0)  # the empty product
    half = count // 2
    a = x[before + (slice(0, half),)]
    b = x[before + (slice(half, 2 * half),)]
    rest = x[before + (slice(2 * half, None),)]
    others = products_of_others(cat(a * b, rest, dim=dim), dim)
    of_pairs, of_rest = others[before + (slice(0, half),)], others[before + (slice(half, None),)]
    return cat(of_pairs * b, of_pairs * a, of_rest, dim=dim)


@primitive
def cumsum(x, *, dim):
    """y[i] = x[0] + … + x[i] along `dim`; integers and bools add up to int64."""
    is_float = x.dtype.kind == "f"  # whose sums, made one by one, lose digits
    sums = np.cumsum(x, one_dim("cumsum", dim, x.ndim), np.float64 if is_float else np.int64).reshape(x.shape)
    return sums.astype(x.dtype, copy=False) if is_float else sums


@cumsum.grad("x")
def cumsum_dx(dy, dim):
    """x[i] is in every sum from i on: dX is the cumulative sum from the other end."""
    return flip(cumsum(flip(dy, dims=(dim,)), dim=dim), dims=(dim,)) if dy.ndim else dy


@primitive(names=("input",))
def logsumexp(x, *, dim, keepdim=False):
    """ln Σ eˣ over `dim` (an int or a tuple), as m + ln Σ eˣ⁻ᵐ with the maximum m: nothing overflows."""
    dims, dtype = reduced_dims("logsumexp", dim, x.ndim), floating(x).dtype
    x = wide(floating(x))
    most = np.maximum.reduce(x, dims, keepdims=True, initial=-np.inf)
    most = np.where(np.isfinite(most), most, x.dtype.type(0))
    with np.errstate(divide="ignore", over="ignore"):  # the logarithm of no or only empty summands is -∞
        y = (np.log(summed(np.exp(x - most), dims, keepdim=True)) + most).astype(dtype)
    return y if keepdim else y.squeeze(dims)


@logsumexp.grad("x")
def logsumexp_dx(dy, x, y, dim, keepdim):
    """∂ln Σ eˣ/∂x = eˣ / Σ eˣ = softmax(x), and 0 where all summands are."""
    total = where(y, 0.0, condition=y != -math.inf)
    with np.errstate(over="ignore"):  # e^-inf is 0
        return spread(dy, x.shape, dim) * exp(x - spread(total, x.shape, dim))
