"""What cannot be replayed runs eagerly, with the right numbers, and says so once with the line."""

from __future__ import annotations

import random
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.engine.observe import Observer

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


def by_setting_data(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    net[4].bias.data = np.zeros(3, np.float32)


def by_unique(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    return loss * (1.0 if 0.123 in x else 0.5)


def by_copy(net: Any, loss: Any, logits: Any, x: Any) -> Any:
    import copy

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
    by_retain_grad: "retain_grad",
    by_python_random: "random numbers",
    by_grad: "Python reads",
    by_train: "train and eval",
    by_kernels: "kernels",
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


def test_a_counter_makes_a_constant_that_differs() -> None:
    def make() -> Any:
        net = small_net()
        calls = 0

        def step(x: Any, y: Any) -> Any:
            nonlocal calls
            calls += 1
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y) * calls
            loss.backward()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, refused="another one in each call")


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

    same_as_eager(make, refused="gets other values")


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

    same_as_eager(make, refused="NumPy computes")


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

    with pytest.raises(AssertionError, match="another one in each call"):
        same_as_eager(make)  # the numbers are right; for others than the first ones it says that it is eager


def test_arguments_that_the_step_changes() -> None:
    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            x.requires_grad_()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            return loss

        calls = batches(5)
        return [net, *(x for x, _ in calls)], step, calls

    same_as_eager(make, refused="changes what an argument is")


def test_arguments_that_are_written_to() -> None:
    def make() -> Any:
        def step(x: Any, y: Any) -> Any:
            with tg.no_grad():
                x *= 2
                x[0] = 0
            return x.sum()

        calls = batches(5)
        return [x for x, _ in calls], step, calls

    same_as_eager(make, at_least=3)


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


def test_hooks_of_modules_and_parameters_between_calls() -> None:
    def make() -> Any:
        net = small_net()
        handles: list[Any] = []

        def hook_the_module() -> None:
            handles.append(net[0].register_forward_hook(lambda module, inputs, y: y * 0.5))

        def hook_the_weight() -> None:
            handles.append(net[0].weight.register_hook(lambda g: g * 2))

        def unhook() -> None:
            handles.pop().remove()

        a, b, c, d, e, f, g, h = batches(8)
        return (
            [net],
            plain(net, optim.SGD(net.parameters(), lr=0.1)),
            [*(a, b, c, hook_the_module, d, e, unhook, f, hook_the_weight, g, unhook, h)],
        )

    with pytest.raises(AssertionError, match="runs eagerly"):
        same_as_eager(make)  # it says so


def test_hooks_that_come_and_go() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    net[0].weight.register_hook(lambda g: None).remove()
    for batch in batches(4):
        step(*batch)
    assert step.replays == 2
    seen: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with net[0].weight.register_hook(seen.append):
            step(*batches(1)[0])
    assert len(seen) == 1
    step(*batches(1)[0])
    assert step.replays == 3


def test_shapes_that_depend_on_values() -> None:
    def make() -> Any:
        rng = np.random.default_rng(0)

        def step(x: Any) -> Any:
            return x[x > 0].sum()

        calls = [(tg.tensor(rng.standard_normal(20)),) for _ in range(8)]
        return [], step, [calls[0], calls[0], *calls]

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        _, function, calls = make()
        step = tg.replay(function)
        for call in calls:
            assert step(*call).data.tobytes() == function(*call).data.tobytes()
    assert any("other shapes" in str(warning.message) for warning in said)


def test_an_error_in_a_replay_is_the_eager_one_and_changes_nothing() -> None:
    net = small_net()
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    body = nn.Sequential(net, nn.Dropout(0.2))
    step = tg.replay(plain(body, optimizer))
    for batch in batches(4):
        step(*batch)
    assert step.replays == 2
    before = {name: tensor.data.copy() for name, tensor in net.state_dict().items()}
    x, y = batches(1)[0]
    tg.manual_seed(5)
    with tg.replay.off(), pytest.raises(Exception) as eager:
        step(x, tg.tensor([0, 1, 2, 99]))
    after_eager = tg.rand(1).item()
    tg.manual_seed(5)
    with pytest.raises(type(eager.value)) as replayed:
        step(x, tg.tensor([0, 1, 2, 99]))
    assert str(replayed.value) == str(eager.value)
    assert tg.rand(1).item() == after_eager
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.data, before[name])
    assert step(x, y).data.shape == ()


class Interrupt(BaseException):
    pass


def test_an_interrupt_undoes_the_step(scratch_ops: None) -> None:
    armed: list[int] = []

    @tg.primitive
    def fragile(x: Any) -> Any:
        return x * 2

    @fragile.grad("x")
    def fragile_dx(dy: Any) -> Any:
        if armed:
            raise Interrupt
        return dy * 2

    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.BatchNorm1d(3))
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    def train(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.cross_entropy(fragile(net(x)), y)
        loss.backward()
        optimizer.step()
        return loss

    step = tg.replay(train)
    for batch in batches(4):
        step(*batch)
    assert step.replays == 2
    before = {name: tensor.data.copy() for name, tensor in net.state_dict().items()}
    grads = [parameter.grad for parameter in net.parameters()]
    armed.append(1)
    with pytest.raises(Interrupt):
        step(*batches(1)[0])
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.data, before[name])
    assert all(parameter.grad is grad for parameter, grad in zip(net.parameters(), grads))


def test_observers_see_the_eager_step() -> None:
    class Count(Observer):
        ops = 0

        def after_op(self, call: Any) -> None:
            self.ops += 1

    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    for batch in batches(3):
        step(*batch)
    with pytest.warns(UserWarning, match="Count looks on"), Count() as count:
        step(*batches(1)[0])
    assert count.ops == 6 and step.replays == 1
    step(*batches(1)[0])
    assert step.replays == 2


def test_anomalies_are_looked_for_eagerly() -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    for batch in batches(3):
        step(*batch)
    x, y = batches(1)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tg.detect_anomaly(), pytest.raises(tg.errors.AnomalyError):
            step(x * float("nan"), y)


def test_threads_run_steps_of_their_own() -> None:
    results: dict[int, Any] = {}

    def work(seed: int) -> None:
        net = small_net()
        step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
        results[seed] = [step(*batch).item() for batch in batches(6, seed=seed)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        net = small_net()
        step = plain(net, optim.SGD(net.parameters(), lr=0.1))
        assert results[seed] == [step(*batch).item() for batch in batches(6, seed=seed)]


class Hidden:
    """What no guard looks into."""

    __slots__ = ("factor",)


def test_check_raises_where_they_part() -> None:
    net, hidden = small_net(), Hidden()

    def train(x: Any, y: Any) -> Any:
        return (net(x) * hidden.factor).sum().detach()

    step = tg.replay(train, check_every=2)
    x, y = batches(1)[0]
    hidden.factor = 1.0
    for _ in range(4):
        step(x, y)
    hidden.factor = 2.0
    step(x, y)
    with pytest.raises(tg.errors.ReplayError, match=r"mul .*test_replay_refusals.py:\d+"):
        step(x, y)


def test_what_is_no_step() -> None:
    with pytest.raises(TypeError, match="replay: a step is a function"):
        tg.replay(3)

    def generator(x: Any) -> Any:
        yield x

    with pytest.raises(TypeError, match="a step is a function"):
        tg.replay(generator)


def test_programs_are_bounded() -> None:
    step = tg.replay(lambda x: x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for size in range(1, 40):
            for _ in range(3):
                step(tg.ones(size))
    assert len(step.programs) <= 16


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


def make_returning(result: Any) -> Any:
    """A maker of an evaluation that returns something of the logits and the labels."""

    def make() -> Any:
        net = small_net()
        return [net], lambda x, y: result(net(x).detach(), y), [(x, y % 2) for x, y in batches(6)]

    return make


def checked(value: Any) -> Any:
    if value > 100:
        raise ValueError
    return value


@pytest.mark.parametrize(
    "result",
    [
        lambda logits, y: int(logits.mean().item()),  # another object than what was read
        lambda logits, y: checked(logits.mean().item()),
        lambda logits, y: logits.mean().item() * 2,
        lambda logits, y: "many" if logits.mean() > 0 else "few",
        lambda logits, y: (int(y.amax()), int(y.amax() + 0 * y.sum())),  # the same number: which is which?
        lambda logits, y: str(logits.mean()),
        lambda logits, y: [float(number) for number in logits[0]],
    ],
    ids=range(7),
)
def test_numbers_that_are_more_than_read(result: Any) -> None:
    same_as_eager(make_returning(result), refused="Python reads")


def test_seeds_in_the_step() -> None:
    def make() -> Any:
        def step(x: Any, y: Any) -> Any:
            tg.manual_seed(3)
            return (x * tg.rand(1)).sum()

        return [], step, batches(5)

    same_as_eager(make, refused="seeds")


def test_dicts_outside() -> None:
    def make() -> Any:
        net, seen = small_net(), {"loss": None}

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y).detach()
            seen["loss"] = loss
            return loss * 2

        return [net], step, batches(5)

    same_as_eager(make, refused="it sets loss")


def test_a_global_counter_of_the_loop_is_no_setting() -> None:
    variables: dict[str, Any] = {"tg": tg, "net": small_net()}
    variables["optimizer"] = optim.SGD(variables["net"].parameters(), lr=0.1)
    exec(
        "def train(x, y):\n    optimizer.zero_grad()\n    loss = tg.cross_entropy(net(x), y)\n"
        "    loss.backward()\n    optimizer.step()\n    return loss\n",
        variables,
    )
    replayed = tg.replay(variables["train"])
    for number, batch in enumerate(batches(6)):
        variables["step"] = number  # `optimizer.step()` is something else
        replayed(*batch)
    assert replayed.replays == 4


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


def test_lazy_layers() -> None:
    def make() -> Any:
        tg.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3))

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            with tg.no_grad():
                for parameter in net.parameters():
                    parameter.add_(parameter.detach() * -0.01)
            return loss

        return [net], step, batches(7)

    same_as_eager(make, at_least=3)


def test_groups_that_are_added_and_schedules_by_hand() -> None:
    def make() -> Any:
        net, extra = small_net(), nn.Parameter(tg.ones(3))
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x) * extra, y)
            loss.backward()
            optimizer.step()
            return loss

        def add() -> None:
            optimizer.add_param_group({"params": [extra], "lr": 0.5})

        def lower() -> None:
            optimizer.param_groups[0]["lr"] *= 0.5

        a, b, c, d, e, f, g, h = batches(8)
        return [net, optimizer, extra], step, [a, b, c, lower, d, add, e, f, g, lower, h]

    same_as_eager(make, at_least=4)
