"""`Rule`: what sends a gradient back to one input of an op, and what it reads for that."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..errors import DeclarationError
from .location import show_place


class Rule:
    """The gradient rule of one input, or the derivation of a kept value: the function, and what it reads."""

    __slots__ = ("argument", "function", "of", "op", "params", "reads", "takes_all_params", "variadic")

    def __init__(
        self,
        op: Any,
        argument: str,
        function: Callable[..., Any],
        leading: int,
        of: Callable[..., Any] | None = None,
    ) -> None:
        """leading: how many parameters come before what it reads: the dy of a gradient rule; of: what it is
        the gradient of, if not of the forward.
        """
        self.of = of
        parameters = list(inspect.signature(function).parameters.values())[leading:]
        names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
        self.op, self.argument, self.function = op.name, argument, function
        self.variadic = argument == op.variadic
        check_reads(self, op, names)
        self.reads = tuple(name for name in names if name not in op.params)
        self.params = tuple(name for name in names if name in op.params)
        takes_the_rest = any(each.kind is each.VAR_KEYWORD for each in parameters)
        self.takes_all_params = takes_the_rest or len(self.params) == len(op.params)

    def pick_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """The params that the rule names, of all."""
        return {name: params[name] for name in self.params}

    def arguments(self, values: dict[str, Any], params: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What it is called with after dy, out of saved values by name and all the params."""
        named = params if self.takes_all_params else self.pick_params(params)
        return [values[name] for name in self.reads], named

    def surrogate(self, values: dict[str, Any]) -> Any:
        """What `of` gives for a call's inputs and params by name: those that it names, and where its first
        parameter has another name, the rule's own input there.
        """
        of: Any = self.of
        names = list(inspect.signature(of).parameters)
        first = [] if names[:1] and names[0] in values else [values[self.argument]]
        return of(*first, **{name: values[name] for name in names if name in values})

    @property
    def stands_for(self) -> str:
        """For people: what it is the gradient of, if not of the forward."""
        return "" if self.of is None else f", surrogate {show_name(self.of)}"

    def __repr__(self) -> str:
        function = f"{self.function.__name__} ({show_place(self.function)}{self.stands_for})"
        return f"rule {function} for {self.argument!r} of {self.op}"


def show_name(function: Any) -> str:
    """What a function, or whatever else is called, goes by."""
    return getattr(function, "__name__", type(function).__name__)


def check_reads(rule: Rule, op: Any, names: list[str]) -> None:
    """Refuse a rule that reads a name the op has not, or names a param before the rest."""
    for name in names:
        if name not in op.readable and name not in op.params:
            known = ", ".join([*op.readable, *op.params])
            raise DeclarationError(f"{rule} reads {name!r}; of {op.name} it can read {known}")
    if names != sorted(names, key=lambda name: name in op.params):
        params = ", ".join(op.params)
        raise DeclarationError(f"{rule}: name the params ({params}) after everything else it reads")
