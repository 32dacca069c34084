"""Pooling: over windows, and into a given number of cells; and the way back from a max pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import adaptive, pool, shape
from ..ops.arguments.values import check_float, check_integers
from ..ops.arguments.windows import check_images, pool_window
from ..options import ANY, ARRAY, checked
from .arguments import Operand, Size, array_of, in_one_row
from .scattering import scatter


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


@checked(indices=ARRAY, output_size=ANY)
def max_unpool2d(
    input: Operand,
    indices: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Any = None,
) -> Tensor:
    """Each number of input [N, C, P, Q] (or [C, P, Q]) at its place in zeros [N, C, H, W].

    indices: the places, as max_pool2d gives them with return_indices; of two numbers with the same place the
    last remains. H = (P - 1) stride - 2 padding + kernel_size, for several sizes are pooled to the same;
    output_size, (H, W) or a whole shape, says which it was. Raises ShapeError where indices or output_size do
    not fit, IndexError for a place outside.
    """
    check_images("max_unpool2d", "input", input)
    return unpooled("max_unpool2d", input, indices, pairs(kernel_size, stride, padding), output_size)


@checked(indices=ARRAY, output_size=ANY)
def max_unpool1d(
    input: Operand,
    indices: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Any = None,
) -> Tensor:
    """Each number of input [N, C, P] (or [C, P]) at its place in zeros [N, C, L].

    It is max_unpool2d of one row; arguments, and what is raised, as there.
    """
    check_images("max_unpool1d", "input", input, dims=1)
    kernel, steps, pads = in_one_row(kernel_size, 1), stride_in_one_row(stride), in_one_row(padding, 0)
    sizes = None if output_size is None else (1, tuple(output_size)[-1])
    row, places = (shape.unsqueeze(x, dim=-2) for x in (input, indices))
    return shape.squeeze(unpooled("max_unpool1d", row, places, pairs(kernel, steps, pads), sizes), dim=-2)


def pairs(kernel_size: Any, stride: Any, padding: Any) -> list[tuple[int, int]]:
    """Kernel, stride and padding of both dimensions."""
    given = (kernel_size, kernel_size if stride is None or stride == () else stride, padding)
    return [tuple(size) if isinstance(size, Sequence) else (size, size) for size in given]


def unpooled(
    op: str, input: Operand, indices: Operand, window: list[tuple[int, int]], output_size: Any
) -> Tensor:
    """The numbers at their places in an image of the size that was pooled."""
    if indices.shape != input.shape:
        given = f"{show_shape(indices.shape)} and {show_shape(input.shape)}"
        raise ShapeError(f"{op}: indices and input must have the same shape, not {given}")
    rows, columns = image_size(op, input.shape[-2:], window, output_size)
    places = array_of(indices)
    check_integers(op, "indices", places)
    if places.size and not 0 <= places.min() <= places.max() < rows * columns:
        raise IndexError(
            f"{op}: indices holds {places.min()} … {places.max()}, but an output [{rows},{columns}] has the "
            f"places 0 … {rows * columns - 1}; say with output_size which size was pooled"
        )
    images = input.shape[:-2]
    numbers = shape.reshape(input, shape=(*images, math.prod(input.shape[-2:])))
    zeros = np.zeros((*images, rows * columns), input.dtype)
    filled = scatter(zeros, -1, places.reshape(numbers.shape), numbers)
    return shape.reshape(filled, shape=(*images, rows, columns))


def image_size(
    op: str, pooled: tuple[int, ...], window: list[tuple[int, int]], output_size: Any
) -> tuple[int, int]:
    """The size of the image that was pooled: the smallest, or the one that is asked for, if it fits."""
    least = [(size - 1) * step - 2 * pad + kernel for size, kernel, step, pad in zip(pooled, *window)]
    if output_size is None:
        return least[0], least[1]
    wanted = [int(size) for size in tuple(output_size)[-2:]]
    steps = window[1]
    if len(wanted) < 2 or any(abs(size - low) >= step for size, low, step in zip(wanted, least, steps)):
        allowed = " and ".join(
            f"{max(low - step + 1, 0)} … {low + step - 1}" for low, step in zip(least, steps)
        )
        raise ShapeError(f"{op}: output_size must be within {allowed}, not {show_shape(tuple(output_size))}")
    return wanted[0], wanted[1]
