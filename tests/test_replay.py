"""A replayed step is what the eager step is, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.replay.state import same_numbers

from .replay_steps import batches, plain, same_as_eager, small_net, trained

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
}
for _name in optim.__all__:
    _class = getattr(optim, _name)
    if isinstance(_class, type) and issubclass(_class, optim.Optimizer) and _class is not optim.Optimizer:
        OPTIMIZERS.setdefault(_name, lambda p, _class=_class: _class(p, lr=0.01))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str) -> None:
    def make() -> Any:
        net = small_net()
        optimizer = OPTIMIZERS[name](net.parameters())
        return [net, optimizer], plain(net, optimizer), batches(5)

    same_as_eager(make, at_least=3)


def test_a_step_is_replayed_from_the_third_call_on() -> None:
    def make() -> Any:
        net = small_net()
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), batches(8)

    step = same_as_eager(make, at_least=6)
    assert step.recordings == 2 and step.replays == 6 and len(step.programs) == 1


def test_dropout_batch_norm_clipping_and_a_schedule() -> None:
    def make() -> Any:
        tg.manual_seed(0)
        net = nn.Sequential(
            *(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8, momentum=None), nn.Tanh(), nn.Linear(8, 3)),
        )
        optimizer = optim.AdamW(net.parameters(), lr=0.01)
        schedule = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            nn.utils.clip_grad_value_(net.parameters(), 0.05)
            optimizer.step()
            schedule.step()
            return loss, norm

        return [net, optimizer], step, batches(8)

    same_as_eager(make, at_least=6)
    same_as_eager(make, at_least=6, check=True)


def test_a_schedule_outside_of_the_step_is_followed() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
        calls: list[Any] = []
        for batch in batches(8):
            calls += [batch, schedule.step]
        return [net, optimizer], plain(net, optimizer), calls

    same_as_eager(make, at_least=6)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_are_accumulated_over_several_calls(set_to_none: bool) -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y) / 2
            loss.backward()
            return loss.detach()

        def update() -> None:
            optimizer.step()
            optimizer.zero_grad(set_to_none)

        calls: list[Any] = []
        for number, batch in enumerate(batches(8)):
            calls += [batch, update] if number % 2 else [batch]
        return [net, optimizer], step, calls

    same_as_eager(make, at_least=5)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad_inside(set_to_none: bool) -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y)
            net.zero_grad(set_to_none)
            loss.backward()
            optimizer.step()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, at_least=3)


def test_evaluation() -> None:
    def make() -> Any:
        net = small_net().eval()

        def accuracy(x: Any, y: Any) -> Any:
            with tg.no_grad():
                return (net(x).argmax(1) == y).float().mean()

        return [net], accuracy, batches(6)

    same_as_eager(make, at_least=4)


def test_a_number_may_be_read_as_the_result() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss.item(), float(loss), loss.data, float(loss.item())

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_several_losses_retain_graph_and_views() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.001)

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            logits = net(x)
            first, second = logits.split([1, 2], dim=1)
            values, index = logits.max(1)
            loss = tg.cross_entropy(logits, y)
            other = (first * first).mean() + second.T[0].mean() * 0.1 + values.tanh().sum()
            loss.backward(retain_graph=True)
            other.backward()
            optimizer.step()
            return {"loss": loss.detach(), "both": [other, index]}

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_the_same_pair_in_two_losses_with_backwards_of_their_own() -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

        def step(x: Any, target: Any) -> Any:
            net.zero_grad()
            y = net(x)
            tg.mse_loss(y, target).backward(retain_graph=True)
            loss = tg.mse_loss(y, target, reduction="sum")
            loss.backward()
            images = tg.conv2d(x, net[1].weight.reshape(3, 1, 8, 8)).sum()
            images.backward(retain_graph=True)
            again = tg.conv2d(x, net[1].weight.reshape(3, 1, 8, 8)).mean()
            (again + images).backward()
            return loss

        rng = np.random.default_rng(0)
        return [net], step, [(x, tg.tensor(rng.standard_normal((4, 3), np.float32))) for x, _ in batches(6)]

    same_as_eager(make, at_least=4)


def test_statistics_from_outside_are_read_and_written_back() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        total, mean = tg.zeros(()), tg.zeros(3)

        def step(x: Any, y: Any) -> Any:
            nonlocal total
            optimizer.zero_grad()
            logits = net(x)
            loss = tg.cross_entropy(logits, y)
            loss.backward()
            optimizer.step()
            with tg.no_grad():
                total += loss
                mean.mul_(0.9).add_(logits.mean(0), alpha=0.1)
            return mean + total

        return [net, total, mean], step, batches(7)

    same_as_eager(make, at_least=4)


AVERAGES: dict[str, Callable[[Any, Any], Any]] = {
    "mul_, add_": lambda average, weight: average.mul_(0.9).add_(weight, alpha=0.1),
    "lerp_": lambda average, weight: average.lerp_(weight, 0.1),
    "lerp_ by names": lambda average, weight: average.lerp_(end=weight, weight=0.1).floor_divide_(0.001),
    "items": lambda average, weight: (
        average.__setitem__(0, weight[0]),
        average.__setitem__(weight > 0, 0.5),
    ),
}


@pytest.mark.parametrize("made", ["a copy of numbers", "a result"])
@pytest.mark.parametrize("spelling", AVERAGES)
def test_an_average_from_outside_is_changed_several_times(spelling: str, made: str) -> None:
    """The memory of a result is nobody's to write to: the tensor gets another array with each change."""

    def make() -> Any:
        net = small_net()
        weight = net[0].weight
        average = weight.detach().clone() if made == "a result" else tg.tensor(weight.data)
        train = plain(net, optim.SGD(net.parameters(), lr=0.1))

        def step(x: Any, y: Any) -> Any:
            loss = train(x, y)
            with tg.no_grad():
                AVERAGES[spelling](average, weight)
            return loss

        return [net, average], step, batches(6)

    same_as_eager(make, at_least=4)


def test_in_place_on_results() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            h = net[1](net[0](x))
            h += 1
            h[:, 0] = 0
            h = h.relu_()
            extra = tg.zeros(4)
            extra += h.detach().mean((0, 2, 3))
            logits = net[4](net[3](net[2](h)))
            loss = tg.cross_entropy(logits, y)
            loss.backward()
            optimizer.step()
            with tg.no_grad():
                logits *= 2
            return loss, logits.detach(), extra

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_random_numbers_are_drawn_in_each_call() -> None:
    def make() -> Any:
        net = small_net()
        own = tg.Generator().manual_seed(3)

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            noisy = x + 0.1 * tg.randn_like(x) + tg.rand(1, generator=own)
            order = tg.randperm(4)
            loss = tg.cross_entropy(net(noisy)[order], y[order])
            loss.backward()
            return loss, tg.empty(3).normal_(0, 1), own.get_state()["state"]["state"] if False else order

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_what_a_user_holds_is_never_written_again() -> None:
    net = small_net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    step = tg.replay(plain(net, optimizer))
    held: list[Any] = []
    for batch in batches(8):
        loss = step(*batch)
        held += [(array, array.copy()) for array in (loss.data, net[0].weight.grad, net[4].bias.grad)]
    assert step.replays == 6
    for array, copy in held:
        np.testing.assert_array_equal(array, copy)


def test_a_result_has_left_its_tape() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    losses = [step(*batch) for batch in batches(4)]
    assert losses[-1].requires_grad and not losses[-1].data.flags.writeable
    with pytest.raises(tg.errors.TapeConsumedError, match="already consumed"):
        losses[-1].backward()


def test_the_listing() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    for batch in batches(3):
        step(*batch)
    lines = str(step.program).splitlines()
    assert lines[0].startswith("clear_grads()")
    conv = next(line for line in lines if "conv2d+relu(" in line)
    assert "conv2d+relu(%0, 0.weight, 0.bias)" in conv and "float32[4,4,8,8]" in conv and "4,096 B" in conv
    assert "replay_steps.py:" in conv and conv.endswith("in sequential.0")
    relu = next(line for line in lines if "max_pool2d_dx+relu_dx(" in line)
    loss = next(line for line in lines if "= mse_loss(" in line or "= cross_entropy(" in line)
    assert "buffer " in relu and "buffer " in conv and "fresh" in loss
    assert lines[-1].startswith(f"{len(lines) - 1} calls, ") and lines[-1].endswith("buffers")


def test_user_ops(scratch_ops: None) -> None:
    @tg.primitive
    def cube(x: Any, *, scale: float = 1.0) -> Any:
        return scale * x**3

    @cube.grad("x")
    def cube_dx(dy: Any, x: Any, scale: float) -> Any:
        return 3 * scale * dy * x**2

    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(cube(net(x), scale=0.5), y)
            loss.backward()
            return loss

        return [net], step, batches(5)

    same_as_eager(make, at_least=3)


def test_closures_of_an_optimizer() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            def closure() -> Any:
                optimizer.zero_grad()
                loss = tg.cross_entropy(net(x), y)
                loss.backward()
                return loss

            return optimizer.step(closure)

        return [net], step, batches(5)

    same_as_eager(make, at_least=3)


_ = trained


def test_nans_are_one_and_zeros_are_two_where_numbers_are_compared() -> None:
    numbers = np.array([np.nan, 0.0, 1.0], np.float32)
    assert same_numbers(numbers, np.array([-np.nan, 0.0, 1.0], np.float32))
    for other in ([np.nan, -0.0, 1.0], [np.nan, 0.0, np.nan], [0.0, 0.0, 1.0]):
        assert not same_numbers(numbers, np.array(other, np.float32))
