"""Small pictures: one copy of all their patches, one matrix product, and no call of NumPy more than that
takes.

Where everything fits into the cache, what counts is not what is copied but how many calls there are. So this
is im2col, every tap of every window side by side in memory:

    V[c, i, j, p, q, n] = x[n, c, p * stride + i * dilation - top, q * stride + j * dilation - left]

    Y    = W V        W [O, K] as it lies in memory, K = (c, i, j), and V [K, P*Q*N]
    dW^T = V dY^T
    dX   = W^T U      U: the patches of dY, set apart by the stride, with the taps in reverse order (see
    `mirror`)

Whatever follows from the shapes alone is worked out once for all calls, as a `Plan`. Results have the memory
order in which the product leaves them, C, H, W, N.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layout import Array, all_finite
from .problem import Problem
from .products import matmul
from .threads import MULTIPLICATIONS_PER_MICROSECOND, WORTH_SHARING
from .window import Pair

Index = tuple[slice, slice, slice]


class Plan(NamedTuple):
    """How the patches of a picture are seen, and the shapes of what comes in and goes out."""

    dtype: np.dtype[Any]  # that is computed in
    result: np.dtype[Any]
    padded: tuple[int, ...]  # [C, height, width, N] of the picture amid zeros
    source: Index
    target: Index | None  # where the picture [C, H, W, N] lies; None if it needs no zeros
    patches: tuple[int, ...]  # [C, kh, kw, P, Q, N]
    start: int  # where the first of them is in the padded picture, in bytes
    steps: tuple[int, ...]  # and where the next ones are
    matrix: tuple[int, int]  # [K, P*Q*N]
    out: tuple[int, ...]  # the result, as the product leaves it
    large: bool  # whether threads may be worth it: `matmul` knows the processor, and decides


def correlate(plan: Plan, x: Array, w: Array) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C, kh, kw]."""
    products = _product(w.reshape(len(w), -1), _patches(x, plan), plan)
    return products.reshape(plan.out).transpose(3, 0, 1, 2)


def correlate_weight_grad(plan: Plan, x: Array, dy: Array) -> Array:
    """dw [O, C, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q]."""
    errors = dy.transpose(1, 2, 3, 0).reshape(plan.out[0], -1)
    return _product(_patches(x, plan), errors.T, plan).T.reshape(plan.out)


def correlate_input_grad(plan: Plan, dy: Array, w: Array) -> Array | None:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C, kh, kw]; None if w is not finite."""
    if not all_finite(w):
        return None
    products = _product(w.swapaxes(0, 1).reshape(plan.out[0], -1), _patches(dy, plan), plan)
    return products.reshape(plan.out).transpose(3, 0, 1, 2)


def _patches(x: Array, plan: Plan) -> Array:
    """V [K, P*Q*N]."""
    picture = x.transpose(1, 2, 3, 0)
    if plan.target is None:
        padded = np.ascontiguousarray(picture, plan.dtype)
    else:
        padded = np.zeros(plan.padded, plan.dtype)
        padded[plan.target] = picture[plan.source]
    return np.ndarray(plan.patches, plan.dtype, padded, plan.start, plan.steps).reshape(plan.matrix)


def _product(a: Array, b: Array, plan: Plan) -> Array:
    """a @ b, shared out among threads if it is worth it, and rounded to the dtype of the result."""
    product = matmul(a, b) if plan.large else a.dot(b)
    return product if product.dtype == plan.result else product.astype(plan.result)


def correlation_plan(problem: Problem) -> Plan:
    """For y."""
    window, out = problem.window, (problem.outputs, *problem.window.out, problem.samples)
    axes = [_axis(window.size[a], 1, window.padding[a][0], window.reach(a)) for a in (0, 1)]
    return _plan(problem, problem.channels, axes, window.out, window.stride, window.dilation, out)


def weight_grad_plan(problem: Problem) -> Plan:
    """For dw: the same patches."""
    return correlation_plan(problem)._replace(out=(problem.outputs, problem.channels, *problem.window.kernel))


def input_grad_plan(problem: Problem) -> Plan:
    """For dx: row p of dY lies at p * stride + (kh - 1) * dilation - top, and row h of dX reads from h on."""
    window, out = problem.window, (problem.channels, *problem.window.size, problem.samples)
    axes = []
    for a in (0, 1):
        span = window.dilation[a] * (window.kernel[a] - 1)
        axes.append(
            _axis(window.out[a], window.stride[a], span - window.padding[a][0], window.size[a] + span)
        )
    backwards = -window.dilation[0], -window.dilation[1]
    return _plan(problem, problem.outputs, axes, window.size, (1, 1), backwards, out)


class Axis(NamedTuple):
    """One axis of the padded picture: its length, and which of its places are which of the picture's."""

    length: int
    source: slice
    target: slice
    whole: bool  # all places are the picture's, one for one


def _axis(count: int, step: int, offset: int, length: int) -> Axis:
    """The places 0 .. count - 1 of a picture, put at offset, offset + step, ..., as far as these are below
    `length`.
    """
    first = min(max(0, -(offset // step)), count)
    last = max(first, min(count, (length - 1 - offset) // step + 1))
    start = max(0, offset + first * step)
    whole = (step, offset, length) == (1, 0, count)
    return Axis(length, slice(first, last), slice(start, start + (last - first) * step, step), whole)


def _plan(
    problem: Problem,
    channels: int,
    axes: list[Axis],
    count: Pair,
    stride: Pair,
    dilation: Pair,
    out: tuple[int, ...],
) -> Plan:
    """Patches at `count` places, `stride` apart, their taps `dilation` apart: the last one first where it is
    negative.
    """
    (rows, columns), (kh, kw) = axes, problem.window.kernel
    samples, item, every = problem.samples, problem.dtype.itemsize, slice(None)
    column, row = samples * item, columns.length * samples * item
    down, right = dilation[0] * row, dilation[1] * column
    return Plan(
        dtype=problem.dtype,
        result=problem.result,
        padded=(channels, rows.length, columns.length, samples),
        source=(every, rows.source, columns.source),
        target=None if rows.whole and columns.whole else (every, rows.target, columns.target),
        patches=(channels, kh, kw, *count, samples),
        start=max(0, -down) * (kh - 1) + max(0, -right) * (kw - 1),
        steps=(rows.length * row, down, right, stride[0] * row, stride[1] * column, item),
        matrix=(channels * kh * kw, count[0] * count[1] * samples),
        out=out,
        large=problem.multiplications >= WORTH_SHARING * MULTIPLICATIONS_PER_MICROSECOND,
    )
