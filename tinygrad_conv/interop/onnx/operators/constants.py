"""Tensors made of numbers and shapes, and tensors in other dtypes."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ....allocation import check_fits
from ....dtypes import Array
from ....engine.tensor import Tensor
from ....errors import ShapeError, show_shape
from ..reading.node import Node
from .table import Function, operator, plain
from .values import integers, scalar, tensor_of


@operator("ConstantOfShape", (9, 20, 21, 23, 24, 25), constants=(0,))
def constant_of_shape(node: Node) -> Function:
    """A tensor of one number everywhere, a float32 0 unless the node says otherwise."""
    value = node.get("value", np.zeros(1, np.float32))
    if value.size != 1:
        node.refuse("value", value, "a tensor of one number")
    return partial(filled, value=value.reshape(()))


def filled(shape: Tensor, *, value: Array) -> Tensor:
    sizes = integers("shape", shape)
    if min(sizes, default=0) < 0:
        raise ShapeError(f"shape {sizes} has a negative size")
    check_fits("ConstantOfShape", "shape", sizes, sizes, value.dtype.itemsize)
    return tensor_of(np.full(sizes, value))


def numbers_between(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """start, start + delta, and so on before the limit."""
    first, last, step = (
        scalar(name, x) for name, x in (("start", start), ("limit", limit), ("delta", delta))
    )
    if not step or not all(map(math.isfinite, (first, last, step))):
        raise ShapeError(f"the range from {first} to {last} by {step} has no end")
    count = max(math.ceil((last - first) / step), 0)
    check_fits("Range", "limit", last, (3, count), 8)  # places, their multiples, and the numbers
    return tensor_of(np.arange(count) * step + first, start.dtype)


plain("Range", (11, 27), numbers_between, constants=(0, 1, 2))


@operator("EyeLike", (9, 22), constants=(0,))
def eye_like(node: Node) -> Function:
    """1 on a diagonal, 0 elsewhere, in the shape of the input."""
    return partial(diagonal_like, dtype=node.dtype("dtype"), k=node.get("k"))


def diagonal_like(x: Tensor, *, dtype: Any, k: int) -> Tensor:
    if x.ndim != 2:
        raise ShapeError(f"the input must be a matrix, not {show_shape(x.shape)}")
    rows, columns = np.indices(x.shape, sparse=True)
    return tensor_of(columns - rows == k, dtype or x.dtype)


@operator("Cast", (6, 9, 13, 19, 21, 23, 24, 25, 28))
def cast(node: Node) -> Function:
    return partial(cast_to, dtype=node.dtype("to"))


def cast_to(x: Tensor, *, dtype: Any) -> Tensor:
    return x if x.dtype == dtype else x.to(dtype)


def cast_as(x: Tensor, like: Tensor) -> Tensor:
    return cast_to(x, dtype=like.dtype)


plain("CastLike", (15, 19, 21, 23, 24, 25), cast_as, constants=(1,))
