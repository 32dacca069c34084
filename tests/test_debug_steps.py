"""`loss.steps()`: the backward one op at a time, and the watchers that take part in an ordinary one."""

from __future__ import annotations

import gc
import linecache

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.debug import Observer
from tinygrad_conv.debug.values import CONSTANTS
from tinygrad_conv.engine.observed import OBSERVATION
from tinygrad_conv.errors import GraphError, TapeConsumedError

from .debug_nets import PROGRAMS, article, crooked


def gradients(leaves):
    return {name: leaf.grad for name, leaf in leaves.items()}


def assert_same(expected, actual):
    assert expected.keys() == actual.keys()
    for name in expected:
        np.testing.assert_array_equal(expected[name], actual[name], strict=True)
        assert actual[name].flags.writeable and actual[name].flags.c_contiguous


@pytest.fixture(params=PROGRAMS, ids=lambda program: program.__name__)
def program(request):
    return request.param


def test_run_to_the_end_they_leave_what_backward_leaves(program):
    usual, stepped = program(), program()
    usual.loss.backward()
    for _ in stepped.loss.steps():
        pass
    assert_same(gradients(usual.leaves), gradients(stepped.leaves))
    with pytest.raises(TapeConsumedError, match="consumed"):
        stepped.loss.backward()


def test_retain_graph_leaves_the_graph(program):
    loss, leaves = program()
    assert len(list(loss.steps(retain_graph=True))) == len(loss.tape())
    once = {name: leaf.grad for name, leaf in leaves.items()}
    loss.backward()
    for name, leaf in leaves.items():
        np.testing.assert_array_equal(leaf.grad, 2 * once[name])


def test_left_early_they_leave_everything_as_it_was(program):
    loss, leaves = program()
    with tg.no_grad():
        for step in loss.steps():
            if step.grad_inputs:
                break
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled() and OBSERVATION.get() is None
    assert all(leaf.grad is None for leaf in leaves.values())
    loss.backward()


def test_the_article_step_by_step():
    loss, leaves = article()
    half, total, square, difference, convolution = loss.steps()
    assert [step.op for step in (half, total, square, difference, convolution)] == [
        "mul",
        "sum",
        "pow",
        "sub",
        "conv2d",
    ]
    assert [step.number for step in (half, total, square, difference, convolution)] == [5, 4, 3, 2, 1]
    np.testing.assert_array_equal(convolution.output, [[[[2, 3], [0, 2]]]])
    np.testing.assert_array_equal(convolution.grad_output, [[[[1, 2], [-1, 1]]]])
    np.testing.assert_array_equal(convolution.grad_inputs["w"], [[[[6, 2], [1, 4]]]])
    assert list(convolution.inputs) == ["x", "w"]
    np.testing.assert_array_equal(convolution.inputs["x"], leaves["x"].data)
    assert convolution.rule["w"].startswith("conv2d_dw (") and "conv.py:" in convolution.rule["w"]
    assert convolution.sources["x"] == "x" and difference.sources["a"] == (1, 0)
    assert convolution.accumulated["w"].before is None
    assert convolution.where.source == "y = tg.conv2d(x, w)"
    assert (
        linecache.getline(convolution.where.file, convolution.where.line).strip() == convolution.where.source
    )
    assert "%1 conv2d" in repr(convolution) and "[[[[6., 2.], [1., 4.]]]]" in repr(convolution)


def test_contributions_add_up_where_a_tensor_is_read_twice():
    x = tg.tensor([3.0], requires_grad=True, name="x")
    loss = (x * x).sum()
    product = list(loss.steps())[-1]
    assert product.grad_inputs["a"] == product.grad_inputs["b"] == 3
    assert product.accumulated["a"].before is None and product.accumulated["a"].after == 3
    assert product.accumulated["b"].before == 3 and product.accumulated["b"].after == 6


def test_forward_values_that_no_rule_reads_are_computed_again():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = ((x + 1.5) - 0.5).sum()
    total, minus, plus = loss.steps()
    np.testing.assert_array_equal(plus.output, [2.5, 3.5])
    np.testing.assert_array_equal(minus.inputs["a"], [2.5, 3.5])
    np.testing.assert_array_equal(total.inputs["x"], [2.0, 3.0])
    assert plus.output.dtype == np.float32


def test_looking_at_forward_values_changes_no_running_statistics():
    norm = nn.BatchNorm2d(2)
    loss = (norm(tg.randn(3, 2, 4, 4, requires_grad=True)) + 1.0).sum()
    node = loss.grad_fn.edges[0][0].edges[0][0]
    before = [norm.running_mean.data.copy(), norm.running_var.data.copy(), node.params["statistics"].copy()]
    for step in loss.steps(retain_graph=True):
        assert step.output is not None
    loss.record().check()
    for statistic, old in zip(
        [norm.running_mean.data, norm.running_var.data, node.params["statistics"]], before
    ):
        np.testing.assert_array_equal(statistic, old)


def test_a_value_that_was_promoted_is_not_taken_for_the_result():
    x = tg.tensor([0.1, 0.2], requires_grad=True)
    wide = tg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    product = list(((x + 0.3) * wide).sum().steps())[1]
    plus = list(((x + 0.3) * wide).sum().steps())[2]
    assert product.inputs["a"].dtype == np.float64 and plus.output.dtype == np.float32


def test_what_is_not_known_is_none_and_not_a_guess():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x + np.ones(2, np.float32)).sum()  # the array is nobody's business: add's rules read nothing
    total, plus = loss.steps()
    assert plus.inputs["b"] is None and plus.output is None and total.inputs["x"] is None


def test_constants_that_no_rule_reads_are_known_where_the_forward_was_observed():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    ones, target = np.ones(2, np.float32), tg.tensor([1.0, 2.0, 3.0, 4.0])
    with Observer():
        loss = (tg.cat([x, ones]) - target).sum()
    ones += 1  # its owner's to change
    total, minus, cat = loss.steps(retain_graph=True)
    np.testing.assert_array_equal(cat.inputs["xs"][1], [1.0, 1.0])
    np.testing.assert_array_equal(minus.inputs["b"], [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(total.inputs["x"], [0.0, 0.0, -2.0, -3.0])
    report = loss.record().check()
    assert [check.numerical is not None and check.agrees for check in report] == [True] * 3
    before = len(CONSTANTS)
    del loss, total, minus, cat
    gc.collect()
    assert len(CONSTANTS) == before - 2  # they go with the tape


def test_a_leaf_that_has_changed_is_not_taken_for_what_was_read():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (x + 1.0).sum()
    with tg.no_grad():
        x -= 1.0
    total, plus = loss.steps()
    assert plus.inputs["a"] is None and total.inputs["x"] is None


def test_hooks_and_retained_gradients():
    def run(backward):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2.0
        y.retain_grad()
        y.register_hook(lambda dy: dy * 10)
        x.register_hook(lambda dx: dx + 1)
        seen = []
        x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.copy()))
        backward((y * y).sum())
        return {"x": x.grad, "y": y.grad, "seen": seen[0]}

    assert_same(run(lambda loss: loss.backward()), run(lambda loss: list(loss.steps())))


def test_several_outputs_variadic_inputs_and_a_gradient_to_begin_with(monkeypatch):
    monkeypatch.setattr("tinygrad_conv.engine.declare.OPS", {})

    @tg.primitive
    def halves(x):
        return x[:2], x[2:]

    @halves.grad("x")
    def halves_dx(dy):
        return tg.cat([dy[0], dy[1]], dim=0) if isinstance(dy[0], tg.Tensor) else np.concatenate(dy)

    def run(backward):
        x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        first, second = halves(x)
        backward(tg.cat([second, first * first], dim=0), np.array([1.0, 2.0, 3.0, 4.0], np.float32))
        return {"x": x.grad}

    steps = []
    usual = run(lambda y, gradient: y.backward(gradient))
    assert_same(usual, run(lambda y, gradient: steps.extend(y.steps(gradient))))
    cat, _, split = steps
    np.testing.assert_array_equal(cat.grad_inputs["xs"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(split.grad_output, [[6, 16], [1, 2]])
    np.testing.assert_array_equal(split.output, [[1, 2], [3, 4]])


@pytest.mark.parametrize("order", ["abc", "cab", "bca", "aba", "abab"])
def test_of_a_variadic_op_only_those_that_are_wanted_have_a_contribution(order):
    """And each stands in the place of its input, of a leaf as of a result."""

    class Seen(Observer):
        def after_step(self, step):
            if step.op == "cat":
                self.cat = step

    leaves = {name: tg.tensor([1.0, 2.0], requires_grad=True, name=name) for name in "abc"}
    inputs = {**leaves, "c": leaves["c"] * 2.0}  # a result: what lies behind it is not looked at
    y = tg.cat([inputs[name] for name in order])
    dy = np.arange(1.0, 1 + len(y), dtype=np.float32)
    with Seen() as seen:
        (db,) = tg.grad(y, [leaves["b"]], dy)
    contributions = [None if dx is None else dx.tolist() for dx in seen.cat.grad_inputs["xs"]]
    pieces = dy.reshape(-1, 2).tolist()
    assert contributions == [None if name == "a" else piece for name, piece in zip(order, pieces)]
    accumulated = seen.cat.accumulated["xs"]
    assert [entry is None for entry in accumulated] == [name == "a" for name in order]
    np.testing.assert_array_equal(accumulated[order.rindex("b")].after, db.data)


def test_an_exception_in_a_rule_leaves_every_grad_as_it_was(monkeypatch):
    loss, leaves = crooked()
    monkeypatch.setattr(tg.engine.registry.OPS["tanh"].rules[0], "function", lambda dy, y: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(loss.steps())
    assert all(leaf.grad is None for leaf in leaves.values())


def test_what_backward_refuses_steps_refuse_at_once():
    with pytest.raises(GraphError, match="no gradient"):
        tg.tensor([1.0]).steps()
    with pytest.raises(GraphError):
        (tg.tensor([1.0, 2.0], requires_grad=True) * 2).steps()


def test_watched_backward_is_an_ordinary_one(program):
    usual, watched = program(), program()
    usual.loss.backward()
    with Observer():
        watched.loss.backward()
    assert_same(gradients(usual.leaves), gradients(watched.leaves))


def test_watched_gradients_of_gradients():
    def second():
        x = tg.tensor([[1.0, 0.5], [0.25, 2.0]], requires_grad=True)
        (first,) = tg.grad((x @ x).exp().sum(), x, create_graph=True)
        (second,) = tg.grad((first * first).sum(), x)
        return {"first": first.data, "second": second.data}

    usual = second()
    with Observer():
        watched = second()
    for name in usual:
        np.testing.assert_array_equal(usual[name], watched[name])


def test_observers_see_ops_and_steps_of_this_thread_and_are_gone_afterwards():
    class Names(Observer):
        def __init__(self):
            self.names = []

        def after_op(self, call):
            self.names.append(f"{call.op} forward")

        def after_step(self, step):
            self.names.append(f"{step.op} backward")

    with Names() as outer:
        with Names() as inner:
            loss = tg.tensor([2.0], requires_grad=True).exp().sum()
        loss.backward()
    loss.exp()
    assert inner.names == ["exp forward", "sum forward"]
    assert outer.names == ["exp forward", "sum forward", "sum backward", "exp backward"]
    assert OBSERVATION.get() is None


@pytest.mark.exhaustive
def test_ten_thousand_ops():
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y * 1.0
    assert sum(1 for _ in y.steps()) == 10_000 and x.grad == 1
