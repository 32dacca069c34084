"""float16 beside numbers that it cannot hold: computed in float32, and rounded once."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional as F

NUMBERS = np.array([1.0, -2.0, 0.5, 6e4, 1e-4, 0.0], np.float16)
BEYOND = (1e5, -1e5, 65520.0, 1e-8, -3e-7, 100_000, np.float32(1e6), np.float64(1e-7))

OPERATORS = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "mod", "floordiv", "gt", "ge", "lt", "le", "eq", "ne")
}
FUNCTIONS = {
    **OPERATORS,
    **{f"{name}, reversed": lambda x, number, op=op: op(number, x) for name, op in OPERATORS.items()},
    "maximum": lambda x, number: tg.maximum(x, number),
    "minimum": lambda x, number: tg.minimum(x, number),
    "clamp_min": lambda x, number: tg.clamp(x, min=number),
    "clamp_max": lambda x, number: tg.clamp(x, max=number),
    "fmod": lambda x, number: tg.fmod(x, number),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("number", BEYOND, ids=repr)
def test_a_number_counts_for_what_it_is(name, number):
    """Against the same in float32, rounded to float16."""
    function = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        y = function(tg.tensor(NUMBERS), number)
        right = function(tg.tensor(NUMBERS.astype(np.float32)), number).numpy()
        if right.dtype == np.float32:
            right = right.astype(np.float16)
    np.testing.assert_array_equal(y.numpy(), right, strict=True)


X = np.array([200.0, -100.0], np.float16)
EXACT = X.astype(np.float64)
CUBE, SLOPE, CURVATURE = EXACT**3 / 1e5, 3 * EXACT**2 / 1e5, 6 * EXACT / 1e5


@pytest.mark.parametrize("divisor", [1e5, np.float32(1e5), tg.tensor(1e5), tg.tensor(1e5, dtype=tg.float64)])
def test_gradients_of_both_orders_come_through(divisor):
    """x³ / c, whose slope is 3 x² / c, and its slope 6 x / c."""
    x = tg.tensor(X, requires_grad=True)
    y = x * x / divisor * x
    (dx,) = tg.grad(y.float().sum(), x, create_graph=True)
    (ddx,) = tg.grad(dx.float().sum(), x)
    for got, right in ((y, CUBE), (dx, SLOPE), (ddx, CURVATURE)):
        assert got.dtype == np.float16
        np.testing.assert_allclose(got.detach().numpy(), right, rtol=3e-3)


def test_a_number_in_a_tensor_has_a_gradient():
    """Of x / c it is -x / c², in the dtype of c, which float16 could not hold."""
    x, c = tg.tensor(X, requires_grad=True), tg.tensor(1e5, requires_grad=True)
    y = x / c
    y.float().sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), EXACT / 1e5, rtol=1e-3)
    np.testing.assert_allclose(x.grad, [1e-5, 1e-5], rtol=1e-2)
    assert c.grad.dtype == np.float32
    np.testing.assert_allclose(c.grad, -100 / 1e10, rtol=1e-6)


def test_what_is_on_the_tape_is_what_was_computed():
    lines = str((tg.tensor(X, requires_grad=True) / 1e5).tape()).splitlines()
    assert [line.split("(")[0].split(" = ")[1] for line in lines] == ["to", "div", "to"]


def test_arrays_alone():
    np.testing.assert_array_equal(tg.ops.div(X, 1e5), (EXACT / 1e5).astype("e"), strict=True)
    np.testing.assert_array_equal(tg.ops.div(X, np.array(1e5)), (EXACT / 1e5).astype("e"), strict=True)


def test_integers_where_floats_are_float16():
    tg.set_default_dtype(tg.float16)
    try:
        y = tg.tensor([1000, 3]) / 1e5
    finally:
        tg.set_default_dtype(tg.float32)
    np.testing.assert_array_equal(y.numpy(), np.array([1e-2, 3e-5], np.float16), strict=True)


def test_in_place():
    x = tg.tensor([2e4, 3.0], dtype=tg.float16)
    held = x
    x /= 1e5
    assert held is x
    np.testing.assert_array_equal(x.numpy(), np.array([0.2, 3e-5], np.float16), strict=True)


def test_numbers_that_float16_holds_take_one_op():
    for number in (2.0, 0.1, 65504, 1e-4, math.inf, math.nan, 0):
        x = tg.tensor([0.5, -1], dtype=tg.float16, requires_grad=True)
        assert (x * number).grad_fn.op.name == "mul"


def test_a_replay_reads_the_number_again():
    """Whether a tensor's number fits is nothing that a recording may take for granted."""
    x = tg.tensor(X, requires_grad=True)

    def step(scale):
        x.grad = None
        y = (x * (1e5 * scale) / 1e5).float().sum()
        y.backward()
        return y

    replayed = tg.replay(step)
    for scale in (1e-3, 2e-3, 1e-9, 1e-4):
        right = step(tg.tensor(scale))
        slope = x.grad
        y = replayed(tg.tensor(scale))
        np.testing.assert_array_equal(y.detach().numpy(), right.detach().numpy(), strict=True)
        np.testing.assert_array_equal(x.grad, slope, strict=True)


REFUSED = {
    "masked_fill": lambda x, number: x.masked_fill(x > 0, number),
    "masked_fill_": lambda x, number: x.clone().masked_fill_(x > 0, number),
    "x[…]": lambda x, number: operator.setitem(x, 0, number),
    "full": lambda x, number: tg.full((2,), number, dtype=x.dtype),
    "full_like": tg.full_like,
    "new_full": lambda x, number: x.new_full((2,), number),
    "fill_": lambda x, number: x.clone().fill_(number),
    "pad": lambda x, number: F.pad(x, (1, 1), value=number),
    "threshold": lambda x, number: F.threshold(x, 0, number),
    "index_fill": lambda x, number: x.index_fill(0, tg.tensor([0]), number),
    "scatter": lambda x, number: x.scatter(0, tg.tensor([0]), number),
    "linspace": lambda x, number: tg.linspace(0, number, 3, dtype=x.dtype),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(("dtype", "number"), [(tg.float16, -1e9), (tg.float16, 70_000), (tg.float32, 1e39)])
def test_a_number_is_not_written_as_inf(name, dtype, number):
    """As PyTorch refuses it; inf itself is written."""
    x = tg.tensor([1.0, -2.0], dtype=dtype)
    with pytest.raises(OverflowError, match=": float(16|32) holds numbers up to"):
        REFUSED[name](x, number)
    assert x.tolist() == [1, -2]
    if name != "linspace":
        REFUSED[name](x, math.inf)


def test_linspace_of_integers_that_do_not_fit():
    with pytest.raises(OverflowError, match="linspace: uint8 holds integers from 0 to 255"):
        tg.linspace(0, 300, 4, dtype=tg.uint8)
    assert tg.linspace(0, 255, 3, dtype=tg.uint8).tolist() == [0, 127, 255]


def large(*shape, seed=0):
    return (np.random.default_rng(seed).normal(size=shape) * 200).astype(np.float16)


IN_STEPS = {
    "addcmul": lambda a, b, c: tg.addcmul(a, b, c, value=1e-8),
    "addcdiv": lambda a, b, c: tg.addcdiv(a, b, c, value=1e-8),
    "lerp": tg.lerp,
    "addmm": lambda a, b, c: tg.addmm(a, b, c, beta=0.5, alpha=1e-6),
    "addmv": lambda a, b, c: tg.addmv(a[0], b, c[0], alpha=1e-6),
    "baddbmm": lambda a, b, c: tg.baddbmm(a[None], b[None], c[None], alpha=1e-6),
    "attention": lambda a, b, c: F.scaled_dot_product_attention(a, b, c / 200),
    "causal attention": lambda a, b, c: F.scaled_dot_product_attention(a, b, c / 200, is_causal=True),
}


@pytest.mark.parametrize("name", IN_STEPS)
def test_what_takes_several_steps_is_rounded_once(name):
    """Forward and backward against the same in float64: a step between overflows in float16."""
    arrays = [large(4, 4, seed=seed) for seed in range(3)]
    halves = [tg.tensor(array, requires_grad=True) for array in arrays]
    doubles = [tg.tensor(array.astype(np.float64), requires_grad=True) for array in arrays]
    with np.errstate(over="ignore"):
        y, right = IN_STEPS[name](*halves), IN_STEPS[name](*doubles).half()
        assert y.dtype == np.float16
        np.testing.assert_allclose(y.detach().numpy(), right.detach().numpy(), rtol=2e-3)
        y.sum().backward()
        right.sum().backward()
    for half, double in zip(halves, doubles):
        np.testing.assert_allclose(half.grad, double.grad, rtol=5e-3, atol=2e-6)


def test_float16_beside_float32_is_float32():
    a, b = tg.tensor(large(4, 4)), tg.tensor(large(4, 4).astype(np.float32))
    assert tg.addcmul(a, a, b).dtype == tg.addmm(a, a, b).dtype == np.float32


SLOPES = {  # functions whose rules square, or divide by what vanishes
    "atan": tg.atan,
    "asinh": tg.asinh,
    "acosh": lambda x: tg.acosh(tg.clamp(abs(x), min=2)),
    "hardswish": F.hardswish,
    "erf": tg.erf,
    "norm of order 0.5": lambda x: tg.norm(x[[2, 5]], 0.5),
    "local_response_norm": lambda x: F.local_response_norm(x.reshape(1, 6, 1), 3, k=2.0),
    "soft_margin_loss": lambda x: F.soft_margin_loss(x, tg.tensor([1, -1, 1, 1, -1, 1])),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SLOPES)
def test_a_slope_that_float16_holds_is_not_lost(name):
    numbers = np.array([300.0, -1000.0, 12000.0, -6e4, 0.5, 1e-3], np.float16)
    half, double = (tg.tensor(numbers.astype(dtype), requires_grad=True) for dtype in ("e", "d"))
    y, right = SLOPES[name](half), SLOPES[name](double)
    np.testing.assert_allclose(y.detach().numpy(), right.detach().numpy(), rtol=2e-3)
    y.sum().backward()
    right.sum().backward()
    np.testing.assert_allclose(half.grad, double.grad, rtol=5e-3, atol=6e-8)


def test_a_quotient_is_rounded_but_once():
    """-11.5 / 0.3108 is -37.002, of which float16 would make -37.0 first."""
    random = np.random.default_rng(0)
    a, b = ((random.standard_normal(20_000) * size).astype(np.float16) for size in (9, 1))
    exact = a.astype(np.float64) / b
    exact, a, b = (each[np.abs(exact) < 6e4] for each in (exact, a, b))
    a, b = tg.tensor(a), tg.tensor(b)
    np.testing.assert_array_equal(
        tg.div(a, b, rounding_mode="floor").numpy(), np.floor(exact).astype(np.float16)
    )
    np.testing.assert_array_equal(
        tg.div(a, b, rounding_mode="trunc").numpy(), np.trunc(exact).astype(np.float16)
    )
    divisor = tg.tensor(np.array([0.3108], np.float16), requires_grad=True)
    tg.fmod(tg.tensor(np.array([-11.5], np.float16)), divisor).backward()
    assert divisor.grad == 37


def test_a_logarithm_of_more_summands_than_float16_can_count():
    x = tg.zeros(70_000, dtype=tg.float16, requires_grad=True)
    y = tg.logsumexp(x, 0)
    assert y.item() == np.float16(math.log(70_000))
    y.backward(np.array(1000, np.float16))
    np.testing.assert_allclose(x.grad, 1000 / 70_000, rtol=1e-2)


SIGMOIDS = {
    "sigmoid": F.sigmoid,
    "silu": F.silu,
    "hardswish": F.hardswish,
    "glu": lambda x: F.glu(tg.stack([tg.ones_like(x), x], 1), 1)[:, 0],
    "softmax": lambda x: F.softmax(tg.stack([x, tg.zeros_like(x)], 1), 1)[:, 0],
    "log_softmax": lambda x: F.log_softmax(tg.stack([x, tg.zeros_like(x)], 1), 1)[:, 0],
    "hardsigmoid": F.hardsigmoid,
    "celu": lambda x: F.celu(x, 0.3),
    "softplus": lambda x: F.softplus(x, 5.0, 3.0),
}


@pytest.mark.parametrize("name", SIGMOIDS)
def test_what_cancels_is_computed_in_float32(name):
    """Against float64, at the same numbers: y is rounded once, and its slope is off by that alone."""
    numbers = np.random.default_rng(0).uniform(-9, 9, 2000).astype(np.float16)
    x, exact = tg.tensor(numbers, requires_grad=True), tg.tensor(numbers.astype(float), requires_grad=True)
    y, right = SIGMOIDS[name](x), SIGMOIDS[name](exact)
    y.sum().backward()
    right.sum().backward()
    assert y.dtype == x.grad.dtype == np.float16
    np.testing.assert_allclose(y.data, right.data, rtol=6e-4, atol=1e-7)
    np.testing.assert_allclose(x.grad, exact.grad, rtol=1e-3, atol=3e-4)


def test_a_kink_is_where_it_is_in_float16_too():
    """2.998 + 3 is rounded to 6, and 5 · 0.6 to 3: there the other branch was taken."""
    for function, number, value, slope in (
        (F.hardsigmoid, 2.998, 1.0, 1 / 6),
        (lambda x: F.softplus(x, 5.0, 3.0), 0.6001, 0.6001, 1.0),
    ):
        x = tg.tensor(np.array([number], np.float16), requires_grad=True)
        y = function(x)
        y.backward()
        np.testing.assert_allclose([y.item(), x.grad[0]], [value, slope], rtol=6e-4)
    x = tg.tensor([1.0], dtype=tg.float16)
    assert F.hardsigmoid(x, inplace=True) is x and F.celu(x, inplace=True) is x
    assert x.item() == np.float16(4 / 6)


def test_the_slopes_of_silu_and_hardswish_keep_their_digits_where_they_cross_zero():
    for function, near in ((F.silu, -1.2784), (F.hardswish, -1.5)):
        numbers = (near + np.linspace(-0.1, 0.1, 500)).astype(np.float16)
        x, exact = (
            tg.tensor(numbers, requires_grad=True),
            tg.tensor(numbers.astype(float), requires_grad=True),
        )
        function(x).sum().backward()
        function(exact).sum().backward()
        np.testing.assert_allclose(x.grad, exact.grad, rtol=1e-3, atol=1e-6)
