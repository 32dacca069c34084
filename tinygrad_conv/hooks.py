"""Hooks: functions that somebody asked to be called, and may take away again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import check_hook

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


def run_hooks(hooks: Hooks, gradient: Any) -> Any:
    """The gradient (an array or a Tensor) after its hooks: what one returns takes its place."""
    for hook in tuple(hooks.values()):
        changed = hook(gradient)
        if changed is not None:
            check_hook(changed, gradient)
            gradient = in_place_of(gradient, changed)
    return gradient


def in_place_of(gradient: Any, changed: Any) -> Any:
    """What a hook returned, an array, a NumPy number or a Tensor, as the kind and dtype of the gradient that
    it was given.
    """
    kind = type(gradient)
    if kind is type(changed) is not np.ndarray:  # a Tensor, which stays on the tape
        return changed if changed.dtype == gradient.dtype else changed.to(gradient.dtype)
    array = np.asarray(
        changed if isinstance(changed, (np.ndarray, np.generic)) else changed.data, gradient.dtype
    )
    return array if kind is np.ndarray else kind(array)
