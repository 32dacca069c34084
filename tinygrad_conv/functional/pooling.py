"""Pooling: over windows, and into a given number of cells."""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import adaptive, pool, shape
from ..ops.arguments.dtypes import check_float
from ..ops.arguments.windows import check_images, pool_window
from ..options import checked
from .arguments import Operand, Size, in_one_row


@checked()
def max_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of input [N, C, H, W] (or [C, H, W]) → [N, C, P, Q].

    stride: kernel_size by default. P = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down, or
    up with ceil_mode; Q likewise. With return_indices (y, indices): where each maximum was found, as h W + w.
    Padding never wins; the first in row-major order wins a tie. Raises ShapeError where the window does not
    fit, ValueError where more than half of it can lie in the padding.
    """
    op = pool.max_pool2d_with_indices if return_indices else pool.max_pool2d
    return op(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )


@checked()
def max_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of input [N, C, L] (or [C, L]) → [N, C, P].

    It is max_pool2d of one row; arguments, and what is raised, as there. With return_indices (y, indices).
    """
    check_images("max_pool1d", "input", input, dims=1)
    kernel, steps = in_one_row(kernel_size, 1), stride_in_one_row(stride)
    pads, spread = in_one_row(padding, 0), in_one_row(dilation, 1)
    pool_window("max_pool1d", (1, input.shape[-1]), kernel, steps, pads, spread, ceil_mode)
    image = shape.unsqueeze(input, dim=-2)
    y = max_pool2d(image, kernel, steps, pads, spread, ceil_mode, return_indices)
    return tuple(shape.squeeze(part, dim=-2) for part in y) if return_indices else shape.squeeze(y, dim=-2)


@checked()
def avg_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of input [N, C, L] (or [C, L]) → [N, C, P].

    It is avg_pool2d of one row; arguments, and what is raised, as there.
    """
    check_images("avg_pool1d", "input", input, dims=1)
    kernel, steps, pads = in_one_row(kernel_size, 1), stride_in_one_row(stride), in_one_row(padding, 0)
    pool_window("avg_pool1d", (1, input.shape[-1]), kernel, steps, pads, 1, ceil_mode)
    y = pool.avg_pool2d(shape.unsqueeze(input, dim=-2), kernel, steps, pads, ceil_mode, count_include_pad)
    return shape.squeeze(y, dim=-2)


@checked()
def adaptive_max_pool2d(input: Operand, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of each cell of input [N, C, H, W] (or [C, H, W]) → [N, C, P, Q].

    output_size: (P, Q), an int, None for as it is. With return_indices (y, indices): where each maximum was
    found, as h W + w. The first in row-major order wins a tie. Raises ShapeError for an image without rows or
    columns.
    """
    y, indices = adaptive.adaptive_max_pool2d(input, output_size=output_size)
    return (y, indices) if return_indices else y


@checked()
def adaptive_avg_pool1d(input: Operand, output_size: Any) -> Tensor:
    """The mean of each cell of input [N, C, L] (or [C, L]) → [N, C, P].

    It is adaptive_avg_pool2d of one row. Raises ShapeError for a row without places, DtypeError for integers.
    """
    check_images("adaptive_avg_pool1d", "input", input, dims=1)
    check_float("adaptive_avg_pool1d", input=input)
    size = one_size("adaptive_avg_pool1d", input, output_size)
    return shape.squeeze(
        adaptive.adaptive_avg_pool2d(shape.unsqueeze(input, dim=-2), output_size=(1, size)), dim=-2
    )


@checked()
def adaptive_max_pool1d(input: Operand, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of each cell of input [N, C, L] (or [C, L]) → [N, C, P].

    It is adaptive_max_pool2d of one row. With return_indices (y, indices): where each maximum was found; the
    first wins a tie. Raises ShapeError for a row without places.
    """
    check_images("adaptive_max_pool1d", "input", input, dims=1)
    size = one_size("adaptive_max_pool1d", input, output_size)
    parts = adaptive.adaptive_max_pool2d(shape.unsqueeze(input, dim=-2), output_size=(1, size))
    y, indices = (shape.squeeze(part, dim=-2) for part in parts)
    return (y, indices) if return_indices else y


def one_size(op: str, input: Operand, output_size: Any) -> int | None:
    """The number of cells of an adaptive pooling of one dimension; None for as many as there are places."""
    single = isinstance(output_size, (tuple, list)) and len(output_size) == 1
    size = output_size[0] if single else output_size
    if isinstance(size, (tuple, list)) or (size is not None and size < 0):
        raise ValueError(f"{op}: output_size must be an int from 0, not {output_size!r}")
    if not input.shape[-1]:
        raise ShapeError(f"{op}: input must have places to pool, not {show_shape(input.shape)}")
    return size


def stride_in_one_row(stride: Any) -> Any:
    """A stride of one dimension as one of two; left out, it is the kernel's size, as in two."""
    return None if stride is None or stride == () or stride == [] else in_one_row(stride, 1)
