"""Changes that happen wholly or not at all, whatever interrupts the program.

A KeyboardInterrupt, or whatever else a signal handler, a debugger or another thread raises in here, comes
between two steps of the interpreter. So what belongs together is first computed, beside the old, and then put
in its place by a single step: one call in C, of functions in C, in which no line of Python runs. No handler
needs to be touched for that, and Ctrl-C waits for the copies alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain, repeat
from operator import setitem
from typing import Any

from ..dtypes import Array
from ..errors import show_array
from .memory import Memory
from .node import VERSIONS, tick


class Changes:
    """Collects what is to change; nothing does before `commit`, and then everything at once.

    Whatever is put down here must be ready to be put in its place: memory that can be written to, numbers of
    its shape and dtype. Then nothing can fail on the way.
    """

    __slots__ = ("arrays", "_changed", "_numbers", "_others")

    def __init__(self) -> None:
        self.arrays: list[Array] = []  # to be written to
        self._numbers: list[Array] = []  # what goes into them
        self._changed: list[Memory] = []  # of leaves, so that a backward that would read them is refused
        self._others: list[Iterable[Any]] = []  # all other changes, made as the iterators are gone through

    def write(self, tensor: Any, numbers: Array) -> None:
        """Numbers go into the memory of a tensor, which may be a view of a leaf; a backward that would read
        the old ones is refused.
        """
        array = tensor._data.view()
        array.setflags(write=True)
        self.arrays.append(array)
        self._numbers.append(numbers)
        self._changed.append(tensor.memory())

    def write_leaf(self, leaf: Any, numbers: Array) -> None:
        """The same for what is a leaf itself, such as a parameter."""
        self.arrays.append(leaf._data)
        self._numbers.append(numbers)
        self._changed.append(leaf._memory or leaf.memory())

    def write_leaves(self, leaves: Iterable[Any], numbers: Iterable[Array]) -> None:
        """The same for several."""
        self.arrays += [leaf._data for leaf in leaves]
        self._numbers += numbers
        self._changed += [leaf._memory or leaf.memory() for leaf in leaves]

    def replace_array(self, tensor: Any, array: Array) -> None:
        """A leaf gets another array, as by `.data =`."""
        self.set(tensor, "_data", array)
        self._changed.append(tensor.memory())

    def write_array(self, memory: Array, numbers: Array) -> None:
        """Numbers go into an array. Raises ValueError for one that is read-only."""
        if not memory.flags.writeable:
            raise ValueError(f"{show_array(memory)} is to be changed in place, but it is read-only; copy it")
        self.arrays.append(memory)
        self._numbers.append(numbers)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """An attribute gets another value."""
        self._others.append(map(setattr, (owner,), (name,), (value,)))

    def update(self, mapping: dict[Any, Any], entries: dict[Any, Any]) -> None:
        """A dict gets these entries beside its own."""
        self._others.append(map(dict.update, (mapping,), (entries,)))

    def refill(self, mapping: dict[Any, Any], entries: dict[Any, Any]) -> None:
        """A dict gets these entries, and keeps none of its own."""
        self._others.append(map(dict.clear, (mapping,)))
        self.update(mapping, entries)

    def set_items(self, mappings: Iterable[dict[Any, Any]], key: Any, values: Iterable[Any]) -> None:
        """Several dicts get an entry of the same key, each its own value."""
        self._others.append(map(setitem, mappings, repeat(key), values))

    def written(self) -> Iterable[tuple[Array, Array]]:
        """The arrays that are to be written to, with what goes into them."""
        return zip(self.arrays, self._numbers)

    def commit(self) -> None:
        """Make all changes, in a single step of the interpreter.

        The versions come before it: an interrupt in between leaves all numbers as they were, and a backward
        through what was computed from them is refused for nothing.
        """
        if self._changed:
            mark_changed(self._changed)
        written = map(WRITE, self.arrays, ALL, self._numbers)
        make_all(chain(written, *self._others) if self._others else written)


WRITE: Any = setitem  # array[...] = numbers
# without an end, so that everybody can take of them
ALL, GRAD, NONE = repeat(...), repeat("_grad"), repeat(None)
make_all = deque[Any](maxlen=0).extend
"""Goes through an iterator to its end, in C, and keeps nothing."""


def mark_changed(memories: Iterable[Memory]) -> None:
    """They change now: a backward that would read what was in them is refused."""
    version = VERSIONS.latest = tick()
    for memory in memories:
        memory.version = version


def set_grads(tensors: Iterable[Any], gradients: Iterable[Any]) -> None:
    """Each tensor gets its `.grad`, in a single step of the interpreter."""
    make_all(map(setattr, tensors, GRAD, gradients))
