"""What is switched on at the moment. Context-local: threads and coroutines do not disturb each other."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any

from ..members import without_last

GRAD: ContextVar[bool] = ContextVar("whether ops are recorded", default=True)
LAYER: ContextVar[str] = ContextVar("the path of the layer being called", default="")
OBSERVATION: ContextVar[Any] = ContextVar("who observes ops, sweeps and updates (observe.py)", default=None)
BACKWARD: ContextVar[Any] = ContextVar("the Gradients of the sweep that is running", default=None)

ENTERED: ContextVar[tuple[Any, ...]] = ContextVar(
    "blocks of enable_grad and no_grad; the last rules", default=()
)

is_grad_enabled = GRAD.get


class enable_grad(ContextDecorator):
    """Ops are recorded inside, also within `no_grad`: a `with` block, or a decorator `@tg.enable_grad()`."""

    _value = True

    def __enter__(self) -> None:
        rule((*ENTERED.get(), self))

    def __exit__(self, *exception: object) -> None:
        rule(without_last(self, ENTERED.get()))

    def __call__(self, function: Any) -> Any:
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            name = function.__name__
            raise TypeError(f"it would end before the body of {name} runs; use a `with` block in there")
        return super().__call__(function)

    def _recreate_cm(self) -> enable_grad:
        return self  # a block can be entered again within itself, and in other threads


class no_grad(enable_grad):
    """Nothing is recorded inside: a `with` block, or a decorator (`@tg.no_grad()`)."""

    _value = False


def rule(blocks: tuple[enable_grad, ...]) -> None:
    """Have these blocks rule, the last above all: one call in C, so that no interrupt comes in between."""
    modes: tuple[ContextVar[Any], ...] = (ENTERED, GRAD)
    deque(map(ContextVar.set, modes, (blocks, blocks[-1]._value if blocks else True)), maxlen=0)


@contextmanager
def observed_by(observation: Any) -> Iterator[None]:
    """These observe what runs inside, and nobody else."""
    token = OBSERVATION.set(observation)
    try:
        yield
    finally:
        OBSERVATION.reset(token)


def unobserved() -> AbstractContextManager[None]:
    """Nobody observes what runs inside: an observer's own work, and what it has been told of already."""
    return observed_by(None)
