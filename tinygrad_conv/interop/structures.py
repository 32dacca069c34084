"""Dicts, lists and tuples, with other tensors in the places of those in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import DamagedFileError, GraphError
from ..saving.encoding import PLAIN, check_depth, shown


class Converted:
    """What stands in a structure, converted. What stands there in several places is converted once, and is
    one in the result too.

    owner: who asks, for messages. convert: what becomes of a value that is no dict, list, tuple, number or
    text; raises TypeError for what it does not know.
    """

    def __init__(self, owner: str, convert: Callable[[Any], Any]) -> None:
        self.owner, self.convert = owner, convert
        self.done: dict[int, tuple[Any, Any]] = {}  # by id: a value, so that it lives, and what became of it

    def of(self, value: Any, path: tuple[Any, ...] = ()) -> Any:
        """What becomes of a value. path: the keys and indices at which it stands."""
        if type(value) in PLAIN:
            return value
        if id(value) not in self.done:
            self.done[id(value)] = value, self.fresh(value, path)
        return self.done[id(value)][1]

    def fresh(self, value: Any, path: tuple[Any, ...]) -> Any:
        """What becomes of a value that was not met before."""
        check_depth(self.owner, path)
        if isinstance(value, Mapping):
            return {self.key(key, path): self.of(member, (*path, key)) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            members = [self.of(member, (*path, index)) for index, member in enumerate(value)]
            return members if isinstance(value, list) else tuple(members)
        try:
            return self.convert(value)
        except (TypeError, GraphError, DamagedFileError) as error:
            place = f"{self.owner}: {shown(path)}: " if path else f"{self.owner}: "
            raise type(error)(f"{place}{error}") from error

    def key(self, key: Any, path: tuple[Any, ...]) -> Any:
        """A key of a dict, which must be a number, a text or a tuple."""
        if type(key) in PLAIN or type(key) is tuple:
            return key
        raise TypeError(f"{self.owner}: a key of {shown(path)} is {type(key).__name__}, no number or text")
