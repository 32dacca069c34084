"""What is switched on at the moment. Context-local: threads and coroutines do not disturb each other."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any

GRAD: ContextVar[bool] = ContextVar("whether ops are recorded", default=True)
LAYER: ContextVar[str] = ContextVar("the path of the layer being called", default="")


class _GradMode(ContextDecorator):
    """A `with` block, or a decorator, in which recording is on or off."""

    _value: bool

    def __enter__(self) -> None:
        self._token: Token[bool] = GRAD.set(self._value)

    def __exit__(self, *exception: object) -> None:
        GRAD.reset(self._token)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            mode = type(self).__name__
            raise TypeError(f"@{mode} would end before the body of {function.__name__} runs; use `with {mode}():` in it")
        return super().__call__(function)

    def _recreate_cm(self) -> _GradMode:
        return type(self)()  # each call of a decorated function holds its own token


class no_grad(_GradMode):
    """Nothing is recorded inside: `with tg.no_grad(): …`, or `@tg.no_grad()`."""

    _value = False


class enable_grad(_GradMode):
    """Recording is on inside, also within `no_grad`."""

    _value = True


def is_grad_enabled() -> bool:
    """Whether ops are recorded here."""
    return GRAD.get()
