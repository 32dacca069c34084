"""The channels, biases and output sizes of convolutions."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ...allocation import check_fits
from ...dtypes import Array
from ...errors import ShapeError, show_shape
from ...kernels import Window
from .values import check_float
from .windows import Pair, check_images, looked_up, padding_pairs, pair, window_of

Kind: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]  # of an array: its shape and dtype


def forward_window(
    op: str, x: Array, w: Array, b: Array | None, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The checked geometry of Y = X ⋆ W. Raises ShapeError or DtypeError for arrays that do not fit."""
    bias = None if b is None else (b.shape, b.dtype)
    kinds = (x.shape, x.dtype), (w.shape, w.dtype), bias
    return forward_window_of_kinds(op, *kinds, stride, padding, dilation, groups)


@looked_up
def forward_window_of_kinds(
    op: str, x: Kind, w: Kind, b: Kind | None, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The same of arrays of these kinds."""
    check_convolution(op, "x", array_of(x), array_of(w), None if b is None else array_of(b), groups)
    return window_of(op, x[0][-2:], w[0][2:], stride, padding, dilation)


def weight_grad_window(
    op: str, x: Array, dy: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The checked geometry of dW = X ⋆ dY. Raises ShapeError or DtypeError for arrays that do not fit."""
    kinds = (x.shape, x.dtype), (dy.shape, dy.dtype)
    return weight_grad_window_of_kinds(op, *kinds, kernel_size, stride, padding, dilation, groups)


@looked_up
def weight_grad_window_of_kinds(
    op: str, x: Kind, dy: Kind, kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The same of arrays of these kinds."""
    images, errors = array_of(x), array_of(dy)
    check_float(op, x=images, dy=errors)
    check_images(op, "x", images)
    check_images(op, "dy", errors)
    check_same_samples(op, images, errors, groups)
    return window_of(op, x[0][-2:], kernel_size, stride, padding, dilation, dy[0][-2:])


def input_grad_window(
    op: str, dy: Array, w: Array, input_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The checked geometry of dX of dY and W. Raises ShapeError or DtypeError for arrays that do not fit."""
    kinds = (dy.shape, dy.dtype), (w.shape, w.dtype)
    return input_grad_window_of_kinds(op, *kinds, input_size, stride, padding, dilation, groups)


@looked_up
def input_grad_window_of_kinds(
    op: str, dy: Kind, w: Kind, input_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Window:
    """The same of arrays of these kinds."""
    errors, weight = array_of(dy), array_of(w)
    check_float(op, dy=errors, weight=weight)
    check_images(op, "dy", errors)
    check_channels(op, "dy", errors, weight, groups, side="output")
    return window_of(op, input_size, w[0][2:], stride, padding, dilation, dy[0][-2:])


def array_of(kind: Kind) -> Array:
    """An array of this kind, of which one number alone is in memory."""
    shape, dtype = kind
    return np.broadcast_to(np.zeros((), dtype), shape)


def check_convolution(op: str, name: str, x: Any, w: Any, b: Any, groups: Any, dims: int = 2) -> None:
    """Refuse what a convolution cannot take."""
    check_float(op, **{name: x, "weight": w, "bias": b})
    check_images(op, name, x, dims)
    check_channels(op, name, x, w, groups, dims=dims)
    check_bias(op, b, w.shape[0])


def check_transposed(op: str, x: Any, w: Any, b: Any, groups: Any, dims: int) -> None:
    """Refuse what a transposed convolution cannot take."""
    check_float(op, input=x, weight=w, bias=b)
    check_images(op, "input", x, dims)
    check_channels(op, "input", x, w, groups, side="transposed", dims=dims)
    check_bias(op, b, w.shape[1] * groups)


def check_channels(
    op: str, name: str, x: Any, w: Any, groups: Any, side: str = "input", dims: int = 2
) -> None:
    """Refuse channels of x that do not fit the weight [O, C/groups, kh, kw].

    x has C of them on the input's side, O on the output's. A transposed convolution's weight is
    [C, O/groups, kh, kw], so what comes in has as many as the weight's first size.
    """
    if w.ndim != dims + 2:
        channels, sizes = "C, O" if side == "transposed" else "O, C", "kh, kw" if dims == 2 else "k"
        raise ShapeError(f"{op}: weight must be [{channels}/groups, {sizes}], not {show_shape(w.shape)}")
    if not isinstance(groups, int) or groups < 1 or w.shape[0] % groups:
        first = "input" if side == "transposed" else "output"
        shapes = show_channels(name, x, w, groups)
        raise ShapeError(f"{op}: groups must be a positive int that divides the {first} channels {shapes}")
    channels, needed = x.shape[-1 - dims], w.shape[1] * groups if side == "input" else w.shape[0]
    if channels != needed:
        side = "output" if side == "output" else "input"
        shapes = show_channels(name, x, w, groups)
        raise ShapeError(f"{op}: weight has {needed} {side} channels but {name} has {channels} {shapes}")


def show_channels(name: str, x: Any, w: Any, groups: Any) -> str:
    """For an error about them: all that must fit together."""
    return f"({name} {show_shape(x.shape)}, weight {show_shape(w.shape)}, groups={groups})"


def check_bias(op: str, b: Any, outputs: int) -> None:
    """Refuse a bias that is not one number for each output channel."""
    if b is not None and b.shape != (outputs,):
        wanted = f"one number for each of {outputs} output channels"
        raise ShapeError(f"{op}: bias must have {wanted}, not {show_shape(b.shape)}")


def check_same_samples(op: str, x: Any, dy: Any, groups: int) -> None:
    """Refuse an output error for other samples than those of x, or channels that groups do not divide."""
    if x.shape[:-3] != dy.shape[:-3] or x.shape[-3] % groups or dy.shape[-3] % groups:
        raise ShapeError(
            f"{op}: x {show_shape(x.shape)} and dy {show_shape(dy.shape)} must have the same samples, and "
            f"channels that groups={groups} divides"
        )


def transposed_output_size(
    op: str, size: Pair, kernel: Pair, stride: Any, padding: Any, output_padding: Any, dilation: Any
) -> Pair:
    """The size (P, Q) that a transposed convolution makes of (H, W).

    Raises ValueError for a padding in words, and for an output padding that is not below the stride or the
    dilation; ShapeError where the padding takes all away.
    """
    if isinstance(padding, str):
        forms = "an int, a pair or ((top, bottom), (left, right))"
        raise ValueError(f"{op}: padding must be {forms}, not {padding!r}")
    steps, gaps = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1)
    extra = pair(op, "output_padding", output_padding, 0)
    pads = padding_pairs(op, padding, size, kernel, steps, gaps)
    if any(more >= max(step, gap) for more, step, gap in zip(extra, steps, gaps)):
        limits = f"stride {stride} or dilation {dilation}"
        raise ValueError(f"{op}: output_padding {output_padding} must be smaller than {limits}")
    rows, columns = (
        (size[axis] - 1) * steps[axis] - sum(pads[axis]) + gaps[axis] * (kernel[axis] - 1) + extra[axis] + 1
        for axis in (0, 1)
    )
    if min(rows, columns) < 1:
        lost = "takes away all of the output, whose size would be"
        raise ShapeError(f"{op}: the padding {padding} {lost} {show_shape((rows, columns))}")
    check_fits(op, "stride, output_padding", (stride, output_padding), (rows, columns), 2)
    return rows, columns
