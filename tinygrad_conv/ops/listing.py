"""What there is: `print(tg.ops)` lists the ops, and `help(tg.ops.conv2d)` tells the rules of one of them."""

from __future__ import annotations

import inspect
from functools import cache
from itertools import dropwhile
from textwrap import dedent
from types import ModuleType
from typing import Any

from ..engine.location import show_place
from ..engine.registry import OPS


class OpsModule(ModuleType):
    """The package `ops`, as people meet it: its attributes are the registered ops, users' own included."""

    def __getattr__(self, name: str) -> Any:
        if name in OPS:
            op = OPS[name]
            op.__doc__ = description(op, (*op.rules, *op.examples))
            return op
        raise AttributeError(f"no op is called {name!r}; print(tg.ops) lists them")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *OPS})

    def __repr__(self) -> str:
        return listing()


def listing() -> str:
    """The registered ops, one a line: signature, inputs that have rules, first line of the docstring."""
    lines = [
        (f"{name}{signature_of(op)}", " ".join(ruled(op)) or "-", summary(op))
        for name, op in sorted(OPS.items())
    ]
    widths = [max(len(cell) for cell in column) for column in list(zip(*lines))[:2]]
    heading = f"{len(OPS)} ops: signature, the inputs that have a gradient rule, what it is"
    return "\n".join(
        [heading, *(f"  {call:{widths[0]}}  {rules:{widths[1]}}  {text}" for call, rules, text in lines)]
    )


@cache
def description(op: Any, declared: tuple[Any, ...]) -> str:
    """What `describe` says of an op that has these rules and examples: worked out once somebody asks."""
    return describe(op)


def describe(op: Any) -> str:
    """An op's docstring, with its rules and examples, and where they stand."""
    lines = [inspect.getdoc(op.forward) or "No docstring.", ""]
    if op.aliases:
        names = ", ".join(f"{own} is {other}" for other, own in op.aliases.items())
        lines.append(f"In the formula and the rules {names}.")
    for name, rule in zip(op.inputs, op.rules):
        if rule is None:
            lines.append(f"No rule for {name}: no gradient flows to it.")
            continue
        signature = f"{rule.function.__name__}{inspect.signature(rule.function)}"
        lines.append(f"Rule for {name}: {signature}, {show_place(rule.function)}")
        lines.extend(f"    {line}" for line in (inspect.getdoc(rule.function) or "").splitlines())
    for example in op.examples:
        lines.append(f"Example: {show_place(example)}")
        lines.extend(f"    {line}" for line in body_of(example))
    return "\n".join([*lines, "", f"Declared at {show_place(op.forward)}."])


def body_of(function: Any) -> list[str]:
    """A function's source from `def` on; nothing where there is no source."""
    try:
        lines = dedent(inspect.getsource(function)).splitlines()
    except OSError:
        return []
    return list(dropwhile(lambda line: not line.startswith("def "), lines))


def signature_of(op: Any) -> str:
    """`(x, w, b=None, *, stride=1)`."""
    return str(inspect.signature(op.forward))


def ruled(op: Any) -> list[str]:
    """The inputs that have a rule."""
    return [name for name, rule in zip(op.inputs, op.rules) if rule]


def summary(op: Any) -> str:
    """The first line of the docstring."""
    return (inspect.getdoc(op.forward) or "").partition("\n")[0]
