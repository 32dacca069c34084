"""Pooling: which cell won each window, and how the gradients of overlapping windows add up."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from ...kernels import Window
from ...members import members_of
from ...ops import pool
from ...ops.arguments.windows import bounds_of, cell_counts, pool_window
from ..step import Step
from .pieces import Pooling, StepExplanation
from .registry import explains_ops, first_gradient, subject_of, wide

POOL: Any = pool  # whose functions have no types of their own

Windows = list[tuple[int, int, int]]

WON = "The largest number of a window is its y, the others are not in it: so all of dy goes to the winner."
SHARED = "Every place of a window has the same share in its mean, so it gets the same share of its dy."
MEET = " Where windows overlap, a place gets a gradient from each that it {}: they add up."


@explains_ops("max_pool2d", "max_pool2d_with_indices")
def max_pool(step: Step) -> StepExplanation:
    """Each dy goes to the place that won its window."""
    tap, shape = step.read["tap"], step.grad_inputs["x"].shape
    kernel, stride, padding = (step.params[name] for name in ("kernel_size", "stride", "padding"))
    dilation, ceil_mode = step.params["dilation"], step.params["ceil_mode"]
    window = pool_window(step.op, shape[-2:], kernel, stride, padding, dilation, ceil_mode)
    rows, columns = (windows_of(window, axis) for axis in (0, 1))
    return explained(step, rows, columns, winner=np.asarray(POOL.places_of(tap, window)))


@explains_ops("adaptive_max_pool2d")
def adaptive_max_pool(step: Step) -> StepExplanation:
    """The same, for cells of sizes that may differ."""
    dx, dy = step.grad_inputs["x"], first_gradient(step)
    cells = dx.shape[-2] * dx.shape[-1]
    places = step.read["index"] % max(cells, 1)
    return explained(step, *cells_of(step, dx.shape), winner=places.reshape(dy.shape))


@explains_ops("avg_pool2d")
def avg_pool(step: Step) -> StepExplanation:
    """Each dy is shared out over its window."""
    params, shape = step.params, step.grad_inputs["x"].shape
    kernel, stride, padding = (params[name] for name in ("kernel_size", "stride", "padding"))
    window = pool_window(step.op, shape[-2:], kernel, stride, padding, 1, params["ceil_mode"])
    counts = POOL.divisors(
        window, params["count_include_pad"], params["divisor_override"], np.dtype(np.float64)
    )
    share = 1 / np.broadcast_to(np.asarray(counts, np.float64), window.out)
    rows, columns = (windows_of(window, axis) for axis in (0, 1))
    return explained(step, rows, columns, share=share)


@explains_ops("adaptive_avg_pool2d")
def adaptive_avg_pool(step: Step) -> StepExplanation:
    """The same, for cells of sizes that may differ."""
    rows, columns = cells_of(step, step.grad_inputs["x"].shape)
    counts = np.outer([count for *_, count in rows], [count for *_, count in columns])
    return explained(step, rows, columns, share=1 / counts)


def windows_of(window: Window, axis: int) -> Windows:
    """Along an axis: (first place, step, how many) of each window; a first place below 0 is padding."""
    starts = range(window.out[axis])
    stride, before = window.stride[axis], window.padding[axis][0]
    dilation, kernel = window.dilation[axis], window.kernel[axis]
    return [(start * stride - before, dilation, kernel) for start in starts]


def cells_of(step: Step, shape: tuple[int, ...]) -> tuple[Windows, Windows]:
    """The cells of an adaptive pooling, as windows."""
    counts = cell_counts(step.op, shape, step.params["output_size"])
    rows, columns = (
        [(start, 1, stop - start) for start, stop in bounds_of(*axis)] for axis in zip(shape[-2:], counts)
    )
    return rows, columns


def explained(
    step: Step, rows: Windows, columns: Windows, winner: Array | None = None, share: Array | None = None
) -> StepExplanation:
    """The one view, which a page shows window by window and place by place."""
    dx, dy = step.grad_inputs["x"], first_gradient(step)
    y = members_of(step.output)[0]
    text = (WON + MEET.format("won")) if winner is not None else (SHARED + MEET.format("is in"))
    formula = (
        "dx[m, n] = Σ dy[p, q] over the windows that [m, n] won"
        if winner is not None
        else "dx[m, n] = Σ share[p, q] · dy[p, q] over the windows that [m, n] is in"
    )
    view = Pooling(
        "dx",
        "which place won" if winner is not None else "each place has its share",
        text,
        formula,
        x=step.inputs.get("x"),
        y=y,
        dy=dy,
        result=dx,
        rows=rows,
        columns=columns,
        winner=winner,
        share=share,
    )
    counted = Pooling("", "", dy=np.ones_like(wide(dy)), result=dx, rows=rows, columns=columns, winner=winner)
    view.won = counted.total().astype(np.int32)
    about = "the largest of each window" if winner is not None else "the mean of each window"
    return StepExplanation(subject_of(step), about, (view,))
