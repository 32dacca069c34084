"""What a step reaches outside of itself: found from its functions on, by the names in their code."""

from __future__ import annotations

import dis
import gc
import inspect
import sys
from collections.abc import Iterable
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Tensor
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from .beside import Beside, is_users

PLAIN = (int, float, complex, bool, str, bytes, type(None), np.generic, np.dtype, range, slice)
FEW = 64  # members of a list or a dict, up to which its numbers and texts count
Entry = tuple[Any, Any, Any]  # a dict or a list, the key in it, what was there


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
        self.attributes: set[str] = set()  # that the step's functions look up on something
        self.methods: set[str] = set()  # that they call
        for code in beside.frames:
            self.see(code)
        self.value("the step", step)
        for code, (variables, own) in beside.frames.items():
            if code.co_freevars and ("code", id(code)) not in self.seen:
                for function in functions_of(code):
                    self.function(function)
            self.code(code, variables)
            self.value("self", own)
        for module in beside.modules.values():
            self.value("a module", module)
        for argument in arguments:
            self.value("an argument", argument)

    def see(self, code: CodeType) -> None:
        """Note which attributes a function names."""
        names = names_in(code)
        self.attributes |= names.attributes
        self.methods |= names.methods

    def function(self, function: Any) -> None:
        """A function of the user's."""
        function = inspect.unwrap(function)
        if isinstance(function, MethodType):
            self.value("self", function.__self__)
            function = inspect.unwrap(function.__func__)
        if not isinstance(function, FunctionType) or not is_users(function.__code__.co_filename):
            return
        if ("function", id(function)) in self.seen:
            return
        self.seen |= {("function", id(function)), ("code", id(function.__code__))}
        self.see(function.__code__)
        stored = names_in(function.__code__).stored
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
        names = names_in(code)
        stored = names.stored
        for name in sorted(names.variables):
            if name in variables:
                value = variables[name]
                if name not in stored or not isinstance(value, PLAIN):
                    self.entries.append((variables, name, value))
                self.value(name, value)

    def value(self, name: str, value: Any) -> None:
        """Something that a name stands for."""
        if id(value) in self.seen or isinstance(value, (*PLAIN, Tensor, np.ndarray)):
            return
        self.seen.add(id(value))
        if isinstance(value, Module):
            self.module(value)
        elif isinstance(value, Optimizer):
            self.optimizer(value)
        elif isinstance(value, (FunctionType, MethodType)):
            self.function(value)
        elif isinstance(value, type):
            self.class_of(value)
        elif isinstance(value, partial):
            self.value(name, (value.func, value.args, value.keywords))
        elif isinstance(value, (list, dict, tuple, set)):
            self.container(name, value)
        elif isinstance(getattr(value, "__dict__", None), dict) and type(value).__module__ != "builtins":
            if not isinstance(value, ModuleType):
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
            known = (
                (Tensor, Module, Optimizer) if len(container) > FEW else (Tensor, Module, Optimizer, *PLAIN)
            )
            if isinstance(member, known) and not isinstance(container, tuple):
                self.entries.append((container, key, member))
            self.value(name, member)

    def module(self, module: Module) -> None:
        """A module: all that is set on it, and the modules below it."""
        self.value("a class", type(module))
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
        self.value("a class", type(value))
        self.named(value)

    def class_of(self, value: type) -> None:
        """A class of the user's, and those that it inherits from."""
        for base in value.__mro__:
            if base.__module__.partition(".")[0] not in (
                "builtins",
                "numpy",
                "tinygrad_conv",
                "typing",
                "abc",
            ):
                self.named(base)

    def named(self, value: Any) -> None:
        """What the step's functions name of an object's own attributes."""
        if type(value).__module__.partition(".")[0] == "tinygrad_conv":
            return
        for name in sorted((self.attributes | self.methods) & vars(value).keys()):
            member = vars(value)[name]
            if name not in self.attributes and isinstance(member, PLAIN):
                continue  # `self.optimizer.step()` does not read `self.step`
            self.entries.append((vars(value), name, member))
            self.value(name, member)


SETS = {"STORE_GLOBAL", "STORE_DEREF", "DELETE_GLOBAL", "DELETE_DEREF"}


def codes_in(code: CodeType) -> Iterable[CodeType]:
    """A function's code, and that of functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def functions_of(code: CodeType) -> list[FunctionType]:
    """The functions alive that have this code."""
    return [each for each in gc.get_referrers(code) if isinstance(each, FunctionType)]


class Names(NamedTuple):
    """The names in a function's code."""

    variables: frozenset[str]  # globals that it reads
    attributes: frozenset[str]
    methods: frozenset[str]  # attributes that it calls
    stored: frozenset[str]  # globals and enclosing variables that it sets
    options: frozenset[str]  # keys that it sets: `group["lr"] = …`


@lru_cache(maxsize=256)
def names_in(code: CodeType) -> Names:
    """The names in a function's code, and in that of functions within."""
    variables, attributes, methods, stored, options = set(), set(), set(), set(), set()
    for each in codes_in(code):
        before: Any = None
        for instruction in dis.get_instructions(each):
            name = instruction.opname
            if name in ("LOAD_GLOBAL", "LOAD_NAME"):
                variables.add(instruction.argval)
            elif name == "LOAD_METHOD" or (name == "LOAD_ATTR" and calls(instruction)):
                methods.add(instruction.argval)
            elif name in ("LOAD_ATTR", "STORE_ATTR"):
                attributes.add(instruction.argval)
            elif name in SETS:
                stored.add(instruction.argval)
            elif name == "STORE_SUBSCR" and before is not None and before.opname.startswith("LOAD_CONST"):
                options.add(before.argval)
            before = instruction
    sets = map(frozenset, (variables, attributes, methods, stored, options))
    return Names(*sets)


def calls(instruction: dis.Instruction) -> bool:
    """Whether an attribute is looked up to be called (from Python 3.12 on, the lowest bit says so)."""
    return sys.version_info >= (3, 12) and bool((instruction.arg or 0) & 1)
