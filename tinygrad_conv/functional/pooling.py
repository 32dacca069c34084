"""Pooling: over windows, and into a given number of cells."""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor
from ..ops import adaptive, pool, shape
from ..ops.windows import check_images
from .convolutions import row
from .signatures import Operand, Size, documented_by

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "max_pool1d",
    "max_pool2d",
]


def max_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of input [N, C, H, W] (or [C, H, W]) → [N, C, P, Q]; stride defaults to
    kernel_size.

    P = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down, or up with ceil_mode; Q likewise.
    With return_indices (y, indices): where each maximum was found, as h W + w. Padding never wins; the first
    in row-major order wins a tie. Raises ShapeError where the window does not fit, ValueError where more than
    half of it can lie in the padding.
    """
    op = pool.max_pool2d_with_indices if return_indices else pool.max_pool2d
    return op(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )


def max_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of input [N, C, L] (or [C, L]) → [N, C, P]: max_pool2d of one row;
    arguments, and what is raised, as there. With return_indices (y, indices).
    """
    check_images("max_pool1d", "input", input, dims=1)
    kernel, steps, pads, spread = row(kernel_size, 1), row_stride(stride), row(padding, 0), row(dilation, 1)
    pool.pool_window("max_pool1d", (1, input.shape[-1]), kernel, steps, pads, spread, ceil_mode)
    found = max_pool2d(shape.unsqueeze(input, dim=-2), kernel, steps, pads, spread, ceil_mode, return_indices)
    return (
        tuple(shape.squeeze(one, dim=-2) for one in found) if return_indices else shape.squeeze(found, dim=-2)
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
        input,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def avg_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of input [N, C, L] (or [C, L]) → [N, C, P]: avg_pool2d of one row; arguments,
    and what is raised, as there.
    """
    check_images("avg_pool1d", "input", input, dims=1)
    kernel, steps, pads = row(kernel_size, 1), row_stride(stride), row(padding, 0)
    pool.pool_window("avg_pool1d", (1, input.shape[-1]), kernel, steps, pads, 1, ceil_mode)
    y = avg_pool2d(shape.unsqueeze(input, dim=-2), kernel, steps, pads, ceil_mode, count_include_pad)
    return shape.squeeze(y, dim=-2)


@documented_by(adaptive.adaptive_avg_pool2d)
def adaptive_avg_pool2d(input: Operand, output_size: Any) -> Tensor:
    return adaptive.adaptive_avg_pool2d(input, output_size=output_size)


def adaptive_max_pool2d(input: Operand, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of each cell of input [N, C, H, W] (or [C, H, W]) → [N, C, P, Q]; output_size: (P, Q), an
    int, None for as it is. With return_indices (y, indices): where each maximum was found, as h W + w. The
    first in row-major order wins a tie. Raises ShapeError for an image without rows or columns.
    """
    y, indices = adaptive.adaptive_max_pool2d(input, output_size=output_size)
    return (y, indices) if return_indices else y


def row_stride(stride: Any) -> Any:
    """A stride of one dimension as one of two; left out, it is the kernel's size, as in two."""
    return None if stride is None or stride == () or stride == [] else row(stride, 1)
