"""When a recording holds: everything outside of the step that it took for granted is still the same.

A step's Python is not run by a replay, so what it read on the way must not have changed since: the members of
each module that ran, train or eval among them; what the step's functions name, globals, enclosing variables
and attributes; the tensors from outside. Each is a `Fact` (facts.py), and facts are compared by identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype
from ..engine.modes import GRAD
from ..engine.tensor import Tensor
from ..kernels import kernels_in_use
from .arguments import Arguments
from .facts import GONE, STATE, Asked, Fact, form_and_numbers, is_same
from .outside import MANY, Outside
from .program import Line, Recorded
from .side_effects import SideEffects
from .slots import awaited
from .values import walk


def settings() -> tuple[Any, ...]:
    """What is switched on, as far as it decides what a step computes."""
    return GRAD.get(), kernels_in_use(), get_default_dtype()


class Guard:
    """What a recording took for granted."""

    def __init__(self, step: Any, effects: SideEffects, recorded: Recorded, given: Arguments) -> None:
        self.settings = settings()
        outside = Outside(step, effects, given.others)
        if outside.found_by_name:
            outside = Outside(step, effects, given.others, by_name=True)
        for line in recorded.lines:
            if line.kind == "step":
                outside.value("an optimiser", line.target)
        self.containers, self.iterators = outside.containers, outside.iterators
        self.generators, self.large = outside.generators, outside.large
        self.reaches_numpy = id(np) in outside.seen or bool(outside.arrays)
        self.reached = [(number, x) for number, x in enumerate(given.tensors) if id(x) in outside.shared]
        self.hooks = [
            hooks for module in outside.modules.values() for hooks in (module._pre_hooks, module._hooks)
        ]
        self.outside = [
            (number, slot.value) for number, slot in enumerate(recorded.slots) if slot.origin == "outside"
        ]
        self.tensors = [tensor for _, tensor in self.outside]
        self.arrays = [tensor._data for tensor in self.tensors]
        self.forms = [(array.shape, array.dtype, array.strides) for array in self.arrays]
        self.listeners = [tensor._listeners for tensor in self.tensors if tensor._listeners is not None]
        facts = outside.facts
        facts += [Fact.now(STATE, tensor, "a tensor's requires_grad, or its tape") for tensor in self.tensors]
        handed = {id(value) for line in recorded.lines for value in given_to(line)}
        used = set(map(id, [*self.tensors, *given.tensors]))
        others = [x for x in outside.tensors.values() if id(x) not in used]
        if others:
            facts.append(Fact.copied(forms_of, others[:MANY], "shape, dtype or requires_grad of a tensor"))
        for name, array in outside.arrays:
            if id(array) not in handed:
                facts.append(Fact.copied(form_and_numbers, array, name))
        self.kept = [*given.others, outside]  # objects that are known by their identity
        self.ask_for(facts)

    def ask_for(self, facts: list[Fact]) -> None:
        """These are the facts from now on."""
        self.facts = facts
        self.asked = Asked(facts)

    def holds(self) -> bool:
        """Whether all of it is as it was, the outside tensors' arrays apart (see `moved`)."""
        grad, kernels, dtype = self.settings
        if GRAD.get() is not grad or kernels_in_use() != kernels or get_default_dtype() is not dtype:
            return False
        if self.listeners and any(map(awaited, self.listeners)):
            return False
        try:
            return self.asked.are_answered() or self.equal()
        except GONE:
            return False

    def equal(self) -> bool:
        """Whether what is another object is an equal number or text; it counts as the same from now on."""
        values = [ask(key) for ask, key, _, _ in self.facts]
        if not all(is_same(now, fact.value) for now, fact in zip(values, self.facts)):
            return False
        self.ask_for([fact._replace(value=now) for now, fact in zip(values, self.facts)])
        return True

    def is_given(self, tensors: list[Any]) -> bool:
        """Whether arguments that are reached from outside, too, are the same ones as in the recording: it
        cannot tell whether the step read one of them as an argument.
        """
        return all(tensors[number] is tensor for number, tensor in self.reached)

    @property
    def hooked(self) -> bool:
        """Whether modules have hooks."""
        return any(self.hooks)

    def moved(self) -> bool | None:
        """Whether outside tensors have other arrays than before; None: of another form."""
        for tensor, array in zip(self.tensors, self.arrays):
            if tensor._data is not array:
                return self.follow()
        return False

    def follow(self) -> bool | None:
        """Take over the arrays that outside tensors have by now; None where these are of another form."""
        arrays = [tensor._data for tensor in self.tensors]
        if [(array.shape, array.dtype, array.strides) for array in arrays] != self.forms:
            return None
        if len(set(map(id, arrays))) != len(set(map(id, self.arrays))):
            return None  # some have been tied, or set apart: recordings know tensors by their arrays
        self.arrays = arrays
        return True

    def changed(self) -> list[str]:
        """What of it is not as it was, by name."""
        return [fact.name for fact in self.facts if not fact.holds()]

    def take_out_changed(self) -> list[str]:
        """The same. It counts no more: the step itself has changed it."""
        names = self.changed()
        self.ask_for([fact for fact in self.facts if fact.holds()])
        return names


def forms_of(tensors: list[Tensor]) -> list[Any]:
    """What Python may ask tensors for without reading their numbers."""
    return [
        (x._data.shape, x._data.dtype, x._data.strides, x._requires_grad, x._edge is None) for x in tensors
    ]


def given_to(line: Line) -> Iterator[Any]:
    """What a function is called with, an array of NumPy's perhaps: each replay reads it anew."""
    return walk(line.details[0]) if line.kind == "function" else iter(())
