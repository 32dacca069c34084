"""Rules that are wrong at an edge alone, where a gradient at random numbers does not come: the command finds
them, and leaves right ones in peace.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks.command.report import report_on

from .helpers import more

pytestmark = pytest.mark.usefixtures("scratch_ops")


def declared(forward, rule):
    """An op of one input x [N, C]."""

    def of(x):
        """Of x [N, C]."""
        return forward(x)

    op = tg.primitive(of)
    op.grad("x")(rule)
    return op


def square(x):
    return x * x


def largest(x):
    return x.max(1)


def soft_relu(x):
    return np.logaddexp(x, 0)


WRONG = [
    (square, lambda dy, x: 2 * dy * x + dy * (x == 0), "with zeros in x"),
    (square, lambda dy, x: 2 * dy * x + dy * (tg.abs(x) < 1e-4), "with zeros in x"),
    (square, lambda dy, x: 2 * dy * x if x.shape[0] > 1 else dy * x, "x [1,3] with an axis of size 1"),
    (square, lambda dy, x: 2 * dy * x if x.shape[1] > 1 else dy * x, "x [2,1] with an axis of size 1"),
    (soft_relu, lambda dy, x: dy * tg.exp(x) / (1 + tg.exp(x)), "with numbers in the thousands"),
    (largest, lambda dy, x, y: dy[:, None] * (x == y[:, None]), "where numbers among them are equal"),
]


@pytest.mark.parametrize("forward, rule, where", WRONG, ids=range(len(WRONG)))
def test_wrong_at_an_edge(forward, rule, where):
    report = report_on(declared(forward, rule))
    assert report.verdict == "not checked" and where in report.unsure


def shared_dx(dy, x, y):
    ties = (1 + 0 * x) * (x == y[:, None])
    return dy[:, None] * ties / tg.sum(ties, dim=1, keepdim=True)


RIGHT = [
    (square, lambda dy, x: 2 * dy * x),
    (largest, shared_dx),
    (soft_relu, lambda dy, x: dy * tg.sigmoid(x)),
    (lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0)),
    (lambda x: abs(x), lambda dy, x: dy * tg.sign(x)),
    (lambda x: np.sqrt(x), lambda dy, y: dy / (2 * y)),
    (lambda x: np.log(x), lambda dy, x: dy / x),
]


@pytest.mark.parametrize("number", [0, 1, 2, *more(*range(3, len(RIGHT)))])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_right_at_every_edge(number):
    forward, rule = RIGHT[number]
    report = report_on(declared(forward, rule))
    assert report.verdict == "right", report.unsure


@pytest.mark.parametrize("bound", [1e-3, 10.0])
def test_a_threshold_on_dy_is_not_linear(bound):
    def rule(dy, x):
        return 2 * x * (dy * (tg.abs(dy) > bound) if bound < 1 else tg.clamp(dy, min=-bound, max=bound))

    with pytest.raises(tg.errors.GradcheckError, match="not linear in dy: for 1e"):
        tg.gradcheck(declared(square, rule), tg.tensor([[0.5, 1.5]], requires_grad=True))


def test_a_right_rule_of_numbers_that_are_nearly_lost_is_linear():
    scores = 100 * np.random.default_rng(0).standard_normal((3, 4))
    assert tg.gradcheck(lambda x: tg.softmax(x, 1), tg.tensor(scores, requires_grad=True), order=2)


def test_one_that_is_other_in_float32():
    def rule(dy, x):
        return dy * x * (2 if x.dtype == np.float64 else 3)

    with pytest.raises(tg.errors.GradcheckError, match="other numbers in float32 than in float64"):
        tg.gradcheck(declared(square, rule), tg.tensor([[0.5, 1.5]], requires_grad=True))


def test_memory_that_is_returned_again():
    work = np.empty((1, 2))

    def rule(dy, x):
        return np.multiply(2 * dy, x, out=work) if x.shape == work.shape else 2 * dy * x

    with pytest.raises(tg.errors.GradcheckError, match="writes to the array that it returned before"):
        tg.gradcheck(declared(square, rule), tg.tensor([[0.5, 1.5]], requires_grad=True))


def test_a_jump_of_the_gradient_is_a_kink():
    op = declared(lambda x: abs(x), lambda dy, x: dy * tg.sign(x))
    with pytest.warns(tg.checks.KinkWarning, match=r"x\[0,0\] = 0"):
        assert tg.gradcheck(op, tg.tensor([[0.0, 1.5]], requires_grad=True), order=2)


def test_a_wrong_rule_beside_a_jump_is_wrong():
    op = declared(lambda x: np.sign(x) + x, lambda dy, x: dy * 3)
    with pytest.raises(tg.errors.GradcheckError):
        tg.gradcheck(op, tg.tensor([[0.0, 1.5]], requires_grad=True))


def test_a_curve_within_the_step_of_the_differences():
    def length(x):
        return np.sqrt((x * x).sum(1) + 1e-12)

    op = declared(length, lambda dy, x, y: dy[:, None] * x / y[:, None])
    assert tg.gradcheck(op, tg.tensor(np.zeros((2, 3)), requires_grad=True), order=2)
