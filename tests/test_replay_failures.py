"""Replays that fail, are interrupted, looked at or checked; and steps that change on the way."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.engine.observe import Observer

from .replay_steps import batches, plain, same_as_eager, small_net


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


@pytest.mark.parametrize("options", [{}, {"check": True}, {"check_every": 2}], ids=str)
def test_shapes_that_depend_on_values(options: Any) -> None:
    def make() -> Any:
        rng = np.random.default_rng(0)

        def step(x: Any) -> Any:
            return x[x > 0].sum()

        calls = [(tg.tensor(rng.standard_normal(20)),) for _ in range(8)]
        return [], step, [calls[0], calls[0], *calls]

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        _, function, calls = make()
        step = tg.replay(function, **options)
        for call in calls:
            assert step(*call).data.tobytes() == function(*call).data.tobytes()
    assert any("other shapes" in str(warning.message) for warning in said)


def test_a_preparation_that_raises_what_eager_does_not(scratch_ops: None) -> None:
    @tg.primitive
    def same(x: Any) -> Any:
        return x * 1

    @same.replayed()
    def same_replayed(out: Any, shared: Any, x: Any) -> Any:
        def run(x: Any) -> Any:
            if x.max() > 2:
                raise OverflowError("too large")
            return x * 1

        return run

    step = tg.replay(lambda x: same(x))
    for _ in range(4):
        step(tg.ones(2))
    with pytest.warns(UserWarning, match="runs eagerly, for a replay raises OverflowError: too large"):
        assert step(tg.full((2,), 3.0)).tolist() == [3, 3]
    assert step(tg.full((2,), 4.0)).tolist() == [4, 4] and step.replays == 3


def test_a_replayed_step_within_another_says_nothing() -> None:
    doubled = tg.replay(lambda x: x * 2)
    same_as_eager(lambda: ([], lambda x, y: doubled(x) + 1, batches(6)), at_least=4)


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
    @tg.primitive
    def fragile(x: Any) -> Any:
        return x * 2

    @fragile.grad("x")
    def fragile_dx(dy: Any) -> Any:
        if np.isnan(dy).any():
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
    x, y = batches(1)[0]
    with pytest.raises(Interrupt):
        step(tg.tensor(x.data * np.nan), y)
    assert step.replays == 3
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


def test_check_raises_where_they_part() -> None:
    net, factors = small_net(), [1.0] * 1001

    def train(x: Any, y: Any) -> Any:
        return (net(x) * factors[7]).sum().detach()  # a list with more than 1000 is what no guard looks into

    step = tg.replay(train, check_every=2)
    x, y = batches(1)[0]
    for _ in range(4):
        step(x, y)
    factors[7] = 2.0
    step(x, y)
    with pytest.raises(tg.errors.ReplayError, match=r"mul .*test_replay_failures.py:\d+"):
        step(x, y)


def test_programs_are_bounded() -> None:
    step = tg.replay(lambda x: x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for size in range(1, 40):
            for _ in range(3):
                step(tg.ones(size))
    assert len(step.programs) <= 16


def test_the_least_recently_used_program_goes() -> None:
    setting = {"factor": 0.0}
    step = tg.replay(lambda x: x * setting["factor"])
    x = tg.ones(3)
    for factor in [0, 0, *range(1, 21)]:
        for setting["factor"] in (float(factor), 0.0):
            assert step(x).data.tolist() == [setting["factor"]] * 3
    assert step.recordings == 2 + 20 and step.replays == 2 + 20


def test_calls_that_raise_are_no_recordings() -> None:
    step = tg.replay(lambda x: x @ tg.ones(3))
    for _ in range(70):
        with pytest.raises(tg.errors.ShapeError):
            step(tg.ones(2))
    step(tg.ones(3)), step(tg.ones(3)), step(tg.ones(3))
    assert step.recordings == 2 and step.replays == 1


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


def test_seeds_in_the_step() -> None:
    def make() -> Any:
        def step(x: Any, y: Any) -> Any:
            tg.manual_seed(3)
            return (x * tg.rand(1)).sum()

        return [], step, batches(5)

    same_as_eager(make, refused="seeds")
