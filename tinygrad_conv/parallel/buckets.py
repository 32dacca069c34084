"""Buckets: gradients that travel together, for a message costs time of its own, however short it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array

BUCKET_BYTES = 1 << 18


class Bucket:
    """Parameters of one dtype, and memory for their gradients, one after another.

    The memory is float32 for float16, whose sums would overflow.
    """

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.leaves = list(leaves)
        self.dtype = self.leaves[0].dtype
        ends = np.cumsum([leaf._data.size for leaf in self.leaves]).tolist()
        self.memory = np.zeros(ends[-1], travelling(self.dtype))
        parts = zip(self.leaves, [0, *ends], ends)
        self.views = [self.memory[start:end].reshape(leaf.shape) for leaf, start, end in parts]

    def fill(self, gradients: Sequence[Array | None], count: int) -> None:
        """Put in `count` times the gradients, and 0 where there is none, or no sample that it is of."""
        for view, gradient in zip(self.views, gradients):
            if gradient is None or not count:
                view[...] = 0
            else:
                np.multiply(gradient, view.dtype.type(count), out=view, casting="same_kind")

    def is_finite(self) -> bool:
        """Whether all numbers in it are."""
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(self.memory.sum())) or bool(np.isfinite(self.memory).all())

    def divided(self, total: int) -> list[Array]:
        """What is in it by a number: arrays of their own."""
        by = self.memory.dtype.type(max(total, 1))
        return [np.divide(view, by).astype(self.dtype, copy=False) for view in self.views]


def travelling(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which gradients are summed."""
    return np.promote_types(dtype, np.float32)


def buckets_of(leaves: Sequence[Any], nbytes: int) -> list[Bucket]:
    """The buckets of parameters, of about so many bytes, last parameters first: a backward comes to them
    first. The order is the same on all ranks, and buckets travel in it.
    """
    groups: list[list[Any]] = []
    room = 0
    for leaf in reversed(leaves):
        if not groups or room <= 0 or groups[-1][0].dtype != leaf.dtype:
            groups.append([])
            room = nbytes
        groups[-1].append(leaf)
        room -= leaf._data.nbytes
    return [Bucket(group) for group in groups]
