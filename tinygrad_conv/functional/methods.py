"""Functions entered as Tensor's methods: those that engine/function_methods.py names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ..engine.function_methods import FunctionMethods


def method_names() -> list[str]:
    """The methods that are functions."""
    return [name for name in inspect.get_annotations(FunctionMethods) if not name.startswith("_")]


def enter_methods(functions: Mapping[str, Any]) -> None:
    """Make each of the named methods the function of its name."""
    for name in method_names():
        setattr(FunctionMethods, name, as_method(functions[name]))


def as_method(function: Any) -> Callable[..., Any]:
    """A function that takes the tensor it is called on as its first argument; an op alone does not."""
    if inspect.isfunction(function):
        return function

    @wraps(function, updated=())
    def method(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return method
