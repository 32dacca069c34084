"""A replayed step is what the eager step is, to the bit."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

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


def test_gradients_of_gradients() -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 1))
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            x = x.clone().requires_grad_()
            out = net(x * 1.5)
            (dx,) = tg.grad(out.sum(), x, create_graph=True)
            loss = (dx.flatten(1).norm(dim=1) - 1).pow(2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_a_gradient_of_an_argument() -> None:
    def make() -> Any:
        net = small_net()
        calls = [(x.requires_grad_(), y) for x, y in batches(6)]

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y)
            (dx,) = tg.grad(loss, x, retain_graph=True)
            loss.backward()
            return dx, loss

        return [net, *(x for x, _ in calls)], step, calls

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


def test_off() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    with tg.replay.off():
        for batch in batches(4):
            step(*batch)
    assert step.recordings == step.replays == 0 and step.program is None
    step(*batches(1)[0])
    assert step.recordings == 1


def test_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGRAD_CONV_REPLAY", "0")
    step = tg.replay(lambda x: x * 2)
    for _ in range(4):
        step(tg.ones(2))
    assert step.recordings == 0


def test_the_listing() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    for batch in batches(3):
        step(*batch)
    lines = str(step.program).splitlines()
    assert lines[0].startswith("clear_grads()")
    conv = next(line for line in lines if "conv2d(" in line)
    assert "conv2d(%0, 0.weight, 0.bias)" in conv and "float32[4,4,8,8]" in conv and "4,096 B" in conv
    assert "replay_steps.py:" in conv and conv.endswith("in sequential.0")
    relu = next(line for line in lines if "= relu_dx(" in line)
    assert "buffer " in relu and "fresh" in conv
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
