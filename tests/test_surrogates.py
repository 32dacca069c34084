"""Rules that are, on purpose, the gradient of another function: all checks hold them against that."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks.command.report import report_on
from tinygrad_conv.checks.command.table import cells
from tinygrad_conv.engine.declare import Primitive
from tinygrad_conv.errors import DeclarationError, GradcheckError


def binarize(x):
    """The sign: its own derivative is 0 wherever there is one."""
    return np.sign(x)


def straight_through(dy, x):
    return tg.where((x > -1) & (x < 1), dy, 0 * dy)


def reverse(x, *, strength=1.0):
    return x + 0


def reverse_dx(dy, strength):
    return -strength * dy


def spike(x, *, steepness=3.0):
    return (x > 0).astype(x.dtype)


def spike_dx(dy, x, steepness):
    s = tg.sigmoid(steepness * x)
    return dy * steepness * s * (1 - s)


def soft_spike(x, steepness):
    return tg.sigmoid(steepness * x)


def quantized_product(x, w):
    return np.round(x) * w


def op_of(forward, **rules):
    """An op with rules, each of them (function, what it is the gradient of)."""
    op = Primitive(forward)
    for name, (rule, of) in rules.items():
        op.grad(name, of=of)(rule)
    return op


BINARIZE = op_of(binarize, x=(straight_through, tg.hardtanh))
REVERSE = op_of(reverse, x=(reverse_dx, lambda x, strength: -strength * x))
SPIKE = op_of(spike, x=(spike_dx, soft_spike))
PRODUCT = op_of(
    quantized_product,
    x=(lambda dy, w: dy * w, lambda x, w: x * w),
    w=(lambda dy, x: dy * tg.where(x > 0, tg.floor(x + 0.5), -tg.floor(-x + 0.5)), None),
)


def tensors(*shapes):
    numbers = np.random.default_rng(1)
    return [tg.tensor(numbers.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("op", [BINARIZE, REVERSE, SPIKE], ids=lambda op: op.name)
def test_a_rule_is_held_against_its_surrogate(op, order):
    assert tg.gradcheck(op, *tensors((3, 4)), order=order)


@pytest.mark.parametrize("order", [1, 2])
def test_so_it_is_within_a_function_that_uses_its_output(order):
    def net(x, w):
        return BINARIZE(x * w) * tg.tanh(REVERSE(w, strength=2.5)) * SPIKE(x - BINARIZE(w)) ** 2

    assert tg.gradcheck(net, *tensors((5,), (5,)), order=order)


def test_a_rule_that_is_not_its_surrogate_s_gradient_is_wrong():
    op = op_of(reverse, x=(lambda dy, strength: strength * dy, lambda x, strength: -strength * x))
    with pytest.raises(GradcheckError, match="-1 .the sign. times the right gradient of x"):
        tg.gradcheck(op, *tensors((3,)))


def test_without_a_surrogate_it_is_wrong():
    with pytest.raises(GradcheckError):
        tg.gradcheck(op_of(binarize, x=(straight_through, None)), *tensors((3,)))


@pytest.mark.exhaustive
def test_the_surrogate_is_named_by_the_rule_and_in_the_table(monkeypatch):
    assert "straight_through (" in repr(BINARIZE.rules[0]) and "surrogate hardtanh" in repr(BINARIZE.rules[0])
    monkeypatch.setitem(tg.engine.registry.OPS, "spike", SPIKE)
    report = report_on(SPIKE)
    assert "surrogate soft_spike" in cells(report)[-1]


def test_a_recording_checks_against_it_and_says_so(monkeypatch):
    monkeypatch.setitem(tg.engine.registry.OPS, "binarize", BINARIZE)
    (x,) = tensors((6,))
    recording = tg.debug.record((BINARIZE(x) * 3).sum())
    report = recording.check()
    assert report.first is None
    assert "(of hardtanh)" in repr(report)
    (step,) = [step for step in recording if step.op == "binarize"]
    assert "surrogate hardtanh" in step.rule["x"]


@pytest.mark.parametrize("of", [3, "hardtanh"])
def test_what_is_no_function_is_refused(of):
    with pytest.raises(DeclarationError, match="of must be the function that the rule is the gradient of"):
        Primitive(binarize).grad("x", of=of)(straight_through)


def test_of_several_inputs_at_once_there_is_none():
    op = Primitive(lambda *xs: sum(xs))
    with pytest.raises(DeclarationError, match="of needs an input by itself"):
        op.grad("xs", of=tg.hardtanh)(lambda dy, xs: tuple(dy for _ in xs))
