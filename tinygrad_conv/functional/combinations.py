"""What can be made of the members of several tensors, or of one: pairs, choices, blocks."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..allocation import check_fits
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_array, show_shape
from ..ops import padding, shape
from ..options import ARRAY, COUNT, check_option, checked
from .arguments import Operand
from .views import meshgrid


@checked()
def cartesian_prod(*tensors: Operand) -> Tensor:
    """Every choice of a number from each of k rows, [n], [m] … → [n · m · …, k], the last changing fastest.

    A single row is returned as it is. Raises ShapeError for what is no row.
    """
    check_tensors("cartesian_prod", tensors)
    if not tensors or any(row.ndim != 1 for row in tensors):
        given = ", ".join(show_shape(row.shape) for row in tensors) or "nothing"
        raise ShapeError(f"cartesian_prod: pass rows [n], not {given}")
    if len(tensors) == 1:
        return tensors[0]
    columns = [shape.reshape(grid, shape=(-1,)) for grid in meshgrid(*tensors)]
    return shape.stack(*columns, dim=1)


@checked(r=COUNT)
def combinations(input: Operand, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of r places of a row [n], in order, as rows of the numbers there → [count, r].

    with_replacement: a place may be chosen again. For r = 0 an empty row. Raises ShapeError for what is no
    row, SizeError for more than fit into memory.
    """
    if input.ndim != 1:
        raise ShapeError(f"combinations: input must be a row [n], not {show_array(input)}")
    if r == 0:
        return input[:0]
    size = len(input)
    choices = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    count = math.comb(size + r - 1 if with_replacement and size else size, r)
    check_fits("combinations", "r", r, (count, r), 8)
    places = np.fromiter(itertools.chain.from_iterable(choices(range(size), r)), np.intp, count * r)
    return input[places.reshape(count, r)]


@checked()
def block_diag(*tensors: Operand) -> Tensor:
    """Matrices [n, m], [k, l] … along the diagonal of one, [n + k + …, m + l + …], with 0 elsewhere.

    A row [m] is a matrix of one row, a number one of one entry; of nothing it is [1, 0]. Raises ShapeError
    for more dimensions.
    """
    check_tensors("block_diag", tensors)
    if any(tensor.ndim > 2 for tensor in tensors):
        given = ", ".join(show_shape(tensor.shape) for tensor in tensors)
        raise ShapeError(f"block_diag: pass matrices, rows and numbers, not {given}")
    blocks = [shape.reshape(tensor, shape=(1, 1, *tensor.shape)[-2:]) for tensor in tensors]
    if not blocks:
        return Tensor(np.zeros((1, 0), np.float32))
    ends = np.cumsum([block.shape[1] for block in blocks]).tolist()
    rows = [
        padding.pad(block, sides=(end - block.shape[1], ends[-1] - end)) for block, end in zip(blocks, ends)
    ]
    return shape.cat(*rows, dim=0)


def check_tensors(op: str, tensors: tuple[Operand, ...]) -> None:
    """Refuse a list of tensors in the place of several, and what is none."""
    for tensor in tensors:
        check_option(op, "each of tensors", ARRAY, tensor)
