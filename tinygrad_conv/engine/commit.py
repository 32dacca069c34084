"""Changes that happen wholly or not at all, whatever interrupts the program.

A KeyboardInterrupt, or whatever else a signal handler, a debugger or another thread raises in here, comes
between two steps of the interpreter. So what belongs together is first computed, beside the old, and then put
in its place by a single step: one call in C, of functions in C, in which no line of Python runs. No handler
needs to be touched for that, and Ctrl-C waits for the copies alone.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import starmap
from operator import setitem
from typing import Any

from ..dtypes import Array
from .memory import Memory
from .node import Versions, tick


class Changes:
    """Collects what is to change; nothing does before `commit`, and then everything at once.

    Whatever is put down here must be ready to be put in its place: memory that can be written to, numbers of
    its shape and dtype. Then nothing can fail on the way.
    """

    __slots__ = ("_calls", "_changed")

    def __init__(self) -> None:
        self._calls: list[partial[Any]] = []
        self._changed: list[Memory] = []  # what changes in place

    def write(self, tensor: Any, numbers: Array) -> None:
        """Numbers go into the memory of a tensor, and a backward that would read the old ones is refused."""
        self._calls.append(partial(setitem, tensor._data, ..., numbers))
        self._changed.append(tensor.memory())

    def replace_array(self, tensor: Any, array: Array) -> None:
        """A leaf gets another array, as by `.data =`."""
        self._calls.append(partial(setattr, tensor, "_data", array))
        self._changed.append(tensor.memory())

    def write_array(self, memory: Array, numbers: Array) -> None:
        """Numbers go into an array."""
        self._calls.append(partial(setitem, memory, ..., numbers))

    def set(self, owner: Any, name: str, value: Any) -> None:
        """An attribute gets another value."""
        self._calls.append(partial(setattr, owner, name, value))

    def update(self, mapping: dict[Any, Any], entries: dict[Any, Any]) -> None:
        """A dict gets these entries beside its own."""
        self._calls.append(partial(dict.update, mapping, entries))

    def refill(self, mapping: dict[Any, Any], entries: dict[Any, Any]) -> None:
        """A dict gets these entries, and keeps none of its own."""
        self._calls.append(partial(dict.clear, mapping))
        self._calls.append(partial(dict.update, mapping, entries))

    def commit(self) -> None:
        """Make all changes, in a single step of the interpreter."""
        calls = self._calls
        if self._changed:
            version = tick()
            calls += [partial(setattr, memory, "version", version) for memory in self._changed]
            calls.append(partial(setattr, Versions, "latest", version))
        deque(map(RUN, calls), maxlen=0)


RUN = partial.__call__


def set_all(settings: list[tuple[Any, str, Any]]) -> None:
    """Set attributes, (owner, name, value) each, in a single step of the interpreter."""
    deque(starmap(setattr, settings), maxlen=0)
