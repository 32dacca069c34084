"""Sizes that follow the batch's: what an int is a function of, by its values for several batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class OfBatch:
    """The size `per` · N + `plus` for a batch of N. It is no int: what needs a number refuses it."""

    per: int
    plus: int

    def __str__(self) -> str:
        product = "batch" if self.per == 1 else f"{self.per}*batch"
        return product if not self.plus else f"{product} {'+-'[self.plus < 0]} {abs(self.plus)}"


Size = int | OfBatch
Shape = tuple[Size, ...]


def size_by_batch(values: Sequence[int], batches: Sequence[int]) -> Size | None:
    """The one int, or the function of the batch, that took these values for these batches; None: neither."""
    first = int(values[0])
    if all(value == first for value in values):
        return first
    if len(batches) == 1 or batches[0] == batches[1]:
        return None
    per, rest = divmod(int(values[1]) - first, batches[1] - batches[0])
    plus = first - per * batches[0]
    fits = not rest and all(value == per * batch + plus for value, batch in zip(values, batches))
    return OfBatch(per, plus) if fits else None
