"""Attention: a mean of values, weighted by how well their keys go with a query."""

from __future__ import annotations

import math

import numpy as np

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, linalg, shape, softmaxes
from ..ops.arguments.values import check_float
from ..options import ARRAY, FLAG, NUMBER, PROBABILITY, checked, optional
from .arguments import Operand, array_of, rounded_once
from .dropouts import dropout
from .indexing import repeat_interleave


@checked(
    query=ARRAY,
    key=ARRAY,
    value=ARRAY,
    attn_mask=optional(ARRAY),
    dropout_p=PROBABILITY,
    is_causal=FLAG,
    scale=optional(NUMBER),
    enable_gqa=FLAG,
)
def scaled_dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale · Q Kᵀ + mask) V (Vaswani et al. 2017), scale = 1 / √E unless given.

    query [..., L, E], key [..., S, E], value [..., S, D] → [..., L, D]. attn_mask: broadcasts to [..., L, S];
    bools say which keys take part, numbers are added. A query that no key takes part in gets zeros.
    is_causal: query i sees the keys up to i. dropout_p: of the weights. enable_gqa: fewer heads of keys and
    values, in dimension -3, each for several of the queries. Raises ShapeError for sizes that do not fit,
    ValueError for attn_mask together with is_causal, DtypeError for integers.
    """
    check_float("scaled_dot_product_attention", query=query, key=key, value=value)
    check_attention(query, key, value)
    if attn_mask is not None and is_causal:
        raise ValueError("scaled_dot_product_attention: is_causal is a mask; give attn_mask or is_causal")
    if enable_gqa:
        check_groups(query.shape, key.shape)
        groups = query.shape[-3] // key.shape[-3]
        key, value = (repeat_interleave(heads, groups, dim=-3) for heads in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return attention(query, key, value, attn_mask, dropout_p, is_causal, factor)


@rounded_once
def attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand,
    dropout_p: float,
    is_causal: bool,
    factor: float,
) -> Tensor:
    """The sum of the values, weighted by the softmax of the scores."""
    scores = linalg.matmul(query, shape.transpose(key, dim0=-2, dim1=-1))
    scores = arithmetic.mul(scores, factor)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    weights = attention_weights(scores, attn_mask)
    return linalg.matmul(dropout(weights, dropout_p) if dropout_p else weights, value)


def attention_weights(scores: Operand, mask: Operand) -> Tensor:
    """The softmax of the scores, with a mask of bools or of numbers."""
    if mask is None:
        return softmaxes.softmax(scores, dim=-1)
    check_mask(scores.shape, mask.shape)
    if mask.dtype.kind != "b":
        return softmaxes.softmax(arithmetic.add(scores, mask), dim=-1)
    takes_part = array_of(mask)
    masked = arithmetic.where(scores, -np.inf, condition=takes_part)
    with np.errstate(invalid="ignore"):  # the softmax of no score at all
        weights = softmaxes.softmax(masked, dim=-1)
    return arithmetic.where(weights, 0.0, condition=takes_part)


def check_mask(scores: tuple[int, ...], mask: tuple[int, ...]) -> None:
    """Refuse a mask that has not a number for each query and key."""
    if len(mask) > len(scores) or any(size not in (1, own) for size, own in zip(mask[::-1], scores[::-1])):
        raise ShapeError(
            f"scaled_dot_product_attention: attn_mask {show_shape(mask)} does not broadcast to "
            f"{show_shape(scores)}, a number for each query and key"
        )


def check_groups(query: tuple[int, ...], key: tuple[int, ...]) -> None:
    """Refuse heads that do not go into groups of the same size."""
    if min(len(query), len(key)) < 3 or not key[-3] or query[-3] % key[-3]:
        heads = " and ".join(f"{sizes[-3] if len(sizes) > 2 else 'no'} heads" for sizes in (query, key))
        raise ShapeError(
            "scaled_dot_product_attention: with enable_gqa query must have a multiple of key's heads, in "
            f"dimension -3, not {heads}"
        )


def check_attention(query: Operand, key: Operand, value: Operand) -> None:
    """Refuse sizes that do not fit each other."""
    shapes = [x.shape for x in (query, key, value)]
    fits = min(map(len, shapes)) >= 2
    if not fits or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        given = ", ".join(
            f"{name} {show_shape(sizes)}" for name, sizes in zip(("query", "key", "value"), shapes)
        )
        raise ShapeError(
            f"scaled_dot_product_attention: query [..., L, E], key [..., S, E] and value [..., S, D] belong "
            f"together, not {given}"
        )
