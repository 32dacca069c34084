"""What cannot be replayed runs eagerly, with the right numbers, and says so once with the line."""

from __future__ import annotations

import copy
import logging
import pprint
import random
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, plain, same_as_eager, small_net


def make_with(body: Any, **extra: Any) -> Any:
    """A maker of a step that does something unusual with the net, the loss and the logits."""

    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            logits = net(x)
            loss = tg.cross_entropy(logits, y)
            extra = body(net, loss, logits, x)
            loss = loss if extra is None else loss + extra
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, batches(6)

    return make


def by_item(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * 0.5 if loss.item() > 1.0 else None


def by_comparison(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * 0.5 if loss > 1.0 else None


def by_float(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return float(loss) * 0.1


def by_data(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return logits.mean() * x.data.mean()


def by_numpy(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return x.numpy().max() * loss


def by_tolist(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return max(x.flatten().tolist()) * loss


def by_weight(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * (1 if net[4].weight.data[0, 0] > 0 else 2)


def by_format(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * len(f"{loss:.3f}")


def by_print(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    print("step")


def by_print_of_a_tensor(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    print(loss)


def by_hook(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    logits.register_hook(lambda g: g * 0.5)


def by_logging(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    logging.getLogger("a step").info("step")


def by_retain_grad(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    logits.retain_grad()


def by_python_random(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    random.seed(0)
    return loss * random.random()


def by_grad(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    grad = net[0].weight.grad
    return loss * (1 if grad is None else 2)


def by_train(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    net.eval()
    net.train()


def by_kernels(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    with tg.use_kernels("reference"):
        return tg.conv2d(x, net[0].weight).sum() * 0.01


def by_the_default_dtype(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    tg.set_default_dtype(tg.float64)
    noise = tg.rand(3)
    tg.set_default_dtype(tg.float32)
    return loss * noise.sum()


def by_setting_data(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    net[4].bias.data = np.zeros(3, np.float32)


def by_unique(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * (1.0 if 0.123 in x else 0.5)


def by_copy(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * float(copy.deepcopy(x.detach()).numpy()[0, 0, 0, 0] > 0)


REFUSED = {
    by_item: "Python reads",
    by_comparison: "Python reads",
    by_float: "Python reads",
    by_data: "Python reads",
    by_numpy: "Python reads",
    by_tolist: "Python reads",
    by_weight: "Python reads",
    by_format: "Python reads",
    by_print: "print",
    by_print_of_a_tensor: "",
    by_hook: "hooks",
    by_logging: "it logs",
    by_retain_grad: "retain_grad",
    by_python_random: "random numbers",
    by_grad: "Python reads",
    by_train: "train and eval",
    by_kernels: "kernels",
    by_the_default_dtype: "it switches the default dtype on the way",
    by_setting_data: "sets .data",
    by_unique: "Python reads",
    by_copy: "Python reads",
}


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: body.__name__)
def test_refused(body: Any, capsys: Any) -> None:
    same_as_eager(make_with(body), refused=REFUSED[body] or "tg.replay")


def test_the_warning_names_the_line() -> None:
    net = small_net()
    step = tg.replay(lambda x: net(x).sum() * float(x.sum()))
    with pytest.warns(UserWarning, match=r"runs eagerly, for Python reads .*test_replay_refusals.py:\d+\)"):
        step(tg.ones(1, 1, 8, 8))


@pytest.mark.parametrize("reading", [copy.deepcopy, pprint.pformat], ids=lambda reading: reading.__name__)
def test_the_warning_names_the_users_line_where_the_standard_library_reads(reading: Any) -> None:
    step = tg.replay(lambda x: (reading((x * 2).detach()), x * 3)[1])
    with pytest.warns(UserWarning, match=r"runs eagerly, .*test_replay_refusals.py:\d+\)"):
        step(tg.ones(2))


def test_random_numbers_of_numpy() -> None:
    def make() -> Any:
        net, rng = small_net(), np.random.default_rng(0)

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y) * rng.random()
            loss.backward()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, refused="tg.replay")  # found out by the call, or by what differs


def test_data_of_numpy_in_the_step() -> None:
    def make() -> Any:
        net, rng = small_net(), np.random.default_rng(0)
        images = rng.standard_normal((6, 4, 1, 8, 8), np.float32)
        count = iter(range(6))

        def step(y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(tg.tensor(images[next(count)])), y)
            loss.backward()
            return loss

        return [net], step, [(y,) for _, y in batches(6)]

    same_as_eager(make, refused="it takes from an iterator, count")


def test_arrays_as_arguments() -> None:
    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(tg.tensor(x)), tg.tensor(y))
            loss.backward()
            return loss

        return [net], step, [(x.data, y.data) for x, y in batches(6)]

    same_as_eager(make, at_least=4)


def test_numpy_on_arrays_that_the_step_is_called_with() -> None:
    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(tg.Tensor(x * 0.5)), y)
            loss.backward()
            return loss

        x, y = batches(1)[0]
        others = [(other.data, y) for other, _ in batches(5, seed=1)]
        return [net], step, [(x.data, y)] * 2 + others  # the same array twice: only then is it hard to notice

    same_as_eager(make, refused="computes with an array")


def test_numbers_of_arrays_that_the_step_is_called_with() -> None:
    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(tg.tensor(x)), y) * float(x.std())
            loss.backward()
            return loss

        x, y = batches(1)[0]
        others = [(other.data, y) for other, _ in batches(4, seed=1)]
        return [net], step, [(x.data, y)] * 4 + others + [(x.data, y)]

    same_as_eager(make, refused="computes with an array")


def test_lists_outside() -> None:
    def make() -> Any:
        net, losses = small_net(), []

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            losses.append(loss.detach())
            return loss.detach()

        return [net], step, batches(6)

    same_as_eager(make, refused="append")


def test_a_state_that_python_carries_on() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            tg.manual_seed(0)
            self.cell = nn.Linear(64, 3)
            self.hidden = tg.zeros(4, 3)

        def forward(self, x: Any) -> Any:
            h = tg.tanh(self.cell(x.flatten(1)) + self.hidden)
            self.hidden = h.detach()
            return h

    def make() -> Any:
        net = Net()
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), batches(6)

    same_as_eager(make, refused="hidden")


def test_options_that_the_step_sets_itself() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            for group in optimizer.param_groups:
                group["lr"] = 0.1
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        def lower() -> None:
            optimizer.param_groups[0]["lr"] = 0.01

        a, b, c, d = batches(4)
        return [net, optimizer], step, [a, b, c, lower, d]

    same_as_eager(make, refused="option of the optimiser, 'lr'")


def test_dicts_outside() -> None:
    def make() -> Any:
        net, seen = small_net(), {"loss": None}

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y).detach()
            seen["loss"] = loss
            return loss * 2

        return [net], step, batches(5)

    same_as_eager(make, refused="it sets seen['loss']")


def test_functions_with_a_backward_of_their_own() -> None:
    class Square(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * dy * x

    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = Square.apply(net(x)).mean()
            loss.backward()
            return loss

        return [net], step, batches(5)

    same_as_eager(make, refused="other values")


def test_a_warning_of_the_packages_own_leaves_a_step_replayed() -> None:
    @tg.replay
    def step(x: Any) -> Any:
        return tg.log_softmax(x).sum()

    with pytest.warns(UserWarning, match="log_softmax: without dim"):
        sums = [step(tg.full((2, 3), float(number))).item() for number in range(4)]
    assert step.replays > 0
    np.testing.assert_allclose(sums, [6 * -np.log(3)] * 4, rtol=1e-6)


def test_what_the_standard_library_prints_for_a_step_is_told_at_the_steps_line() -> None:
    @tg.replay
    def step(x: Any) -> Any:
        pprint.pprint("said")
        return x.sum()

    with pytest.warns(UserWarning, match="runs eagerly, for it calls write") as told:
        for number in range(3):
            step(tg.full((2,), float(number)))
    assert step.replays == 0 and [each.filename for each in told] == [__file__]
