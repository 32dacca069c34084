"""Products of matrices, and triangles of them."""

from __future__ import annotations

from functools import partial

from .... import functional as F
from ....engine.tensor import Tensor
from ....errors import ShapeError, show_shape
from ..reading.node import Node
from .table import Function, operator, plain
from .values import whole

plain("MatMul", (1, 9, 13), F.matmul)


@operator("Gemm", (7, 9, 11, 13))
def gemm(node: Node) -> Function:
    """α A B + β C, A and B transposed where the node says so."""
    return partial(
        product,
        alpha=node.get("alpha"),
        beta=node.get("beta"),
        transposed=(node.flag("transA"), node.flag("transB")),
    )


def product(
    a: Tensor, b: Tensor, c: Tensor | None = None, *, alpha: float, beta: float, transposed: tuple[bool, bool]
) -> Tensor:
    if a.ndim != 2 or b.ndim != 2:
        raise ShapeError(f"A {show_shape(a.shape)} and B {show_shape(b.shape)} must be matrices")
    left, right = (F.t(matrix) if turned else matrix for matrix, turned in zip((a, b), transposed))
    y = scaled(F.matmul(left, right), alpha)
    return y if c is None else y + scaled(c, beta)


def scaled(x: Tensor, factor: float) -> Tensor:
    """x times a factor, in the dtype of x."""
    if factor == 1:
        return x
    return x * factor if x.dtype.kind == "f" else (x * factor).to(x.dtype)


@operator("Einsum", (12, 28))
def einsum(node: Node) -> Function:
    return partial(F.einsum, node.get("equation").replace(" ", ""))


@operator("Trilu", (14,), constants=(1,))
def trilu(node: Node) -> Function:
    """The upper or the lower triangle of the last two axes, 0 beside it."""
    return partial(triangle, upper=node.flag("upper", True))


def triangle(x: Tensor, k: Tensor | None = None, *, upper: bool) -> Tensor:
    diagonal = 0 if k is None else whole("k", k)
    return (F.triu if upper else F.tril)(x, diagonal)
