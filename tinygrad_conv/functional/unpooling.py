"""The way back from a max pooling: each maximum to where it was found, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import shape
from ..ops.arguments.dtypes import check_integers
from ..ops.arguments.windows import check_images
from ..options import ANY, ARRAY, checked
from .arguments import Operand, Size, array_of, in_one_row
from .pooling import stride_in_one_row
from .scattering import scatter


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
