"""Inputs that nobody declared: which are taken for an op, and what may be said of it then."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks.command.docstring_shapes import documented_shapes, measured, proposals
from tinygrad_conv.checks.command.guess import guess
from tinygrad_conv.checks.command.report import report_on
from tinygrad_conv.engine.op import Op
from tinygrad_conv.errors import DeclarationError
from tinygrad_conv.ops.listing import describe

pytestmark = [pytest.mark.exhaustive, pytest.mark.usefixtures("scratch_ops")]


def declare(forward, **rules):
    """An op with these rules, by input."""
    op = tg.primitive(forward)
    for argument, rule in rules.items():
        op.grad(argument)(rule)
    return op


def layer_scale(x, gamma):
    return x * gamma[:, None, None]


def layer_scale_dx(dy, gamma):
    return dy * gamma[:, None, None]


def layer_scale_dgamma(dy, x):
    return tg.sum(dy * x, dim=(0, 2, 3))


def documented(forward, text):
    """A copy of a forward with a docstring."""
    copy = type(forward)(forward.__code__, forward.__globals__, forward.__name__, forward.__defaults__)
    copy.__kwdefaults__, copy.__doc__ = forward.__kwdefaults__, text
    return copy


# What may be said


def scale(x, b):
    return x * b


def test_a_rule_that_forgets_to_sum_is_not_all_right():
    report = report_on(declare(scale, x=lambda dy, b: dy * b, b=lambda dy, x: dy * x))
    assert report.verdict == "not checked"
    assert "it is right for x [2,3], b [2,3] and not for x [2,3], b [" in report.unsure
    assert "declare what it is made for" in report.unsure


def test_one_that_sums_is_right_for_inputs_that_broadcast_too():
    @tg.primitive(broadcasting=True)
    def scaled(x, b):
        return x * b

    scaled.grad("x")(lambda dy, b: dy * b)
    scaled.grad("b")(lambda dy, x: dy * x)
    report = report_on(scaled)
    assert report.verdict == "right"
    assert "x [2,3], b [2,3]" in report.used and "x [2,3], b [3]" in report.used


def test_a_right_rule_for_images_is_not_wrong_because_of_guesses():
    assert report_on(declare(layer_scale, x=layer_scale_dx, gamma=layer_scale_dgamma)).verdict != "wrong"


@pytest.mark.parametrize(
    "rule, verdict",
    [
        (lambda dy, x: 2 * dy * x, "right"),
        (lambda dy, x: dy * x, "wrong"),
        (lambda dy, x: dy * nonsense, "wrong"),  # noqa: F821
        (lambda dy, x: tg.sum(dy * x), "not checked"),
    ],
)
def test_what_is_wrong_everywhere_is_wrong_and_a_wrong_shape_is_not_sure(rule, verdict):
    def squared(x):
        return x * x

    assert report_on(declare(squared, x=rule)).verdict == verdict


def test_of_several_inputs_one_that_is_wrong_everywhere_is_enough():
    def joined(a, b):
        return np.concatenate([a.ravel() ** 2, b.ravel() ** 2])

    def joined_da(dy, a):
        return a * tg.reshape(dy[: a.size], a.shape)

    def joined_db(dy, a, b):
        return 2 * b * tg.reshape(dy[a.size :], b.shape)

    report = report_on(declare(joined, a=joined_da, b=joined_db))
    assert report.verdict == "wrong" and "right gradient of a" in report.failures["gradients"]


def test_a_branch_that_small_numbers_do_not_reach():
    def huber_like(x):
        return np.where(np.abs(x) < 2, x * x / 2, 2 * np.abs(x) - 2)

    def huber_dx(dy, x):
        return dy * tg.where(tg.abs(x) < 2, x, tg.sign(x))

    report = report_on(declare(documented(huber_like, "x [N, C]"), x=huber_dx))
    assert report.verdict == "not checked" and "larger numbers" in report.unsure


def test_an_op_without_a_rule():
    report = report_on(tg.primitive(scale))
    assert report.verdict == "not checked"
    assert report.unsure == "it has no rule: declare one with @scale.grad('x')"


def test_an_example_of_integers_alone():
    op = declare(scale, x=lambda dy, b: dy * b)
    op.example(lambda_example((np.ones(3, int), np.ones(3, int))))
    assert report_on(op).verdict != "right"


def test_a_forward_that_takes_nothing():
    def refusing(x):
        raise ValueError("never")

    report = report_on(declare(refusing, x=lambda dy: dy))
    assert report.verdict == "not checked" and "declare one with case(refusing, …)" in report.unsure
    assert report.refused.startswith("the forward refused ") and "x [2,3]" in report.refused


# What is guessed


def test_positive_numbers_where_others_are_not_finite():
    op = declare(lambda_named("logarithm", np.log), x=lambda dy, x: dy / x)
    samples = guess(op).samples
    assert len(samples) > 1 and all((sample.inputs[0] > 0).all() for sample in samples)
    assert report_on(op).verdict == "right"


def lambda_named(name, function):
    def forward(x):
        return function(x)

    forward.__name__ = forward.__qualname__ = name
    return forward


def test_integers_where_floats_are_refused():
    def rows(w, which):
        return w[which]

    op = declare(rows, w=lambda dy, which, w_shape: tg.put_add(dy, which, w_shape))
    assert all(sample.inputs[1].dtype.kind in "iu" for sample in guess(op).samples)
    assert report_on(op).verdict == "right"


def test_a_mask_by_its_name():
    def hidden(x, mask):
        return np.where(mask, x, 0 * x)

    op = declare(hidden, x=lambda dy, mask: tg.where(mask, dy, 0 * dy))
    assert all(sample.inputs[1].dtype == bool for sample in guess(op).samples)


def test_params_without_a_default():
    def powers(x, *, p):
        return np.abs(x) ** p

    def powers_dx(dy, x, p):
        return p * dy * tg.sign(x) * tg.abs(x) ** (p - 1)

    report = report_on(declare(powers, x=powers_dx))
    assert report.verdict == "right" and "x [2,3], p=0.5" in report.used


def test_optional_inputs_are_given_too():
    def shifted(x, b=None):
        return x if b is None else x + 3 * b

    report = report_on(declare(shifted, x=lambda dy: dy, b=lambda dy: dy))
    assert report.verdict != "right"
    assert "x [2,3]" in report.used or any("b [" in used for used in report.used)


def test_a_variadic_op_and_one_of_several_outputs():
    def doubled(*xs):
        """xs [N, C]"""
        return 2 * xs[0] + 2 * xs[1] + 2 * xs[2]

    def both(x):
        return (2 * x, x * x)

    assert report_on(declare(doubled, xs=lambda dy, xs: tuple([2 * dy for _ in xs]))).verdict == "right"
    assert report_on(declare(both, x=lambda dy, x: 2 * dy[0] + 2 * dy[1] * x)).verdict == "right"


def test_params_of_other_values_are_tried():
    def times(x, *, factor=1.0):
        return x * factor

    report = report_on(declare(times, x=lambda dy: dy))
    assert report.verdict == "wrong" and "factor=1.25" in report.failures["gradients"]


def test_no_two_inputs_hold_equal_numbers_and_few_digits_are_not_asked_too_much():
    def distance(a, b):
        return np.abs(a - b).sum()

    def tangent(x):
        return np.tan(x)

    sides = {"a": lambda dy, a, b: dy * tg.sign(a - b), "b": lambda dy, a, b: -dy * tg.sign(a - b)}
    for sample in guess(declare(distance, **sides)).samples:
        assert not np.isin(sample.inputs[0], sample.inputs[1]).any()
    assert report_on(declare(tangent, x=lambda dy, y: dy * (1 + y * y))).verdict == "right"


# The docstring


@pytest.mark.parametrize(
    "text, shapes",
    [
        ("x [N, C, H, W], gamma [C]", {"x": ("N", "C", "H", "W"), "gamma": ("C",)}),
        ("x: [N, C], of gamma: [C]", {"x": ("N", "C"), "gamma": ("C",)}),
        ("x, gamma [N, 2C]", {"x": ("N", "2C"), "gamma": ("N", "2C")}),
        ("x and gamma of shape [n m+1]", {"x": ("n", "m+1"), "gamma": ("n", "m+1")}),
        ("norm of x, [N, C]; gamma, [C]: its scale", {"x": ("N", "C"), "gamma": ("C",)}),
        ("x [..., C], gamma []", {"x": ("...", "C"), "gamma": ()}),
        ("x [N, C / 2], max [3], gammas [2]", {}),
        ("x[0] is first", {"x": ("0",)}),
        ("nothing", {}),
    ],
)
def test_shapes_in_a_docstring(text, shapes):
    assert documented_shapes(Op(documented(layer_scale, text))) == shapes


def test_kernels_are_smaller_than_images_and_a_letter_is_one_size():
    shapes = {"x": ("N", "C", "H", "W"), "w": ("O", "C", "kh", "kw")}
    for values in proposals(shapes):
        x, w = (measured(sizes, values) for sizes in shapes.values())
        assert x[1] == w[1] and w[2] < x[2] and w[3] < x[3]


@pytest.mark.parametrize("text", ["x [N, C, H, W] times gamma [C].", "x: [N, C, H, W], gamma: [C]"])
def test_shapes_of_a_docstring_count_as_declared(text):
    forward = documented(layer_scale, text)
    assert report_on(declare(forward, x=layer_scale_dx, gamma=layer_scale_dgamma)).verdict == "right"
    wrong = declare(forward, x=layer_scale_dx, gamma=lambda dy, x: tg.mean(dy * x, dim=(0, 2, 3)))
    report = report_on(wrong)
    assert report.verdict == "wrong" and report.notes == ["shapes from the docstring"]
    assert "rule" in report.failures["gradients"]


def test_a_docstring_that_the_forward_refuses_is_told_and_not_believed():
    report = report_on(declare(documented(layer_scale, "x [N, C], gamma [O, C, K]"), x=layer_scale_dx))
    assert report.notes == ["inputs guessed"] and "x [2,3], gamma [4,3,3]" in guess_of(report).refused


def guess_of(report):
    return guess(report.op)


# The example


def test_an_example_counts_as_declared_and_stands_in_help():
    op = declare(scale, x=lambda dy, b: dy * b, b=lambda dy, x: dy * x)

    @op.example
    def two_of_one_shape():
        return np.ones((2, 3)), tg.tensor(np.ones((2, 3)))

    report = report_on(op)
    assert report.verdict == "right" and report.used == ["x [2,3], b [2,3]"]
    assert "Example: " in describe(op) and "return np.ones((2, 3)), tg.tensor" in describe(op)


def test_an_example_by_name_with_params():
    def times(x, b=None, *, factor):
        return x * factor

    op = declare(times, x=lambda dy, factor: dy * factor)
    op.example(lambda_example({"x": np.ones((2, 3), np.float32), "factor": 3}))
    (sample,) = guess(op).samples
    assert sample.params == {"factor": 3} and sample.inputs[0].dtype == np.float64 and len(sample.inputs) == 1
    assert report_on(op).verdict == "right"


def lambda_example(returned):
    def example():
        return returned

    return example


def test_an_example_of_equal_sizes_is_checked_at_others_too():
    def row_means(x):
        return x.mean(1)

    op = declare(row_means, x=lambda dy, x: 0 * x + tg.reshape(dy, (-1, 1)) / x.shape[0])
    op.example(lambda_example(np.random.default_rng(0).normal(size=(3, 3))))
    report = report_on(op)
    assert report.verdict == "not checked" and "right for x [3,3] and not for x [2,4]" in report.unsure


def test_an_example_that_fails_or_names_what_there_is_not():
    op = declare(scale, x=lambda dy, b: dy * b)
    op.example(lambda_example({"x": np.ones(2), "c": np.ones(2)}))
    message = report_on(op).failures["gradients"]
    assert "its example fails: ValueError: scale: its example names 'c'; it takes x, b" in message


def test_what_is_no_example():
    op = tg.primitive(scale)
    with pytest.raises(DeclarationError, match=r"@scale.example decorates a function, not 3"):
        op.example(3)
    with pytest.raises(DeclarationError, match="an example takes no argument"):
        op.example(scale)
