"""When a recording holds: everything outside of the step that it took for granted is still the same.

A step's Python is not run by a replay, so what it read on the way must not have changed since: the members of
each module that ran, train or eval among them; what the step's functions name, globals, enclosing variables
and attributes; the tensors from outside. Entries are compared by identity.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter, is_
from typing import Any

from ..dtypes import get_default_dtype
from ..engine.modes import GRAD
from ..kernels import kernels_in_use
from .beside import Beside
from .program import Recorded
from .slots import awaited
from .world import PLAIN, Entry, World

STATE = attrgetter("_requires_grad", "_listeners", "_edge")
CELL = attrgetter("cell_contents")


def settings() -> tuple[Any, ...]:
    """What is switched on, as far as it decides what a step computes."""
    return GRAD.get(), kernels_in_use(), get_default_dtype()


class Guard:
    """What a recording took for granted."""

    def __init__(self, step: Any, beside: Beside, recorded: Recorded, arguments: Iterable[Any]) -> None:
        self.settings = settings()
        self.left_out: set[Any] = (
            set()
        )  # entries that the step itself changes: ids of holders and keys, of cells
        world = World(step, beside, arguments)
        for line in recorded.lines:
            if line.kind == "step":
                world.value("an optimiser", line.target)
        self.sizes = [len(container) for container in world.lists]
        self.containers, self.lists = world.containers, world.lists  # by id, and to keep the ids
        self.lengths = list(map(len, world.param_lists))
        self.param_lists = world.param_lists
        self.entries: list[Entry] = world.entries
        self.cells, self.contents = list(world.cells), [CELL(cell) for cell in world.cells]
        self.hooks = [
            hooks for module in world.modules.values() for hooks in (module._pre_hooks, module._hooks)
        ]
        self.modules = list(world.modules.values())
        self.optimizers = list(world.optimizers.values())
        self.outside = [
            (number, slot.value) for number, slot in enumerate(recorded.slots) if slot.origin == "outside"
        ]
        self.tensors = [tensor for _, tensor in self.outside]
        self.arrays = [tensor._data for tensor in self.tensors]
        self.forms = [(array.shape, array.dtype, array.strides) for array in self.arrays]
        self.states = [STATE(tensor) for tensor in self.tensors]
        self.listeners = [tensor._listeners for tensor in self.tensors if tensor._listeners is not None]
        self.kept = list(arguments)  # objects that are known by their identity

    def holds(self) -> bool:
        """Whether all of it is as it was, the outside tensors' arrays apart (see `moved`)."""
        grad, kernels, dtype = self.settings
        if GRAD.get() is not grad or kernels_in_use() != kernels or get_default_dtype() is not dtype:
            return False
        if any(self.hooks) or any(map(awaited, self.listeners)):
            return False
        if list(map(len, self.param_lists)) != self.lengths:
            return False
        try:
            if not self.same() and not self.equal():
                return False
        except (KeyError, IndexError, ValueError):
            return False
        for tensor, (requires_grad, listeners, edge) in zip(self.tensors, self.states):
            if tensor._requires_grad is not requires_grad or tensor._edge is not edge:
                return False
            if tensor._listeners is not listeners:
                return False
        return True

    def same(self) -> bool:
        """Whether entries and enclosing variables are the same objects."""
        for holder, key, value in self.entries:
            if holder[key] is not value:
                return False
        for cell, content in zip(self.cells, self.contents):
            if cell.cell_contents is not content:
                return False
        return True

    @property
    def hooked(self) -> bool:
        """Whether modules have hooks."""
        return any(self.hooks)

    def holds_but_for_hooks(self) -> bool:
        """Whether all else is as it was."""
        hooks, self.hooks = self.hooks, []
        try:
            return self.holds()
        finally:
            self.hooks = hooks

    def moved(self) -> bool | None:
        """Whether outside tensors have other arrays than before; None: of another form."""
        arrays = [tensor._data for tensor in self.tensors]
        if all(map(is_, arrays, self.arrays)):
            return False
        if [(array.shape, array.dtype, array.strides) for array in arrays] != self.forms:
            return None
        self.arrays = arrays
        return True

    def equal(self) -> bool:
        """Whether entries that are other objects are equal numbers or texts; they count as the same then."""
        values = [holder[key] for holder, key, _ in self.entries]
        contents = list(map(CELL, self.cells))
        before = [value for _, _, value in self.entries]
        pairs = [*zip(values, before), *zip(contents, self.contents)]
        if not all(new is old or is_same_plain(new, old) for new, old in pairs):
            return False
        self.entries = [(holder, key, value) for (holder, key, _), value in zip(self.entries, values)]
        self.contents = contents
        return True

    def changed(self) -> list[tuple[str, Any, Any]]:
        """What a call of the step changed of it: names, and what was and is there. It is taken out."""
        names: list[tuple[str, Any, Any]] = [
            (self.containers[id(container)], size, container)
            for container, size in zip(self.lists, self.sizes)
            if len(container) != size
        ]
        kept: list[Entry] = []
        for holder, key, value in self.entries:
            try:
                now = holder[key]
            except (KeyError, IndexError):
                now = None
            if now is value or is_same_plain(now, value):
                kept.append((holder, key, value))
            else:
                names.append((str(key), value, now))
                self.left_out.add((id(holder), key))
        for place in reversed(range(len(self.cells))):
            now = CELL(self.cells[place])
            if now is not self.contents[place] and not is_same_plain(now, self.contents[place]):
                names.append(("an enclosing variable", self.contents[place], now))
                self.left_out.add(id(self.cells[place]))
                del self.cells[place], self.contents[place]
        self.entries = kept
        return names

    def leave_out(self, other: Guard) -> None:
        """Leave out what the guard of an earlier recording does not hold any more: the step changes it."""
        self.left_out |= other.left_out
        self.entries = [entry for entry in self.entries if (id(entry[0]), entry[1]) not in self.left_out]
        kept = [
            (cell, value) for cell, value in zip(self.cells, self.contents) if id(cell) not in self.left_out
        ]
        self.cells, self.contents = [cell for cell, _ in kept], [value for _, value in kept]


def is_same_plain(value: Any, other: Any) -> bool:
    """Whether two values are equal numbers or texts, or tuples of such."""
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(is_same_plain, value, other))
    return isinstance(value, PLAIN) and (value is other or repr(value) == repr(other))
