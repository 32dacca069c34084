"""`__getattr__`, for the classes of modules that need one.

Module itself has none: it would make Python slower at every attribute of every layer, by 2 % of a small step.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any


def answer_getattr(cls: Any) -> None:
    """Give a class `__getattr__` where its methods call that by name, `self.__getattr__(f"layer{i}")` as in
    some scripts, or where its `__init__` calls no other one, so that what is missing can say why.
    """
    members = vars(cls)
    called = {name for member in members.values() for name in names_called(getattr(member, "__code__", None))}
    begins = getattr(members.get("__init__"), "__code__", None)
    has_forgotten = begins is not None and "__init__" not in names_called(begins)
    if "__getattr__" not in members and (has_forgotten or "__getattr__" in called):
        cls.__getattr__ = attribute


def names_called(code: CodeType | None) -> Iterator[str]:
    """The attributes, methods among them, that a function and those inside it look up by name."""
    if isinstance(code, CodeType):
        yield from code.co_names
        for constant in code.co_consts:
            yield from names_called(constant)


def attribute(module: Any, name: str) -> Any:
    """What `module.__getattr__(name)` gives. Raises AttributeError for what is not there."""
    if name in vars(module):
        return vars(module)[name]
    message = f"{type(module).__name__!r} object has no attribute {name!r}"
    if "_path" not in vars(module):
        message += "; its __init__ must begin with super().__init__()"
    raise AttributeError(message, name=name, obj=module)
