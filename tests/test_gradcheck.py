"""`gradcheck`: what it accepts, what it finds, and where its message points."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks import KinkWarning, gradcheck
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GradcheckError

from .helpers import leaf


def wrong_at(position, size=1e-3):
    """A function whose gradient is right except in one place, by a thousandth: the tape does not see a
    constant.
    """

    def fn(x):
        hidden = np.zeros(x.shape)
        hidden[position] = size * x.data[position] ** 2
        return x * x + tg.Tensor(hidden)

    return fn


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3), (1, 1), (40, 50)])
def test_a_right_gradient_passes(shape, order):
    assert gradcheck(lambda x: (x * x).sin() * x, leaf(*shape), order=order) is True


@pytest.mark.parametrize("order", [1, 2])
def test_an_op_passes(order):
    assert gradcheck(OPS["matmul"], leaf(3, 4), leaf(4, 2), order=order)


def test_several_outputs_of_which_some_carry_no_gradient():
    assert gradcheck(lambda x: (x.sin(), [x.sum(), x > 0][0], x == 0), leaf(3, 2), order=2)


def test_outputs_in_a_list():
    assert gradcheck(lambda x: [x.exp(), x * 2], leaf(4), order=2)


def test_what_requires_no_gradient_is_a_constant():
    constant = tg.Tensor(np.array([1.5, 2.5]))
    assert gradcheck(
        lambda x, c, array, factor: x * c * array * factor,
        leaf(2),
        constant,
        np.array([2.0, 3.0]),
        2,
        order=2,
    )


def test_float32_is_promoted_and_the_message_says_so():
    assert gradcheck(lambda x: x.exp(), leaf(3, dtype=np.float32), order=2)
    with pytest.raises(GradcheckError, match="promoted from float16 to float64"):
        gradcheck(wrong_at(1), leaf(3, dtype=np.float16))


def test_the_callers_tensors_stay_as_they_are():
    x = leaf(3, dtype=np.float32)
    before = x.data.copy()
    gradcheck(lambda x: x.exp(), x, order=2)
    assert x.grad is None
    assert np.array_equal(x.data, before)


@pytest.mark.parametrize(
    ("shape", "position"), [((3, 4), (2, 1)), ((60, 70), (17, 53))], ids=["whole", "directions"]
)
def test_the_worst_index_and_both_values_are_named(shape, position):
    x = leaf(*shape)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong_at(position), x)
    index = "[" + ",".join(map(str, position)) + "]"
    value = float(x.data[position])
    assert f"∂y{index} / ∂x{index}" in str(caught.value)
    assert f"{2 * value:.5g}"[:5] in str(caught.value)
    assert f"{2.002 * value:.6g}"[:6] in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 4), (60, 70)], ids=["whole", "directions"])
def test_order_2_finds_what_order_1_does_not_see(shape):
    def hides_its_curvature(x):
        constant = tg.Tensor(
            x.data
        )  # right in value and at order 1 as long as nobody looks at its own derivative
        return tg.Tensor(-0.5 * constant.data**2) + x * constant

    assert gradcheck(lambda x: x * x, leaf(*shape), order=2)
    with pytest.raises(GradcheckError):
        gradcheck(hides_its_curvature, leaf(*shape), order=2)


def test_a_missing_gradient_is_an_error():
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.detach() * 2, leaf(3))


@pytest.mark.parametrize(
    "shape",
    [pytest.param((4,), id="whole"), pytest.param((100, 200), id="directions", marks=pytest.mark.exhaustive)],
)
@pytest.mark.parametrize("value", [0.0, 1e-9])
def test_a_kink_is_reported_and_not_counted(shape, value):
    x = leaf(*shape)
    x.data.flat[-1] = value
    with pytest.warns(KinkWarning, match=r"x\[") as caught:
        assert gradcheck(lambda x: x.relu().sum(), x, order=2)
    assert caught[0].filename == __file__


def test_an_input_full_of_kinks_is_checked_nearby():
    x = leaf(50, 60)
    x.data[:25] = 0.0
    with pytest.warns(KinkWarning):
        assert gradcheck(lambda x: x.relu(), x)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: wrong_at((40, 30), size=1.0)(x).relu(), x)


def test_near_a_kink_a_smaller_step_tells():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(
            lambda x: x.relu(), tg.Tensor(np.array([3e-7, -3e-7, 1.0]), requires_grad=True), order=2
        )


def test_a_tie_is_a_kink():
    x = tg.Tensor(np.array([[[1.0, 2.0], [2.0, 0.0]]]), requires_grad=True)
    with pytest.warns(KinkWarning, match=r"x\[0,0,1\] = 2, x\[0,1,0\] = 2"):
        assert gradcheck(lambda x: OPS["max_pool2d"](x, kernel_size=2), x)


def test_a_tie_that_is_shared_agrees_with_the_mean_of_both_slopes():
    assert gradcheck(lambda x: x.amax(), tg.Tensor(np.array([1.0, 2.0, 2.0]), requires_grad=True))


def test_a_gradient_beyond_the_slopes_at_a_kink_is_wrong():
    def three_at_0(x):
        return x.relu() + 3 * (x - tg.Tensor(x.data))

    with pytest.raises(GradcheckError):
        gradcheck(three_at_0, tg.Tensor(np.array([0.0]), requires_grad=True))


def test_steep_is_not_a_kink():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x: (100 * x).exp(), leaf(5), rtol=1e-4)


def test_rounding_of_large_values_is_allowed_for():
    assert gradcheck(lambda x: x + 1e6, leaf(5))


def test_no_input_that_requires_a_gradient():
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(lambda x: x, tg.Tensor(np.ones(2)))


def test_an_order_that_does_not_exist():
    with pytest.raises(ValueError, match="order"):
        gradcheck(lambda x: x, leaf(2), order=3)


def test_a_function_that_returns_no_tensor():
    with pytest.raises(TypeError, match="float"):
        gradcheck(lambda x: float(x.sum()), leaf(2))


def test_the_tolerances_are_the_callers():
    with pytest.raises(GradcheckError):
        gradcheck(wrong_at(0), leaf(2))
    assert gradcheck(wrong_at(0), leaf(2), rtol=1e-2)
    assert gradcheck(wrong_at(0), leaf(2), atol=1.0)
    assert gradcheck(lambda x: x * x, leaf(2), eps=1e-4)


@pytest.mark.exhaustive
def test_a_coarse_step_is_a_coarse_difference():
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.exp(), leaf(3), eps=30.0)


def test_the_same_seed_gives_the_same_message():
    messages = set()
    for _ in range(2):
        with pytest.raises(GradcheckError) as caught:
            gradcheck(wrong_at((17, 53)), leaf(60, 70), seed=7)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_beside_the_engine_in_the_article_s_example():
    x = tg.Tensor(np.array([[[[1.0, 2, 0], [0, 1, 1], [1, 0, 1]]]]), requires_grad=True)
    w = tg.Tensor(np.array([[[[1.0, 0], [0, 1]]]]), requires_grad=True)

    def loss(x, w):
        error = OPS["conv2d"](x, w) - 1
        return (error * error).sum() / 2

    assert gradcheck(loss, x, w, order=2)
