"""Which set of kernels serves: the literal `reference`, or the fast ones."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import NamedTuple, Protocol

from . import dual, mec, nothing, pooling, reference
from .layout import Array
from .window import Window


class Kernels(NamedTuple):
    """One implementation of each of the functions `kernels/__init__.py` describes."""

    correlate: Correlate
    correlate_weight_grad: Correlate
    correlate_input_grad: Correlate
    max_pool: MaxPool
    gather_taps: MoveTaps
    scatter_taps: MoveTaps
    sum_windows: MoveSums
    spread_windows: MoveSums


class Correlate(Protocol):
    """Any one of the three linked correlations, by two of its three arrays."""

    def __call__(self, first: Array, second: Array, /, window: Window, groups: int) -> Array: ...


class MaxPool(Protocol):
    """x to (y, tap)."""

    def __call__(self, x: Array, /, window: Window) -> tuple[Array, Array]: ...


class MoveTaps(Protocol):
    """Values and taps to values."""

    def __call__(self, values: Array, tap: Array, /, window: Window) -> Array: ...


class MoveSums(Protocol):
    """Values to values."""

    def __call__(self, values: Array, /, window: Window) -> Array: ...


def _correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    kernel = mec if x.size and w.size and _has_windows(window) else nothing
    return kernel.correlate(x, w, window, groups)


def _correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    kernel = mec if x.size and dy.size else nothing
    return kernel.correlate_weight_grad(x, dy, window, groups)


def _correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array:
    kernel = dual if dy.size and w.size else nothing
    return kernel.correlate_input_grad(dy, w, window, groups)


def _has_windows(window: Window) -> bool:
    return window.out[0] > 0 and window.out[1] > 0


SETS = {
    "reference": Kernels(
        reference.correlate,
        reference.correlate_weight_grad,
        reference.correlate_input_grad,
        reference.max_pool,
        reference.gather_taps,
        reference.scatter_taps,
        reference.sum_windows,
        reference.spread_windows,
    ),
    "fast": Kernels(
        _correlate,
        _correlate_weight_grad,
        _correlate_input_grad,
        pooling.max_pool,
        pooling.gather_taps,
        pooling.scatter_taps,
        pooling.sum_windows,
        pooling.spread_windows,
    ),
}

_current: ContextVar[Kernels] = ContextVar("kernels", default=SETS["fast"])

current = _current.get


class use_kernels:
    """`with use_kernels("reference"):` runs everything inside with that set; each thread and task has its own choice."""

    def __init__(self, name: str) -> None:
        if name not in SETS:
            raise ValueError(f"use_kernels: there is no set {name!r}, only {', '.join(sorted(SETS))}")
        self.name = name
        self._tokens: list[Token[Kernels]] = []

    def __enter__(self) -> use_kernels:
        self._tokens.append(_current.set(SETS[self.name]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._tokens.pop())
