"""Hooks: functions that somebody asked to be called with a gradient, and may take away again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from ..dtypes import as_array
from ..errors import DtypeError, ShapeError, show_array
from ..foreign import numbers_of

Hooks = dict[int, Callable[..., Any]]

_keys = itertools.count()


class Handle:
    """What registering a hook returns: `remove()` takes the hook away again, and so does leaving a `with`
    block.
    """

    def __init__(self, hooks: Hooks, hook: Callable[..., Any]) -> None:
        self._hooks, self._key = hooks, next(_keys)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Listeners:
    """Who waits for the gradients of a node's outputs, or of a leaf. Most have nobody."""

    __slots__ = ("accumulated", "hooks", "retained")

    def __init__(self) -> None:
        self.hooks: dict[int, Hooks] = {}  # by output slot; a leaf's are at slot 0
        self.retained: dict[int, ref[Any]] = {}  # by output slot: whose `.grad` is to be written too
        self.accumulated: Hooks = {}  # of a leaf: to be called once its `.grad` has been written


def run_hooks(hooks: Hooks, gradient: Any) -> Any:
    """The gradient (an array or a Tensor) after its hooks: what one returns takes its place."""
    for hook in tuple(hooks.values()):
        replacement = hook(gradient)
        if replacement is not None:
            check_replacement(replacement, gradient)
            gradient = like_gradient(replacement, gradient)
    return gradient


def like_gradient(replacement: Any, gradient: Any) -> Any:
    """What a hook returned (an array, a NumPy number or a Tensor) in the type and dtype of the gradient.

    Raises DtypeError for numbers that no Tensor has, and for what holds none.
    """
    gradient_type = type(gradient)
    if gradient_type is not np.ndarray and type(replacement) is gradient_type:  # Tensors, and so on the tape
        return replacement if replacement.dtype == gradient.dtype else replacement.to(gradient.dtype)
    numbers = replacement._data if hasattr(replacement, "_edge") else replacement
    try:
        array = as_array(numbers_of(numbers))
    except DtypeError as error:
        raise DtypeError(f"a hook returned {type(replacement).__name__} for a gradient: {error}") from None
    array = array.astype(gradient.dtype, copy=False)
    return array if gradient_type is np.ndarray else gradient_type(array)


def check_replacement(replacement: Any, gradient: Any) -> None:
    """Refuse what a hook returned unless it can take the gradient's place."""
    if getattr(replacement, "shape", None) != gradient.shape:
        returned = show_array(replacement) if hasattr(replacement, "dtype") else repr(replacement)
        raise ShapeError(
            f"a hook returned {returned} in the place of the gradient {show_array(gradient)}; "
            "return its shape or None"
        )
