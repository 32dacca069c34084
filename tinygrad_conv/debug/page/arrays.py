"""The arrays of a page: each once, as base64, and only the leading corner of those that are too large."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...dtypes import Array

KINDS: Mapping[str, Any] = {"i1": np.int8, "i4": np.int32, "f4": np.float32, "f8": np.float64}
"""What the player can read, the smallest first."""


class Arrays:
    """A store of arrays; `add` gives the number under which the page finds one."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._kinds: list[str] = []
        self._numbers: dict[Any, int] = {}  # by contents: what flatten passes on is the same numbers again

    def add(self, array: Any) -> int | None:
        """Store an array; None is not known, and has no number."""
        if array is None:
            return None
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._arrays)
            self._arrays.append(array)
            self._kinds.append(smallest_kind(array))
        return self._numbers[key]

    def encoded(self, room: int) -> list[dict[str, Any]]:
        """All of them as JSON, in at most `room` bytes unless there is nothing left to leave out."""
        most = max((array.size for array in self._arrays), default=0)
        while most > 1 and self.size(most) > room:
            most = most * 7 // 8
        return [encode(array, kind, most) for array, kind in zip(self._arrays, self._kinds)]

    def size(self, most: int) -> int:
        """Bytes, if no array has more than this many numbers."""
        frame = 130  # bytes of JSON around the numbers
        corners = [math.prod(corner(array.shape, most)) for array in self._arrays]
        return sum(frame + size * int(kind[1]) * 4 // 3 for size, kind in zip(corners, self._kinds))


def corner(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """How much of each dimension is kept so that it is at most this many numbers: leading ones give first."""
    kept = list(shape)
    for dim, size in enumerate(shape):
        rest = math.prod(kept[dim + 1 :])
        if size * rest <= most:
            break
        kept[dim] = max(1, most // max(rest, 1))
    return tuple(kept)


def smallest_kind(array: Array) -> str:
    """The first kind that holds these numbers exactly; float64 if none does."""
    nan = array.dtype.kind == "f"
    with np.errstate(all="ignore"):
        for kind, dtype in KINDS.items():
            if np.array_equal(array.astype(dtype), array, equal_nan=nan):
                return kind
    return "f8"


def encode(array: Array, kind: str, most: int) -> dict[str, Any]:
    """An array as JSON: low and high are those of all its finite numbers, whether they are kept or not."""
    kept = corner(array.shape, most)
    numbers = array[tuple(map(slice, kept))].astype(KINDS[kind]).astype(f"<{kind}")
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    return {
        "shape": array.shape,
        "kept": kept,
        "dtype": array.dtype.name,
        "kind": kind,
        "data": base64.b64encode(numbers.tobytes()).decode(),
        "low": float(finite.min()) if finite.size else None,
        "high": float(finite.max()) if finite.size else None,
        "nonfinite": int(array.size - finite.size),
    }
