"""`Size`: a shape, a tuple that can count."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import partial
from math import prod
from typing import Any, SupportsIndex, overload


class Size(tuple[int, ...]):
    """A tuple of sizes, as `x.shape` gives it: everywhere a tuple, with `numel` beside."""

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Size:
        """Raises TypeError for what is no sequence of integers."""
        try:
            return size_of(map(operator.index, sizes))
        except TypeError as error:
            raise TypeError(f"Size: sizes must be integers, not {sizes!r}: {error}") from None

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return prod(self)

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Size: ...

    def __getitem__(self, index: Any) -> Any:
        part = tuple.__getitem__(self, index)
        return size_of(part) if type(part) is tuple else part


size_of: Any = partial(tuple.__new__, Size)
"""A Size of what holds sizes for sure, without a look at them."""
