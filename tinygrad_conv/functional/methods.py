"""Functions entered as Tensor's methods: those that two lists in engine/ name, the second for in place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from ..engine.function_methods import FunctionMethods, InPlaceFunctionMethods
from ..engine.in_place import change


def method_names(methods: type = FunctionMethods) -> list[str]:
    """The methods that are functions."""
    return [name for name in inspect.get_annotations(methods) if not name.startswith("_")]


def enter_methods(functions: Mapping[str, Any]) -> None:
    """Make each of the named methods the function of its name."""
    for name in method_names():
        setattr(FunctionMethods, name, as_method(functions[name]))
    for name in method_names(InPlaceFunctionMethods):
        setattr(InPlaceFunctionMethods, name, in_place_method(name, functions[name.removesuffix("_")]))


def as_method(function: Any) -> Callable[..., Any]:
    """A function that takes the tensor it is called on as its first argument; an op alone does not."""
    if inspect.isfunction(function):
        return function

    @wraps(function, updated=())
    def method(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return method


def in_place_method(name: str, function: Any) -> Callable[..., Any]:
    """A method that changes the tensor it is called on into what the function makes of it."""

    @wraps(function, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        symbol = f"x.{name}(…)" if args or kwargs else f"x.{name}()"
        compute = partial(applied, function, tuple(kwargs))
        return change(self, symbol, compute, *args, *kwargs.values())

    method.__name__ = name
    method.__doc__ = f"As {function.__name__}, in place."
    return method


def applied(function: Any, names: tuple[str, ...], tensor: Any, *values: Any) -> Any:
    """A function of a tensor and of these values, the last of which have names."""
    unnamed = len(values) - len(names)
    return function(tensor, *values[:unnamed], **dict(zip(names, values[unnamed:])))
