"""Bundled updates follow what comes between two calls: states, options, arrays and gradients that change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .helpers import more
from .replay_bundles import CALLS, KINDS, Formulas, failures_of_replays, net_of
from .replay_steps import batches, plain_mse, same_as_eager, small_net


@pytest.fixture(autouse=True)
def failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """None, in all tests."""
    yield from failures_of_replays(monkeypatch)


@pytest.fixture
def formulas(monkeypatch: pytest.MonkeyPatch) -> Formulas:
    """To watch the calls of a step with."""
    return Formulas(monkeypatch)


def doubled_state(net: Any, optimizer: Any) -> None:
    """The state of a longer training, loaded."""
    loaded = copy.deepcopy(optimizer.state_dict())
    for state in loaded["state"].values():
        state["step"] += 10
    optimizer.load_state_dict(loaded)


def uneven_steps(net: Any, optimizer: Any) -> None:
    """Parameters whose counts of steps differ."""
    loaded = copy.deepcopy(optimizer.state_dict())
    loaded["state"][1]["step"] += 10
    optimizer.load_state_dict(loaded)


def replaced_state(net: Any, optimizer: Any) -> None:
    """An array of a state by another one."""
    state = optimizer.state[net[0].weight]
    state["exp_avg"] = state["exp_avg"] * 2


def written_state(net: Any, optimizer: Any) -> None:
    """An array of a state in place, through what a user may have kept."""
    optimizer.state[net[0].weight]["exp_avg"][...] *= 2


def wide_state(net: Any, optimizer: Any) -> None:
    """Arrays of another dtype."""
    state = optimizer.state[net[0].weight]
    state["exp_avg"] = state["exp_avg"].astype(np.float64)


def other_state(net: Any, optimizer: Any) -> None:
    """What an optimiser knows nothing of."""
    optimizer.state[net[0].weight]["note"] = ["a list"]


def no_state(net: Any, optimizer: Any) -> None:
    del optimizer.state[net[0].weight]


def cleared_state(net: Any, optimizer: Any) -> None:
    optimizer.state.clear()


def options(**changed: Any) -> Callable[[Any, Any], None]:
    return lambda net, optimizer: optimizer.param_groups[0].update(changed)


def other_group(net: Any, optimizer: Any) -> None:
    optimizer.param_groups[0] = {**optimizer.param_groups[0], "lr": 0.3}


def other_array(net: Any, optimizer: Any) -> None:
    net[0].weight.data = net[0].weight.data * 2


def written_array(net: Any, optimizer: Any) -> None:
    net[0].weight.data[...] *= 2


def columns_first(net: Any, optimizer: Any) -> None:
    net[4].weight.data = np.asfortranarray(net[4].weight.data)


def loaded_net(net: Any, optimizer: Any) -> None:
    net.load_state_dict({name: value * 2 for name, value in net.state_dict().items()})


def eager_call(net: Any, optimizer: Any) -> None:
    for parameter in net.parameters():
        parameter.grad = np.ones(parameter.shape, np.float32)
    optimizer.step()


def replaced_parameter(net: Any, optimizer: Any) -> None:
    net[0].weight = nn.Parameter(tg.ones(3, 1, 3, 3))
    optimizer.add_param_group({"params": net[0].weight, "lr": 0.5})


CHANGES = {
    change.__name__.replace("_", " "): change
    for change in (
        *(doubled_state, uneven_steps, replaced_state, written_state, wide_state, other_state, no_state),
        *(cleared_state, other_group, other_array, written_array, columns_first, loaded_net, eager_call),
        replaced_parameter,
    )
} | {
    "a rate": options(lr=0.3),
    "a rate of NumPy's": options(lr=np.float64(0.3)),
    "betas": options(betas=(0.5, 0.7)),
    "betas of NumPy's": options(betas=(np.float64(0.5), np.float32(0.7))),
    "decay": options(weight_decay=0.1),
    "upwards": options(maximize=True),
    "amsgrad": options(amsgrad=True),
    "no amsgrad": options(amsgrad=False),
    "eps": options(eps=1e-2),
}


@pytest.mark.parametrize("kind", ["adam", *more("amsgrad", "adamw upwards")])
@pytest.mark.parametrize("change", CHANGES)
def test_what_comes_between_two_calls_is_followed(change: str, kind: str) -> None:
    def make() -> Any:
        net = net_of()
        optimizer = KINDS[kind](net.parameters())

        def change_it() -> None:
            CHANGES[change](net, optimizer)

        calls = [(x,) for x in CALLS]
        return (
            [net, optimizer],
            plain_mse(net, optimizer),
            [*calls[:4], change_it, *calls[4:8], change_it, *calls[8:]],
        )

    same_as_eager(make, at_least=3)


def test_momentum_that_is_switched_on_and_off() -> None:
    def make() -> Any:
        net = net_of()
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        calls = [(x,) for x in CALLS]

        def momentum(value: float) -> Callable[[], None]:
            return lambda: optimizer.param_groups[0].update(momentum=value)

        calls = [*calls[:4], momentum(0.0), *calls[4:7], momentum(0.5), *calls[7:]]
        return [net, optimizer], plain_mse(net, optimizer), calls

    same_as_eager(make, at_least=9)


def test_gradients_that_are_missing_or_set_by_hand() -> None:
    def make() -> Any:
        net = net_of()
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        rng = np.random.default_rng(0)
        first, last = net[0].weight, net[4].bias

        def give(dtype: Any = np.float32) -> None:
            for parameter in net.parameters():
                parameter.grad = rng.standard_normal(parameter.shape).astype(dtype)

        def take(*parameters: Any) -> Callable[[], None]:
            def taken() -> None:
                for parameter in parameters:
                    parameter.grad = None

            return taken

        def as_tensor() -> None:
            first.grad = tg.tensor(first.grad * 2)

        def step() -> None:
            optimizer.step()

        def wide() -> None:
            give(np.float64)

        between = [take(first), give, take(*net.parameters()), give, as_tensor, give, wide, give, take(last)]
        calls = [give, (), (), (), *[each for change in between for each in (change, (), ())]]
        return [net, optimizer], step, calls

    same_as_eager(make, at_least=15)


def test_a_parameter_that_gets_gradients_later_goes_by_its_own_count(formulas: Formulas) -> None:
    def make() -> Any:
        net = net_of()
        late = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        optimizer = optim.Adam([*net.parameters(), *late.parameters()], lr=0.01)

        def give() -> None:
            for parameter in late.parameters():
                parameter.grad = np.ones(parameter.shape, np.float32)

        def take() -> None:
            late[0].weight.grad = None

        def step(x: Any) -> Any:
            y = net(x)
            loss = tg.mse_loss(y, tg.zeros_like(y))
            loss.backward()
            optimizer.step()
            return loss

        calls = [(x,) for x in CALLS]
        return (
            [net, late, optimizer],
            step,
            formulas.watched([*calls[:5], give, *calls[5:8], take, *calls[8:]]),
        )

    same_as_eager(make, at_least=9)
    one_by_one, together = [92, 9, 3, 9, 3], [92, 24]  # the late ones have no state in their first step
    given_up = [92]  # found out at the second bundle
    assert formulas.sizes == [92] * 3 + one_by_one + together * 2 + given_up + [92, 15] * 3


def test_gradient_accumulation_clipping_and_schedules() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.AdamW(net.parameters(), lr=0.05)
        schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=30)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            for part in range(2):
                loss = tg.cross_entropy(net(x[2 * part : 2 * part + 2]), y[2 * part : 2 * part + 2])
                (loss / 2).backward()
            norm = nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            optimizer.step()
            schedule.step()
            return loss, norm

        return [net, optimizer], step, batches(8)

    same_as_eager(make, at_least=6)
