"""Rule repair: which edit makes a wrong rule right, and what is never said."""

from __future__ import annotations

import multiprocessing
import re
import time
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import make_op
from tinygrad_conv.checks.repair import repair
from tinygrad_conv.errors import GradcheckError


def rms_norm(x, gamma, *, eps=1e-6):
    return gamma * x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def rms_norm_dx(dy, x, gamma, eps):
    r = tg.sqrt(tg.mean(x * x, -1, keepdim=True) + eps)
    g = dy * gamma
    return g / r + x * tg.mean(g * x, -1, keepdim=True) / r**3


def rms_norm_dgamma(dy, x, eps):
    r = tg.sqrt(tg.mean(x * x, -1, keepdim=True) + eps)
    return tg.sum(dy * x / r**2, 0)


def soft_cap(x, *, cap=5.0):
    return cap * np.tanh(x / cap)


def soft_cap_without_the_cap(dy, x):
    return dy * (1 - tg.tanh(x) ** 2)


def running_sum(x):
    return np.cumsum(x, -1)


def running_sum_dx(dy):
    return tg.cumsum(dy, -1)


def soft_maximum(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def soft_maximum_dx(dy, y):
    return y * dy


def product(a, b):
    return a @ b


def product_da(dy, a, b):
    return dy @ b


def product_db(dy, a, b):
    return tg.transpose(a, 0, 1) @ dy


def column_means(x):
    return x.mean(0)


def column_means_dx(dy, x):
    return 0 * x + dy / x.shape[1]


def row_sums(x):
    return x.sum(1) * x.shape[0]


def row_sums_dx(dy, x):
    return dy[:, None] / x.shape[1] + 0 * x


def shift(x, *, by=1):
    return np.concatenate([x[by:], x[:by]])


def shift_dx(dy, by):
    return tg.cat((dy[-by:], dy[:by]))


def power(x, *, n=3):
    return x**n


def power_dx(dy, x, n):
    return dy * n * x**n


def soft_cap_dx_of_numpy(dy, x, cap):
    return dy * (1 - np.tanh(x / cap) ** 2)


def hinge(x):
    return np.maximum(1 - x, 0)


def hinge_dx(dy, x):
    return tg.where(x < 1, dy, 0 * dy)


def polynomial(x, *, terms=4):
    return sum(x**k for k in range(terms))


def polynomial_dx(dy, x, terms):
    slope = 0 * x
    for k in range(1, terms):
        slope = slope + k * x**k
    return dy * slope


def waits_for_ever_when_edited(dy, x):
    rounds = 0
    while rounds < 3:
        rounds += 1
    return dy * x * rounds


def takes_all_memory_when_edited(dy, x):
    room = np.zeros(2**10)
    return dy * x * len(room)


def cubic(x):
    return x**3 + np.sin(x)


def cubic_dx(dy, x):
    return dy * (x + tg.cos(x))


NUMBERS = np.random.default_rng(5)


def tensors(*shapes):
    return [tg.tensor(NUMBERS.uniform(0.5, 1.5, shape), requires_grad=True) for shape in shapes]


def message_of(op, *inputs, **options):
    with pytest.raises(GradcheckError) as caught:
        tg.gradcheck(op, *inputs, **options)
    return str(caught.value)


REPAIRS = [  # what is wrong, the op, shapes of its inputs, the edit
    ("a sign", make_op(rms_norm, x=rms_norm_dx, gamma=rms_norm_dgamma), ["3 4", "4"], "g / r - x *"),
    ("a factor", make_op(soft_cap, x=soft_cap_without_the_cap), ["5"], "tg.tanh(x / cap)"),
    ("the wrong way round", make_op(running_sum, x=running_sum_dx), ["3 4"], "tg.flip(tg.cumsum(tg.flip(dy"),
    ("a forgotten term", make_op(soft_maximum, x=soft_maximum_dx), ["3 4"], "y * dy - tg.sum(dy * y, -1,"),
    (
        "a transposition",
        make_op(product, a=product_da, b=product_db),
        ["2 3", "3 3"],
        "tg.transpose(b, -2, -1)",
    ),
    ("another axis", make_op(column_means, x=column_means_dx), ["3 4"], "0 * x + dy / x.shape[0]"),
    ("a sign in an index", make_op(shift, x=shift_dx), ["5"], "-by"),
    ("an exponent", make_op(power, x=power_dx), ["4"], "x ** (n - 1)"),
    ("NumPy's function", make_op(soft_cap, x=soft_cap_dx_of_numpy), ["4"], "1 - tg.tanh(x / cap) ** 2"),
    ("a sign in front", make_op(hinge, x=hinge_dx), ["4"], "-tg.where(x < 1, dy, 0 * dy)"),
    ("an index in a loop", make_op(polynomial, x=polynomial_dx), ["3"], "x ** (k - 1)"),
]


@pytest.mark.parametrize(
    ("op", "shapes", "edit"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.exhaustive] if index % 3 else [])
        for index, (name, *case) in enumerate(REPAIRS)
    ],
)
def test_the_edit_that_makes_it_right_is_said_with_its_line(op, shapes, edit):
    inputs = tensors(*[tuple(map(int, shape.split())) for shape in shapes])
    text = message_of(op, *inputs)
    said = [line for line in text.splitlines() if "an edit that makes it right" in line]
    assert any(edit in line for line in said), text
    assert all("tests/test_repair.py:" in line for line in said)
    assert "agrees with your forward" in text and "edits tried)" in text


def test_what_is_right_by_equal_sizes_alone_is_no_repair():
    text = message_of(make_op(row_sums, x=row_sums_dx), *tensors((3, 3)))
    assert "agrees with your forward, at other sizes too" in text
    assert "* x.shape[1]" not in text  # there are as many columns as rows here


def test_what_is_right_for_these_params_alone_is_no_repair():
    text = message_of(make_op(power, x=power_dx), *tensors((4,)))
    assert "x ** 2" not in text


@pytest.mark.exhaustive
def test_no_single_edit_is_said_where_none_is():
    text = message_of(make_op(cubic, x=cubic_dx), *tensors((3,)))  # it lacks a factor and a power
    assert re.search(r"no single edit makes it right \([\d,]+ edits tried", text)
    assert "diagnosis: " in text


def test_that_nothing_explains_it_is_left_out_only_where_an_edit_is_said(monkeypatch):
    monkeypatch.setattr(repair, "SECONDS", 0.05)
    text = message_of(make_op(lambda x: np.sum(cubic(x)), x=cubic_dx), *tensors((3,)))
    assert "no single edit makes it right" in text
    assert "diagnosis: none of the usual mistakes explains it" in text


def test_nothing_is_said_of_edits_where_the_source_is_not_at_hand():
    assert "edit" not in message_of(make_op(soft_maximum, x=lambda dy, y: y), *tensors((3, 4)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", [waits_for_ever_when_edited, takes_all_memory_when_edited])
def test_an_edit_that_never_ends_or_asks_for_all_memory_is_stopped(rule, monkeypatch, capfd):
    monkeypatch.setattr(repair, "SECONDS", 2.0)
    begun = time.monotonic()
    text = message_of(make_op(lambda x: x**4, x=rule), *tensors((3,)))
    assert time.monotonic() - begun < 20  # seconds; without a limit it would be for ever
    assert "edits tried" in text
    assert not multiprocessing.active_children()
    assert capfd.readouterr() == ("", "")


def test_the_op_and_its_file_stay_as_they_are():
    op, before = make_op(power, x=power_dx), Path(__file__).read_bytes()
    rule = op.rules[0]
    message_of(op, *tensors((4,)))
    assert op.rules == [rule] and rule.function is power_dx
    assert Path(__file__).read_bytes() == before


def test_it_can_be_left_out():
    assert "edit" not in message_of(make_op(power, x=power_dx), *tensors((4,)), repair=False)


def test_without_fork_nothing_is_said(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert "edit" not in message_of(make_op(power, x=power_dx), *tensors((4,)))


def test_a_repair_holds_at_order_2_where_that_is_asked_for():
    def cut(dy, x):
        return 3 * dy * tg.Tensor((x * x).data) if isinstance(x, tg.Tensor) else 3 * dy * x * x

    text = message_of(make_op(lambda x: x**3, x=cut), *tensors((3,)), order=2)
    assert "3 * dy * x * x" in text
