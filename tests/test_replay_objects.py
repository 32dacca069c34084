"""What a step's Python asks objects for that look like no settings: functions, tensors, optimisers, sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Thread, local
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import Outside, images, same_as_eager, steps_by_a_factor


class Holder:
    """An object with a factor, in an attribute or by a method."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def method(self) -> float:
        return self.factor


def of_a_function() -> Outside:
    def factor() -> float:
        return factor.value  # type: ignore[attr-defined, no-any-return]

    factor.value = 1.0  # type: ignore[attr-defined]
    return factor, lambda: setattr(factor, "value", 3.0)


def of_objects_in_a_set() -> Outside:
    holders = {Holder(1.0), Holder(2.0)}
    return lambda: sum(each.factor for each in holders), lambda: setattr(
        max(holders, key=Holder.method), "factor", 9.0
    )


def by_a_method_of_several_objects() -> Outside:
    holders = {Holder(1.0): 1, Holder(2.0): 2}
    return lambda: sum(each.method() for each in holders), lambda: setattr([*holders][1], "factor", 9.0)


def in_an_array_of_objects() -> Outside:
    holders = np.array([Holder(1.0), Holder(2.0)])
    return lambda: holders[1].factor, lambda: setattr(holders[1], "factor", 3.0)


def that_a_module_has_or_not() -> Outside:
    settings = ModuleType("settings")
    return lambda: 3.0 if hasattr(settings, "fast") else 1.0, lambda: setattr(settings, "fast", True)


def of_a_library() -> Outside:
    math.factor = 1.0  # type: ignore[attr-defined]
    return lambda: math.factor, lambda: setattr(math, "factor", 3.0)  # type: ignore[attr-defined]


def of_an_optimiser() -> Outside:
    optimizer = optim.SGD([nn.Parameter(tg.ones(1))], lr=0.1)
    optimizer.factor = 1.0  # type: ignore[attr-defined]
    return lambda: optimizer.factor, lambda: setattr(optimizer, "factor", 3.0)  # type: ignore[attr-defined]


def of_the_rate_of_another_schedule() -> Outside:
    optimizer = optim.SGD([nn.Parameter(tg.ones(1))], lr=1.0)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    return lambda: schedule.get_last_lr()[0], lambda: (optimizer.step(), schedule.step())


def of_what_wants_a_gradient() -> Outside:
    layer = nn.Linear(2, 2)
    return lambda: float(sum(p.numel() for p in layer.parameters() if p.requires_grad)), (
        lambda: layer.bias.requires_grad_(False)
    )


def of_a_shape() -> Outside:
    samples = tg.ones(2)
    return lambda: float(len(samples)), lambda: setattr(samples, "data", np.ones(3, np.float32))


def of_a_parameter_of_ones_own() -> Outside:
    class Weight(nn.Parameter):
        factor = 1.0

    weight = Weight(tg.ones(1))
    weight.factor = 2.0
    return lambda: weight.factor, lambda: setattr(weight, "factor", 3.0)


@pytest.mark.parametrize(
    "outside",
    [
        of_a_function,
        of_objects_in_a_set,
        by_a_method_of_several_objects,
        in_an_array_of_objects,
        that_a_module_has_or_not,
        of_a_library,
        of_an_optimiser,
        of_the_rate_of_another_schedule,
        of_what_wants_a_gradient,
        of_a_shape,
        of_a_parameter_of_ones_own,
    ],
    ids=lambda outside: outside.__name__,
)
def test_a_factor(outside: Callable[[], Outside]) -> None:
    assert same_as_eager(steps_by_a_factor(outside), at_least=4).recordings == 4


def test_each_thread_has_attributes_of_its_own() -> None:
    settings = local()
    settings.factor = 1.0
    step = tg.replay(lambda x: x * settings.factor)
    numbers = [step(tg.ones(1)).item() for _ in range(4)]

    def in_a_thread() -> None:
        settings.factor = 3.0
        numbers.extend([step(tg.ones(1)).item() for _ in range(4)])

    thread = Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert numbers == [1.0] * 4 + [3.0] * 4 and step.replays == 4


def test_methods_of_an_optimiser_that_are_replaced() -> None:
    def make() -> Any:
        w = nn.Parameter(tg.ones(3))
        optimizer = optim.SGD([w], lr=0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            (w * x).sum().backward()
            optimizer.step()

        inputs = [(x,) for x in images(4, (3,))]
        return [w], step, [*inputs, lambda: setattr(optimizer, "zero_grad", lambda: None), *inputs]

    same_as_eager(make, at_least=4)


def test_an_optimiser_of_ones_own_that_counts() -> None:
    class Slower(optim.SGD):
        count = 0

        def updated(self, data: Any, grad: Any, state: Any, group: Any) -> Any:
            self.count += 1
            return data - group["lr"] / self.count * grad, {}

    def make() -> Any:
        w = nn.Parameter(tg.ones(3))
        optimizer = Slower([w], lr=0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            (w * x).sum().backward()
            optimizer.step()

        return [w], step, [(x,) for x in images(8, (3,))]

    same_as_eager(make, at_least=6)


def remember_by_setattr(holder: Any, y: Any) -> None:
    holder.factor = y  # noqa: B010


def remember_by_a_function(holder: Any, y: Any) -> None:
    remember_by_a_function.last = y  # type: ignore[attr-defined]


def remember_in_a_set(holder: Any, y: Any) -> None:
    for each in holder.others:
        each.factor = y


remember_by_a_function.last = None  # type: ignore[attr-defined]


@pytest.mark.parametrize("remember", [remember_by_setattr, remember_by_a_function, remember_in_a_set])
def test_what_a_step_leaves_behind(remember: Callable[[Any, Any], None]) -> None:
    def make() -> Any:
        holder: Any = Holder(0.0)
        holder.others = {Holder(0.0)}
        seen: list[Any] = []

        def look() -> None:
            last = getattr(remember, "last", None)
            seen.append([*map(float, (holder.factor, max(each.factor for each in holder.others), last or 0))])

        def step(x: Any) -> Any:
            y = (x * 2).sum()
            remember(holder, y)
            return y

        return [seen], step, [call for x in images(6, (3,)) for call in ((x,), look)]

    same_as_eager(make, refused="which a replay would not")


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "another tensor": lambda batch, array: batch.update(x=batch["x"] * 2),
    "one more": lambda batch, array: batch.__setitem__("twice", batch["x"] * 2),
    "one less": lambda batch, array: batch.pop("scale"),
    "an array": lambda batch, array: array.fill(2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_step_is_called_with_is_changed(change: str) -> None:
    def make() -> Any:
        batches = [{"x": x, "scale": 2.0} for x in images(6, (3,))]
        arrays = [np.ones(2) for _ in batches]

        def step(batch: Any, array: Any) -> Any:
            y = batch["x"] * batch["scale"]
            CHANGES[change](batch, array)
            return y

        return [batches, arrays], step, list(zip(batches, arrays))

    same_as_eager(make, refused="it changes what it is called with")


def test_an_error_that_the_step_catches() -> None:
    def make() -> Any:
        labels = [tg.tensor([0, 7])] * 3 + [tg.tensor([0, 1])] * 3
        inputs = images(6, (2, 3))

        def step(logits: Any, labels: Any) -> Any:
            try:
                return tg.cross_entropy(logits, labels)
            except Exception:
                return logits.sum()

        return [], step, list(zip(inputs, labels))

    same_as_eager(make, refused="it catches an error")


def test_an_error_of_an_optimiser_that_the_step_catches() -> None:
    def make() -> Any:
        w = nn.Parameter(tg.ones(3))
        optimizer = optim.SGD([w], lr=0.1)

        def step(x: Any) -> None:
            (w * x).sum().backward()
            try:
                optimizer.step()
            except Exception:
                optimizer.zero_grad()

        inputs = [(x,) for x in images(8, (3,))]
        optimizer.param_groups[0]["lr"] = "none"
        mend = lambda: optimizer.param_groups[0].update(lr=0.1)  # noqa: E731
        return [w], step, [*inputs[:4], mend, *inputs[4:]]

    same_as_eager(make, refused="it catches an error")
