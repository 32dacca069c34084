"""When a recording holds: everything outside of the step that it took for granted is still the same.

A step's Python is not run by a replay, so what it read on the way must not have changed since: the members of
each module that ran, train or eval among them; what the step's functions name, globals, enclosing variables
and attributes; the tensors from outside. Entries are compared by identity, all of them in a few calls in C.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable
from operator import attrgetter, getitem, is_
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype
from ..engine.location import PACKAGE
from ..engine.modes import GRAD
from ..engine.tensor import Tensor
from ..kernels import get_num_threads, kernels_in_use
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from .beside import Beside
from .program import Recorded

PLAIN = (int, float, complex, bool, str, bytes, type(None), np.generic, np.dtype, range, slice)
SETS = {"STORE_GLOBAL", "STORE_DEREF", "DELETE_GLOBAL", "DELETE_DEREF"}
ARRAY = attrgetter("_data")
STATE = attrgetter("_requires_grad", "_listeners", "_edge")
CELL = attrgetter("cell_contents")
Entry = tuple[Any, Any, Any]  # a dict or a list, the key in it, what was there


def settings() -> tuple[Any, ...]:
    """What is switched on, as far as it decides what a step computes."""
    return GRAD.get(), kernels_in_use(), get_default_dtype(), get_num_threads()


class Guard:
    """What a recording took for granted."""

    def __init__(self, step: Any, beside: Beside, recorded: Recorded, arguments: Iterable[Any]) -> None:
        self.settings = settings()
        self.left_out: set[Any] = (
            set()
        )  # entries that the step itself changes: ids of holders and keys, of cells
        world = World(step, beside, arguments)
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
        self.columns()

    def columns(self) -> None:
        """The entries as three lists, for calls in C."""
        self.holders: list[Any] = [holder for holder, _, _ in self.entries]
        self.keys = [key for _, key, _ in self.entries]
        self.values = [value for _, _, value in self.entries]

    def holds(self) -> bool:
        """Whether all of it is as it was, the outside tensors' arrays apart (see `moved`)."""
        if settings() != self.settings or any(self.hooks):
            return False
        if list(map(len, self.param_lists)) != self.lengths:
            return False
        try:
            same = all(map(is_, map(getitem, self.holders, self.keys), self.values))
            same = same and all(map(is_, map(CELL, self.cells), self.contents))
        except (KeyError, IndexError, ValueError):
            return False
        if not same and not self.equal():
            return False
        return list(map(STATE, self.tensors)) == self.states

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
        arrays = list(map(ARRAY, self.tensors))
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
        pairs = [*zip(values, self.values), *zip(contents, self.contents)]
        if not all(new is old or is_same_plain(new, old) for new, old in pairs):
            return False
        self.entries = [(holder, key, value) for (holder, key, _), value in zip(self.entries, values)]
        self.contents = contents
        self.columns()
        return True

    def changed(self) -> list[tuple[str, Any, Any]]:
        """What a call of the step changed of it: names, and what was and is there. It is taken out."""
        names: list[tuple[str, Any, Any]] = []
        kept: list[Entry] = []
        for holder, key, value in self.entries:
            now = holder[key] if isinstance(holder, list) and key < len(holder) else None
            now = holder.get(key) if isinstance(holder, dict) else now
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
        self.columns()
        return names

    def leave_out(self, other: Guard) -> None:
        """Leave out what the guard of an earlier recording does not hold any more: the step changes it."""
        self.left_out |= other.left_out
        self.entries = [entry for entry in self.entries if (id(entry[0]), entry[1]) not in self.left_out]
        kept = [
            (cell, value) for cell, value in zip(self.cells, self.contents) if id(cell) not in self.left_out
        ]
        self.cells, self.contents = [cell for cell, _ in kept], [value for _, value in kept]
        self.columns()


def is_same_plain(value: Any, other: Any) -> bool:
    """Whether two values are equal numbers or texts, or tuples of such."""
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(is_same_plain, value, other))
    return isinstance(value, PLAIN) and (value is other or repr(value) == repr(other))


class World:
    """What a step reaches outside of itself, from its functions on."""

    def __init__(self, step: Any, beside: Beside, arguments: Iterable[Any]) -> None:
        self.entries: list[Entry] = []
        self.cells: list[Any] = []
        self.modules: dict[int, Module] = {}
        self.optimizers: dict[int, Optimizer] = {}
        self.containers: dict[int, str] = {}  # outside lists, by id
        self.lists: list[Any] = []
        self.param_lists: list[Any] = []  # of optimisers: their groups, and the parameters in each
        self.seen: set[Any] = set()
        self.attributes: set[str] = set()  # names that the step's functions look up on something
        for code in beside.frames:
            self.attributes.update(names_in(code))
        self.function(step)
        for code, (variables, own) in beside.frames.items():
            self.code(code, variables)
            self.value("self", own)
        for module in beside.modules.values():
            self.value("a module", module)
        for argument in arguments:
            self.value("an argument", argument)

    def function(self, function: Any) -> None:
        """A function of the user's."""
        function = getattr(function, "__wrapped__", function)
        if isinstance(function, MethodType):
            self.value("self", function.__self__)
            function = function.__func__
        if not isinstance(function, FunctionType) or function.__code__.co_filename.startswith(PACKAGE):
            return
        if id(function) in self.seen:
            return
        self.seen.add(id(function))
        self.attributes.update(names_in(function.__code__))
        stored = stored_in(function.__code__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                contents = cell.cell_contents
            except ValueError:
                continue
            if name not in stored or not isinstance(contents, PLAIN):
                self.cells.append(cell)
            self.value(name, contents)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self.value("a default", value)
        self.code(function.__code__, function.__globals__)

    def code(self, code: CodeType, variables: dict[str, Any]) -> None:
        """The globals that a function's code names."""
        if (id(code), id(variables)) in self.seen:
            return
        self.seen.add((id(code), id(variables)))
        stored = stored_in(code)
        for name in names_in(code):
            if name in variables:
                value = variables[name]
                if name not in stored or not isinstance(value, PLAIN):
                    self.entries.append((variables, name, value))
                self.value(name, value)

    def value(self, name: str, value: Any) -> None:
        """Something that a name stands for."""
        if id(value) in self.seen or isinstance(value, (*PLAIN, type, Tensor, np.ndarray)):
            return
        self.seen.add(id(value))
        if isinstance(value, Module):
            self.module(value)
        elif isinstance(value, Optimizer):
            self.optimizer(value)
        elif isinstance(value, (FunctionType, MethodType)):
            self.function(value)
        elif isinstance(value, (list, dict, tuple, set)):
            self.container(name, value)
        elif isinstance(getattr(value, "__dict__", None), dict) and type(value).__module__ != "builtins":
            if not isinstance(value, type(np)):
                self.members(value)

    def container(self, name: str, container: Any) -> None:
        """A list, a tuple or a dict, and what is in it, one level deep."""
        if not isinstance(container, tuple):
            self.containers[id(container)] = name
            self.lists.append(container)
        if isinstance(container, set) or len(container) > 1000:
            return
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            member = container[key]
            if isinstance(member, (Tensor, Module, Optimizer)) and not isinstance(container, tuple):
                self.entries.append((container, key, member))
            self.value(name, member)

    def module(self, module: Module) -> None:
        """A module: all that is set on it, and the modules below it."""
        self.modules[id(module)] = module
        for name, value in vars(module).items():
            if name != "_path":
                self.entries.append((vars(module), name, value))
                self.value(name, value)

    def optimizer(self, optimizer: Optimizer) -> None:
        """An optimiser: which parameters it has; its options are read in every step."""
        self.optimizers[id(optimizer)] = optimizer
        groups = optimizer.param_groups
        self.entries.append((vars(optimizer), "param_groups", groups))
        self.param_lists += [groups, *(group["params"] for group in groups)]
        for group in groups:
            self.entries.append((group, "params", group["params"]))
            self.entries += [(group["params"], place, param) for place, param in enumerate(group["params"])]

    def members(self, value: Any) -> None:
        """An object of some other class: those of its attributes that the step's functions name."""
        if type(value).__module__.partition(".")[0] == "tinygrad_conv":
            return
        for name in self.attributes & vars(value).keys():
            member = vars(value)[name]
            self.entries.append((vars(value), name, member))
            self.value(name, member)


def codes_in(code: CodeType) -> Iterable[CodeType]:
    """A function's code, and that of functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def names_in(code: CodeType) -> set[str]:
    """The names of globals and attributes in a function's code."""
    return {name for each in codes_in(code) for name in each.co_names}


def stored_in(code: CodeType) -> set[str]:
    """The globals and enclosing variables that a function sets itself."""
    return {
        instruction.argval
        for each in codes_in(code)
        for instruction in dis.get_instructions(each)
        if instruction.opname in SETS
    }
