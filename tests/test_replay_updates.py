"""What a replay does with gradients and updates in its own way: as eager does, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.replay import descent

from .replay_steps import (
    article,
    conv,
    images,
    numbers,
    pairs,
    plain_mse,
    same_as_eager,
)


def test_gradients_that_are_forgotten_before_a_backward_or_not() -> None:
    def make() -> Any:
        net = nn.ModuleList([conv(), conv()])
        first, second = net
        everything = optim.SGD(net.parameters(), lr=0.1)
        calls = pairs(6)

        def step(x: Any, target: Any) -> Any:
            everything.zero_grad()
            tg.mse_loss(first(x), target).backward()  # the gradient of `second` is gone
            first.zero_grad()
            loss = tg.mse_loss(first(x) + second(x), target)
            loss.backward()
            loss = tg.mse_loss(second(x), target)
            loss.backward()  # comes on top
            second.weight.grad = None
            tg.mse_loss(first(x), target).backward()
            everything.step()
            return loss

        return [net], step, calls

    same_as_eager(make, at_least=4)


def test_gradients_are_gone_for_whoever_looks_before_the_backward() -> None:
    def make() -> Any:
        net = conv()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, target: Any) -> Any:
            optimizer.zero_grad()
            optimizer.step()  # moves nothing
            loss = tg.mse_loss(net(x), target)
            loss.backward()
            return loss

        return [net], step, pairs(6)

    same_as_eager(make, at_least=4)


def test_a_step_that_fails_leaves_the_gradients(scratch_ops: None) -> None:
    fails = False

    @tg.primitive
    def fragile(x: Any) -> Any:
        if fails:
            raise ArithmeticError("now")
        return x * 1

    @fragile.grad("x")
    def fragile_dx(dy: Any) -> Any:
        return dy

    net, calls = conv(), pairs(5)
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    def train(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.mse_loss(fragile(net(x)), target)
        loss.backward()
        optimizer.step()
        return loss

    step = tg.replay(train)
    for call in calls[:4]:
        step(*call)
    assert step.replays == 2
    fails, before = True, (numbers(net.weight), numbers(net.weight.grad))
    program = step.program
    with pytest.raises(ArithmeticError, match="now"):
        program.run(list(calls[4]), [tensor.data for tensor in calls[4]])
    assert (numbers(net.weight), numbers(net.weight.grad)) == before


@pytest.mark.parametrize("lr", [3e38, "fast"], ids=["overflow", "no number"])
def test_a_descent_that_fails_leaves_the_gradients(lr: Any) -> None:
    net, calls = conv(), pairs(5)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    step = tg.replay(article(net, optimizer))
    for call in calls[:4]:
        step(*call)
    assert step.replays == 2
    net.weight.data[...] = 1e4  # and large gradients
    optimizer.param_groups[0]["lr"] = lr
    before = numbers(net.weight), numbers(net.weight.grad)
    with np.errstate(over="raise"), pytest.raises((FloatingPointError, TypeError)):
        step.program.run(list(calls[4]), [tensor.data for tensor in calls[4]])
    assert (numbers(net.weight), numbers(net.weight.grad)) == before


def test_gradients_of_more_than_the_optimizer_has() -> None:
    def make() -> Any:
        tg.manual_seed(0)
        first, second, third = layers = [nn.Conv2d(1, 1, 2) for _ in range(3)]
        optimizer = optim.SGD([*third.parameters(), *first.parameters()], lr=0.1)
        net = nn.Sequential(*layers)

        def step(x: Any) -> Any:
            net.zero_grad()
            y = net(x)
            loss = tg.mse_loss(y, tg.ones_like(y))
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, [(x,) for x in images(6, (2, 1, 5, 5))]

    same_as_eager(make, at_least=4)


# Updates
CHANGES: dict[str, Callable[[Any, Any], None]] = {
    "a schedule": lambda net, optimizer: optimizer.param_groups[0].update(lr=0.02),
    "an integer": lambda net, optimizer: optimizer.param_groups[0].update(lr=1),
    "a number of NumPy's": lambda net, optimizer: optimizer.param_groups[0].update(lr=np.float64(0.1)),
    "an equal number of NumPy's": lambda net, optimizer: optimizer.param_groups[0].update(lr=np.float64(0.1)),
    "momentum": lambda net, optimizer: optimizer.param_groups[0].update(momentum=0.9),
    "decay": lambda net, optimizer: optimizer.param_groups[0].update(weight_decay=0.1),
    "upwards": lambda net, optimizer: optimizer.param_groups[0].update(maximize=True),
    "no state": lambda net, optimizer: optimizer.state.clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_options_are_followed(change: str) -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Conv2d(1, 8, 2), nn.Conv2d(8, 8, 2))  # enough numbers to see roundings
        first, second = net
        groups = [{"params": first.parameters()}, {"params": second.parameters(), "lr": 0.3}]
        optimizer = optim.SGD(groups, lr=0.1)
        train = plain_mse(net, optimizer)
        x = [(each,) for each in images(10, (1, 1, 4, 4))]

        def change_it() -> None:
            CHANGES[change](net, optimizer)

        def step(x: Any) -> Any:
            return train(x)

        return [net, optimizer], step, [*x[:4], change_it, *x[4:]]

    same_as_eager(make, at_least=2)


def test_a_schedule_in_each_call() -> None:
    def make() -> Any:
        net = conv()
        optimizer = optim.SGD(net.parameters(), lr=0.5)
        schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
        train = plain_mse(net, optimizer)

        def step(x: Any) -> Any:
            result = train(x)
            schedule.step()
            return result

        return [net, optimizer], step, [(x,) for x in images(8)]

    same_as_eager(make, at_least=5)


def test_parameters_that_share_memory_are_changed_as_in_eager() -> None:
    def make() -> Any:
        tg.manual_seed(0)
        whole = np.random.default_rng(0).standard_normal(6).astype(np.float32)
        a, b = nn.Parameter(tg.Tensor(whole[:4])), nn.Parameter(tg.Tensor(whole[2:]))
        optimizer = optim.SGD([a, b], lr=0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = ((a - x) ** 2).sum() + (b * x).sum()
            loss.backward()
            optimizer.step()
            return loss

        return [a, b], step, [(x,) for x in images(6, (4,))]

    same_as_eager(make, at_least=1)


def test_a_step_alone_and_gradients_set_by_hand() -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Conv2d(2, 1, 2))
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        rng = np.random.default_rng(0)

        def give() -> None:
            for parameter in net.parameters():
                parameter.grad = rng.standard_normal(parameter.shape).astype(np.float32)

        def take_one() -> None:
            net[0].weight.grad = None

        def widen() -> None:
            net[0].weight.grad = net[0].weight.grad.astype(np.float64)

        def step() -> None:
            optimizer.step()

        calls = [give, (), (), (), (), take_one, (), give, (), widen, (), (), give, ()]
        return [net, optimizer], step, calls

    same_as_eager(make, at_least=6)


def test_a_parameter_that_may_not_be_written_to_is_refused_and_nothing_changes() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Conv2d(2, 1, 2))
    step = tg.replay(plain_mse(net, optim.SGD(net.parameters(), lr=0.1)))
    calls = images(6, (1, 1, 4, 4))
    for x in calls[:4]:
        step(x)
    assert step.replays == 2
    net[1].bias.data.flags.writeable = False
    before = [numbers(parameter) for parameter in net.parameters()]
    with pytest.raises(ValueError, match="SGD: .* is read-only"):
        step(calls[4])
    assert [numbers(parameter) for parameter in net.parameters()] == before


@pytest.mark.parametrize("when", range(4))
def test_what_interrupts_an_update_leaves_all_parameters(when: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Conv2d(2, 1, 2))
    step = tg.replay(plain_mse(net, optim.SGD(net.parameters(), lr=0.1)))
    calls, seen = images(6, (1, 1, 4, 4)), 0
    for x in calls[:4]:
        step(x)

    def interrupted(*arrays: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen > when:
            raise KeyboardInterrupt
        return np.subtract(*arrays)

    before = [numbers(parameter) for parameter in net.parameters()]
    monkeypatch.setattr(descent, "subtract", interrupted)
    with pytest.raises(KeyboardInterrupt):
        step(calls[4])
    assert [numbers(parameter) for parameter in net.parameters()] == before
    monkeypatch.undo()
    step(calls[5])
    assert [numbers(parameter) for parameter in net.parameters()] != before


def test_numbers_too_large_are_told_as_in_eager() -> None:
    def make() -> Any:
        net = conv()
        net.weight.data[...] = 1e38
        return [net], plain_mse(net, optim.SGD(net.parameters(), lr=1e5)), [(x,) for x in images(4)]

    def told(step: Callable[..., Any]) -> list[str]:
        with pytest.warns(RuntimeWarning) as warned:
            *_, calls = make()
            for call in calls:
                step(*call)
        return [str(each.message) for each in warned]

    expected = told(make()[1])
    with np.errstate(all="warn"):
        assert set(told(tg.replay(make()[1]))) == set(expected)


def test_an_optimiser_of_ones_own_updates_as_it_says() -> None:
    class Signs(optim.SGD):
        def updated(self, data: Any, grad: Any, state: Any, group: Any) -> Any:
            return data - group["lr"] * np.sign(grad), {}

    def make() -> Any:
        net = conv()
        return [net], plain_mse(net, Signs(net.parameters(), lr=0.1)), [(x,) for x in images(6)]

    same_as_eager(make, at_least=4)


def test_a_parameter_that_an_op_made_and_no_loss_uses() -> None:
    tg.manual_seed(0)
    used, unused = [(0.1 * tg.randn(3)).requires_grad_() for _ in range(2)]
    optimizer = optim.SGD([used, unused], lr=0.1)
    before = unused.data.copy()

    @tg.replay
    def step(x: Any) -> Any:
        loss = ((used * x) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    x = tg.randn(3)
    losses = [step(x).item() for _ in range(5)]
    assert step.program is not None and step.replays == 3  # none of them went on eagerly
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(unused.data, before)
