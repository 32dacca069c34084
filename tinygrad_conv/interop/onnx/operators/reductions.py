"""Sums, means, products, norms and extremes along axes."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .... import functional as F
from ....dtypes import range_of
from ....engine.tensor import Tensor
from ..reading.node import Node
from .table import Function, operator
from .values import axes_of, axis_of, integers, tensor_of

VERSIONS = (1, 11, 13, 18)


def in_dtype_of(x: Tensor, y: Tensor) -> Tensor:
    """y in the dtype of x: sums of small integers are of larger ones here, and not in ONNX."""
    return y if y.dtype == x.dtype else y.to(x.dtype)


def sum_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return in_dtype_of(x, F.sum(x, axes, keepdim))


def product_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    for axis in sorted(axes, reverse=True):
        x = in_dtype_of(x, F.prod(x, axis, keepdim))
    return x


def largest_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    if is_empty(x, axes):
        return of_nothing(x, axes, keepdim, -math.inf if x.dtype.kind == "f" else range_of(x.dtype)[0])
    return F.amax(x, dim=axes, keepdim=keepdim)


def smallest_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    if is_empty(x, axes):
        return of_nothing(x, axes, keepdim, math.inf if x.dtype.kind == "f" else range_of(x.dtype)[1])
    return F.amin(x, dim=axes, keepdim=keepdim)


def is_empty(x: Tensor, axes: tuple[int, ...]) -> bool:
    """Whether there is nothing along these axes."""
    return any(x.shape[axis] == 0 for axis in axes)


def of_nothing(x: Tensor, axes: tuple[int, ...], keepdim: bool, number: float) -> Tensor:
    """What the extreme of nothing is, everywhere: less, or more, than every number."""
    sizes = [1 if axis in axes else size for axis, size in enumerate(x.shape) if keepdim or axis not in axes]
    return tensor_of(np.full(sizes, number), x.dtype)


def l1_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return sum_of(F.abs(x), axes, keepdim)


def l2_of(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return F.norm(x, 2.0, axes, keepdim)


def log_of_sum(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return F.log(sum_of(x, axes, keepdim))


def log_of_sum_of_exp(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return F.logsumexp(x, dim=axes, keepdim=keepdim)


def sum_of_squares(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    return sum_of(x * x, axes, keepdim)


def reduction(op_type: str, versions: tuple[int, ...], function: Function, axes_became_input: int) -> None:
    """Enter a reduction. Its axes are an attribute at first, and an input from some opset on."""

    def prepare(node: Node) -> Function:
        chosen = partial(
            reduced,
            function=function,
            keepdim=node.flag("keepdims", True),
            none_is_all=not node.flag("noop_with_empty_axes"),
        )
        if node.version < axes_became_input:
            return partial(chosen, axes=node.get("axes", ()))
        return partial(reduced_by_input, chosen=chosen)

    operator(op_type, versions, constants=(1,))(prepare)


def reduced_by_input(x: Tensor, axes: Tensor | None = None, *, chosen: Function) -> Any:
    return chosen(x, axes=() if axes is None else integers("axes", axes))


def reduced(x: Tensor, *, axes: tuple[int, ...], function: Function, keepdim: bool, none_is_all: bool) -> Any:
    """A reduction along axes; along all where there are none, or, as the node may say, along none at all."""
    places = axes_of(axes, x.ndim)
    if not places and none_is_all:
        places = tuple(range(x.ndim))
    if not places:
        shape = tuple(x.shape)
        return function(x.reshape(1, *shape), (0,), False).reshape(shape)
    return function(x, places, keepdim)


reduction("ReduceSum", (1, 11, 13), sum_of, 13)
reduction("ReduceMean", VERSIONS, F.mean, 18)
reduction("ReduceProd", VERSIONS, product_of, 18)
reduction("ReduceMax", (1, 11, 12, 13, 18, 20), largest_of, 18)
reduction("ReduceMin", (1, 11, 12, 13, 18, 20), smallest_of, 18)
reduction("ReduceL1", VERSIONS, l1_of, 18)
reduction("ReduceL2", VERSIONS, l2_of, 18)
reduction("ReduceLogSum", (*VERSIONS, 28), log_of_sum, 18)
reduction("ReduceLogSumExp", (*VERSIONS, 28), log_of_sum_of_exp, 18)
reduction("ReduceSumSquare", VERSIONS, sum_of_squares, 18)


def place_along(node: Node, function: Function) -> Function:
    """Where an extreme is along an axis: the first of several, or the last."""
    return partial(
        place_of,
        function=function,
        axis=node.get("axis"),
        keepdim=node.flag("keepdims", True),
        last=node.flag("select_last_index"),
    )


def place_of(x: Tensor, *, function: Function, axis: int, keepdim: bool, last: bool) -> Tensor:
    axis = axis_of(axis, x.ndim)
    if not last:
        return function(x, dim=axis, keepdim=keepdim)
    return x.shape[axis] - 1 - function(F.flip(x, dims=(axis,)), dim=axis, keepdim=keepdim)


operator("ArgMax", (1, 11, 12, 13))(partial(place_along, function=F.argmax))
operator("ArgMin", (1, 11, 12, 13))(partial(place_along, function=F.argmin))
