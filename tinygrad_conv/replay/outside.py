"""What a step reaches outside of itself: found from its functions on, by the names in their code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from threading import local
from types import BuiltinMethodType, CodeType, FunctionType, MethodDescriptorType, MethodType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from ..dtypes import Array
from ..engine.op import Op
from ..engine.tensor import Tensor
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..optim.lr_scheduler.scheduler import LRScheduler
from ..optim.optimizer import Group, Optimizer
from .draws import is_drawn_from, numpys_random, position_of
from .facts import (
    DICTS,
    GONE,
    PLAIN,
    WHOLE,
    Fact,
    cell_contents,
    class_behind,
    ids_in,
    ids_remembered,
    is_gone,
    is_plain,
    members_in,
    remembered,
    variables_in,
)
from .kinds import (
    BOOKS,
    BUILTIN_BY_NAME,
    BY_NAME,
    BY_TEXT,
    CONTAINERS,
    DESCRIPTORS,
    ENVIRONMENT,
    INSIDE,
    MEMOISED,
    NOT_THE_USERS,
    OF_RANDOM,
    OF_TENSORS,
    OPTIONS_BY,
    QUERIES,
    READING_BY_NAME,
    VIEWS,
    is_memory,
    is_of_a_library,
    slotted_attributes,
)
from .names import functions_of, names_in
from .side_effects import SideEffects, is_users_file, is_users_module

FEW = 64  # members of a list or a dict, up to which each is a fact
MANY = 1000  # members, up to which all of them are one, and from which on how many there are


class Outside:
    """What a step reaches outside of itself, from its functions on."""

    def __init__(
        self, step: Any, effects: SideEffects, arguments: Iterable[Any], by_name: bool = False
    ) -> None:
        """by_name: attributes may be read that no function names; found_by_name says that they may."""
        self.by_name = self.found_by_name = by_name
        self.facts: list[Fact] = []
        self.arrays: list[tuple[str, Array]] = []  # bare ones of NumPy's
        self.modules: dict[int, Module] = {}
        self.containers: dict[int, str] = {}  # outside lists, by id
        self.large: list[tuple[str, Any]] = []  # what is not looked at as a whole in each call
        self.kept: list[Any] = []  # what is known by the ids of its members
        self.seen: set[Any] = set()
        self.attributes: set[str] = set()  # that the step's functions look up on something
        self.methods: set[str] = {"forward"}  # that they call, and that modules are called by
        self.variables: set[str] = set()  # globals that they name
        self.imports: set[str] = set()  # modules that they import when they run
        self.texts: set[str] = set()  # strings in them
        self.taken_from: list[str] = []  # iterators, by name
        self.generators: list[Any] = []  # of random numbers, NumPy's
        self.tensors: dict[int, Tensor] = {}  # by id
        for code in effects.frames:
            self.see(code)
        self.value("the step", step)
        for code, variables in effects.frames.items():
            self.code(code, variables)
        for module in effects.modules.values():
            self.value("a module", module)
        for argument in arguments:
            self.value("an argument", argument)
        self.shared = set(self.tensors)  # ids of tensors that the step may read beside its arguments
        for code in effects.frames:  # functions that no name leads to; the step makes some of them itself
            if code.co_freevars and ("code", id(code)) not in self.seen:
                for function in functions_of(code):
                    self.function(function)
        if ENVIRONMENT & (self.attributes | self.methods | self.variables):
            self.facts.append(Fact.copied(variables_in, os.environ, "os.environ"))
        if BY_TEXT & (self.attributes | self.methods | self.variables):
            self.imports |= {name for name, module in sys.modules.items() if is_users_module(module)}
        for imported in sorted(self.imports & sys.modules.keys()):
            self.value(imported, sys.modules[imported])
        if OF_RANDOM & (self.attributes | self.methods) and numpys_random() is not None:
            self.value("np.random", numpys_random().mtrand._rand)
        self.iterators = list(self.taken_from)
        for own in effects.owners.values():  # some are made in the step, and what they take from too
            self.value("self", own)

    def see(self, code: CodeType) -> None:
        """Note which names a function has for attributes and globals."""
        names = names_in(code)
        self.attributes |= names.attributes
        self.methods |= names.methods
        self.variables |= names.variables
        self.imports |= names.imports
        self.texts |= names.texts

    def know(self, ask: Callable[[Any], Any], key: Any, name: str) -> None:
        """One more fact, if there is anything to be known: not of what is made anew for whoever asks."""
        with suppress(*GONE):
            fact = Fact.now(ask, key, name)
            if fact.holds():
                self.facts.append(fact)

    def function(self, function: Any) -> None:
        """A function of the user's."""
        function = self.unwrapped(function)
        if isinstance(function, MethodType):
            self.value("self", function.__self__)
            function = self.unwrapped(function.__func__)
        if not isinstance(function, FunctionType) or not is_users_file(function.__code__.co_filename):
            return
        if ("function", id(function)) in self.seen:
            return
        self.seen |= {("function", id(function)), ("code", id(function.__code__))}
        self.see(function.__code__)
        self.know(attrgetter("__code__"), function, f"the code of {function.__name__}")  # reloading swaps it
        for part in ("__defaults__", "__kwdefaults__"):
            if getattr(function, part) is not None:
                self.know(attrgetter(part), function, f"the defaults of {function.__name__}")
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            self.know(cell_contents, cell, name)
            with suppress(ValueError):  # nothing is in it yet
                self.value(name, cell.cell_contents)
        for value in (*(function.__defaults__ or ()), *filter(None, [function.__kwdefaults__])):
            self.value("a default", value)
        self.code(function.__code__, function.__globals__)

    def unwrapped(self, function: Any) -> Any:
        """A function within those that are wrapped around it. All of them may have attributes."""
        while True:
            for name, value in list(getattr(function, "__dict__", {}).items()):
                self.know(vars(function).get, name, f"{function.__qualname__}.{name}")
                if name != "__wrapped__":
                    self.value(name, value)
            if not hasattr(function, "__wrapped__"):
                return function
            function = function.__wrapped__

    def code(self, code: CodeType, variables: dict[str, Any]) -> None:
        """The globals that a function's code names."""
        if (id(code), id(variables)) in self.seen:
            return
        self.seen.add((id(code), id(variables)))
        for name in sorted(names_in(code).variables):
            self.know(variables.get, name, name)  # of a builtin there is none, until one hides it
            self.value(name, variables.get(name))

    def value(self, name: str, value: Any) -> None:
        """Something that a name stands for."""
        if id(value) in self.seen or isinstance(value, Op) or is_plain(value):  # an op's forward runs anew
            return
        self.seen.add(id(value))
        if isinstance(value, Tensor):
            self.tensors[id(value)] = value
            for attribute in sorted(OF_TENSORS & self.attributes):
                self.know(attrgetter(attribute), value, f"{attribute} of a tensor")
            if type(value) not in (Tensor, Parameter):
                self.named(value)
        elif isinstance(value, np.ndarray):
            self.arrays.append((name, value))
            if value.nbytes > WHOLE:
                self.large.append((name, value))
            if value.dtype.hasobject:
                self.kept.append(members := value.tolist())
                self.value(name, members)
            if type(value) is not np.ndarray:
                self.named(value)
        elif isinstance(value, Module):
            self.module(value)
        elif isinstance(value, Optimizer):
            self.optimizer(value)
        elif isinstance(value, (FunctionType, MethodType)):
            self.function(value)
        elif isinstance(value, READING_BY_NAME) or id(value) in BUILTIN_BY_NAME:
            self.found_by_name = True
            self.value(name, getattr(value, "__self__", None))
        elif isinstance(value, BuiltinMethodType):
            self.value(name, value.__self__)  # `variable.get`, `settings.items`
        elif isinstance(value, type):
            self.class_of(value)
        elif isinstance(value, partial):
            self.value(name, (value.func, value.args, value.keywords))
        elif isinstance(value, ContextVar):
            self.know(ContextVar.get, value, value.name)
        elif isinstance(value, ref):
            self.facts.append(Fact.copied(is_gone, value, name))
            self.value(name, value())
        elif isinstance(value, MEMOISED):
            self.kept.append(remembered(value))
            self.facts.append(Fact.copied(ids_remembered, value, name))
            self.value(name, value.__wrapped__)
        elif isinstance(value, VIEWS):
            self.value(name, value.mapping)
        elif hasattr(type(value), "__next__"):
            self.taken_from.append(name)
        elif is_drawn_from(value):
            self.generators.append(value)
            if OF_RANDOM & (self.attributes | self.methods):
                self.facts.append(Fact.copied(position_of, value, "where random numbers are"))
        elif is_memory(value):
            self.facts.append(Fact.copied(bytes, value, name))
        elif type(value) in INSIDE:
            self.value(name, getattr(value, INSIDE[type(value)]))
        elif isinstance(value, CONTAINERS):
            self.container(name, value)
            if type(value) not in CONTAINERS:  # a subclass has attributes too
                self.named(value)
        elif isinstance(value, ModuleType):
            if is_users_module(value):
                self.named(value)
            else:
                self.settings_of(value)
        elif type(value).__module__ != "builtins" or isinstance(value, BaseException):
            self.kind(value)
            self.named(value)
            if isinstance(value, LRScheduler):
                self.value("an optimiser", value.optimizer)

    def container(self, name: str, container: Any) -> None:
        """A list, a tuple, a dict or the like, and what is in it."""
        changeable = not isinstance(container, (tuple, frozenset))
        if changeable:
            self.containers[id(container)] = name
            self.know(len, container, name)
        if len(container) > MANY:
            self.large.append((name, container))
            return
        if isinstance(container, (set, frozenset)):
            self.facts.append(Fact.copied(frozenset, container, name))
            for member in container:
                self.value(f"a member of {name}", member)
            return
        if changeable and len(container) > FEW:
            self.facts.append(Fact.copied(ids_in, container, name))
            self.kept.append(members_in(container))  # alive
        of_dict = isinstance(container, DICTS)
        if of_dict and 1 < len(container) <= FEW:
            self.facts.append(Fact.copied(list, container, f"the order of {name}"))
        for key in list(container) if of_dict else range(len(container)):
            self.value(f"a key of {name}", key)
            if changeable and len(container) <= FEW:
                self.know(container.get if of_dict else container.__getitem__, key, f"{name}[{key!r}]")
            self.value(f"{name}[{key!r}]", container[key])

    def options_read(self, group: Group) -> set[str]:
        """The options of a group that the step's functions may read or set: those that they name, where they
        name what has options; all of them, where they name none. The parameters are read anyway.
        """
        named = self.attributes | self.methods | self.variables
        by_name = self.by_name or bool(BY_NAME & named)
        if not (OPTIONS_BY & named or by_name):
            return {"params"}
        read = {*self.texts} | ({"lr"} if OPTIONS_BY - {"param_groups"} & named else set())
        return {*group} if by_name or not read & group.keys() else {"params", *(read & group.keys())}

    def module(self, module: Module) -> None:
        """A module: all that is set on it, and the modules below it."""
        self.know(type, module, f"the class of {type(module).__name__}")
        self.value("a class", type(module))
        self.modules[id(module)] = module
        members = vars(module)
        self.know(len, members, f"an attribute of {type(module).__name__}")
        for hooks in (module._pre_hooks, module._hooks):
            self.know(len, hooks, "hooks")
        for name, value in members.items():
            if name not in BOOKS:
                self.know(members.get, name, name)
                self.value(name, value)

    def optimizer(self, optimizer: Optimizer) -> None:
        """An optimiser: which parameters it has. A replay reads its options in every step; they are facts
        where the step's own Python may read or set them, too.
        """
        self.know(vars(optimizer).get, "param_groups", "param_groups")
        self.know(len, optimizer.param_groups, "param_groups")
        for own in (optimizer.state, optimizer.param_groups, *optimizer.param_groups):
            self.containers[id(own)] = f"what {type(optimizer).__name__} has"
        for group in optimizer.param_groups:
            for option in sorted(self.options_read(group)):
                self.know(group.get, option, option)
            self.know(len, group["params"], "params")
            for place in range(len(group["params"])):
                self.know(group["params"].__getitem__, place, f"params[{place}]")
        for state in optimizer.state.values() if "state" in self.attributes else ():
            self.value("state", state)
        self.seen.add(id(optimizer.param_groups))  # their options are what has been said here
        self.named(optimizer)
        for base in type(optimizer).__mro__:
            self.settings_of(base)

    def kind(self, value: Any) -> None:
        """Which class an object has, which is not kept alive for that."""
        name = f"the class of {type(value).__name__}"
        try:
            self.know(class_behind, ref(value), name)
        except TypeError:  # it cannot be held weakly
            self.know(type, value, name)
        self.value("a class", type(value))

    def class_of(self, value: type) -> None:
        """A class of the user's, those that it inherits from, and theirs."""
        for base in (*value.__mro__, *type.mro(type(value))):
            if base.__module__.partition(".")[0] not in NOT_THE_USERS:
                self.know(attrgetter("__bases__"), base, f"what {base.__name__} inherits from")
                self.named(base)

    def settings_of(self, library: Any) -> None:
        """What the step's functions name of a library, or of an optimiser's class, if it may be a setting:
        its functions stay as they are, or are called by a replay, too.
        """
        members = vars(library)
        for name in sorted((self.attributes | self.variables) & members.keys()):
            if not callable(members[name]) and not isinstance(members[name], ModuleType):
                self.know(members.get, name, f"{library.__name__}.{name}")
                self.value(name, members[name])

    def named(self, value: Any) -> None:
        """What the step's functions name of an object's own attributes, in its dict or in slots; of one of
        the standard library, whose functions are not looked at, all of them.
        """
        kind, members = type(value).__name__, getattr(value, "__dict__", {})
        named = self.attributes | self.methods
        by_name = self.by_name or bool(BY_NAME & (named | self.variables))
        for name in sorted(named | (slotted_attributes(type(value)) if by_name else set())):
            member = getattr(type(value), name, None)
            if isinstance(member, DESCRIPTORS):
                self.know(attrgetter(name), value, f"{kind}.{name}")
            elif isinstance(member, MethodDescriptorType) and name in QUERIES:
                self.know(member, value, f"{kind}.{name}")
        if isinstance(value, ModuleType):
            kind = value.__name__
            for name in self.texts - members.keys() if "hasattr" in self.variables else ():
                self.know(members.get, name, f"{kind}.{name}")
        elif isinstance(value, local):  # each thread has attributes of its own
            for name in sorted(named & members.keys()):
                self.know(attrgetter(name), value, f"{kind}.{name}")
            return
        else:
            if hasattr(value, "__dict__"):
                self.know(len, members, f"an attribute of {kind}")  # a new one may hide that of its class
            named = set(members) if by_name or is_of_a_library(type(value)) else named
        for name in sorted(named & members.keys()):
            member = members[name]
            if name in self.methods - self.attributes and isinstance(member, PLAIN):
                continue  # `self.optimizer.step()` does not read `self.step`
            self.know(members.get, name, f"{kind}.{name}")
            self.value(name, member)
