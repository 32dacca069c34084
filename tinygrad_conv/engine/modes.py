"""Whether ops are recorded: enable_grad, no_grad and their kin.

Context-local, so threads and coroutines do not disturb each other.
"""

from __future__ import annotations

import inspect
from collections import deque
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any

from ..options import FLAG, check_option

GRAD: ContextVar[bool] = ContextVar("whether ops are recorded", default=True)
ENTERED: ContextVar[tuple[Any, ...]] = ContextVar("blocks of enable_grad and no_grad entered", default=())

GRAD.set(True)  # what is set is found at once, a default after looking for it everywhere

is_grad_enabled = GRAD.get

RUNNING_LATER = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
"""Whose bodies run after the call has returned."""


class enable_grad(ContextDecorator):
    """Ops are recorded inside, also within `no_grad`: a `with` block, or a decorator `@tg.enable_grad()`."""

    _value = True

    def __new__(cls, function: Any = None) -> Any:  # @tg.no_grad without brackets decorates too
        return object.__new__(cls) if function is None else cls()(function)

    def __enter__(self) -> None:
        enforce((*ENTERED.get(), self))

    def __exit__(self, *exception: object) -> None:
        enforce(without(self, ENTERED.get()))

    def __call__(self, function: Any) -> Any:
        if any(runs_later(function) for runs_later in RUNNING_LATER):
            name = function.__name__
            raise TypeError(f"it would end before the body of {name} runs; use a `with` block in there")
        if inspect.isclass(function):
            name = function.__name__
            raise TypeError(f"it would not hold in the methods of {name}, a class; decorate these")
        return super().__call__(function)

    def _recreate_cm(self) -> enable_grad:
        return self  # a block can be entered again within itself, and in other threads


class no_grad(enable_grad):
    """Nothing is recorded inside: a `with` block, or a decorator (`@tg.no_grad()`)."""

    _value = False


class inference_mode(enable_grad):
    """As no_grad, `with tg.inference_mode():` or `@tg.inference_mode()`; with mode=False, as enable_grad."""

    def __new__(cls, mode: Any = True) -> Any:
        return cls()(mode) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self._value = not checked_mode("inference_mode", mode)


class set_grad_enabled(enable_grad):
    """`tg.set_grad_enabled(mode)` records ops from here on, or does not, until the block that it is in ends;
    `with tg.set_grad_enabled(mode):` and `@tg.set_grad_enabled(mode)` do so inside alone.
    """

    def __new__(cls, mode: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        self._value = checked_mode("set_grad_enabled", mode)
        self._before = ENTERED.get()
        self._after = (*without_settings(self._before), Setting(self._value))
        enforce(self._after)

    def __enter__(self) -> None:
        self._take_back()
        super().__enter__()

    def __call__(self, function: Any) -> Any:
        self._take_back()
        return super().__call__(function)

    def _take_back(self) -> None:
        """What holds inside alone does not hold from here on."""
        if ENTERED.get() is self._after:
            enforce(self._before)


class Setting:
    """What stands among the blocks for a call of set_grad_enabled: it goes with the block that it is in."""

    def __init__(self, value: bool) -> None:
        self._value = value


def checked_mode(owner: str, mode: Any) -> bool:
    """True or False. Raises TypeError for anything else."""
    check_option(owner, "mode", FLAG, mode)
    return bool(mode)


def without_settings(blocks: tuple[Any, ...]) -> tuple[Any, ...]:
    """The blocks without the settings after the last of them."""
    while blocks and isinstance(blocks[-1], Setting):
        blocks = blocks[:-1]
    return blocks


def enforce(blocks: tuple[Any, ...]) -> None:
    """Set what these blocks say, the last above all: one call in C, so that no interrupt comes in between."""
    modes: tuple[ContextVar[Any], ...] = (ENTERED, GRAD)
    deque(map(ContextVar.set, modes, (blocks, blocks[-1]._value if blocks else True)), maxlen=0)


def without(block: enable_grad, blocks: tuple[Any, ...]) -> tuple[Any, ...]:
    """The blocks without the innermost entry of this one, and without what was set inside."""
    last = len(blocks) - 1 - blocks[::-1].index(block)
    return blocks[:last] + tuple(inner for inner in blocks[last + 1 :] if not isinstance(inner, Setting))
