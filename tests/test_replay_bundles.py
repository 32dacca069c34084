"""Replays update many small parameters by one call of their optimiser's formula: to the bit as eager does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.optim.optimizer import Optimizer
from tinygrad_conv.replay import updates
from tinygrad_conv.replay.runner import Program

from .replay_steps import batches, images, numbers, plain_mse, same_as_eager, small_net

CALLS: list[Any] = images(11, (2, 1, 6, 6))


@pytest.fixture(autouse=True)
def failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """What made replays go on eagerly: nothing, in nearly all tests."""
    raised: list[Exception] = []
    run = Program.run

    def noted(program: Any, *inputs: Any) -> Any:
        try:
            return run(program, *inputs)
        except Exception as error:
            raised.append(error)
            raise

    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", noted)
        yield raised
    assert not raised


def net_of(dtype: Any = np.float32) -> Any:
    """Five parameters of several shapes, in a net for images [N, 1, 6, 6]."""
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Conv2d(3, 2, 2, bias=False), nn.Flatten(), nn.Linear(18, 2)
    )
    return net.to(dtype)


class Formulas:
    """Of how many numbers formulas are called. Recordings would take notice, so it begins after them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch, self.sizes = patch, list[int]()

    def watched(self, calls: list[Any]) -> list[Any]:
        """Calls of a step, all but the first two of them watched."""
        return [self.end, *calls[:2], self.begin, *calls[2:]]

    def end(self) -> None:
        self.patch.undo()

    def begin(self) -> None:
        self.sizes.clear()
        original = Optimizer.updated_in_dtype

        def noted(optimizer: Any, data: Any, *rest: Any) -> Any:
            self.sizes.append(data.size)
            return original(optimizer, data, *rest)

        self.patch.setattr(Optimizer, "updated_in_dtype", noted)


@pytest.fixture
def formulas(monkeypatch: pytest.MonkeyPatch) -> Formulas:
    """To watch the calls of a step with."""
    return Formulas(monkeypatch)


KINDS: dict[str, Callable[[Any], Any]] = {
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1, maximize=True),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, foreach=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1, betas=(0.8, 0.9)),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, fused=True),
    "adamw upwards": lambda p: optim.AdamW(p, lr=0.01, maximize=True, amsgrad=True, eps=1e-4),
    "nadam": lambda p: optim.NAdam(p, lr=0.01, weight_decay=0.1),
    "radam": lambda p: optim.RAdam(p, lr=0.01, betas=(0.9, 0.8)),
    "adamax": lambda p: optim.Adamax(p, lr=0.01, weight_decay=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adadelta": lambda p: optim.Adadelta(p, weight_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
    "rmsprop centred": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9, centered=True, maximize=True),
}


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


@pytest.mark.parametrize("kind", ["adam", "amsgrad", "adamw upwards"])
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
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(4, 40))]
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
