"""Arguments under other names: NumPy's, which PyTorch takes too (`axis`, `keepdims`), and those of formulas.

A function or a method is declared with PyTorch's names. A call that has another name among its keywords is
put into these; a call by position never comes here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class")

SPELLINGS: dict[str, tuple[str, ...]] = {
    "axis": ("dim",),
    "keepdims": ("keepdim",),
    "x": ("input", "tensor"),
    "x1": ("input",),
    "x2": ("other", "vec2"),
    "a": ("input", "condition"),
    "b": ("bias", "other", "mat2"),
    "w": ("weight",),
    "xs": ("tensors",),
}
"""By another name: what it may stand for, the first of these that a function has."""


def meant_by(name: str, names: Collection[str]) -> str:
    """The argument, among the names of all, that a keyword stands for; the keyword itself if for none."""
    if name in names:
        return name
    return next((own for own in SPELLINGS.get(name, ()) if own in names), name)


def respelled(owner: str, names: Sequence[str], by_position: int, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a call under the names that a function has.

    names: all of them, those first that were given by position. Raises TypeError for an argument that is
    given twice.
    """
    if all(map(names.__contains__, keywords)):
        return keywords
    if keywords.get("out", names) is None:  # which says nothing: `np.all(x)` calls `x.all(out=None)`
        keywords = {name: value for name, value in keywords.items() if name != "out"}
    given = dict.fromkeys(names[:by_position])
    for name in keywords:
        own = meant_by(name, names)
        if own in given and own != name:
            raise TypeError(
                f"{owner}: {name} is another name for {own}, which was given too; give one of them"
            )
        given[own] = None
    return {meant_by(name, names): value for name, value in keywords.items()}


def spelled(function: Function) -> Function:
    """A function that takes its arguments under their other names too."""
    names = list(inspect.signature(function).parameters)

    @wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            return function(*args, **respelled(function.__name__, names, len(args), kwargs))
        return function(*args)

    return cast(Function, call)


def spelled_methods(cls: type[Class]) -> type[Class]:
    """A class whose methods along a dimension take `axis` and `keepdims` too."""
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and "dim" in inspect.signature(method).parameters:
            setattr(cls, name, spelled(method))
    return cls
