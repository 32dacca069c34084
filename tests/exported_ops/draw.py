"""What the models are made of: an op with params, and arrays and choices at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_conv.engine.registry import OPS


class Case(NamedTuple):
    """A function of tensors, an example, and how it is exported."""

    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    static: bool = False
    opset: int = 17  # the first in which it can be written


class Draw:
    """Arrays and choices at random."""

    def __init__(self, seed: int, dtype: Any = np.float32) -> None:
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def __call__(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(self.dtype)

    def positive(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(0.2, 3, shape).astype(self.dtype)

    def unit(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(-0.95, 0.95, shape).astype(self.dtype)

    def chance(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(0.02, 0.98, shape).astype(self.dtype)

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        return self.rng.integers(low, high, shape)

    def bools(self, *shape: int) -> np.ndarray:
        return self.rng.random(shape) < 0.5

    def one(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def flag(self) -> bool:
        return bool(self.rng.random() < 0.5)


def op_with(name: str, **params: Any) -> Callable[..., Any]:
    """An op with these params."""
    return lambda *inputs: OPS[name](*inputs, **params)


def with_constants(name: str, *constants: np.ndarray | None, **params: Any) -> Callable[..., Any]:
    """An op whose later inputs are these constants."""
    return lambda x: OPS[name](x, *constants, **params)
