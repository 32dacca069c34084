"""Products of vectors and matrices, and parts of matrices."""

from __future__ import annotations

import numpy as np

from ..allocation import check_fits
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, linalg, masking, reduce, shape
from ..ops import index as indexing
from ..ops.arguments.dims import one_dim
from ..ops.arguments.products import check_bmm, check_product
from ..options import checked
from .arguments import Operand, rounded_once


@checked()
def mm(input: Operand, mat2: Operand) -> Tensor:
    """A B of two matrices, [n, k] and [k, m] → [n, m]. Raises ShapeError for any other shapes."""
    check_product("mm", input, mat2, "[n, k] and [k, m]")
    return linalg.matmul(input, mat2)


@checked()
def mv(input: Operand, vec: Operand) -> Tensor:
    """A v of a matrix and a vector, [n, k] and [k] → [n]. Raises ShapeError for any other shapes."""
    check_product("mv", input, vec, "[n, k] and [k]")
    return linalg.matmul(input, vec)


@checked()
def dot(input: Operand, tensor: Operand) -> Tensor:
    """Σ a b of two vectors, [k] and [k] → a number. Raises ShapeError for any other shapes."""
    check_product("dot", input, tensor, "[k] and [k]")
    return linalg.matmul(input, tensor)


@checked()
def outer(input: Operand, vec2: Operand) -> Tensor:
    """y[i, j] = a[i] b[j] of two vectors, [n] and [m] → [n, m]. Raises ShapeError for any other shapes."""
    check_product("outer", input, vec2, "[n] and [m]")
    return arithmetic.mul(shape.unsqueeze(input, dim=1), vec2)


@checked()
def addmm(input: Operand, mat1: Operand, mat2: Operand, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · A B, of matrices [n, k] and [k, m]; input broadcasts to [n, m].

    A beta of 0 leaves input out, be there NaN in it. Raises ShapeError for any other shapes.
    """
    check_product("addmm", mat1, mat2, "[n, k] and [k, m]")
    return added("addmm", input, mat1, mat2, beta, alpha)


@checked()
def addmv(input: Operand, mat: Operand, vec: Operand, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · A v, of a matrix [n, k] and a vector [k]; input broadcasts to [n].

    A beta of 0 leaves input out, be there NaN in it. Raises ShapeError for any other shapes.
    """
    check_product("addmv", mat, vec, "[n, k] and [k]")
    return added("addmv", input, mat, vec, beta, alpha)


@checked()
def baddbmm(input: Operand, batch1: Operand, batch2: Operand, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · A B for each matrix of a batch, [B, n, k] and [B, k, m]; input broadcasts.

    A beta of 0 leaves input out, be there NaN in it. Raises ShapeError for any other shapes.
    """
    check_bmm("baddbmm", batch1, batch2)
    return added("baddbmm", input, batch1, batch2, beta, alpha)


def added(op: str, input: Operand, a: Operand, b: Operand, beta: float, alpha: float) -> Tensor:
    """beta · input + alpha · A B, in the shape of the product."""
    sizes = a.shape[:-1] + b.shape[a.ndim - 1 :]
    given = input.shape[::-1]
    if input.ndim > len(sizes) or any(size not in (1, wanted) for size, wanted in zip(given, sizes[::-1])):
        shapes = f"input {show_shape(input.shape)} does not broadcast to the product {show_shape(sizes)}"
        raise ShapeError(f"{op}: {shapes}")
    return with_product(input, a, b, beta, alpha)


@rounded_once
def with_product(input: Operand, a: Operand, b: Operand, beta: float, alpha: float) -> Tensor:
    """beta · input + alpha · A B."""
    product = linalg.matmul(a, b)
    product = product if alpha == 1 else arithmetic.mul(product, alpha)
    if beta == 0:
        input = masking.zeros_for(input)
    return arithmetic.add(input if beta in (0, 1) else arithmetic.mul(input, beta), product)


@checked()
def tril(input: Operand, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices [..., n, m], 0 above it.

    diagonal: the last diagonal that is kept, 0 the main one, 1 the one above it, -1 the one below.
    """
    return masking.masked(input, mask=lower_triangle("tril", input.shape, diagonal))


@checked()
def triu(input: Operand, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices [..., n, m], 0 below it.

    diagonal: the first diagonal that is kept, 0 the main one, 1 the one above it, -1 the one below.
    """
    return masking.masked(input, mask=~lower_triangle("triu", input.shape, diagonal - 1))


def lower_triangle(op: str, sizes: tuple[int, ...], diagonal: int) -> np.ndarray:
    """Whether a place of a matrix is on the diagonal, or below it."""
    if len(sizes) < 2:
        raise ShapeError(f"{op}: input must be a matrix, or a batch of them, not {show_shape(sizes)}")
    return np.arange(sizes[-1]) - np.arange(sizes[-2])[:, None] <= diagonal


@checked()
def diagonal(input: Operand, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the matrices in two dimensions, which become one, the last.

    offset: 0 for the main diagonal, 1 for the one above it, -1 for the one below. Raises ShapeError where the
    dimensions are the same.
    """
    first, second = (one_dim("diagonal", dim, input.ndim) for dim in (dim1, dim2))
    if first == second:
        given = f"not {dim1} and {dim2} of {show_shape(input.shape)}"
        raise ShapeError(f"diagonal: dim1 and dim2 must be two dimensions, {given}")
    others = tuple(dim for dim in range(input.ndim) if dim not in (first, second))
    matrices = shape.permute(input, dims=(*others, first, second))
    *sizes, rows, columns = matrices.shape
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    begin = (max(offset, 0) + max(-offset, 0) * columns) * bool(length)
    numbers = shape.reshape(matrices, shape=(*sizes, rows * columns))
    return numbers[..., begin : begin + (columns + 1) * length : columns + 1]


@checked()
def diag(input: Operand, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix [n, m], a copy, or the matrix [n, n] with a row [n] on its diagonal.

    diagonal: 0 for the main one, 1 for the one above it, -1 for the one below. Raises ShapeError for any
    other shape.
    """
    if input.ndim == 2:
        return shape.clone(main_diagonal(input, diagonal))
    if input.ndim != 1:
        raise ShapeError(f"diag: input must be [n] or [n, m], not {show_shape(input.shape)}")
    return on_diagonal("diag", input, diagonal)


main_diagonal = diagonal


@checked()
def diag_embed(input: Operand, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the rows [..., n] on their diagonals, in the two dimensions of the result.

    offset: 0 for the main diagonal, 1 for the one above it, -1 for the one below. Raises ShapeError where the
    dimensions are the same.
    """
    count = input.ndim + 1
    first, second = (one_dim("diag_embed", dim, count) for dim in (dim1, dim2))
    if first == second or not input.ndim:
        given = f"not {dim1} and {dim2} for {show_shape(input.shape)}"
        raise ShapeError(f"diag_embed: dim1 and dim2 must be two dimensions of the result, {given}")
    order = [dim for dim in range(count) if dim not in (first, second)]
    order += [first, second]
    return shape.permute(on_diagonal("diag_embed", input, offset), dims=tuple(map(order.index, range(count))))


def on_diagonal(op: str, input: Operand, offset: int) -> Tensor:
    """Rows [..., n] on the diagonals of square matrices, 0 elsewhere."""
    places = np.arange(input.shape[-1])
    size = len(places) + abs(offset)
    check_fits(op, "diagonal", offset, (*input.shape[:-1], size, size), input.dtype.itemsize)
    index = (..., places + max(-offset, 0), places + max(offset, 0))
    return indexing.put_add(input, index=index, shape=(*input.shape[:-1], size, size))


@checked()
def trace(input: Operand) -> Tensor:
    """The sum of the diagonal of a matrix [n, m]. Raises ShapeError for any other shape."""
    if input.ndim != 2:
        raise ShapeError(f"trace: input must be a matrix [n, m], not {show_shape(input.shape)}")
    return reduce.sum(main_diagonal(input))
