"""Arguments under other names: NumPy's, which PyTorch takes too (`axis`, `keepdims`), and those of formulas;
and PyTorch's that are not here.

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


ABSENT: dict[str, tuple[tuple[Any, ...], str]] = {
    "out": ((None,), "assign what is returned"),
    "size_average": ((None,), "write reduction='mean' for True, reduction='sum' for False"),
    "reduce": ((None,), "write reduction='none' for False"),
    "sparse": ((False,), "gradients are whole arrays"),
    "sparse_grad": ((False,), "gradients are whole arrays"),
    "max_norm": ((None,), "shorten the rows of the weight before the call, under tg.no_grad()"),
    "norm_type": ((2.0,), "it goes with max_norm, which there is not either"),
    "scale_grad_by_freq": ((False,), "divide the rows of weight.grad by tg.bincount(x.flatten())"),
    "antialias": ((False,), "smooth the images before, as by avg_pool2d"),
    "layout": ((None,), "every tensor is an array"),
    "memory_format": ((None,), "in which order arrays lie in memory is for the kernels to choose"),
    "pin_memory": ((False,), "there is no device to copy to"),
    "names": ((None,), "dimensions have numbers alone"),
    "foreach": ((None, False, True), "it is about how PyTorch computes"),
    "verbose": ((False,), "print(schedule.get_last_lr()) after a step"),
    "min_value": ((None,), "write min_val"),
    "max_value": ((None,), "write max_val"),
}
"""By a name of PyTorch's that a function has not: the values that change nothing; what to say of others."""


def without_absent(owner: str, names: Collection[str], keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a call without those that say nothing here. Raises TypeError for those that would say
    something.
    """
    absent = [name for name in keywords if name in ABSENT and name not in names]
    for name in absent:
        neutral, advice = ABSENT[name]
        value = keywords[name]
        if not any(value is each or (type(value) in (int, float) and value == each) for each in neutral):
            raise TypeError(f"{owner}: there is no {name} here, {advice}")
    return {name: value for name, value in keywords.items() if name not in absent} if absent else keywords


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
    keywords = without_absent(owner, names, keywords)  # out=None too: `np.all(x)` calls `x.all(out=None)`
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
