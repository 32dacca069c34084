"""A matrix by which the gradient, or dy, is to be multiplied: it is missing, or too much."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .moved_axes import views


def a_matrix(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, multiplied by a matrix along an axis; or the other way round."""
    shapes = (evidence.shape, evidence.output_shape)
    given_views = (evidence.given, evidence.given.T)
    for (name, right), shape, flat_given in zip(views(evidence), shapes, given_views):
        given = flat_given.reshape(right.shape)
        for axis, size in enumerate(shape):
            for matrix_name, matrix in square_matrices(evidence, size):
                along = f"along axis {axis} of {name}"
                if explains(evidence, name, multiplied(right, matrix, axis)):
                    yield Finding("matrix", f"multiplied by {matrix_name} {along}: it is too much there")
                if is_same(multiplied(given, matrix, axis), right) and evidence.sure.all():
                    yield Finding("matrix", f"the multiplication by {matrix_name} {along} is missing")


def square_matrices(evidence: Evidence, size: int) -> Iterator[tuple[str, Array]]:
    """The square matrices of this size that a rule may read, and their transposes."""
    for name, values in evidence.readable.items():
        if values.shape == (size, size) and size > 1:
            yield name, values
            if not np.array_equal(values, values.T):
                yield f"{name}ᵀ", values.T


def multiplied(view: Array, matrix: Array, axis: int) -> Array:
    """A view, [the rest, *axes], multiplied from the left by a matrix along one of its axes."""
    return np.moveaxis(np.tensordot(matrix, view, (1, axis + 1)), 0, axis + 1)


def explains(evidence: Evidence, name: str, moved: Array) -> bool:
    """Whether the rule gives just that."""
    matrix = moved.reshape(len(moved), -1)
    return evidence.explained_by(matrix.T if name == "dy" else matrix)


def is_same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same but for what differences leave."""
    return bool((np.abs(a - b) <= 1e-5 * np.abs(b).max(initial=1e-300) + 1e-9).all())
