"""Matrix products: row × column for an output or dx, outer products for dw."""

from __future__ import annotations

from ...dtypes import Array
from ..step import Step
from .pieces import Contraction, Figure, Matrix, StepExplanation, View
from .registry import bias_view, explains_ops, first_gradient, subject_of, wanted

OUTER = (
    "Each row of dy, stood on end, times the same row of x is an outer product: what that row alone asks "
    "of w. Their sum is dw."
)


@explains_ops("linear")
def linear(step: Step) -> StepExplanation:
    """Y = X Wᵀ + b, dX = dY W, dW = dYᵀ X, db = Σ dY."""
    x, w, b = (step.inputs.get(name) for name in ("x", "w", "b"))
    dy, y = first_gradient(step), step.output
    *_, last = range(dy.ndim)
    rows, column = tuple(range(last)), (last,)
    views: list[View] = []
    if x is not None and w is not None and y is not None and (b is not None or "b" not in step.inputs):
        views.append(
            Contraction(
                "y",
                "row × column",
                f"Row of x times row of w{'' if b is None else ', plus b'}.",
                "y[n, o] = Σ x[n, i] · w[o, i]" + ("" if b is None else " + b[o]"),
                left=Matrix("x", x, rows, column),
                right=Matrix("w", w, (1,), (0,)),
                result=Matrix("y", y, rows, column),
                bias=None if b is None else Figure("b", b),
            )
        )
    if wanted(step, "x") and w is not None:
        views.append(
            Contraction(
                "dx",
                "row × column",
                "Row of dy times column of w: input i is in every output o, w[o, i] times.",
                "dx[n, i] = Σ dy[n, o] · w[o, i]",
                left=Matrix("dy", dy, rows, column),
                right=Matrix("w", w, (0,), (1,)),
                result=Matrix("dx", step.grad_inputs["x"], rows, column),
            )
        )
    if wanted(step, "w") and x is not None:
        views.append(
            Contraction(
                "dw",
                "outer products, added up",
                OUTER,
                "dw[o, i] = Σ dy[n, o] · x[n, i]",
                left=Matrix("dy", dy, column, rows),
                right=Matrix("x", x, rows, column),
                result=Matrix("dw", step.grad_inputs["w"], (0,), (1,)),
                outer=True,
            )
        )
    if wanted(step, "b"):
        dims = (*(-1 for _ in dy.shape[:-1]), 0)
        views.append(bias_view(step, "dy, summed over all rows", "db[o] = Σ dy[n, o]", dims))
    return StepExplanation(subject_of(step), "each output is a row of x times a row of w", tuple(views))


@explains_ops("matmul")
def matmul(step: Step) -> StepExplanation:
    """Y = A B, dA = dY Bᵀ, dB = Aᵀ dY; vectors are a row or a column, batches broadcast."""
    a, b, dy, y = step.inputs.get("a"), step.inputs.get("b"), first_gradient(step), step.output
    views: list[View] = []
    a_like = step.grad_inputs.get("a") if a is None else a
    b_like = step.grad_inputs.get("b") if b is None else b
    if a_like is None or b_like is None:
        return StepExplanation(subject_of(step), "each output is a row of a times a column of b")
    row, column = a_like.ndim == 1, b_like.ndim == 1
    if a is not None and b is not None and y is not None:
        views.append(
            Contraction(
                "y",
                "row × column",
                "Row of a times column of b.",
                "y[i, j] = Σ a[i, k] · b[k, j]",
                left=left_of("a", a, row),
                right=right_of("b", b, column),
                result=result_of("y", y, row, column),
            )
        )
    if wanted(step, "a") and b is not None:
        views.append(
            Contraction(
                "da",
                "row × column",
                "Row of dy times row of b.",
                "da[i, k] = Σ dy[i, j] · b[k, j]",
                left=result_of("dy", dy, row, column),
                right=turned(right_of("b", b, column)),
                result=left_of("da", step.grad_inputs["a"], row),
            )
        )
    if wanted(step, "b") and a is not None:
        views.append(
            Contraction(
                "db",
                "outer products, added up",
                "Row i of a, stood on end, times row i of dy is an outer product; their sum over i is db.",
                "db[k, j] = Σ a[i, k] · dy[i, j]",
                left=turned(left_of("a", a, row)),
                right=result_of("dy", dy, row, column),
                result=right_of("db", step.grad_inputs["b"], column),
                outer=True,
            )
        )
    return StepExplanation(subject_of(step), "each output is a row of a times a column of b", tuple(views))


def left_of(name: str, array: Array, row: bool) -> Matrix:
    """The left operand: [.., i, k], or a row [k]."""
    if row:
        return Matrix(name, array, (), (0,))
    *batch, i, k = range(array.ndim)
    return Matrix(name, array, (i,), (k,), tuple(batch))


def right_of(name: str, array: Array, column: bool) -> Matrix:
    """The right operand: [.., k, j], or a column [k]."""
    if column:
        return Matrix(name, array, (0,), ())
    *batch, k, j = range(array.ndim)
    return Matrix(name, array, (k,), (j,), tuple(batch))


def result_of(name: str, array: Array, row: bool, column: bool) -> Matrix:
    """The result, without the dimension that a 1-D operand dropped."""
    dims = list(range(array.ndim))
    j = () if column else (dims.pop(),)
    i = () if row else (dims.pop(),)
    return Matrix(name, array, i, j, tuple(dims))


def turned(matrix: Matrix) -> Matrix:
    """Its transpose."""
    return Matrix(matrix.name, matrix.array, matrix.columns, matrix.rows, matrix.batch)
