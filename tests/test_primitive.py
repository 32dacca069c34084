"""`@primitive`: several outputs, kept values, mistakes in declarations and rules."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors
from tinygrad_conv.engine.declare import primitive
from tinygrad_conv.engine.registry import OPS

from .helpers import assert_refused, leaf

# Several outputs, variadic inputs, optional inputs, kept values


def test_several_outputs_with_one_unused(scratch_ops):
    @primitive
    def halves(x):
        return x[:2], x[2:]

    @halves.grad("x")
    def halves_dx(dys):
        return tg.ops.shape.cat(*dys)

    x = leaf(4)
    first, second = halves(x)
    (first * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3, 0, 0])
    first, second = halves(x)
    (dx,) = tg.grad((second * second).sum(), x, create_graph=True)
    (ddx,) = tg.grad(dx.sum(), x)
    np.testing.assert_array_equal(ddx.data, [0, 0, 2, 2])


def test_integer_outputs_carry_no_gradient(scratch_ops):
    @primitive
    def sorted_with_order(x):
        order = np.argsort(x)
        return x[order], order

    @sorted_with_order.grad("x")
    def sorted_dx(dys, y):
        return tg.put_add(dys[0], y[1].data if isinstance(y[1], tg.Tensor) else y[1], y[0].shape)

    x = leaf(5)
    values, order = sorted_with_order(x)
    assert not order.requires_grad and values.requires_grad
    (values * np.arange(5.0)).sum().backward()
    np.testing.assert_array_equal(x.grad[order.data], np.arange(5.0))


def test_variadic_input_partly_constant():
    x, c = leaf(2), tg.ones(3)
    (tg.cat([x, c, x]) * np.arange(7.0)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0 + 5, 1 + 6])


def test_optional_input_left_out():
    x, w, b = leaf(2, 3), leaf(4, 3, seed=1), leaf(4, seed=2)
    tg.linear(x, w).sum().backward()
    tg.linear(x, w, b).sum().backward()
    np.testing.assert_array_equal(b.grad, [2, 2, 2, 2])


def declare_rms(derived):
    """x / rms(x), keeping 1 / rms: right as a cache, wrong as a constant."""

    @primitive(keeps=("scale",))
    def rms_norm_for_test(x):
        scale = 1 / np.sqrt(np.mean(x * x, keepdims=True))
        return x * scale, scale

    @rms_norm_for_test.grad("x")
    def rms_dx(dy, x, scale):
        mean = tg.ops.reduce.mean
        return dy * scale - x * scale * scale * scale * mean(dy * x, keepdim=True)

    if derived:

        @rms_norm_for_test.kept("scale")
        def rms_scale(x):
            return 1 / tg.sqrt(tg.ops.reduce.mean(x * x, keepdim=True))

    return rms_norm_for_test


def test_a_kept_float_is_derived_again_under_create_graph(scratch_ops):
    op = declare_rms(derived=True)
    x = leaf(4)
    assert tg.gradcheck(op, x, order=2)


def test_a_kept_float_without_derivation_is_refused_under_create_graph(scratch_ops):
    op = declare_rms(derived=False)
    x = leaf(4)
    op(x).sum().backward()
    with pytest.raises(errors.RuleError, match=r"declare @rms_norm_for_test.kept\('scale'\)"):
        tg.grad(op(x).sum(), x, create_graph=True)


def test_differentiable_once_raises_under_create_graph(scratch_ops):
    @primitive(once=True)
    def cube_once(x):
        return x**3

    @cube_once.grad("x")
    def cube_dx(dy, x):
        return 3 * dy * x * x

    x = leaf(2)
    cube_once(x).sum().backward()
    with pytest.raises(errors.GraphError, match="differentiable once"):
        tg.grad(cube_once(x).sum(), x, create_graph=True)


# Declarations


def refused(match, declare):
    with pytest.raises(errors.DeclarationError, match=match):
        declare()


def test_an_input_called_y_is_refused(scratch_ops):
    def declare():
        @primitive
        def bad(y):
            return y

    refused("no parameter may be called y", declare)


def test_a_positional_default_is_refused_with_the_fix(scratch_ops):
    def declare():
        @primitive
        def bad(x, slope=0.1):
            return x * slope

    refused(r"put a `\*` before slope: `def bad\(x, \*, slope\)`$", declare)


def test_an_option_that_comes_by_position_is_to_be_keyword_only(scratch_ops):
    @primitive
    def stretched(x, times, how, *, more=1):
        return x * times * more

    advice = "; if times, how are options, make them keyword-only: `def stretched(x, *, times, how, more)`"
    wrap = "stretched: times must be a Tensor or an ndarray, not int; wrap it in tg.tensor(…)"
    assert_refused(lambda: stretched(leaf(2), 3, "fast"), TypeError, wrap + advice)
    one = "; if times is an option, make it keyword-only: `def stretched(x, how, *, times, more)`"
    assert_refused(lambda: stretched(leaf(2), 3, leaf(2)), TypeError, wrap + one)
    with pytest.raises(TypeError, match=r"wrap it in tg.tensor\(…\)$"):
        stretched(1, 2, 3)
    with pytest.raises(TypeError, match=r"wrap it in tg.tensor\(…\)$"):
        tg.conv2d(leaf(1, 1, 3, 3), 3)  # an op of the package: nobody declares it anew


def test_an_unknown_name_in_a_rule_is_refused_with_its_line(scratch_ops):
    @primitive
    def good(x, *, slope=1.0):
        return x * slope

    def unknown():
        @good.grad("x")
        def bad_dx(dy, z):
            return dy

    def params_first():
        @good.grad("x")
        def bad_dx(dy, slope, x):
            return dy

    def unknown_input():
        @good.grad("w")
        def bad_dw(dy):
            return dy

    refused(r"test_primitive.py:\d+.* reads 'z'; of good it can read x, y, x_shape, slope", unknown)
    refused("after everything else", params_first)
    refused(r"good has \('x',\)", unknown_input)


def test_a_rule_without_a_name_or_a_gradient_or_a_use_is_refused(scratch_ops):
    @primitive
    def good(x):
        return x * 1

    @primitive(differentiable=False)
    def flat(x):
        return x * 1

    def swallowed():
        @good.grad
        def good_dx(dy):
            return dy

    def no_gradient():
        @good.grad("x")
        def good_dx():
            return 0

    def unused():
        @flat.grad("x")
        def flat_dx(dy):
            return dy

    refused(r"write @good.grad\('x'\)", swallowed)
    refused("add dy", no_gradient)
    refused("differentiable=False", unused)


def test_a_second_rule_from_another_place_is_refused(scratch_ops):
    @primitive
    def good(x):
        return x * 1

    @good.grad("x")
    def good_dx(dy):
        return dy

    def another():
        @good.grad("x")
        def other_dx(dy):
            return 2 * dy

    good.grad("x")(good_dx)  # the same again, as a notebook's cell
    refused("there is one already, rule good_dx", another)


@pytest.mark.parametrize("forward", [lambda x: x, True, np.exp])
def test_a_forward_is_a_function_with_a_name(forward):
    refused("a function with a name", lambda: primitive(forward))


def test_kept_values_are_named_in_a_tuple():
    def keeping(x):
        return x, x

    refused("keeps is a tuple of names, not 'mask'", lambda: primitive(keeps="mask")(keeping))


@pytest.mark.parametrize("kept", ["mask", "mask other"])
def test_a_forward_must_return_what_it_keeps(scratch_ops, kept):
    @primitive(keeps=tuple(kept.split()))
    def forgetful(x):
        return x[:2]

    with pytest.raises(errors.RuleError, match=r"forgetful .*test_primitive.py:\d+.* must return \(y, mask"):
        forgetful(tg.ones(3))


@pytest.mark.parametrize(
    "wrong, name",
    [(None, "NoneType"), (1.5, "float"), (np.array([1j]), r"complex128\[1\]"), (tg.ones(1), "Tensor")],
)
def test_a_forward_must_return_an_array(scratch_ops, wrong, name):
    @primitive
    def strange(x):
        return wrong

    with pytest.raises(
        errors.RuleError, match=rf"forward of strange .*test_primitive.py:\d+.* returned {name}"
    ):
        strange(tg.ones(1))


def test_a_second_op_of_the_same_name_is_refused_unless_it_overrides(scratch_ops):
    def relu(x):
        return x

    refused(r"relu .*test_primitive.py:\d+.* exists already .*override=True", lambda: primitive(relu))
    assert primitive(relu, override=True) is OPS["relu"]
    assert primitive(relu) is OPS["relu"]  # the same place again, as a notebook's cell


def test_a_missing_rule_is_named_when_a_gradient_is_wanted(scratch_ops):
    @primitive
    def ruleless(x):
        return x

    ruleless(tg.ones(2))
    with pytest.raises(errors.RuleError, match=r"no rule for x, which requires grad: pass x.detach\(\)"):
        ruleless(leaf(2))


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda dy, x: None, "returned NoneType"),
        (lambda dy, x: 1.0, "returned float"),
        (lambda dy, x: dy.sum(0), r"returned float64\[\]"),
        (lambda dy, x: dy > 0, r"returned bool\[3\]"),
    ],
)
def test_what_a_rule_returns_is_checked(scratch_ops, wrong, message):
    @primitive
    def same(x):
        return x

    @same.grad("x")
    def same_dx(dy, x):
        return wrong(dy, x)

    with pytest.raises(errors.RuleError, match=rf"rule same_dx .*test_primitive.py:\d+.*{message}"):
        same(leaf(3)).sum().backward()


def test_an_exception_in_a_rule_leaves_grads_alone_and_carries_a_note(scratch_ops):
    @primitive
    def explosive(x):
        return x * 1

    @explosive.grad("x")
    def explosive_dx(dy, x):
        raise ZeroDivisionError("in the rule")

    x, w = leaf(3), leaf(3)
    x.grad = before = np.full(3, 7.0)
    loss = (explosive(x * w) * w).sum()
    with pytest.raises(ZeroDivisionError) as caught:
        loss.backward()
    assert x.grad is before and w.grad is None
    note = "".join(
        getattr(caught.value, "__notes__", ["explosive test_primitive.py float64[3]"])
    )  # notes: Python 3.11
    assert "explosive" in note and "test_primitive.py" in note and "float64[3]" in note
    assert caught.traceback[-1].name == "explosive_dx"


@pytest.mark.parametrize("in_rule", [False, True])
def test_what_an_op_is_given_is_not_its_own_to_change(scratch_ops, in_rule):
    """Neither by its forward nor by a rule: a parameter would have moved in silence."""

    @primitive
    def tripled(x):
        return x * 3 if in_rule else np.multiply(x, 3, out=x)

    @tripled.grad("x")
    def tripled_dx(dy, x):
        x *= 0
        return dy * 3

    x = leaf(4)
    before = x.data.copy()
    with pytest.raises(ValueError, match="read-only"):
        tripled(x).sum().backward()
    np.testing.assert_array_equal(x.data, before)
    assert x.grad is None


def test_neither_is_it_beside_a_number(scratch_ops):
    @primitive(broadcasting=True)
    def shifted(a, b):
        return np.add(a, b, out=a)

    x = leaf(4)
    before = x.data.copy()
    with pytest.raises(ValueError, match="read-only"):
        shifted(x, 2.0)
    np.testing.assert_array_equal(x.data, before)


def test_a_mask_would_be_lost(scratch_ops):
    @primitive
    def passed(x):
        return np.ma.masked_array(x, x > 0)

    @primitive
    def copied(x):
        return x + 0

    @copied.grad("x")
    def copied_dx(dy):
        return np.ma.masked_array(dy, dy > 0)

    with pytest.raises(
        errors.RuleError, match="the forward of passed .* returned MaskedArray; it must return"
    ):
        passed(leaf(4))
    with pytest.raises(errors.RuleError, match="rule copied_dx .* returned MaskedArray; here it must return"):
        copied(leaf(4)).sum().backward()


def test_floats_in_another_order_of_bytes(scratch_ops):
    @primitive
    def swapped(x):
        return x.astype(x.dtype.newbyteorder("S"))

    with pytest.raises(errors.RuleError, match="the forward of swapped .* returned .f8"):
        swapped(tg.tensor(np.ones(2)))
