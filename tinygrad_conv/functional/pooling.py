"""Pooling."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import pool
from .signatures import Operand, Size, documented_by

__all__ = [
    "avg_pool2d",
    "max_pool2d",
]


@documented_by(pool.max_pool2d)
def max_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    return pool.max_pool2d(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )


@documented_by(pool.avg_pool2d)
def avg_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    return pool.avg_pool2d(
        input, kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
        count_include_pad=count_include_pad, divisor_override=divisor_override,
    )  # fmt: skip
