"""Ways in which the same numbers may lie in memory: a function must not care."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array

MEMORY = ".strides and order='K' or 'A' tell how an array lies in memory, not what it means"


def transposed(array: Array) -> Array:
    """The same array in Fortran's order."""
    return np.array(array, order="F")


def strided(array: Array) -> Array:
    """The same array as every other element of a larger one."""
    larger = np.full([2 * size for size in array.shape], 9.0, array.dtype)
    every_other = (slice(None, None, 2),) * array.ndim
    view = larger[every_other + (...,)]  # the … keeps it an array where there is no axis
    view[...] = array
    return view


def backwards(array: Array) -> Array:
    """The same array with negative strides."""
    return np.flip(np.flip(array).copy())


LAYOUTS = transposed, strided, backwards
