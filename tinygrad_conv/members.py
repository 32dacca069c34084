"""What is one value or several: an op's outputs, the gradients of these; groups; and the blocks entered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def members_of(value: Any) -> tuple[Any, ...]:
    """The values one by one; whatever is no plain tuple, a named one too, is a value by itself."""
    return value if type(value) is tuple else (value,)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One value or several, in a tuple or a list, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def each_once(values: Iterable[Any]) -> list[Any]:
    """Each object once, in order."""
    return list({id(value): value for value in values}.values())


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each key in their order, the keys as they come first."""
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def without_last(item: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The items without the last one that is this, as when a block that was entered several times is left."""
    last = len(items) - 1 - items[::-1].index(item)
    return items[:last] + items[last + 1 :]
