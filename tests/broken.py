"""Ops to be broken in known ways: what the judge is judged by.

Here are the ops, which are right, and what it takes to break them; `tests/breakages.py` has the ways.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tinygrad_conv.engine.declare import Primitive
from tinygrad_conv.engine.op import Op
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.engine.tensor import Tensor

add, mul, exp, sin, cos, sqrt = (OPS[name] for name in ("add", "mul", "exp", "sin", "cos", "sqrt"))
total, mean, cat, flip, transpose, reshape = (
    OPS[name] for name in ("sum", "mean", "cat", "flip", "transpose", "reshape")
)
conv2d, conv2d_dx, conv2d_dw = (OPS[name] for name in ("conv2d", "conv2d_input_grad", "conv2d_weight_grad"))
put_add = OPS["put_add"]


@dataclass
class Trial:
    """An op that is broken, what it is called on, and what the judge should say."""

    op: Op
    inputs: list[np.ndarray]
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    order: int = 1
    says: str = ""  # a part of the message
    around: Callable[[Any], Any] | None = None  # what is done with the op's output

    def leaves(self) -> list[Tensor]:
        return [Tensor(one, requires_grad=one.dtype.kind == "f") for one in self.inputs]

    def function(self) -> Callable[..., Any]:
        if self.around is None:
            return partial(self.op, **self.params)
        return lambda *inputs: self.around(self.op(*inputs, **self.params))  # type: ignore[misc]


def make_op(forward: Callable[..., Any], keeps: tuple[str, ...] = (), kept: Any = None, **rules: Any) -> Op:
    """An op that is not in the registry."""
    op = Primitive(forward, keeps=keeps)
    for name, rule in rules.items():
        op.grad(name)(rule)
    for name, derivation in (kept or {}).items():
        op.kept(name)(derivation)
    return op


def after(rule: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A rule that spoils what another returns."""

    def spoiled(*values: Any, **params: Any) -> Any:
        return change(rule(*values, **params))

    spoiled.__signature__ = inspect.signature(rule)  # type: ignore[attr-defined]
    return spoiled


# Ops that are right.


def wave(x):
    return x * np.sin(x)


def wave_dx(dy, x):
    return dy * (sin(x) + x * cos(x))


def product(a, b):
    return a * np.exp(b)


def product_da(dy, b):
    return dy * exp(b)


def product_db(dy, a, b):
    return dy * a * exp(b)


def times(a, b):
    return a @ b


def times_da(dy, b):
    return dy @ transpose(b, dim0=0, dim1=1)


def times_db(dy, a):
    return transpose(a, dim0=0, dim1=1) @ dy


def average(x, *, dim):
    return np.mean(x * x, axis=dim, keepdims=True)


def average_dx(dy, x, dim):
    return dy * (2 / x.shape[dim]) * x


def biased(x, b):
    return x * x + b


def biased_dx(dy, x):
    return dy * 2 * x


def biased_db(dy):
    return total(dy, dim=0)


def rows(x, *, index):
    return x[index] * x[index]


def rows_dx(dy, x, index):
    return put_add(2 * dy * x[index], index=index, shape=x.shape)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_dx(dy, y):
    return y * (dy - total(dy * y, dim=-1, keepdim=True))


def unit(x):
    length = np.sqrt((x * x).sum(-1, keepdims=True))
    return x / length, length


def unit_dx(dy, y, length):
    return (dy - y * total(dy * y, dim=-1, keepdim=True)) / length


def unit_length(x):
    return sqrt(total(x * x, dim=-1, keepdim=True))


def unit_length_lost(x):
    return Tensor(np.sqrt((x.data * x.data).sum(-1, keepdims=True)))


def smooth(x, w, *, stride=1, padding=0):
    return conv2d(x, w, stride=stride, padding=padding)


def smooth_dx(dy, w, x_shape, stride, padding):
    return conv2d_dx(dy, w, input_size=x_shape[2:], stride=stride, padding=padding)


def smooth_dw(dy, x, w_shape, stride, padding):
    return conv2d_dw(x, dy, kernel_size=w_shape[2:], stride=stride, padding=padding)


# Inputs.


def size(rng: np.random.Generator, low: int = 2, high: int = 6) -> int:
    return int(rng.integers(low, high))


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.uniform(0.3, 1.5, shape) * rng.choice([-1, 1], shape)


def images(rng: np.random.Generator, **params: Any) -> tuple[list[np.ndarray], dict[str, Any]]:
    """An image and a kernel of 2 or 3; `remainder=True` leaves one row or column that no window touches."""
    kernel, stride, padding = size(rng, 2, 4), params.get("stride", 1), params.get("padding", 0)
    side = kernel + stride * size(rng, 2, 4) - 2 * padding + (1 if params.pop("remainder", False) else 0)
    x = numbers(rng, size(rng, 1, 3), size(rng, 1, 3), side, side)
    return [x, numbers(rng, size(rng, 1, 3), x.shape[1], kernel, kernel)], params


def some_right_op(
    rng: np.random.Generator,
) -> tuple[Callable[..., Any], dict[str, Any], list[np.ndarray], dict[str, Any]]:
    """(forward, rules, inputs, params) of one of the ops above."""
    n, m, k = (size(rng) for _ in range(3))
    x = numbers(rng, n, m)
    return [
        (wave, {"x": wave_dx}, [x], {}),
        (product, {"a": product_da, "b": product_db}, [x, numbers(rng, n, m)], {}),
        (times, {"a": times_da, "b": times_db}, [x, numbers(rng, m, k)], {}),
        (average, {"x": average_dx}, [x], {"dim": int(rng.integers(0, 2))}),
        (biased, {"x": biased_dx, "b": biased_db}, [x, numbers(rng, m)], {}),
        (rows, {"x": rows_dx}, [x], {"index": rng.integers(0, n, k + 2)}),
        (softmax, {"x": softmax_dx}, [numbers(rng, n, m + 1)], {}),
        (smooth, {"x": smooth_dx, "w": smooth_dw}, *images(rng, padding=1)),
        (smooth, {"x": smooth_dx, "w": smooth_dw}, *images(rng, stride=2)),
    ][rng.integers(0, 9)]


def spoil(rng: np.random.Generator, change: Callable[[Any], Any], kind: str, says: str = "") -> Trial:
    """One of the ops above, with one of its rules spoiled."""
    forward, rules, inputs, params = some_right_op(rng)
    name = str(rng.choice(list(rules)))
    return Trial(
        make_op(forward, **{**rules, name: after(rules[name], change)}), inputs, kind, params, says=says
    )
