"""Lengths and angles of vectors, and rows looked up in a table of them."""

from __future__ import annotations

from functools import partial

from ..dtypes import Array
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, comparisons, reduce, roots, shape
from ..ops.arguments.dims import one_dim
from ..ops.arguments.values import check_float, check_integers
from ..options import ANY, ARRAY, INTEGER, OPERAND, checked, optional
from .arguments import Dim, Operand, as_places, common_shape, look_at, rounded_once


@checked(p=OPERAND, dim=ANY)
def normalize(input: Operand, p: float = 2.0, dim: Dim = 1, eps: float = 1e-12) -> Tensor:
    """x / max(‖x‖, eps), with the norm of order p over `dim`. Raises as `norm` does."""
    check_float("normalize", input=input)
    length = roots.vector_norm(input, p=p, dim=dim, keepdim=True)
    return arithmetic.div(input, arithmetic.clamp_min(length, eps))


@checked(x1=ARRAY, x2=ARRAY, dim=INTEGER)
def cosine_similarity(x1: Operand, x2: Operand, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Σ x₁ x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along `dim`; both broadcast.

    Raises DtypeError for integers, ShapeError where they do not broadcast.
    """
    check_float("cosine_similarity", x1=x1, x2=x2)
    sizes = common_shape("cosine_similarity", x1=x1, x2=x2)
    one_dim("cosine_similarity", dim, len(sizes))
    return cosine(reduce.expand(x1, shape=sizes), reduce.expand(x2, shape=sizes), dim, eps)


@rounded_once
def cosine(x1: Operand, x2: Operand, dim: int, eps: float) -> Tensor:
    """The cosine of the angle between vectors along `dim`."""
    return reduce.sum(arithmetic.mul(unit(x1, dim, eps), unit(x2, dim, eps)), dim=dim)


def unit(x: Operand, dim: int, eps: float) -> Tensor:
    """x / max(‖x‖, eps), whose gradient knows nothing of the bound, as in PyTorch."""
    length = roots.vector_norm(x, dim=dim, keepdim=True)
    known = length.detach() if isinstance(length, Tensor) else length
    return arithmetic.div(x, length + arithmetic.clamp_min(eps - known, 0.0))  # a length of ∞ stays


@checked(x1=ARRAY, x2=ARRAY, p=OPERAND, eps=OPERAND)
def pairwise_distance(
    x1: Operand, x2: Operand, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖x₁ - x₂ + eps‖ of order p along the last dimension; both broadcast.

    Raises DtypeError for integers, ShapeError where they do not broadcast.
    """
    check_float("pairwise_distance", x1=x1, x2=x2)
    common_shape("pairwise_distance", x1=x1, x2=x2)
    return roots.vector_norm(arithmetic.sub(x1, x2) + eps, p=p, dim=-1, keepdim=keepdim)


@checked(padding_idx=optional(INTEGER))
def embedding(input: Operand, weight: Operand, padding_idx: int | None = None) -> Tensor:
    """The row of weight [V, D] for each of the integers in input [...] → [..., D].

    padding_idx: a row that gets no gradient. Raises IndexError for a number without a row, DtypeError for
    what is no integer, ShapeError for a weight that is no table.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: weight must be [V, D], not {show_shape(weight.shape)}")
    rows = weight.shape[0]
    look_at(input, partial(check_rows, rows))
    places = as_places(input)
    vectors = weight[places]
    if padding_idx is None or not isinstance(vectors, Tensor):
        return vectors
    if not -rows <= padding_idx < rows:
        raise ValueError(f"embedding: padding_idx must be one of the {rows} rows, not {padding_idx}")
    padded = shape.unsqueeze(comparisons.eq(places, padding_idx % rows), dim=-1)
    return arithmetic.where(vectors.detach(), vectors, condition=padded)


def check_rows(rows: int, numbers: Array) -> None:
    """Refuse what names no rows of a table."""
    check_integers("embedding", "input", numbers)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < rows:
        holds = f"input holds {numbers.min()} … {numbers.max()}"
        raise IndexError(f"embedding: {holds}, but weight has the rows 0 … {rows - 1}")
