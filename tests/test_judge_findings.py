"""What the judge says of the difference of two Jacobians: exact, by the names in the rule."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import cat, exp, make_op, put_add, reshape, total
from tinygrad_conv.checks import gradcheck
from tinygrad_conv.checks.diagnosis.constant_factor import show_factor
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GradcheckError

pytestmark = pytest.mark.exhaustive

RNG = np.random.default_rng(0)
X, W = RNG.uniform(0.5, 1.5, (3, 4)) * RNG.choice([-1, 1], (3, 4)), RNG.uniform(0.5, 1.5, 4)
SQUARE = RNG.standard_normal((3, 3)) + 3 * np.eye(3)


def judged(op, *arrays, order=1, **params):
    """(kind, diagnosis) of an op that is wrong."""
    rules = op.rules * len(arrays) if op.variadic else op.rules
    leaves = [tg.Tensor(array, requires_grad=rule is not None) for array, rule in zip(arrays, rules)]
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda *inputs: op(*inputs, **params), *leaves, order=order, repair=False)
    return caught.value.kind, str(caught.value).partition("diagnosis: ")[2]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def centred(x):
    return x - x.mean(-1, keepdims=True)


def scaled(x, w):
    return x * x * w


CASES = {
    "a factor by the name of an input": (
        make_op(lambda x, w: x * w * w, x=lambda dy, w: dy * w),
        [X, W],
        "factor",
        "1 / w times the right gradient of x (the factor w is missing)",
    ),
    "a factor by the name of a param": (
        make_op(lambda x, *, slope=0.7: slope * x * x, x=lambda dy, x: 2 * dy * x),
        [X],
        "factor",
        "1 / slope (here 1.4286) times",
    ),
    "a factor made of the output": (
        make_op(lambda x: np.tanh(x), x=lambda dy, y: dy * (1 - y)),
        [X],
        "factor",
        "1 / (1 + y) times the right gradient of x (the factor (1 + y) is missing)",
    ),
    "another power": (make_op(lambda x: x**3, x=lambda dy, x: 3 * dy * x), [X], "factor", "1 / x times"),
    "a term of a mean": (
        make_op(lambda x: centred(x) ** 2, x=lambda dy, x: 2 * dy * (x - x.mean(-1, keepdims=True))),
        [X],
        "term",
        "what is wrong is the same for all elements along axis 1 of x",
    ),
    "a term of a softmax": (
        make_op(softmax, x=lambda dy, y: y * dy),
        [X],
        "term",
        "along axis 1 of x, a multiple of y, by sum(dy * y) over axis 1 of y",
    ),
    "a term of a product": (
        make_op(lambda x: x * np.exp(x), x=lambda dy, x: dy * x * exp(x)),
        [X],
        "factor",
        "x / (1 + x) times the right gradient of x",
    ),
    "the transpose": (
        make_op(lambda x, m: x @ m, x=lambda dy, m: dy @ m),
        [SQUARE[0] * 1.0, SQUARE],
        "transposed-or-axes",
        "",
    ),
    "a sum over the wrong axis": (
        make_op(softmax, x=lambda dy, y: y * (dy - total(dy * y, dim=0, keepdim=True))),
        [X],
        "places",
        "an element of x gets shares of y at another index of axis 0",
    ),
    "a wrong branch": (
        make_op(lambda x: np.where(x > 0, x * x, 3 * x), x=lambda dy, x: dy * 2 * x * (x > 0)),
        [X],
        "branch",
        "wrong exactly where x < 0, where it gives 0, right elsewhere",
    ),
    "a part": (
        make_op(lambda x: x * x, x=lambda dy, x: cat((2 * dy * x)[:, :3], (dy * x)[:, 3:], dim=1)),
        [X],
        "part",
        "wrong exactly at x[:, 3], where it gives 0.5 times the right gradient",
    ),
    "an input that is ignored": (
        make_op(lambda x, w: np.sin(x) * np.cos(x * w), x=lambda dy, x: dy * OPS["cos"](2 * x)),
        [X, W],
        "input",
        "it gives what would be right if w were 1 everywhere",
    ),
    "a param that is ignored": (
        make_op(lambda x, *, p=3.0: np.abs(x + 2) ** p + x, x=lambda dy, x: dy * 2),
        [X],
        "param",
        "it gives what would be right with p=1",
    ),
    "a matrix": (
        make_op(lambda x, m: x @ m, x=lambda dy: dy, m=lambda dy, x: x.T @ dy),
        [X[:, :3], SQUARE],
        "matrix",
        "the multiplication by m along axis 1 of dx is missing",
    ),
    "not linear, with a vector output": (
        make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * x * dy),
        [X],
        "not linear",
        "not linear in dy",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_true_is_said(case):
    op, inputs, kinds, says = CASES[case]
    kind, text = judged(op, *inputs)
    assert kind in kinds.split("-or-"), text
    assert says in text


def test_every_wrong_input_is_diagnosed():
    op = make_op(scaled, x=lambda dy, x: 2 * dy * x, w=lambda dy, x: total(2 * dy * x * x, dim=0))
    kind, text = judged(op, X, W)
    assert "2 times the right gradient of w" in text
    assert "x is wrong too: it gives what would be right if w were 1 everywhere" in text


def test_one_slot_and_one_output_alone():
    op = make_op(lambda *xs: xs[0] * xs[0] + xs[1], xs=lambda dy, xs: [dy * xs[0], dy])
    assert "the other inputs are right: it is xs[0] alone" in judged(op, X, X + 1)[1]
    two = make_op(lambda x: (x * x, x * 3), x=lambda dy, x: 2 * dy[0] * x + dy[1])
    assert "through y[1] alone: a constant factor: 1/3" in judged(two, X)[1]


def test_outside_of_the_domain_is_no_missing_accumulation():
    with np.errstate(all="ignore"):
        kind, text = judged(make_op(lambda x: np.sqrt(x), x=lambda dy, x: dy / x), np.array([1e-9]))
        assert kind == "domain", text
        beyond = make_op(lambda x: np.sqrt(1 - x), x=lambda dy, y: -dy / (2 * y))
        kind, text = judged(beyond, np.array([1.5, 0.5]))
        assert (kind, "nan at these inputs" in text) == ("domain", True)
        divides = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * x * x / x)
        kind, text = judged(divides, np.array([0.0, 0.5]))
        assert (kind, "the rule gives nan for x[0]" in text) == ("domain", True)


@pytest.mark.parametrize(("factor", "text"), [(1.00003, "1.00003"), (-1.00003, "-1.00003"), (2.0, "2")])
def test_a_factor_is_not_rounded_to_another(factor, text):
    assert show_factor(factor, {}) == text


def means_of_a_square(x):
    if x.shape[0] != x.shape[1]:
        raise ValueError("not square")
    return np.mean(x * x, axis=0)


def test_a_size_that_several_axes_share_is_named_where_other_sizes_tell_which():
    square = make_op(means_of_a_square, x=lambda dy, x: 2 * dy * x)
    assert "3 (3 is what several axes count: other sizes would tell which) times" in judged(square, SQUARE)[1]
    op = make_op(lambda x: np.mean(x * x, axis=0), x=lambda dy, x: 2 * dy * x)
    assert "3 (3 is the size of dimension 0 of x) times" in judged(op, SQUARE)[1]


def mean_of_rows(table, rows):
    return table[rows].mean(1)


def mean_of_rows_dtable(dy, rows, table_shape):
    spread = tg.broadcast_to(dy[:, None], (rows.shape[0], rows.shape[1], table_shape[1]))
    return put_add(spread, (rows,), table_shape)


def test_a_factor_is_a_size_of_another_input_or_the_number_of_inputs_or_no_size_at_all():
    rows = np.array([[0, 1, 2], [3, 4, 1]])
    table = make_op(mean_of_rows, table=mean_of_rows_dtable)
    assert "3 (3 is the size of dimension 1 of rows)" in judged(table, np.arange(15.0).reshape(5, 3), rows)[1]
    average = make_op(lambda *xs: sum(xs) / len(xs), xs=lambda dy, xs: [dy / len(xs) ** 2 for _ in xs])
    assert "1/3 (3 is the number of inputs xs) times" in judged(average, *np.ones((3, 2, 3)))[1]
    _, text = judged(make_op(lambda x: x**3, x=lambda dy, x: dy * x * x), X)
    assert "a constant factor: 1/3 times the right gradient of x, everywhere" in text


def test_a_factor_is_the_sign_of_a_number():
    op = make_op(lambda x, a: x * a, x=lambda dy, a: dy * tg.abs(a))
    assert "factor: sign(a) (here -1) times" in judged(op, X, np.array(-0.7))[1]


def test_a_name_fits_at_numbers_of_both_signs():
    lacks = make_op(lambda x, a: x + a * np.tanh(x), x=lambda dy, x, a: dy * a * (1 - OPS["tanh"](x) ** 2))
    _, text = judged(lacks, X, np.array(0.7))
    assert "the gradient of x lacks the term dy;" in text
    op = make_op(lambda x, w: x * np.abs(w) * w, x=lambda dy, w: dy * w)
    assert "(the factor abs(w) is missing)" in judged(op, X, np.abs(W))[1]


def test_a_ratio_of_plus_and_minus_one_is_said_as_it_is():
    sides = np.array([1.0, -1.0, -1.0, 1.0])
    op = make_op(lambda x, t: np.exp(-x * t), x=lambda dy, x, t: -dy * exp(-x * t))
    assert "it is 1 / t times the right gradient of x (the factor t is missing)" in judged(op, W, sides)[1]


CALLS: list[int] = []
DICE = np.random.default_rng(0)


def counts(x):
    CALLS.append(1)
    return x * len(CALLS)


def draws(x):
    return x + DICE.random()


def draws_from_numpy(x):
    return x + np.random.random()


def draws_unseen(x):
    return x + np.random.default_rng().random()


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        (counts, "it keeps a state: CALLS is another after each call"),
        (draws, "it draws random numbers from DICE"),
        (draws_from_numpy, "it draws random numbers from NumPy's global generator"),
    ],
)
def test_a_state_is_told_from_chance(forward, says):
    kind, text = judged(make_op(forward, x=lambda dy: dy), X)
    assert kind == "not deterministic"
    assert says in text


def test_neither_is_said_where_neither_is_known():
    _, text = judged(make_op(draws_unseen, x=lambda dy: dy), X)
    assert text == "two calls with the same inputs give different outputs"


def test_a_kept_value_that_is_derived_wrongly_is_named():
    def forward(x):
        root = np.sqrt(x * x + 1)
        return root * x, root

    op = make_op(forward, ("root",), {"root": wrong_root}, x=lambda dy, x, root: dy * (root + x * x / root))
    assert "wrong_root derives another root than the forward keeps" in judged(op, X, order=2)[1]


def wrong_root(x):
    return OPS["sqrt"](x * x)


def sums_and_differences(x):
    return x[::2] + x[1::2], x[::2] * x[1::2]


def interleaved(even, odd):
    return reshape(OPS["stack"](even, odd, dim=1), (-1,))


def first_output_alone(dys, x):
    return interleaved(dys[0], dys[0])


def product_detached(dys, x):
    held = x.data if isinstance(x, tg.Tensor) else x
    return interleaved(dys[0] + dys[1] * held[1::2], dys[0] + dys[1] * held[::2])


def half_of_it_detached(dys, x):
    even, odd = x[::2], x[1::2]
    held = odd.data if isinstance(odd, tg.Tensor) else odd
    return interleaved(dys[0] + dys[1] * held, dys[0] + dys[1] * even)


LINE = RNG.uniform(0.5, 1.5, 6)


def test_the_output_whose_gradient_is_ignored_is_named():
    _, text = judged(make_op(sums_and_differences, x=first_output_alone), LINE)
    assert "through y[1] alone: the gradient of x is 0 everywhere" in text
    assert "the gradient of y[1] is ignored" in text


def test_what_holds_for_each_slot_is_said_once():
    def squares(*xs):
        return xs[0] ** 2 + xs[1] ** 2 + xs[2] ** 2

    _, text = judged(make_op(squares, xs=lambda dy, xs: [dy * x for x in xs]), X, X + 1, X - 1)
    assert text == "for each of xs: a constant factor: ½ times the right gradient of xs[i], everywhere"
    slot = make_op(squares, xs=lambda dy, xs: [2 * dy * x * (k != 1) for k, x in enumerate(xs)])
    _, text = judged(slot, X, X + 1, X - 1)
    assert "the gradient of xs[1] is 0 everywhere" in text and "it is xs[1] alone" in text


def cube_dx_of_detached(dy, x):
    held = x.data if isinstance(x, tg.Tensor) else x
    return 3 * dy * held * held


def linear_dx_of_detached_dy(dy, w):
    return (dy.data if isinstance(dy, tg.Tensor) else dy) * w


def products_dx_detached(dy, xs):
    held = xs[1].data if isinstance(xs[1], tg.Tensor) else xs[1]
    return [dy * held, dy * xs[0]]


def test_what_is_held_constant_is_named_with_the_place_where_it_leaves_the_tape():
    place = rf"\(tests/test_judge_findings.py:{cube_dx_of_detached.__code__.co_firstlineno + 1}: "
    kind, text = judged(make_op(lambda x: x**3, x=cube_dx_of_detached), X, order=2)
    assert kind == "constant"
    assert re.search(rf"uses x as a constant {place}\.data leaves the tape\)", text)


def test_dy_that_is_held_constant_is_named():
    op = make_op(lambda x, w: x * w, x=linear_dx_of_detached_dy, w=lambda dy, x: total(dy * x, dim=0))
    kind, text = judged(op, X, W, order=2)
    assert kind == "constant" and "linear_dx_of_detached_dy uses dy as a constant" in text


def test_what_is_held_constant_with_several_outputs_and_slots():
    kind, text = judged(make_op(lambda *xs: xs[0] * xs[1], xs=products_dx_detached), X, X + 1, order=2)
    assert kind == "constant" and "products_dx_detached" in text, text
    kind, text = judged(make_op(sums_and_differences, x=product_detached), LINE, order=2)
    assert kind == "constant" and "product_detached uses x as a constant" in text, text
    kind, text = judged(make_op(sums_and_differences, x=half_of_it_detached), LINE, order=2)
    assert kind == "constant" and ".data leaves the tape" in text, text


def numpys_operators_and_its_tanh(dy, x):
    return np.multiply(dy, 1 - np.power(np.tanh(x), 2)) + 0 * np.power(x, 2)


def test_an_operator_of_numpy_is_not_blamed_for_its_function():
    kind, text = judged(make_op(lambda x: np.tanh(x), x=numpys_operators_and_its_tanh), X)
    assert kind == "numpy" and "np.tanh is NumPy's" in text and "np.power" not in text
    assert gradcheck(
        make_op(lambda x: x**3, x=lambda dy, x: 3 * np.multiply(dy, np.power(x, 2))),
        tg.Tensor(X, requires_grad=True),
        order=2,
    )
