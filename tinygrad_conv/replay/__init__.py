"""A step is recorded once and replayed: the same numbers, without the engine's work around them.

    @tg.replay
    def train_step(x, y):
        optimizer.zero_grad()
        loss = tg.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

The first two calls run eagerly while what they do is recorded; if the recordings agree, every further call
runs a flat list of calls on arrays. `print(train_step.program)` shows it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from .replayed import Replayed, is_generator_function, off

__all__ = ["Replayed", "off", "replay"]


def replay(
    step: Callable[..., Any] | None = None, *, check: bool = False, check_every: int | None = None
) -> Any:
    """Make a step that is recorded and replayed out of a function: `@tg.replay`, or `tg.replay(step)`."""
    if step is None:
        return partial(replay, check=check, check_every=check_every)
    if not callable(step) or is_generator_function(step):
        raise TypeError(f"replay: a step is a function that runs when it is called, not {step!r}")
    return Replayed(step, check, check_every)


class CallableModule(ModuleType):
    """`tg.replay` is this package, and can be called."""

    def __call__(self, step: Any = None, **options: Any) -> Any:
        return replay(step, **options)


sys.modules[__name__].__class__ = CallableModule
