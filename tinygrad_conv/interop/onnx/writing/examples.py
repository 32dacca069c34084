"""Inputs like the example's: other numbers, and other batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dtypes import Array
from ....engine.tensor import Tensor
from ....errors import ExportError, show_array

BATCHES = (2, 3, 5)
"""Sizes of which no two have a common divisor, and none is 1: what depends on the size shows."""


def arrays_of(args: Any) -> list[Array]:
    """The example's inputs as arrays. Raises ExportError for what is no tensor."""
    members = list(args) if isinstance(args, (tuple, list)) else [args]
    wrong = [member for member in members if not isinstance(member, (Tensor, np.ndarray))]
    if wrong or not members:
        given = type(wrong[0]).__name__ if wrong else "none"
        raise ExportError(
            f"onnx.export: args must be a tensor, or a tuple of one for each input of the model, not {given}"
        )
    return [Tensor(member)._data for member in members]


def batched_inputs(arrays: Sequence[Array]) -> list[bool]:
    """Which inputs have the batch in dimension 0: those with as many there as the first.

    Raises ExportError where the first has no dimension.
    """
    if not arrays[0].ndim or not arrays[0].shape[0]:
        raise ExportError(
            f"onnx.export: the first input {show_array(arrays[0])} has no batch in dimension 0; pass "
            "dynamic_batch=False for a graph of fixed sizes"
        )
    return [array.ndim > 0 and array.shape[0] == arrays[0].shape[0] for array in arrays]


def of_batch(arrays: Sequence[Array], batched: Sequence[bool], batch: int) -> list[Array]:
    """The inputs with another number of rows, those that there are over and over."""
    rows = np.arange(batch) % arrays[0].shape[0] if any(batched) else None
    return [array[rows] if follows else array.copy() for array, follows in zip(arrays, batched)]


def varied(arrays: Sequence[Array], seed: int) -> list[Array]:
    """Inputs of the same shapes and kinds, with other numbers."""
    rng = np.random.default_rng(seed)
    return [other_numbers(array, rng) for array in arrays]


def other_numbers(array: Array, rng: np.random.Generator) -> Array:
    """Floats between the least and the largest there is, or 0 and 1; of integers those that there are."""
    if not array.size:
        return array.copy()
    if array.dtype.kind != "f":
        choices = np.unique(array) if array.dtype.kind != "b" else np.array([False, True])
        return np.asarray(rng.choice(choices, array.shape), array.dtype)
    low, high = float(array.min()), float(array.max())
    if not low < high:
        low, high = min(low, 0.0), max(high, 1.0)
    if not np.isfinite([low, high]).all():
        low, high = 0.0, 1.0
    return np.asarray(rng.uniform(low, high, array.shape), array.dtype)
