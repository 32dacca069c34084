"""Other settings of a step are recorded anew: shapes, modes, parameters, and what it names outside."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, plain, same_as_eager, small_net


def test_load_state_dict_and_other_numbers_between_calls() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        start = net.state_dict()
        saved = optimizer.state_dict()
        a, b, c, d, e, f, g, h, i, j = batches(10)

        def load() -> None:
            net.load_state_dict(start)
            optimizer.load_state_dict(saved)

        def write() -> None:
            net[0].weight.data[...] = 0.5

        def replace() -> None:
            net[0].weight.data = np.ones_like(net[0].weight.data)

        calls = [a, b, c, load, d, e, write, f, g, replace, h, i, j]
        return [net, optimizer], plain(net, optimizer), calls

    same_as_eager(make, at_least=7)


def test_parameters_and_layers_replaced_between_calls() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def replace_parameter() -> None:
            net[4].weight = nn.Parameter(tg.ones(3, 64) * 0.1)

        def replace_layer() -> None:
            net[1] = nn.Tanh()

        def freeze() -> None:
            net[0].weight.requires_grad = False

        a, b, c, d, e, f, g, h, i, j, k, l = batches(12)  # noqa: E741
        calls = [a, b, c, replace_parameter, d, e, f, replace_layer, g, h, i, freeze, j, k, l]
        return [net, optimizer], plain(net, optimizer), calls

    same_as_eager(make, at_least=4)


def test_a_parameter_frozen_between_forward_and_backward_stays() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(images: Any, labels: Any) -> Any:
            optimizer.zero_grad()
            net[0].weight.requires_grad = True
            loss = tg.cross_entropy(net(images), labels)
            net[0].weight.requires_grad = False
            loss.backward()
            optimizer.step()
            net[0].weight.requires_grad = True
            return loss

        return [net, optimizer], step, batches(6)

    same_as_eager(make, at_least=3)


def test_train_and_eval_are_programs_of_their_own() -> None:
    def make() -> Any:
        tg.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3))
        calls: list[Any] = []
        for number, batch in enumerate(batches(12)):
            calls += [batch, net.eval if number % 2 == 0 else net.train]
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), calls

    step = same_as_eager(make, at_least=8)
    assert len(step.programs) == 2


def test_other_shapes_and_a_last_smaller_batch() -> None:
    def make() -> Any:
        net = small_net()
        calls = [*batches(3), *batches(3, n=2), *batches(3), *batches(2, n=2)]
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), calls

    step = same_as_eager(make, at_least=6)
    assert len(step.programs) == 2


def test_memory_order_of_the_arguments() -> None:
    def make() -> Any:
        net = small_net()
        calls = []
        for number, (x, y) in enumerate(batches(9)):
            calls.append((x if number % 3 else tg.Tensor(np.asfortranarray(x.data)), y))
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), calls

    same_as_eager(make, at_least=4)


def test_arguments_in_tuples_and_dicts_and_plain_ones_by_value() -> None:
    def make() -> Any:
        net = small_net()

        def step(batch: Any, scale: float = 1.0, *, options: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(batch["x"]), batch["y"][0]) * scale * options[1]
            loss.backward()
            return loss

        def with_options(step: Any) -> Any:
            return lambda batch, scale: step(batch, scale, options=("a", 2))

        calls = [({"x": x, "y": (y,)}, scale) for scale in (1.0, 0.5, 1.0) for x, y in batches(3)]
        return [net], with_options(step), calls

    same_as_eager(make, at_least=3)


def test_methods_and_attributes() -> None:
    class Trainer:
        def __init__(self) -> None:
            self.net = small_net()
            self.optimizer = optim.SGD(self.net.parameters(), lr=0.1)
            self.weight = 1.0

        def step(self, x: Any, y: Any) -> Any:
            self.optimizer.zero_grad()
            loss = tg.cross_entropy(self.net(x), y) * self.weight
            loss.backward()
            self.optimizer.step()
            return loss

    def make() -> Any:
        trainer = Trainer()

        def heavier() -> None:
            trainer.weight = 2.0

        def another_net() -> None:
            trainer.net = small_net()

        a, b, c, d, e, f, g, h, i = batches(9)
        return [trainer.net], trainer.step, [a, b, c, heavier, d, e, f, another_net, g, h, i]

    step = same_as_eager(make, at_least=3)
    assert step.recordings == 6


def test_what_a_step_names_outside_is_followed() -> None:
    class Options:
        scale = 1.0

    class Net(nn.Module):
        slope = 0.1

        def __init__(self) -> None:
            super().__init__()
            self.body = small_net()

        def forward(self, x: Any) -> Any:
            return tg.leaky_relu(self.body(x), self.slope)

    options, by_key, shift = Options(), {"scale": 1.0}, 0.0

    def shifted(loss: Any) -> Any:
        return loss + shift

    def make() -> Any:
        nonlocal shift
        shift, by_key["scale"], Options.scale, Net.slope = 0.0, 1.0, 1.0, 0.1
        net, dropout = Net(), nn.Dropout(0.0)

        def step(net: Any, x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(dropout(net(x)), y) * options.scale * by_key["scale"]
            loss.backward()
            return shifted(loss).detach()

        def change(number: int) -> Any:
            def act() -> None:
                nonlocal shift
                if number == 0:
                    Options.scale = 2.0
                elif number == 1:
                    by_key["scale"] = 3.0
                elif number == 2:
                    shift = 4.0
                elif number == 3:
                    Net.slope = 0.5
                elif number == 4:
                    dropout.p = 0.5
                elif number == 5:
                    net.double()
                    net.float()
                    net.body[0].stride = (2, 2)
                    net.body[4] = nn.Linear(16, 3)

            return act

        calls: list[Any] = []
        for number in range(7):
            calls += [*batches(4, seed=number), change(number)]
        return [net], partial(step, net), calls

    step = same_as_eager(make, at_least=12)
    assert step.recordings >= 12


def test_kernels_and_dtypes_are_settings() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    for _ in range(2):
        for batch in batches(3):
            step(*batch)
        with tg.use_kernels("reference"):
            for batch in batches(3):
                step(*batch)
    assert len(step.programs) == 2 and step.recordings == 4
    net.double()
    for x, y in batches(3):
        step(x.double(), y)
    assert step.recordings == 6 and net[0].weight.grad.dtype == np.float64


def test_off() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    with tg.replay.off():
        for batch in batches(4):
            step(*batch)
    assert step.recordings == step.replays == 0 and step.program is None
    step(*batches(1)[0])
    assert step.recordings == 1


@pytest.mark.parametrize(
    ("value", "recordings"), [("0", 0), ("off", 0), ("False", 0), ("no", 0), ("1", 2), ("on", 2), ("", 2)]
)
def test_the_environment_variable(monkeypatch: pytest.MonkeyPatch, value: str, recordings: int) -> None:
    monkeypatch.setenv("TINYGRAD_CONV_REPLAY", value)
    step = tg.replay(lambda x: x * 2)
    for _ in range(4):
        step(tg.ones(2))
    assert step.recordings == recordings


def scaled_steps(count: int, share_of_call: Any) -> Any:
    """A maker of steps whose logits are multiplied by what the call brings: a number, or one in a tuple."""

    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any, share: Any) -> Any:
            factor = share[0] if isinstance(share, tuple) else share
            return plain(lambda x: net(x) * factor, optimizer)(x, y)

        return [net, optimizer], step, [(x, y, share_of_call(n)) for n, (x, y) in enumerate(batches(count))]

    return make


@pytest.mark.parametrize(
    "number",
    [
        float,
        pytest.param(int, marks=pytest.mark.exhaustive),
        pytest.param(np.float32, marks=pytest.mark.exhaustive),
        pytest.param(lambda share: (share, "mixed"), marks=pytest.mark.exhaustive),
    ],
)
def test_numbers_that_are_others_in_each_call(number: Any) -> None:
    same_as_eager(scaled_steps(12, lambda n: number(n + 1)), refused="pass what varies as a tensor")


@pytest.mark.exhaustive
def test_numbers_that_come_again_and_tensors_that_vary_are_replayed() -> None:
    same_as_eager(scaled_steps(30, lambda n: 1.0 + n % 7), at_least=14)
    same_as_eager(scaled_steps(30, lambda n: tg.tensor(1.0 + n)), at_least=26)


@pytest.mark.parametrize("kind", ["attribute", "entry", "variable"])
def test_what_a_step_named_is_gone(kind: str) -> None:
    settings, entries, scale = SimpleNamespace(scale=2.0), {"scale": 2.0}, 2.0

    def of_attribute(x: Any) -> Any:
        return x * settings.scale

    def of_entry(x: Any) -> Any:
        return x * entries["scale"]

    def of_variable(x: Any) -> Any:
        return x * scale

    step = tg.replay({"attribute": of_attribute, "entry": of_entry, "variable": of_variable}[kind])
    x = tg.ones(2)
    for _ in range(4):
        step(x)
    assert step.replays == 2
    if kind == "variable":
        del scale
    else:
        entries.clear()
        del settings.scale
    with pytest.raises((AttributeError, KeyError, NameError)):
        step(x)
