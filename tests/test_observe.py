"""The seam: an observer sees enough of a training step to run it again without the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.dtypes import promote
from tinygrad_conv.engine.backward import Gradients
from tinygrad_conv.engine.node import Node, Output
from tinygrad_conv.engine.observe import Call, Observer
from tinygrad_conv.engine.observed import OBSERVATION, unobserved


class StepTape(Observer):
    """Writes down one training step as a flat list of calls on plain arrays, by what it observes alone.

    `arrays` maps the id of each array that was seen to its value in the run: constants and parameters are
    themselves, everything else is filled in as the program runs.
    """

    def __init__(self) -> None:
        self.program: list[Callable[[], None]] = []
        self.arrays: dict[int, Any] = {}
        self.seen: list[Any] = []  # keeps ids from being reused
        self.dy: Any = None
        self.sums: dict[Any, Any] = {}  # by edge: the array that has arrived there
        self.grads: dict[tg.Tensor, Any] = {}

    def note(self, array: Any) -> int:
        """The id of an array, which stands for itself unless the program makes another."""
        self.seen.append(array)
        self.arrays.setdefault(id(array), array)
        return id(array)

    def after_op(self, call: Call) -> None:
        op, params, node = call.applied, dict(call.params), call.node
        inputs = [self.note(value.data if isinstance(value, tg.Tensor) else value) for value in call.given]
        outputs = [self.note(output.data) for output in call.outputs]
        kept = [self.note(node.saved[name]) for name in op.keeps if node is not None and name in node.saved]

        def run() -> None:
            values = [self.arrays[key] for key in inputs]
            y = op.forward(*(promote(values, [False] * len(values)) if op.broadcasting else values), **params)
            results = [y[0], *y[1:]] if op.keeps else [y]
            self.arrays.update(zip(outputs + kept, results))

        self.program.append(run)

    def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
        self.dy = self.note(dy)
        self.arrays[self.dy] = dy
        arrived = self.sums.get(Output(node, 0))
        if arrived is not None:

            def run(dy: int = self.dy, arrived: int = arrived) -> None:
                self.arrays[dy] = self.arrays[arrived]

            self.program.append(run)

    def after_rule(self, gradients: Gradients, edge: Any, dx: Any, before: Any, after: Any) -> None:
        node, rule = gradients.node, gradients.rule
        saved = {name: self.note(value) for name, value in node.saved.items()}
        target, dy, earlier = self.note(after), self.dy, None if before is None else self.note(before)

        def run() -> None:
            values, params = rule.arguments(
                {name: self.arrays[key] for name, key in saved.items()}, node_params
            )
            made = np.asarray(rule.function(self.arrays[dy], *values, **params))
            if made.shape != dx.shape:
                made = tg.ops.sum_to(made, shape=dx.shape)
            self.arrays[target] = made if earlier is None else self.arrays[earlier] + made

        node_params = dict(node.params)
        self.sums[edge] = target
        self.program.append(run)

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        self.grads = {leaf: self.note(gradient) for leaf, gradient in gradients.items()}

    def after_update(self, optimizer: Any, param: tg.Tensor, group: dict[str, Any]) -> None:
        key = self.grads[param]

        def run() -> None:
            optimizer.update(param.data, self.arrays[key], optimizer.state.setdefault(param, {}), group)

        self.program.append(run)


def make_net() -> tuple[Any, Any]:
    tg.manual_seed(0)
    net = tg.nn.Sequential(
        tg.nn.Conv2d(1, 4, 3, padding=1),
        tg.nn.ReLU(),
        tg.nn.MaxPool2d(2),
        tg.nn.Flatten(),
        tg.nn.Linear(64, 3),
    )
    return net, tg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


def train_step(net: Any, optimizer: Any, x: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
    optimizer.zero_grad()
    loss = tg.mse_loss(net(x), target)
    loss.backward()
    optimizer.step()
    return loss


def test_a_recorded_training_step_runs_again_and_is_equal_bit_for_bit():
    rng = np.random.default_rng(0)
    first, second = (
        (rng.standard_normal((5, 1, 8, 8), np.float32), rng.standard_normal((5, 3), np.float32)) for _ in "ab"
    )
    net, optimizer = make_net()
    x, target = tg.tensor(first[0]), tg.tensor(first[1])
    with StepTape() as tape:
        loss = train_step(net, optimizer, x, target)
    tape.arrays[id(x.data)], tape.arrays[id(target.data)] = second
    for run in tape.program:
        run()

    expected_net, expected_optimizer = make_net()
    train_step(expected_net, expected_optimizer, *map(tg.tensor, first))
    expected = train_step(expected_net, expected_optimizer, *map(tg.tensor, second))
    np.testing.assert_array_equal(tape.arrays[id(loss.data)], expected.data)
    for param, expected_param in zip(net.parameters(), expected_net.parameters()):
        np.testing.assert_array_equal(param.data, expected_param.data)
        np.testing.assert_array_equal(tape.arrays[tape.grads[param]], expected_param.grad)
    assert OBSERVATION.get() is None


def test_every_event_of_a_step_is_told_in_order():
    class Log(Observer):
        def __init__(self) -> None:
            self.events: list[str] = []

        def before_op(self, call: Call) -> None:
            self.events.append(f"before {call.op}")

        def after_op(self, call: Call) -> None:
            self.events.append(f"after {call.op}")

        def before_sweep(self, gradients: Gradients) -> None:
            self.events.append(f"sweep from {[node.op.name for node in gradients.waiting.values()]}")

        def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
            self.events.append(f"rules of {node.op.name}")

        def after_rule(self, gradients: Gradients, edge: Any, dx: Any, before: Any, after: Any) -> None:
            self.events.append(f"{gradients.rule.argument}: {before} + {dx} = {after}")

        def after_rules(self, gradients: Gradients, node: Node) -> None:
            self.events.append(f"passed {node.op.name}")

        def after_sweep(self, gradients: dict[Any, Any]) -> None:
            self.events.append(f"swept {list(gradients.values())}")

        def after_update(self, optimizer: Any, param: tg.Tensor, group: dict[str, Any]) -> None:
            self.events.append(f"updated {param.name} with lr {group['lr']}")

    w = tg.Tensor(3.0, requires_grad=True, name="w")
    optimizer = tg.optim.SGD([w], lr=0.5)
    with Log() as log:
        loss = w * w
        loss.backward()
        optimizer.step()
    assert log.events == [
        "before mul",
        "after mul",
        "sweep from ['mul']",
        "rules of mul",
        "a: None + 3.0 = 3.0",
        "b: 3.0 + 3.0 = 6.0",
        "passed mul",
        "swept [array(6., dtype=float32)]",
        "updated w with lr 0.5",
    ]


def test_nobody_observes_what_an_observer_does_itself():
    class Curious(Observer):
        def __init__(self) -> None:
            self.ops: list[str] = []

        def after_op(self, call: Call) -> None:
            self.ops.append(call.op)
            (call.outputs[0] * 2).sum()

    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    with Curious() as curious:
        y = tg.exp(x)
        with unobserved():
            y = y + 1
        y.sum().backward()
    assert curious.ops == ["exp", "sum"]


def test_an_observer_that_asks_is_told_of_functions_and_of_reads():
    class Log(Observer):
        takes_functions = watches_reads = True

        def __init__(self) -> None:
            self.events: list[str] = []

        def after_op(self, call: Call) -> None:
            self.events.append(call.op)

        def before_function(self, function: Any, inputs: Any, options: Any) -> None:
            self.events.append(f"before {function.__name__}")

        def after_function(self, function: Any, inputs: Any, options: Any, result: Any) -> None:
            self.events.append(f"after {function.__name__}")

        def after_read(self, tensor: tg.Tensor, name: str, value: Any) -> None:
            self.events.append(f"read {name}")

        def after_optimizer_step(self, optimizer: Any) -> None:
            self.events.append("step")

    w = tg.Tensor([3.0, 4.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)
    ordinary = {name: vars(tg.Tensor).get(name) for name in ("data", "grad", "item", "__repr__")}
    with Log() as log:
        optimizer.zero_grad()
        loss = (w * tg.rand(2)).sum()
        loss.backward()
        tg.nn.utils.clip_grad_norm_(iter([w]), 1.0)
        optimizer.step()
        loss.item(), w.shape, len(w)
        w.grad = None
    before_step, after_step = log.events[:-3], log.events[-3:]
    assert before_step[:2] == ["before clear_grads", "after clear_grads"]
    assert before_step[2:6] == ["before rand", "after rand", "mul", "sum"]
    assert before_step[6:8] == ["before clip_grad_norm_", "after clip_grad_norm_"]
    assert after_step == ["step", "read item", "read grad = …"]
    assert {name: vars(tg.Tensor).get(name) for name in ordinary} == ordinary
    assert log.events.count("read item") == 1 and w.grad is None


ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
PLACES = np.array([2, 0])
ON_ARRAYS: dict[str, Callable[[], Any]] = {
    "batch_norm": lambda: tg.batch_norm(ROWS, tg.zeros(4), tg.ones(4), training=True),
    "batch_norm by name": lambda: tg.batch_norm(input=ROWS, running_mean=tg.zeros(4), running_var=tg.ones(4)),
    "getitem": lambda: tg.ops.getitem(ROWS, index=tg.tensor(PLACES)),
    "getitem in a tuple": lambda: tg.ops.getitem(ROWS, index=(tg.tensor(PLACES), 1)),
    "gather": lambda: tg.ops.gather(ROWS, dim=0, index=tg.tensor(PLACES[:, None])),
    "where": lambda: tg.ops.where(ROWS, -ROWS, condition=tg.tensor(ROWS > 3)),
    "nll_loss": lambda: tg.ops.nll_loss(ROWS, np.array([0, 1, 3]), weight=tg.ones(4)),
    "masked": lambda: tg.ops.masked(ROWS, mask=tg.tensor(ROWS > 3)),
}
"""Ops on arrays with a Tensor among their params: the results are arrays, which nobody looks on at."""


@pytest.mark.parametrize("name", ON_ARRAYS)
def test_an_op_on_arrays_with_a_tensor_among_its_params_is_none_to_be_told_of(name: str) -> None:
    class Log(Observer):
        watches_reads = True

        def __init__(self) -> None:
            self.calls: list[Call] = []
            self.reads: list[str] = []

        def after_op(self, call: Call) -> None:
            self.calls.append(call)

        def after_read(self, tensor: tg.Tensor, name: str, value: Any) -> None:
            assert value is tensor._data
            self.reads.append(name)

    expected = ON_ARRAYS[name]()
    with Log() as log:
        result = ON_ARRAYS[name]()
    assert all(isinstance(output, tg.Tensor) for call in log.calls for output in call.outputs)
    assert all(call.node is None for call in log.calls)
    assert name.split()[0] in log.reads
    for observer in (tg.profile(), tg.detect_anomaly(), tg.debug.break_on(op="relu")):
        with observer:
            again = ON_ARRAYS[name]()
        assert type(again) is type(result) is type(expected) is np.ndarray
        np.testing.assert_array_equal(again, expected)
        np.testing.assert_array_equal(result, expected)


def test_a_replay_sees_that_an_op_on_arrays_reads_a_tensor() -> None:
    w = tg.Tensor([2.0, 3.0, 4.0, 5.0], requires_grad=True)

    @tg.replay
    def step(place: tg.Tensor) -> tg.Tensor:
        loss = (w * tg.ops.getitem(ROWS, index=place)).sum()
        loss.backward()
        return loss

    with pytest.warns(UserWarning, match=r"reads the numbers of a tensor \(getitem\)"):
        losses = [step(tg.tensor([at % 3])).item() for at in range(6)]
    assert losses == [float(ROWS[at % 3] @ w.data) for at in range(6)]


def test_others_see_the_ops_within_functions_that_somebody_takes_whole():
    class Taking(Observer):
        takes_functions = True

    class Ops(Observer):
        def __init__(self) -> None:
            self.ops: list[str] = []

        def after_op(self, call: Call) -> None:
            self.ops.append(call.op)

    x = tg.zeros(3, requires_grad=True) * 2
    with Ops() as ops, Taking():
        x.normal_()
    with Ops() as alone:
        (tg.zeros(3, requires_grad=True) * 2).normal_()
    assert ops.ops == ["setitem"] and alone.ops == ["mul", "setitem"]
