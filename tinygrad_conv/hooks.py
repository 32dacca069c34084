"""Hooks: functions that somebody asked to be called, and may take away again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from .errors import check_hook

Hooks = dict[int, Callable[..., Any]]

_keys = itertools.count()


class Handle:
    """What registering a hook returns: `remove()` takes the hook away again, and so does leaving a `with` block."""

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
            gradient = changed if type(changed) is type(gradient) else getattr(changed, "data", changed)
    return gradient
