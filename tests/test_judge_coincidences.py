"""What the judge must not say: what is true of these numbers and sizes alone, or of another place."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.test_judge_findings import RNG, SQUARE, W, X, judged
from tests.tools.broken import exp, make_op, mean, put_add
from tinygrad_conv.checks import gradcheck
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GradcheckError

pytestmark = pytest.mark.exhaustive


def test_a_factor_is_no_size_that_it_equals_here_and_where_all_sizes_are_larger_by_one():
    def two_steps_later(x, a):
        if x.shape[0] < 3:
            raise ValueError("too short")
        return np.concatenate([0 * x[:2], x[:-2] * a])

    op = make_op(two_steps_later, a=lambda dy, x: mean(dy[2:] * x[:-2], dim=0))
    _, text = judged(op, RNG.standard_normal((5, 3)), W[:3])
    assert "a constant factor: 1/3 times the right gradient of a, everywhere" in text


WINDOWS = np.arange(4)[:, None] + np.arange(3)


def taps(x, k):
    return (x[WINDOWS[: len(x) - 2]] * k).sum(1)


def middle_tap(dy, x, k_shape):
    return dy[:, None] * x[1:-1, None] * np.ones(k_shape)


def test_two_lines_of_a_small_plane_are_not_its_border():
    op = make_op(taps, k=middle_tap)
    _, text = judged(op, RNG.standard_normal(6), RNG.standard_normal((4, 3)))
    assert "wrong exactly at k[:, [0, 2]]; the other elements are right" in text


def clipped(x, *, low=-1.0, high=1.5):
    return np.clip(x, low, high)


def test_what_depends_on_the_numbers_is_not_said_of_their_places():
    ramp = np.array([-2.9, -1.4, -0.6, 0.3, 0.9, 1.8, 3.4])
    _, text = judged(make_op(clipped, x=lambda dy: dy), ramp)
    assert "wrong exactly at" not in text and "border" not in text
    _, text = judged(make_op(clipped, x=lambda dy, x, low, high: 0 * dy), ramp)
    assert "it is lost on the way" in text
    _, text = judged(make_op(clipped, x=lambda dy, x, low: dy * (x > low)), ramp)
    assert "wrong exactly where x > high, where 0 is due" in text
    _, text = judged(make_op(clipped, x=lambda dy, x, high: dy * (x < high)), ramp)
    assert "wrong exactly where x < low, where 0 is due" in text  # low is -1 here, and not said as -1


def linear_map_dx(dy, w):
    return 2 * dy * w


def linear_map_dw(dy, x, w):
    return linear_map_dx(dy, w) / w * x


def test_a_rule_that_another_one_calls_is_blamed_before_it():
    op = make_op(lambda x, w: x * w, x=linear_map_dx, w=linear_map_dw)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, *(tg.Tensor(array, requires_grad=True) for array in (100 * X, X)), repair=True)
    text = str(caught.value)
    assert "∂w" in text  # the worst entry, for x is the larger number
    assert "rule linear_map_dx (" in text and "2 times the right gradient of x" in text
    assert "w is wrong too" in text
    assert re.search(r"an edit that makes it right: .*   2 \* dy \* w  →  ", text)


def test_all_that_is_negative_has_an_absolute_value_that_is_its_negative():
    op = make_op(lambda x, w: x * exp_of(w), x=lambda dy, w: dy * exp(-w))
    text = judged(op, X, -W)[1]
    assert "if w were its negative, which is its absolute value here: is w used?" in text


def exp_of(w):
    return np.exp(w)


def test_a_count_of_elements_is_that_of_each_output():
    def forward(x, f):
        return f * (x[:, 0] + x[:, 2]), f * (x[:, 1] + x[:, 2])

    op = make_op(forward, x=lambda dys, f: OPS["stack"](*dys, f * (dys[0] + dys[1]), dim=1))
    text = judged(op, SQUARE, np.array([1.7]))[1]
    assert "through each output: it is 1 / f times" in text and "at 3 of 9 elements of x" in text


def in_groups(x, groups):
    totals = np.zeros(groups.max() + 1)
    np.add.at(totals, groups, x * x)
    return totals[groups]


def counts_groups_and_detaches(dy, x, groups):
    held = x.data if isinstance(x, tg.Tensor) else x
    sums = put_add(dy, groups, (int(np.max(np.asarray(groups))) + 1,))
    return sums[groups] * (x + held)


def test_numpy_on_integers_is_not_blamed_for_what_leaves_the_tape_elsewhere():
    op = make_op(in_groups, x=counts_groups_and_detaches)
    _, text = judged(op, W, np.array([0, 1, 1, 0]), order=2)
    assert ".data leaves the tape" in text and "np.max" not in text
