"""What `im2col` works out once for all calls of the same shapes: how patches are a view of a picture."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..threads import MULTIPLICATIONS_PER_MICROSECOND, WORTH_SHARING
from ..window import Pair
from .problem import Problem

Index: TypeAlias = tuple[slice, slice, slice]


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


def for_y(problem: Problem) -> Plan:
    """The plan for y."""
    window, out = problem.window, (problem.outputs, *problem.window.out, problem.samples)
    axes = [axis_of(window.size[axis], 1, window.padding[axis][0], window.reach(axis)) for axis in (0, 1)]
    return _plan(problem, problem.channels, axes, window.out, window.stride, window.dilation, out)


def for_dw(problem: Problem) -> Plan:
    """The plan for dw: the same patches."""
    return for_y(problem)._replace(out=(problem.outputs, problem.channels, *problem.window.kernel))


def for_dx(problem: Problem) -> Plan:
    """The plan for dx: row p of dY lies at p * stride + (kh - 1) * dilation - top; row h reads from h on."""
    window, out = problem.window, (problem.channels, *problem.window.size, problem.samples)
    axes = []
    for axis in (0, 1):
        span = window.dilation[axis] * (window.kernel[axis] - 1)
        offset, length = span - window.padding[axis][0], window.size[axis] + span
        axes.append(axis_of(window.out[axis], window.stride[axis], offset, length))
    backwards = -window.dilation[0], -window.dilation[1]
    return _plan(problem, problem.outputs, axes, window.size, (1, 1), backwards, out)


class Axis(NamedTuple):
    """One axis of the padded picture: its length, and which of its places are which of the picture's."""

    length: int
    source: slice
    target: slice
    whole: bool  # all places are the picture's, one for one

    @property
    def is_filled(self) -> bool:
        """Whether there are no zeros, though the picture may be longer."""
        return self.target == slice(0, self.length, 1)


def axis_of(count: int, step: int, offset: int, length: int) -> Axis:
    """The places 0 .. count - 1 of a picture, put at offset, offset + step, ... as far as `length` goes."""
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
    """Patches at `count` places, `stride` apart, taps `dilation` apart, reversed where it is negative."""
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
