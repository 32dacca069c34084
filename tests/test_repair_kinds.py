"""Kinds of repair: derivations, names throughout, terms that the numbers ask for; and what is no repair."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import make_op
from tinygrad_conv.checks.calls import calls_of
from tinygrad_conv.checks.gradcheck import function_of_leaves
from tinygrad_conv.checks.repair import repair, workshop
from tinygrad_conv.checks.repair.edited import job_of
from tinygrad_conv.checks.repair.edits import canonical
from tinygrad_conv.checks.repair.fitted import fitted_edits
from tinygrad_conv.checks.tolerance import Tolerance
from tinygrad_conv.errors import GradcheckError

pytestmark = pytest.mark.exhaustive

NUMBERS = np.random.default_rng(8)


def tensors(*shapes):
    return [tg.tensor(NUMBERS.uniform(0.5, 1.5, shape), requires_grad=True) for shape in shapes]


def edits_said(op, *inputs, order=1, **params):
    given = [leaf if rule else leaf.data for leaf, rule in zip(inputs, op.rules)]
    with pytest.raises(GradcheckError) as caught:
        tg.gradcheck(lambda *tensors: op(*tensors, **params), *given, order=order)
    text = str(caught.value)
    return [line.strip() for line in text.splitlines() if "an edit that makes it right" in line], text


def unit(x, *, eps=0.5):
    root = np.sqrt(np.sum(x * x, -1, keepdims=True) + eps)
    return x / root, root


def root_without_eps(x):
    return tg.sqrt(tg.sum(x * x, -1, keepdim=True))


def root_of_another_axis(x, eps):
    return tg.sqrt(tg.sum(x * x, 0, keepdim=True) + eps)


def root_that_raises(x, eps):
    return tg.sqrt(tg.sum(x * x, 5, keepdim=True) + eps)


def unit_dx(dy, x, root):
    return dy / root - x * tg.sum(dy * x, -1, keepdim=True) / root**3


@pytest.mark.parametrize(
    ("derivation", "edit"),
    [
        (root_without_eps, "+ eps"),
        (root_of_another_axis, "tg.sum(x * x, -1, keepdim=True)"),
        (root_that_raises, "tg.sum(x * x, -1, keepdim=True)"),
    ],
)
def test_the_derivation_of_a_kept_value_is_repaired(derivation, edit):
    op = make_op(unit, ("root",), {"root": derivation}, x=unit_dx)
    said, text = edits_said(op, *tensors((3, 4)), order=2)
    assert any(edit in line for line in said), text
    assert f"rule {derivation.__name__} (tests/test_repair_kinds.py:" in text


def window(x, *, start=1, step=2):
    return x[start::step] * step + start * x[start::step] ** 2


def window_dx_with_params_exchanged(dy, x, start, step):
    places = tuple([slice(step, None, start)])
    return tg.put_add(dy * start + 2 * step * dy * x[step::start], places, x.shape)


def test_two_names_that_are_exchanged_throughout():
    said, text = edits_said(
        make_op(window, x=window_dx_with_params_exchanged), *tensors((9,)), start=2, step=3
    )
    assert any("start and step exchanged throughout" in line for line in said), text


def scaled(x, w, *, power=2.0):
    return w * x**power + x


def scaled_dx_with_x_for_w(dy, x, power):
    slope = power * x ** (power - 1)
    return dy * x * slope + dy + 0 * x


def test_a_name_that_the_rule_has_to_read():
    said, text = edits_said(make_op(scaled, x=scaled_dx_with_x_for_w), *tensors((4,), (4,)))
    assert any("dy * w * slope + dy" in line and "have the rule read w" in line for line in said), text


def waves(x, w):
    return np.sin(x) * np.exp(x) + w


def waves_dx_of_w(dy, x, w):
    return dy * tg.exp(w) * (tg.cos(w) + tg.sin(w))


def test_a_name_that_is_another_one_throughout():
    said, text = edits_said(make_op(waves, x=waves_dx_of_w), *tensors((3,), (3,)))
    assert any("and the same at 2 more places" in line for line in said), text


def norm(x, w):
    return w * x / np.sqrt(np.sum(x * x, -1, keepdims=True))


def norm_dx_without_the_term(dy, x, w):
    root = tg.sqrt(tg.sum(x * x, -1, keepdim=True))
    return dy * w / root


def gate(x, h):
    s = 1 / (1 + np.exp(-x))
    return s * h


def gate_dx_without_slope(dy, x, h):
    s = tg.sigmoid(x)
    return dy * h + 0 * s


def pairs(a, b):
    return np.sum((a[:, None] - b[None]) ** 2, -1)


def pairs_da_without_b(dy, a, b):
    return 2 * a * tg.sum(dy, 1, keepdim=True)


def rows(x, g):
    return x * g[:, None] ** 3 + x**2


def rows_dx(dy, x, g):
    return 2 * dy * x + 0 * g[:, None]


@pytest.mark.parametrize(
    ("op", "shapes", "edit"),
    [
        (make_op(norm, x=norm_dx_without_the_term), [(3, 4), (4,)], "dy * w / root - tg.sum("),
        pytest.param(
            *(make_op(gate, x=gate_dx_without_slope), [(3, 4), (3, 4)], "* (s * (1 - s))"),
            marks=pytest.mark.exhaustive,
        ),
        (make_op(pairs, a=pairs_da_without_b), [(3, 2), (4, 2)], "- 2 * tg.matmul(dy, b)"),
        (make_op(rows, x=rows_dx), [(3, 4), (3,)], "+ dy * g[:, None] ** 3"),
    ],
    ids=["a term of a norm", "a sigmoid's slope", "a matrix product", "an array with an axis behind"],
)
def test_what_the_numbers_ask_for(op, shapes, edit):
    said, text = edits_said(op, *tensors(*shapes))
    assert any(edit in line for line in said), text
    assert "agrees with your forward, at other sizes too" in text


@pytest.mark.parametrize("shape", [(), (1,), (0,), (1, 1), (3,), (2, 3, 2)])
@pytest.mark.parametrize("rule", [lambda dy, x: dy, lambda dy, x: 0 * dy * x, lambda dy, x: dy / x])
def test_numbers_of_any_shape_can_be_asked(shape, rule):
    op = make_op(lambda x: x * x, x=rule)
    (call,) = calls_of(function_of_leaves(op, tensors(shape)), 1)
    job = job_of(call, 0, op.rules[0], 1, Tolerance())
    assert job is None or isinstance(list(fitted_edits(job)), list)


def nearest(a, b):
    """Each row of a with its own row of b: the forward takes other numbers of rows as well."""
    s = a @ b.T
    return np.log(np.exp(s).sum(1)) - np.diag(s)


def nearest_da_without_the_pair(dy, a, b):
    p = tg.softmax(tg.matmul(a, tg.transpose(b, 0, 1)), dim=1)
    ds = dy[:, None] * (p + np.eye(a.shape[0], dtype=np.int8))
    return tg.matmul(ds, b)


def test_sizes_that_the_forward_takes_by_accident_rule_nothing_out():
    said, text = edits_said(make_op(nearest, a=nearest_da_without_the_pair), *tensors((4, 3), (4, 3)))
    assert any("p - np.eye(" in line for line in said), text
    assert "at other sizes too; it raises for others that the forward takes" in text  # as many rows of b


def strided(x, *, stride=1):
    return x[1::stride][: (len(x) - 2) // stride]


def strided_dx(dy, x_shape, stride):
    size = dy.shape[0]
    return tg.put_add(dy, tuple([slice(2, 2 + stride * (size - 1) + 1, stride)]), x_shape)


def test_what_is_right_for_these_params_and_not_at_their_defaults_is_no_repair(monkeypatch):
    monkeypatch.setattr(repair, "SECONDS", 1.0)
    said, text = edits_said(make_op(strided, x=strided_dx), *tensors((9,)), stride=3)
    for line in said:
        edit = line.partition("→")[2]
        assert "slice(1, 2 + stride" not in edit  # one too many at stride=1


def row_norms(x, *, dim=1):
    return np.sum(x * x, dim)


def row_norms_dx(dy, x, dim):
    return 2 * x * tg.unsqueeze(dy, 1 - dim)


def test_a_param_that_can_only_be_smaller_is_changed_too():
    op = make_op(row_norms, x=row_norms_dx)
    said, text = edits_said(op, *tensors((3, 4)), dim=1)
    assert said and said[0].endswith("→  2 * x * tg.unsqueeze(dy, dim)"), text
    assert not any(line.endswith("tg.unsqueeze(dy, 1)") for line in said), text  # right for dim=1 alone


def test_an_array_among_the_params_is_no_hindrance():
    def masked(x, *, mask):
        return x * x * mask

    op = make_op(masked, x=masked_dx)
    mask = np.array([True, False, True])
    said, text = edits_said(op, *tensors((3,)), mask=mask)
    assert any("mask" in line.partition("→")[2] for line in said), text


def masked_dx(dy, x, mask):
    return 2 * dy * x * ~mask


def test_edits_that_differ_by_nothing_are_said_once():
    assert (
        canonical("a * 1 + 0") == canonical("1 * a") == canonical("a / 1") == canonical("a ** 1 - 0") == "a"
    )
    assert canonical("a * 2") != canonical("a")
    assert canonical("for x in") == "for x in"


def test_time_is_that_of_computing(monkeypatch):
    """A child that waits uses none of it: it is stopped by the clock alone, a few times later."""
    monkeypatch.setattr(workshop, "PATIENCE", 1000)

    def attempts(found):
        yield from (counts for _ in range(100_000_000))

    assert not workshop.try_all(attempts, 0.2).complete


def counts():
    return None


def beyond_a_limit(x, t):
    return np.where(np.abs(x) > t, x * x, x)


def beyond_a_limit_dx(dy, x, t):
    return dy * tg.where(tg.abs(x) > 1, 2 * x, 1)


def squares_of_a(x, a):
    return np.sin(a) * x


def squares_of_a_dx(dy, x, y):
    return dy * y


def test_an_edit_holds_for_numbers_of_both_signs_and_at_zero():
    x = tg.tensor(np.linspace(-2.0, 2.1, 12), requires_grad=True)
    said, text = edits_said(make_op(beyond_a_limit, x=beyond_a_limit_dx), x, tg.tensor(1.5))
    assert said and all(("> t" in line or "> 1 * t" in line) and "/ t" not in line for line in said), text
    said, text = edits_said(make_op(squares_of_a, x=squares_of_a_dx), *tensors((4,), (4,)))
    assert said and all("/ x" not in line or "but not for zeros in x" in line for line in said), text
