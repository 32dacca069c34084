"""Who observes what runs here, and where it is: in which layer, in which backward. Context-local.

What observers are told, and how, is in observe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

LAYER: ContextVar[str] = ContextVar("the path of the layer being called", default="")
BACKWARD: ContextVar[Any] = ContextVar("the Gradients of the sweep that is running", default=None)
OBSERVATION: ContextVar[Any] = ContextVar("who observes ops, sweeps and updates", default=None)

LAYER.set("")  # what is set is found at once, a default after looking for it everywhere
BACKWARD.set(None)
OBSERVATION.set(None)


class Followed:
    """Who follows every sweep, in all threads."""

    by: Any = None


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


def observable(function: Function) -> Function:
    """A decorator for functions that are no ops, and yet change tensors or make them of random numbers:
    observers are told of each call as a whole (observe.py).
    """

    @wraps(function)
    def call(*inputs: Any, **options: Any) -> Any:
        observation = OBSERVATION.get()
        if observation is None:
            return function(*inputs, **options)
        return observation.call(function, inputs, options)

    return cast(Function, call)
