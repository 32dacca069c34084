"""A rule that raises: the check fails with its op, its input and its line, and shows what it raised."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import make_op
from tinygrad_conv.__main__ import main
from tinygrad_conv.checks import assert_rule, gradcheck
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.errors import GradcheckError

X = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3))


def product(x, w):
    return 2 * x * w


def dx(dy, w):
    return 2 * dy * w


def reads_an_axis_too_many(dy, x):
    return 2 * dy * x * x.shape[5]


def looks_up_what_is_not_there(dy, x):
    return {}["scale"] * dy * x


def asserts(dy, x):
    assert x.ndim == 7
    return 2 * dy * x


def divides(dy, x):
    return 2 * dy * x * (1 // (x.ndim - 2))


def raises_its_own_error(dy, x):
    raise LookupError


def calls_a_helper(dy, x):
    return helper(dy) * x


def helper(dy):
    return dy[0, 0, 0]


def judged(op, *arrays, order=1):
    leaves = [tg.Tensor(array, requires_grad=True) for array in arrays]
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, *leaves, order=order, repair=False)
    return caught.value


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("rule", "error", "says"),
    [
        (reads_an_axis_too_many, IndexError, "IndexError: tuple index out of range"),
        (looks_up_what_is_not_there, KeyError, "KeyError: 'scale'"),
        (asserts, AssertionError, "the rule raises AssertionError"),
        (divides, ZeroDivisionError, "ZeroDivisionError: "),
        (raises_its_own_error, LookupError, "the rule raises LookupError()"),
        (calls_a_helper, IndexError, "IndexError: "),
    ],
)
def test_op_rule_input_and_the_cause_are_shown(rule, error, says, order):
    raised = judged(make_op(product, x=dx, w=rule), X, X + 1, order=order)
    text = str(raised)
    assert raised.kind == "raises" and type(raised.__cause__) is error
    assert "gradcheck of product fails at order 1" in text
    assert f"rule {rule.__name__} (tests/test_judge_raises.py:" in text and "for 'w' of product" in text
    assert f"diagnosis: the rule raises {says.removeprefix('the rule raises ')}" in text


def test_the_rule_of_an_op_inside_of_a_function():
    op = make_op(product, x=dx, w=reads_an_axis_too_many)
    text = str(judged(lambda x, w: tg.sum(op(tg.sin(x), w)), X, X))
    assert "gradcheck of product fails" in text and "for 'w' of product" in text
    assert "called at tests/test_judge_raises.py:" in text


def test_the_rule_of_a_variadic_op():
    op = make_op(lambda *xs: xs[0] * xs[1], xs=lambda dy, xs: [dy * xs[1], dy * xs[2]])
    assert "for 'xs' of <lambda>" in str(judged(op, X, X))


def test_what_raises_at_order_2_alone():
    def backward_of_inner(dy, x):
        return dy * {}["at order 2"]

    inner = make_op(lambda x: 3 * x * x, x=backward_of_inner)
    raised = judged(make_op(lambda x: x**3, x=lambda dy, x: dy * inner(x)), X, order=2)
    assert "for 'x' of <lambda>" in str(raised) and "KeyError: 'at order 2'" in str(raised)
    assert "fails at order 2" in str(raised)


def test_a_derivation_that_raises():
    def root(x):
        return x[0, 0, 0]

    def forward(x):
        return np.sqrt(x), np.sqrt(x)

    op = make_op(forward, ("root",), {"root": root}, x=lambda dy, root: dy / (2 * root))
    text = str(judged(op, X, order=2))
    assert "IndexError" in text and "of forward" in text


def test_what_the_forward_or_the_function_raises_stays_what_it_is():
    def refuses(x):
        raise ValueError("no such x")

    with pytest.raises(ValueError, match="no such x"):
        gradcheck(refuses, tg.Tensor(X, requires_grad=True))
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: x * (1 // 0), tg.Tensor(X, requires_grad=True))


def test_assert_rule_says_the_same():
    with pytest.raises(GradcheckError, match="the rule raises IndexError") as caught:
        assert_rule(make_op(product, x=dx, w=reads_an_axis_too_many), X, X, repair=False)
    assert isinstance(caught.value.__cause__, IndexError)


def test_an_edit_that_makes_it_run_and_right_is_found():
    op = make_op(lambda x: x.mean(0), x=divides_by_an_axis_too_many)
    with pytest.raises(GradcheckError, match=r"an edit that makes it right: .*x\.shape\[0\]"):
        gradcheck(op, tg.Tensor(X, requires_grad=True))


def divides_by_an_axis_too_many(dy, x):
    return 0 * x + dy / x.shape[2 - 0]


FILE = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv.checks import case, normal

@tg.primitive
def twice(x, w):
    return 2 * x * w

@twice.grad("x")
def twice_dx(dy, w):
    return 2 * dy * w

@twice.grad("w")
def twice_dw(dy, x):
    return 2 * dy * x * x.shape[5]
"""


@pytest.mark.parametrize("declared", ["", 'case(twice, normal("n m"), normal("n m"))\n'])
def test_the_command_names_the_rule_too(declared, tmp_path, capsys, scratch_ops):
    (tmp_path / "mine.py").write_text(FILE + declared)
    known = dict(CASES)
    status = main(["check", str(tmp_path / "mine.py"), "--no-repair"])
    CASES.clear()
    CASES.update(known)
    printed = capsys.readouterr().out
    if declared:
        assert status == 1 and "rule twice_dw (" in printed and "for 'w' of twice" in printed
        assert "diagnosis: the rule raises IndexError: tuple index out of range" in printed
    else:  # the shapes were guessed: a rule may raise for these
        assert status == 2 and "the rule of w raises IndexError: tuple index out of range" in printed
