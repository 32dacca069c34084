"""Ops that rearrange: the numbers stay, their places change. Forwards return views where they can."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .dims import many_dims, one_dim


@primitive
def reshape(x, *, shape):
    """x in another shape, in row-major order; one size may be -1: what the others leave. Raises ShapeError
    for any other.
    """
    if min(shape, default=0) < -1:  # NumPy would take it for -1
        given = f"{min(shape)} as in {show_shape(shape)}"
        raise ShapeError(f"reshape: sizes are 0 or more, or -1 for what the others leave, not {given}")
    try:
        return x.reshape(shape)
    except ValueError:
        whole = f"x {show_shape(x.shape)} has {x.size} elements"
        hint = "; only one size may be -1" if tuple(shape).count(-1) > 1 else ""
        raise ShapeError(f"reshape: {whole}, which do not fill {show_shape(shape)}{hint}") from None


@reshape.grad("x")
def reshape_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive
def flatten(x, *, start_dim=0, end_dim=-1):
    """The dimensions from start_dim to end_dim, both included, as one."""
    start, end = one_dim("flatten", start_dim, x.ndim), one_dim("flatten", end_dim, x.ndim)
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if start == 1 and end == x.ndim - 1:
        return kernels.flattened(x)
    return x.reshape(x.shape[:start] + (math.prod(x.shape[start : end + 1]),) + x.shape[end + 1 :])


@flatten.grad("x")
def flatten_dx(dy, x_shape):
    """Back into the shape of x."""
    return flatten_input_grad(dy, shape=x_shape)


@primitive
def flatten_input_grad(dy, *, shape):
    """dy in another shape, as `reshape` does it; but images come in the memory order that layers for images
    hand on.
    """
    return kernels.unflattened(dy, shape)


@flatten_input_grad.grad("dy")
def flatten_input_grad_ddy(u, dy_shape):
    """Back into the shape of dy."""
    return reshape(u, shape=dy_shape)


@primitive
def squeeze(x, *, dim=None):
    """x without its dimensions of size 1: all of them, or those in `dim`."""
    dims = range(x.ndim) if dim is None else many_dims("squeeze", dim, x.ndim)
    return x.reshape([size for at, size in enumerate(x.shape) if size != 1 or at not in dims])


@squeeze.grad("x")
def squeeze_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive
def unsqueeze(x, *, dim):
    """x with a new dimension of size 1 at `dim`."""
    return np.expand_dims(x, one_dim("unsqueeze", dim, x.ndim + 1))


@unsqueeze.grad("x")
def unsqueeze_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive
def permute(x, *, dims):
    """The dimensions in another order: dimension k of the result is dimension dims[k] of x."""
    order = many_dims("permute", dims, x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(
            f"permute: dims {dims} must name each of the {x.ndim} dimensions of x {show_shape(x.shape)} once"
        )
    return x.transpose(order)


@permute.grad("x")
def permute_dx(dy, dims):
    """The inverse order."""
    order = [dim % len(dims) for dim in dims]
    return permute(dy, dims=tuple(map(order.index, range(len(dims)))))


@primitive
def transpose(x, *, dim0, dim1):
    """Two dimensions exchanged."""
    return x.swapaxes(one_dim("transpose", dim0, x.ndim), one_dim("transpose", dim1, x.ndim)) if x.ndim else x


@transpose.grad("x")
def transpose_dx(dy, dim0, dim1):
    """Exchanged back."""
    return transpose(dy, dim0=dim0, dim1=dim1)


@primitive
def flip(x, *, dims):
    """x in reverse order along `dims`."""
    return np.flip(x, many_dims("flip", dims, x.ndim))


@flip.grad("x")
def flip_dx(dy, dims):
    """Reversed again."""
    return flip(dy, dims=dims)


@primitive
def cat(*xs, dim=0):
    """The arrays one after another along `dim`; all other sizes must agree."""
    dim = one_dim("cat", dim, xs[0].ndim) if xs else 0
    if not xs or not xs[0].ndim or any(without(x.shape, dim) != without(xs[0].shape, dim) for x in xs):
        shapes = ", ".join(show_shape(x.shape) for x in xs)
        raise ShapeError(
            f"cat: the shapes must agree in all dimensions but dim={dim}, and there must be one; got {shapes}"
        )
    return np.concatenate(xs, dim)


def without(shape, dim):
    """The shape without one of its sizes, and how many there were."""
    return len(shape), shape[:dim] + shape[dim + 1 :]


@cat.grad("xs")
def cat_dxs(dy, xs_shape, dim):
    """To each input its stretch of dY."""
    before = (slice(None),) * (dim % dy.ndim)
    ends = np.cumsum([0] + [shape[dim] for shape in xs_shape])
    return [dy[before + (slice(start, end),)] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist())]


@primitive
def stack(*xs, dim=0):
    """The arrays side by side along a new dimension; all shapes must agree."""
    if not xs or any(x.shape != xs[0].shape for x in xs):
        shapes = ", ".join(show_shape(x.shape) for x in xs)
        raise ShapeError(f"stack: the shapes must agree, and there must be at least one; got {shapes}")
    return np.stack(xs, one_dim("stack", dim, xs[0].ndim + 1))


@stack.grad("xs")
def stack_dxs(dy, xs_shape, dim):
    """To each input its slice of dY."""
    before = (slice(None),) * (dim % dy.ndim)
    return [dy[before + (position,)] for position in range(len(xs_shape))]


@primitive
def split(x, *, size, dim=0):
    """x in pieces along `dim`, as several outputs: of `size` each, the last one perhaps smaller, or of the
    sizes in a list.

    Raises ShapeError where the sizes do not add up to that of x.
    """
    if not x.ndim:
        raise ShapeError("split: x has no dimension to be split along")
    whole = x.shape[one_dim("split", dim, x.ndim)]
    sizes = list(size) if isinstance(size, (tuple, list)) else pieces(whole, size)
    if min(sizes, default=0) < 0 or sum(sizes) != whole:
        given = f"x {show_shape(x.shape)} in dim={dim}"
        raise ShapeError(f"split: sizes {size} must not be negative, and add up to {whole} for {given}")
    return tuple(np.split(x, np.cumsum(sizes)[:-1], dim))


@split.grad("x")
def split_dx(dys, dim):
    """The pieces' gradients, one after another."""
    return cat(*dys, dim=dim)


@primitive
def chunk(x, *, chunks, dim=0):
    """x in `chunks` pieces of equal size along `dim`, as several outputs: the last one perhaps smaller, or
    some left out.
    """
    whole = x.shape[one_dim("chunk", dim, x.ndim)] if x.ndim else 0
    if not x.ndim or chunks < 1:
        raise ShapeError(f"chunk: x {show_shape(x.shape)} cannot be split into {chunks} chunks")
    return split.forward(x, size=-(-whole // chunks) if whole else [0] * chunks, dim=dim)


@chunk.grad("x")
def chunk_dx(dys, dim):
    """The chunks' gradients, one after another."""
    return cat(*dys, dim=dim)


def pieces(whole, size):
    """`whole` in pieces of `size`, and the rest; one empty piece of nothing."""
    if size < 1:
        return [whole] if size == whole == 0 else [-1]
    return [size] * (whole // size) + ([whole % size] if whole % size or not whole else [])


@primitive
def roll(x, *, shifts, dims=None):
    """x moved by shifts[k] places along dims[k], what leaves at one end coming in at the other; in flat order
    without dims.
    """
    shifts, dims = as_tuple(shifts), None if dims is None or dims == () else as_tuple(dims)
    if len(shifts) != (1 if dims is None else len(dims)):
        raise ShapeError(
            f"roll: there must be one shift for each dimension; got shifts {shifts} and dims {dims}"
        )
    if dims is not None and not x.ndim:
        raise ShapeError(f"roll: x has no dimensions, so none in dims {dims}")
    return (
        np.roll(x, shifts[0])
        if dims is None
        else np.roll(x, shifts, [one_dim("roll", dim, x.ndim) for dim in dims])
    )


@roll.grad("x")
def roll_dx(dy, shifts, dims):
    """Moved back."""
    return roll(dy, shifts=tuple(-shift for shift in as_tuple(shifts)), dims=dims)


def as_tuple(value):
    """One number or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


@primitive
def clone(x):
    """A copy in memory of its own."""
    return x.copy()


@clone.grad("x")
def clone_dx(dy):
    """A copy changes nothing."""
    return dy
