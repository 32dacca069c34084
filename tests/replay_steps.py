"""Training steps to be replayed: each maker returns a net, a step, and the arguments of its calls."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

Run = tuple[list[Any], list[Any], Any]
Outside = tuple[Callable[[], float], Callable[[], Any]]
"""Reads a factor, and changes it."""


def batches(count: int = 8, seed: int = 0, n: int = 4, classes: int = 3) -> list[tuple[Any, Any]]:
    """Images [n, 1, 8, 8] and labels."""
    rng = np.random.default_rng(seed)
    return [
        (tg.tensor(rng.standard_normal((n, 1, 8, 8), np.float32)), tg.tensor(rng.integers(0, classes, n)))
        for _ in range(count)
    ]


def small_net() -> Any:
    tg.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    )


def plain(net: Any, optimizer: Any) -> Callable[..., Any]:
    """The usual step."""

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def numbers(value: Any) -> Any:
    """Results and states as bytes, to be compared."""
    if isinstance(value, tg.Tensor):
        return value.dtype, value.shape, bits(value.data)
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, bits(value)
    if isinstance(value, dict):
        return {name: numbers(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(member) for member in value]
    return bits(np.float64(value)) if isinstance(value, float) else value


def bits(array: Any) -> bytes:
    """Numbers to the bit. All NaNs are one here: the sign of a sum of two depends on how many are added up at
    once.
    """
    return (np.where(array == array, array, np.nan) if array.dtype.kind == "f" else array).tobytes()


def state_of(owner: Any) -> Any:
    """Everything that training changes: numbers, gradients, the optimiser's state."""
    if isinstance(owner, tg.Tensor):
        return numbers(owner), numbers(owner.grad)
    if isinstance(owner, nn.Module):
        grads = [numbers(parameter.grad) for parameter in owner.parameters()]
        return numbers(owner.state_dict()), grads
    if isinstance(owner, tg.optim.Optimizer):
        return numbers(owner.state_dict())
    return numbers(copy.deepcopy(owner))


def trained(make: Callable[[], tuple[list[Any], Callable[..., Any], list[Any]]], replay: Any = None) -> Run:
    """What the calls return, what they leave behind, and the step itself. replay: how the step is made."""
    tg.manual_seed(7)
    owners, step, calls = make()
    step = step if replay is None else replay(step)
    results = []
    for call in calls:
        if callable(call):
            call()  # something between two calls
        else:
            results.append((numbers(step(*call)), [state_of(owner) for owner in owners]))
    results.append(numbers(tg.rand(3)))  # the random numbers go on as in eager
    return results, owners, step


def same_as_eager(
    make: Callable[[], tuple[list[Any], Callable[..., Any], list[Any]]],
    at_least: int = 1,
    refused: str = "",
    **options: Any,
) -> Any:
    """Train both ways, and require the same bits after each call. at_least: how many calls are replayed."""
    expected, *_ = trained(make)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        replayed, _, step = trained(make, lambda step: tg.replay(step, **options))
    for number, (mine, theirs) in enumerate(zip(replayed, expected)):
        assert mine == theirs, f"call {number} differs"
    texts = [str(warning.message) for warning in said if "tg.replay" in str(warning.message)]
    if refused:
        assert any(refused in text for text in texts), texts
        assert len(texts) == 1 and step.replays == 0, (texts, step.replays)
    else:
        assert not texts, texts
        assert step.replays >= at_least, (step.replays, step.recordings)
    return step


def images(count: int, shape: tuple[int, ...] = (1, 1, 3, 3)) -> list[Any]:
    """Tensors of normal numbers."""
    rng = np.random.default_rng(3)
    return [tg.tensor(rng.standard_normal(shape, np.float32)) for _ in range(count)]


def steps_by_a_factor(outside: Callable[[], Outside]) -> Callable[[], Any]:
    """A step that multiplies by a number from outside, which is changed between two of its calls."""

    def make() -> Any:
        factor, change = outside()
        inputs = [(x,) for x in images(4, (3,))]
        return [], lambda x: x * factor(), [*inputs, change, *inputs]

    return make


def article(net: Any, optimizer: Any, scale: float | None = None) -> Callable[..., Any]:
    """One kernel, and a squared error; its gradient begins at 1 unless there is a scale."""

    def step(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.mse_loss(net(x), target)
        (loss if scale is None else loss * scale).backward()
        optimizer.step()
        return loss

    return step


def conv() -> Any:
    tg.manual_seed(0)
    return nn.Conv2d(1, 1, 2, bias=False)


def pairs(count: int, side: int = 3) -> list[tuple[Any, Any]]:
    inputs, targets = images(count, (1, 1, side, side)), images(count, (1, 1, side - 1, side - 1))
    return list(zip(inputs, targets))


# Arrays


def plain_mse(net: Any, optimizer: Any) -> Callable[..., Any]:
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        y = net(x)
        loss = tg.mse_loss(y, tg.zeros_like(y))
        loss.backward()
        optimizer.step()
        return loss, y

    return step
