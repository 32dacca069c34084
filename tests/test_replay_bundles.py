"""Replays update many small parameters by one call of their optimiser's formula: to the bit as eager does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.replay import updates

from .replay_bundles import CALLS, KINDS, Formulas, failures_of_replays, net_of
from .replay_steps import images, numbers, plain_mse, same_as_eager


@pytest.fixture(autouse=True)
def failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """None, in nearly all tests."""
    yield from failures_of_replays(monkeypatch)


@pytest.fixture
def formulas(monkeypatch: pytest.MonkeyPatch) -> Formulas:
    """To watch the calls of a step with."""
    return Formulas(monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_is_called_once_for_all_parameters(kind: str, formulas: Formulas) -> None:
    def make() -> Any:
        net = net_of()
        optimizer = KINDS[kind](net.parameters())
        calls = [(x,) for x in CALLS]
        return [net, optimizer], plain_mse(net, optimizer), formulas.watched(calls)

    same_as_eager(make, at_least=9)
    assert formulas.sizes == [27 + 3 + 24 + 36 + 2] * 9


def test_dtypes_and_groups_are_bundled_apart(formulas: Formulas) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        sizes = {np.float16: (3, 4), np.float32: (5, 6), np.float64: (7, 8)}
        params = [nn.Parameter(tg.randn(n).to(dtype)) for dtype, pair in sizes.items() for n in pair]
        others = [nn.Parameter(tg.randn(n)) for n in (9, 10, 11)]
        optimizer = optim.Adam([{"params": params}, {"params": others, "lr": 0.1}], lr=0.01)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            sums = [(p * p * p).sum().float() * x for p in (*params, *others)]
            loss = sum(sums[1:], sums[0])
            loss.backward()
            optimizer.step()
            return loss

        calls = [(tg.tensor(float(n)),) for n in range(1, 9)]
        return [*params, *others, optimizer], step, formulas.watched(calls)

    same_as_eager(make, at_least=6)
    assert formulas.sizes == [7, 11, 15, 30] * 6


def test_large_parameters_and_those_of_no_dimensions_are_updated_alone(formulas: Formulas) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        shapes = [(), (updates.SMALL + 1,), (4, 2), (updates.SMALL,), (3,), *[(updates.SMALL,)] * 4]
        params = [nn.Parameter(tg.randn(*shape)) for shape in shapes]
        optimizer = optim.Adam(params, lr=0.01)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            sums = [(p * p).sum() * x for p in params]
            loss = sum(sums[1:], sums[0])
            loss.backward()
            optimizer.step()
            return loss

        calls = [(tg.tensor(float(n)),) for n in range(1, 6)]
        return [*params, optimizer], step, formulas.watched(calls)

    same_as_eager(make, at_least=3)
    small = updates.SMALL
    assert formulas.sizes == [8 + small + 3 + 2 * small, 2 * small, 1, small + 1] * 3


# What comes between two calls
def test_two_steps_of_one_optimizer_and_two_settings_take_turns() -> None:
    def make() -> Any:
        net = net_of()
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        mixed = [x if place % 3 else x[:1] for place, x in enumerate(CALLS * 2)]

        def step(x: Any) -> Any:
            for _ in range(2):
                optimizer.zero_grad()
                y = net(x)
                loss = tg.mse_loss(y, tg.zeros_like(y))
                loss.backward()
                optimizer.step()
            return loss

        return [net, optimizer], step, [(tg.tensor(x.data),) for x in mixed]

    same_as_eager(make, at_least=15)


def test_parameters_that_share_memory() -> None:
    def make() -> Any:
        whole = np.random.default_rng(0).standard_normal(8).astype(np.float32)
        a, b = nn.Parameter(tg.Tensor(whole[:5])), nn.Parameter(tg.Tensor(whole[3:]))
        optimizer = optim.Adam([a, b], lr=0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = ((a - x) ** 2).sum() + (b * x).sum()
            loss.backward()
            optimizer.step()
            return loss

        def part() -> None:
            b.data = b.data.copy()

        def share() -> None:
            b.data = a.data[:]

        calls = [(x,) for x in images(10, (5,))]
        return [a, b, optimizer], step, [*calls[:4], part, *calls[4:7], share, *calls[7:]]

    same_as_eager(make, at_least=4)


def test_arrays_of_the_state_are_never_written_to_again() -> None:
    net = net_of()
    optimizer = optim.Adam(net.parameters(), lr=0.01, amsgrad=True)
    step, kept = tg.replay(plain_mse(net, optimizer)), []
    for x in CALLS:
        step(x)
        arrays = [
            *(value for state in optimizer.state.values() for value in state.values()),
            *(parameter.grad for parameter in net.parameters()),
        ]
        kept += [(array, numbers(array)) for array in arrays if isinstance(array, np.ndarray)]
    assert step.replays == 9
    assert all(numbers(array) == before for array, before in kept)


def test_check_compares_bundled_updates_with_eager() -> None:
    net = net_of()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    step = tg.replay(plain_mse(net, optimizer), check=True)
    for x in CALLS[:5]:
        step(x)
    assert step.replays == 3
    assert step.program.profile(CALLS[0], repeats=2).seconds
    assert {state["step"] for state in optimizer.state.values()} == {5}


def test_what_interrupts_a_formula_leaves_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    net = net_of()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    step = tg.replay(plain_mse(net, optimizer))
    for x in CALLS[:5]:
        step(x)
    before = numbers([net.state_dict(), optimizer.state_dict()])
    with monkeypatch.context() as patch:

        def interrupted(array: Any) -> Any:
            raise KeyboardInterrupt

        patch.setattr(np, "sqrt", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(CALLS[5])
    assert numbers([net.state_dict(), optimizer.state_dict()]) == before
    step(CALLS[5])
    assert numbers([net.state_dict(), optimizer.state_dict()]) != before


@pytest.mark.parametrize("part", ["state", "weight", "gradient"])
def test_errors_are_those_of_eager(part: str, failures: list[Exception]) -> None:
    net = net_of()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    step = tg.replay(optimizer.step)
    for parameter in net.parameters():
        parameter.grad = np.ones(parameter.shape, np.float32)
    for _ in range(5):
        step()
    assert step.replays == 3
    if part == "state":
        optimizer.state[net[0].weight]["exp_avg"] = np.zeros((9, 3), np.float32)
        expected = "exp_avg is float32.9,3., but its parameter is"
    elif part == "weight":
        net[4].bias.data.flags.writeable = False
        expected = "Adam: .* is read-only"
    else:
        net[4].bias._grad = np.ones(1, np.float32)  # past what `.grad =` refuses; it would broadcast
        expected = "the gradient of .* is float32.1., but it is float32.2."
    before = numbers([net.state_dict(), optimizer.state_dict()])
    with pytest.raises(ValueError, match=expected):
        step()
    assert numbers([net.state_dict(), optimizer.state_dict()]) == before
    assert len(failures) == 1
    failures.clear()


@pytest.mark.parametrize("overridden", ["updated", "updated_wide", "compute", "update", "instance"])
def test_formulas_of_ones_own_are_called_for_each_parameter(overridden: str) -> None:
    """They may look at a parameter as a whole: here at its largest number."""

    class Own(optim.Adam):
        pass

    def updated(self: Any, data: Any, grad: Any, state: Any, group: Any) -> Any:
        return data - group["lr"] * grad / (1 + np.abs(data).max()), {"step": state.get("step", 0) + 1}

    def update(self: Any, data: Any, grad: Any, state: Any, group: Any) -> None:
        data -= group["lr"] * grad / (1 + np.abs(data).max())

    def compute(self: Any, param: Any, grad: Any, group: Any, changes: Any) -> None:
        changes.write_leaf(param, param._data / (1 + np.abs(param._data).max()))

    def make() -> Any:
        net = net_of(np.float16 if overridden == "updated_wide" else np.float32)
        optimizer = Own(net.parameters(), lr=0.01)
        if overridden == "instance":
            optimizer.updated = updated.__get__(optimizer)
        x = [(tg.tensor(x.data.astype(net[0].weight.dtype)),) for x in CALLS[:6]]
        return [net], plain_mse(net, optimizer), x

    if overridden != "instance":
        own = {"update": update, "compute": compute}.get(overridden, updated)
        setattr(Own, overridden, own)
    same_as_eager(make, at_least=4)


def random_optimizer(rng: np.random.Generator, params: list[Any]) -> Any:
    """One at random, with random options, its parameters in one group or two."""
    kind = (*KINDS,)[rng.integers(len(KINDS))]
    if rng.random() < 0.3:
        return KINDS[kind](params)
    split = int(rng.integers(1, len(params)))
    lr = float(10 ** rng.uniform(-3, -1))
    return KINDS[kind](
        [{"params": params[:split]}, {"params": params[split:], "lr": lr, "weight_decay": 0.01}]
    )


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(2, 40))]
)
def test_random_nets_over_many_steps(seed: int) -> None:
    def make() -> Any:
        rng = np.random.default_rng(seed)
        tg.manual_seed(seed)
        width, depth = int(rng.integers(1, 12)), int(rng.integers(1, 4))
        hidden = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.Tanh())]
        conv = nn.Conv2d(1, 2, 3, bias=bool(rng.random() < 0.5))
        net = nn.Sequential(conv, nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, width), *hidden)
        optimizer = random_optimizer(rng, [*net.parameters()])
        schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
        x = [(tg.tensor(x),) for x in rng.standard_normal((200, 2, 1, 6, 6)).astype(np.float32)]
        return (
            [net, optimizer],
            plain_mse(net, optimizer),
            [*x[:100], schedule.step, *x[100:150], schedule.step, *x[150:]],
        )

    same_as_eager(make, at_least=198)
