"""What the factors of the linear ops are called: pixels of x in a weight's gradient, weights in a pixel's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..kernels import Window
from ..ops.arguments.windows import window_of
from .explain import Factors, Index, explains
from .step import Step


def geometry(step: Step, size: Any, kernel: Any, out: Any) -> Window:
    """The window of a recorded convolution."""
    params = step.params
    stride, padding, dilation = params["stride"], params["padding"], params["dilation"]
    window: Window = window_of(step.op, size, kernel, stride, padding, dilation, out)
    return window


def windows_at(window: Window, axis: int, place: int) -> tuple[Array, Array]:
    """(window, tap) for every window that meets a row (axis 0) or column of the input, with its tap there."""
    taps, stride = np.arange(window.kernel[axis]), window.stride[axis]
    steps = place + window.padding[axis][0] - taps * window.dilation[axis]
    meets = (steps % stride == 0) & (steps >= 0) & (steps < window.out[axis] * stride)
    return steps[meets] // stride, taps[meets]


def inputs_at(window: Window, axis: int, tap: int) -> tuple[Array, Array]:
    """(window, row) for every window whose tap falls inside the input, on that row (axis 0) or column."""
    windows = np.arange(window.out[axis])
    places = windows * window.stride[axis] + tap * window.dilation[axis] - window.padding[axis][0]
    inside = (places >= 0) & (places < window.size[axis])
    return windows[inside], places[inside]


@explains("conv2d", "x")
def conv2d_x(index: Index, step: Step) -> Factors:
    """Every output that touched the pixel, and its weight there: dY[n, o, p, q] · W[o, c, a, b]."""
    w = step.read["w"]
    (*sample, channel, row, column), (outputs, per_group, *kernel) = index, w.shape
    window = geometry(step, step.read["x_shape"][-2:], kernel, step.shapes[0][0][-2:])
    per_output = outputs // step.params["groups"]
    o = np.arange(per_output)[:, None, None] + channel // per_group * per_output
    (p, a), (q, b) = windows_at(window, 0, row), windows_at(window, 1, column)
    p, a = p[:, None], a[:, None]
    return Factors((*sample, o, p, q), "w", (o, channel % per_group, a, b))


@explains("conv2d", "w")
def conv2d_w(index: Index, step: Step) -> Factors:
    """Every place the weight met, and the pixel there.

    dY[n, o, p, q] · X[n, c, s p + d a - top, s q + d b - left].
    """
    x = step.read["x"]
    (o, c, a, b), (outputs, per_group, *kernel) = index, step.read["w_shape"]
    window = geometry(step, x.shape[-2:], kernel, step.shapes[0][0][-2:])
    channel = o // (outputs // step.params["groups"]) * per_group + c
    (p, row), (q, column) = inputs_at(window, 0, a), inputs_at(window, 1, b)
    sample = (np.arange(len(x))[:, None, None],) if x.ndim == 4 else ()
    p, row = p[:, None], row[:, None]
    return Factors((*sample, o, p, q), "x", (*sample, channel, row, column))


@explains("conv2d_input_grad", "dy")
def conv2d_input_grad_dy(index: Index, step: Step) -> Factors:
    """Every pixel that this one was spread to, and the weight.

    U[n, c, s p + d a - top, s q + d b - left] · W[o, c, a, b].
    """
    w, (*sample, o, p, q) = step.read["w"], index
    outputs, per_group, *kernel = w.shape
    window = geometry(step, step.params["input_size"], kernel, step.read["dy_shape"][-2:])
    c = np.arange(per_group)[:, None, None]
    channel = o // (outputs // step.params["groups"]) * per_group + c
    (a, row), (b, column) = taps_at(window, 0, p), taps_at(window, 1, q)
    a, row = a[:, None], row[:, None]
    return Factors((*sample, channel, row, column), "w", (o, c, a, b))


@explains("conv2d_input_grad", "w")
def conv2d_input_grad_w(index: Index, step: Step) -> Factors:
    """Every place the weight was spread to, and what was spread.

    U[n, c, s p + d a - top, s q + d b - left] · dY[n, o, p, q].
    """
    dy, (o, c, a, b) = step.read["dy"], index
    outputs, per_group, *kernel = step.read["w_shape"]
    window = geometry(step, step.params["input_size"], kernel, dy.shape[-2:])
    channel = o // (outputs // step.params["groups"]) * per_group + c
    (p, row), (q, column) = inputs_at(window, 0, a), inputs_at(window, 1, b)
    sample = (np.arange(len(dy))[:, None, None],) if dy.ndim == 4 else ()
    p, row = p[:, None], row[:, None]
    return Factors((*sample, channel, row, column), "dy", (*sample, o, p, q))


def taps_at(window: Window, axis: int, number: int) -> tuple[Array, Array]:
    """(tap, row) for every tap of one window that falls inside the input, on that row (axis 0) or column."""
    taps = np.arange(window.kernel[axis])
    places = number * window.stride[axis] + taps * window.dilation[axis] - window.padding[axis][0]
    inside = (places >= 0) & (places < window.size[axis])
    return taps[inside], places[inside]


@explains("linear", "x")
def linear_x(index: Index, step: Step) -> Factors:
    """dY[…, o] · W[o, i]."""
    *rows, i = index
    o = np.arange(len(step.read["w"]))
    return Factors((*rows, o), "w", (o, i))


@explains("linear", "w")
def linear_w(index: Index, step: Step) -> Factors:
    """dY[…, o] · X[…, i]."""
    o, i = index
    rows = np.indices(step.read["x"].shape[:-1])
    return Factors((*rows, o), "x", (*rows, i))


@explains("matmul", "a")
def matmul_a(index: Index, step: Step) -> Factors | None:
    """dY[…, i, j] · B[…, k, j], for matrices and batches of them that do not broadcast."""
    b = step.read["b"]
    if b.ndim != len(index) or b.ndim < 2 or step.read["a_shape"][:-2] != b.shape[:-2]:
        return None
    *batch, i, k = index
    j = np.arange(b.shape[-1])
    return Factors((*batch, i, j), "b", (*batch, k, j))


@explains("matmul", "b")
def matmul_b(index: Index, step: Step) -> Factors | None:
    """A[…, i, k] · dY[…, i, j], for matrices and batches of them that do not broadcast."""
    a = step.read["a"]
    if a.ndim != len(index) or a.ndim < 2 or step.read["b_shape"][:-2] != a.shape[:-2]:
        return None
    *batch, k, j = index
    i = np.arange(a.shape[-2])
    return Factors((*batch, i, j), "a", (*batch, i, k))


@explains("mul", "a")
def mul_a(index: Index, step: Step) -> Factors:
    """dY · b, at every place that the number was broadcast to."""
    return other_factor(index, step, "a", "b")


@explains("mul", "b")
def mul_b(index: Index, step: Step) -> Factors:
    """dY · a, at every place that the number was broadcast to."""
    return other_factor(index, step, "b", "a")


def other_factor(index: Index, step: Step, mine: str, other: str) -> Factors:
    """The elements of dy that a number of one operand took part in, and what they were multiplied with."""
    whole, others = step.shapes[0][0], step.read[other].shape
    shape = step.grad_inputs[mine].shape
    own = [None if size == 1 else place for size, place in zip(shape, index)]  # None: broadcast
    given = [None] * (len(whole) - len(shape)) + own
    at = np.ix_(*(np.arange(size) if place is None else [place] for size, place in zip(whole, given)))
    last: tuple[Any, ...] = at[len(whole) - len(others) :]
    return Factors(at, other, tuple(0 if size == 1 else places for size, places in zip(others, last)))
