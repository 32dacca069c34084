"""Pooling into a given number of cells, whatever the size of the image.

Cell i of P covers rows ⌊i H / P⌋ up to ⌈(i + 1) H / P⌉: all cells are of one size where P divides H, and may
share a row where it doesn't.
"""

from __future__ import annotations

import math

import numpy as np

from ..engine.declare import primitive
from .arguments.values import check_float
from .arguments.windows import batched, bounds_of, cell_counts, check_images
from .index import index_along, put_add
from .resample import Entries, kept_if_short, mix_axes, unmix_axes
from .shape import reshape


@primitive(names=("input",))
def adaptive_avg_pool2d(x, *, output_size):
    """The mean of each cell of x [N, C, H, W] (or [C, H, W]) → [N, C, P, Q].

    output_size: (P, Q), an int, None for as it is. Raises ShapeError for an image without rows or columns,
    DtypeError for integers.
    """
    check_float("adaptive_avg_pool2d", x=x)
    return mix_axes(x, averages("adaptive_avg_pool2d", x.shape, output_size))


@adaptive_avg_pool2d.grad("x")
def adaptive_avg_pool2d_dx(dy, x_shape, output_size):
    """To every place of each cell its share of the mean."""
    return unmix_axes(dy, x_shape, averages("adaptive_avg_pool2d", x_shape, output_size))


@primitive(keeps=("index",))
def adaptive_max_pool2d(x, *, output_size):
    """(y, indices): the maximum of each cell of x [N, C, H, W] (or [C, H, W]) → [N, C, P, Q], and its place.

    indices: h W + w. output_size: (P, Q), an int, None for as it is. The first in row-major order wins a tie;
    a NaN wins over every number. Raises ShapeError for an image without rows or columns.
    """
    check_images("adaptive_max_pool2d", "x", x)
    counts = cell_counts("adaptive_max_pool2d", x.shape, output_size)
    rows, columns = map(bounds_of, x.shape[-2:], counts)
    images = batched(x)
    best_in_row, column = best_of(images, columns, 3)
    y, row = best_of(best_in_row, rows, 2)
    place = row * x.shape[-1] + column[index_along(row, 2)]
    image = np.arange(math.prod(x.shape[:-2])).reshape(*images.shape[:2], 1, 1)
    flat = image * math.prod(x.shape[-2:]) + place
    shape = x.shape[:-2] + y.shape[2:]
    return (y.reshape(shape), place.reshape(shape)), flat.reshape(-1)


@adaptive_max_pool2d.grad("x")
def adaptive_max_pool2d_dx(dys, index, x_shape, output_size):
    """Each dY goes to the place of its cell's maximum; the indices have no gradient."""
    dx = put_add(reshape(dys[0], shape=index.shape), index=index, shape=(math.prod(x_shape),))
    return reshape(dx, shape=x_shape)


def best_of(x, axis_cells, axis):
    """The maximum of each cell along one axis, and its place there."""
    index = [np.argmax(part, axis, keepdims=True) + start for part, start in parts_of(x, axis_cells, axis)]
    shape = (*x.shape[:axis], 0, *x.shape[axis + 1 :])
    index = np.concatenate(index, axis) if index else np.zeros(shape, np.int64)
    return x[index_along(index, axis)], index


def parts_of(x, axis_cells, axis):
    """What each cell covers, and where it begins."""
    before = (slice(None),) * axis
    return [(x[before + (slice(start, stop),)], start) for start, stop in axis_cells]


def averages(op, shape, output_size):
    """The matrix of each axis: the mean of each cell."""
    return [averaging_matrix(*axis) for axis in zip(shape[-2:], cell_counts(op, shape, output_size))]


@kept_if_short
def averaging_matrix(old, new):
    """The matrix of an axis."""
    cells = bounds_of(old, new)
    lengths = np.array([stop - start for start, stop in cells], np.int64)
    target = np.repeat(np.arange(new), lengths)
    source = np.array([place for start, stop in cells for place in range(start, stop)], np.int64)
    return Entries(new, target, source, 1 / lengths[target])
