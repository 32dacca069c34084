"""Ops that rearrange: the numbers stay, their places change. Forwards return views where they can."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from ..members import as_tuple
from .arguments.dims import many_dims, one_dim
from .arguments.shapes import (
    check_has_dims,
    check_joined,
    check_order,
    check_permutation,
    check_shifts,
    check_sizes,
    check_stacked,
    chunk_sizes,
    piece_sizes,
)
from .conversion import alike


@primitive(names=("input",), view=True)
def reshape(x, *, shape):
    """x in another shape, in row-major order; one size may be -1: what the others leave.

    Raises ShapeError for any other.
    """
    shape = tuple(shape)
    check_sizes("reshape", shape)
    try:
        return x.reshape(shape)
    except ValueError:
        whole = f"x {show_shape(x.shape)} has {x.size} elements"
        hint = "; only one size may be -1" if shape.count(-1) > 1 else ""
        raise ShapeError(f"reshape: {whole}, which do not fill {show_shape(shape)}{hint}") from None


@reshape.grad("x")
def reshape_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive(names=("input",), view=True)
def flatten(x, *, start_dim=0, end_dim=-1):
    """The dimensions from start_dim to end_dim, both included, as one."""
    start, end = one_dim("flatten", start_dim, x.ndim), one_dim("flatten", end_dim, x.ndim)
    check_order("flatten", start, end, start_dim, end_dim)
    if start == 1 and end == x.ndim - 1:
        return kernels.flattened(x)
    return x.reshape(x.shape[:start] + (math.prod(x.shape[start : end + 1]),) + x.shape[end + 1 :])


@flatten.grad("x")
def flatten_dx(dy, x_shape):
    """Back into the shape of x."""
    return flatten_input_grad(dy, shape=x_shape)


@primitive
def flatten_input_grad(dy, *, shape):
    """dy in another shape, as by `reshape`; but images come in the memory order of layers for images."""
    return kernels.unflattened(dy, shape)


@flatten_input_grad.grad("dy")
def flatten_input_grad_ddy(u, dy_shape):
    """Back into the shape of dy."""
    return reshape(u, shape=dy_shape)


@primitive(names=("input",))
def squeeze(x, *, dim=None):
    """x without its dimensions of size 1: all of them, or those in `dim`."""
    dims = range(x.ndim) if dim is None else many_dims("squeeze", dim, x.ndim)
    return x.reshape([size for axis, size in enumerate(x.shape) if size != 1 or axis not in dims])


@squeeze.grad("x")
def squeeze_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive(names=("input",))
def unsqueeze(x, *, dim):
    """x with a new dimension of size 1 at `dim`."""
    place = one_dim("unsqueeze", dim, x.ndim + 1)
    return x.reshape(*x.shape[:place], 1, *x.shape[place:])


@unsqueeze.grad("x")
def unsqueeze_dx(dy, x_shape):
    """Back into the shape of x."""
    return reshape(dy, shape=x_shape)


@primitive(names=("input",))
def permute(x, *, dims):
    """The dimensions in another order: dimension k of the result is dimension dims[k] of x."""
    dims = tuple(dims)
    order = many_dims("permute", dims, x.ndim)
    check_permutation("permute", x, order, dims)
    return x.transpose(order)


@permute.grad("x")
def permute_dx(dy, dims):
    """The inverse order."""
    order = [dim % len(dims) for dim in dims]
    return permute(dy, dims=tuple(map(order.index, range(len(dims)))))


@primitive(names=("input",))
def transpose(x, *, dim0, dim1):
    """Two dimensions exchanged."""
    return x.swapaxes(one_dim("transpose", dim0, x.ndim), one_dim("transpose", dim1, x.ndim)) if x.ndim else x


@transpose.grad("x")
def transpose_dx(dy, dim0, dim1):
    """Exchanged back."""
    return transpose(dy, dim0=dim0, dim1=dim1)


@primitive(names=("input",))
def flip(x, *, dims):
    """x in reverse order along `dims`."""
    return np.flip(x, many_dims("flip", dims, x.ndim)).copy()  # not a view, as everywhere else in the field


@flip.grad("x")
def flip_dx(dy, dims):
    """Reversed again."""
    return flip(dy, dims=dims)


@primitive
def cat(*xs, dim=0):
    """The arrays one after another along `dim`, in one dtype; all other sizes must agree."""
    dim = one_dim("cat", dim, xs[0].ndim) if xs else 0
    check_joined("cat", xs, dim)
    return np.concatenate(alike(*xs), dim)


@cat.grad("xs")
def cat_dxs(dy, xs_shape, dim):
    """To each input its stretch of dY."""
    before = (slice(None),) * (dim % dy.ndim)
    ends = [0, *accumulate([shape[dim] for shape in xs_shape])]
    return [dy[before + (slice(start, end),)] for start, end in pairwise(ends)]


@primitive
def stack(*xs, dim=0):
    """The arrays side by side along a new dimension, in one dtype; all shapes must agree."""
    check_stacked("stack", xs)
    place = one_dim("stack", dim, xs[0].ndim + 1)
    thin = (slice(None),) * place + (None, ...)
    return np.concatenate([x[thin] for x in alike(*xs)], place)


@stack.grad("xs")
def stack_dxs(dy, xs_shape, dim):
    """To each input its slice of dY."""
    before = (slice(None),) * (dim % dy.ndim)
    return [dy[before + (position,)] for position in range(len(xs_shape))]


@primitive(names=("input",))
def unbind(x, *, dim=0):
    """The slices of x along `dim`, as several outputs without that dimension: the inverse of `stack`.

    Raises ShapeError for a number alone.
    """
    check_has_dims("unbind", x)
    axis = one_dim("unbind", dim, x.ndim)
    before = (slice(None),) * axis
    return tuple([x[before + (place, ...)] for place in range(x.shape[axis])])  # of a row too, views of x


@unbind.grad("x")
def unbind_dx(dys, dim):
    """The slices' gradients, side by side."""
    return stack(*dys, dim=dim)


@primitive(names=("tensor",))
def split(x, *, split_size_or_sections, dim=0):
    """x in pieces along `dim`, as several outputs.

    They are of one size each, the last one perhaps smaller, or of the sizes in a list. Raises ShapeError
    where these do not add up to that of x.
    """
    return pieces(x, piece_sizes("split", x, dim, split_size_or_sections), dim)


@split.grad("x")
def split_dx(dys, dim):
    """The pieces' gradients, one after another."""
    return cat(*dys, dim=dim)


@primitive(names=("input",))
def chunk(x, *, chunks, dim=0):
    """x in `chunks` pieces of equal size along `dim`, as several outputs.

    The last one may be smaller, or some left out.
    """
    return pieces(x, chunk_sizes("chunk", x, dim, chunks), dim)


def pieces(x, sizes, dim):
    """x in pieces of these sizes, one after another along a dimension."""
    before = (slice(None),) * (dim % x.ndim)
    ends = [0, *accumulate(sizes[:-1]), x.shape[dim]]
    return tuple([x[before + (slice(start, end),)] for start, end in pairwise(ends)])


@chunk.grad("x")
def chunk_dx(dys, dim):
    """The chunks' gradients, one after another."""
    return cat(*dys, dim=dim)


@primitive(names=("input",))
def roll(x, *, shifts, dims=None):
    """x moved by shifts[k] places along dims[k], what leaves at one end coming in at the other.

    Without dims it is moved in flat order.
    """
    shifts, dims = as_tuple(shifts), None if dims is None or dims == () else as_tuple(dims)
    check_shifts("roll", x, shifts, dims)
    if dims is None:
        return np.roll(x, shifts[0])
    return np.roll(x, shifts, [one_dim("roll", dim, x.ndim) for dim in dims])


@roll.grad("x")
def roll_dx(dy, shifts, dims):
    """Moved back."""
    return roll(dy, shifts=tuple(-shift for shift in as_tuple(shifts)), dims=dims)


@primitive(names=("input",))
def clone(x):
    """A copy in memory of its own."""
    return x.copy()


@clone.grad("x")
def clone_dx(dy):
    """A copy changes nothing."""
    return dy
