"""Tensors that have one array, or show one memory: each has its own `.grad`, and may be set apart later."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import images, same_as_eager, trained


def calls(count: int = 8) -> list[Any]:
    """Tensors [3] to call a step with."""
    return [(x,) for x in images(count, (3,))]


def parameter() -> Any:
    return nn.Parameter(tg.ones(3))


def descending(optimizer: Any, loss_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A step of an optimiser."""

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(x)
        loss.backward()
        optimizer.step()
        return loss

    return step


def a_view_of_a_parameter() -> Any:
    w = parameter()
    view, optimizer = w.detach(), optim.SGD([w], lr=0.1)
    first, second, third, *others = calls()
    replace = lambda: setattr(w, "data", np.full(3, 2, np.float32))  # noqa: E731
    step = descending(optimizer, lambda x: (w**2 * x).sum() + (view * x).sum())
    return [w, view, optimizer], step, [first, second, third, replace, *others]


def two_parameters_tied_by_data() -> Any:
    w, tied = parameter(), parameter()
    tied.data = w.data
    optimizer = optim.SGD([w, tied], lr=0.1)
    return [w, tied], descending(optimizer, lambda x: (w**2 * x).sum() + (tied * x).sum()), calls()


def an_argument_that_is_a_view_of_a_parameter() -> Any:
    w = parameter()
    optimizer = optim.SGD([w], lr=0.1)

    def step(view: Any, x: Any) -> Any:
        return descending(optimizer, lambda x: (w**2 * x).sum() + (view * x).sum())(x)

    return [w, optimizer], step, [(w.detach(), x) for (x,) in calls()]


def an_array_as_argument_that_a_tensor_has() -> Any:
    array = np.ones(3, np.float32)
    data = tg.from_numpy(array)
    return [], lambda given, x: (data * x).sum() * tg.tensor(given), [(array, x) for (x,) in calls()]


@pytest.mark.parametrize(
    "make",
    [
        a_view_of_a_parameter,
        two_parameters_tied_by_data,
        an_argument_that_is_a_view_of_a_parameter,
        an_array_as_argument_that_a_tensor_has,
    ],
    ids=lambda make: make.__name__,
)
def test_two_tensors_from_outside_with_one_array(make: Callable[[], Any]) -> None:
    same_as_eager(make, refused="has the very array of another one")


def test_what_the_step_detaches_itself_is_replayed() -> None:
    def make() -> Any:
        w = parameter()
        optimizer = optim.SGD([w], lr=0.1)
        return [w, optimizer], descending(optimizer, lambda x: (w.detach() * w * x.detach()).sum()), calls()

    same_as_eager(make, at_least=6)


@pytest.mark.parametrize("reached", ["by name", "by an attribute", "in a list"])
def test_an_argument_that_is_reached_from_outside_too(reached: str) -> None:
    def make() -> Any:
        data = tg.tensor([1.0, 2.0, 3.0])
        held = SimpleNamespace(data=data, all=[data])
        read = {
            "by name": lambda x: (data * x).sum(),
            "by an attribute": lambda x: (held.data * x).sum(),
            "in a list": lambda x: (held.all[0] * x).sum(),
        }[reached]
        return [], read, [(data,)] * 4 + calls(4)

    same_as_eager(make, at_least=4)


def of_a_parameter(w: Any, x: Any) -> None:
    w[0].fill_(0.5)


def of_a_parameter_detached(w: Any, x: Any) -> None:
    w.detach().mul_(0.9)


def of_an_argument(w: Any, x: Any) -> None:
    x.view(3)[1:].add_(1)


def of_what_the_step_made(w: Any, x: Any) -> None:
    made = tg.zeros(3)
    made[0].fill_(2)
    w.add_(made)


@pytest.mark.parametrize(
    "change", [of_a_parameter, of_a_parameter_detached, of_an_argument, of_what_the_step_made]
)
def test_a_view_is_changed_in_place(change: Callable[[Any, Any], None]) -> None:
    def make() -> Any:
        w = parameter()
        inputs = calls()

        def step(x: Any) -> Any:
            with tg.no_grad():
                change(w, x)
                return (w * x).sum()

        return [w, *(x for (x,) in inputs)], step, inputs

    same_as_eager(make, refused="a view of a leaf is changed in place")


def test_the_optimisers_state_is_cleared_by_the_step() -> None:
    def make() -> Any:
        w = parameter()
        optimizer = optim.Adam([w], lr=0.1)

        def loss_of(x: Any) -> Any:
            optimizer.state.clear()
            return (w**2 * x).sum()

        return [w, optimizer], descending(optimizer, loss_of), calls()

    same_as_eager(make, refused="calls clear of state")


def test_parameters_that_are_tied_between_two_calls_are_no_fault_of_a_checked_step() -> None:
    def make() -> Any:
        w, tied = parameter(), parameter()
        optimizer = optim.SGD([w, tied], lr=0.1)
        first, second, third, *others = calls()
        tie = lambda: setattr(tied, "data", w.data)  # noqa: E731
        step = descending(optimizer, lambda x: (w**2 * x).sum() + (tied * x).sum())
        return [w, tied, optimizer], step, [first, second, third, tie, *others]

    expected, *_ = trained(make)
    with pytest.warns(UserWarning, match="has the very array of another one"):
        replayed, _, step = trained(make, lambda step: tg.replay(step, check_every=1))
    assert replayed == expected and step.replays == 1
