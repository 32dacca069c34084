"""A preparation that a user has written for an op is compared with the op, once, before it is trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.replay import replayed
from tinygrad_conv.replay.check import replay_compared

from .replay_steps import images


def made_of_old_numbers(out: Any, shared: Any, x: Any) -> Any:
    y = x * x
    return lambda x: y


WRONG = {
    "numbers": (lambda out, shared, x: lambda x: x * x * 1.001, "it made"),
    "old numbers": (made_of_old_numbers, "it made"),
    "shape": (lambda out, shared, x: lambda x: np.ones(7, np.float32), r"it made float32\[7\]"),
    "dtype": (lambda out, shared, x: lambda x: (x * x).astype(np.float64), r"it made float64\[3\]"),
    "nothing": (lambda out, shared, x: lambda x: None, "it made None"),
}


def squaring(*prepared: Callable[..., Any], of: Any = None) -> Any:
    """A parameter, and a replayed step that squares by an op whose forward, or rule, is so prepared."""

    @tg.primitive
    def squared(x: Any) -> Any:
        return x * x

    @squared.grad("x")
    def squared_dx(dy: Any, x: Any) -> Any:
        return 2 * x * dy

    for function in prepared:
        squared.replayed(*([of] if of else []))(function)
    w = nn.Parameter(tg.ones(3))

    def step(x: Any) -> Any:
        w.grad = None
        loss = squared(w * x).sum()
        loss.backward()
        return loss

    return w, tg.replay(step)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_preparation_is_told(scratch_ops: None, wrong: str) -> None:
    function, message = WRONG[wrong]
    w, step = squaring(function)
    first, second, *others = images(4, (3,))
    step(first), step(second)
    gradient = w.grad.copy()
    for x in others:
        with pytest.raises(tg.errors.ReplayError, match=rf"squared \(.*py:\d+\): {message}"):
            step(x)
        np.testing.assert_array_equal(w.grad, gradient)
    with tg.replay.off():
        np.testing.assert_allclose(step(first).data, (first.data**2).sum(), rtol=1e-6)


def test_a_wrong_preparation_of_a_rule_is_told(scratch_ops: None) -> None:
    w, step = squaring(lambda out, shared, dy, x: lambda dy, x: 3 * x * dy, of="x")
    first, second, third = images(3, (3,))
    step(first), step(second)
    with pytest.raises(tg.errors.ReplayError, match="squared_dx"):
        step(third)


def test_a_right_preparation_is_compared_once(scratch_ops: None, monkeypatch: pytest.MonkeyPatch) -> None:
    w, step = squaring(lambda out, shared, x: lambda x: np.multiply(x, x, out=out))
    compared: list[Any] = []

    def compare(*arguments: Any) -> Any:
        compared.append(arguments)
        return replay_compared(*arguments)

    monkeypatch.setattr(replayed, "replay_compared", compare)
    for x in images(8, (3,)):
        np.testing.assert_allclose(step(x).data, (x.data**2).sum(), rtol=1e-6)
        np.testing.assert_allclose(w.grad, 2 * x.data**2, rtol=1e-6)
    assert step.replays == 6 and len(compared) == 1
