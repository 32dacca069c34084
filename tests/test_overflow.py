"""Numbers so large that a step on the way overflows, though the result is finite: no Inf, NaN or warning."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional as F
from tinygrad_conv.ops import roots

SPREAD = np.random.default_rng(0).uniform(-1, 1, (6, 50))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "size"), [(tg.float32, 1e19), (tg.float64, 1.3e154)])
def test_a_variance_that_fits(dtype, size):
    """Though the sum that it is a share of does not."""
    x = (SPREAD * size).astype(dtype)
    right = np.var(SPREAD, 1, ddof=1) * size * size
    assert np.isfinite(right).all()
    assert right.max() > np.finfo(dtype).max / 50
    np.testing.assert_allclose(tg.var(tg.tensor(x), 1).numpy(), right, rtol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_a_mean_that_fits(dtype):
    """As every mean of finite numbers does; and what is infinite stays so, beside it too."""
    most = np.finfo(dtype).max
    x = tg.tensor(np.array([[most] * 3, [most, most, -most], [np.inf, 1, 2], [1, 2, 3]], dtype))
    np.testing.assert_allclose(tg.mean(x, 1).data, np.array([most, most / 3, np.inf, 2], dtype), rtol=1e-3)
    np.testing.assert_array_equal(tg.var(x, 1).data[[0, 3]], [0, 1])
    sure = tg.tensor(np.full((50, 2), most, dtype), requires_grad=True)
    tg.var(sure, 0).sum().backward()
    np.testing.assert_array_equal(sure.grad, np.zeros(sure.shape))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_an_angle_between_vectors_whose_length_does_not_fit(dtype):
    """In float16, of which the lengths are in float32; of others it is 0, as in PyTorch, and no NaN."""
    size = float(np.finfo(dtype).max) * 0.9
    x, y = (tg.tensor((part * size).astype(dtype), requires_grad=True) for part in (SPREAD[:3], SPREAD[3:]))
    right = (SPREAD[:3] * SPREAD[3:]).sum(1)
    right /= np.linalg.norm(SPREAD[:3], axis=1) * np.linalg.norm(SPREAD[3:], axis=1)
    with np.errstate(over="ignore"):
        cosines = tg.cosine_similarity(x, y)
    np.testing.assert_allclose(cosines.data, right if dtype == tg.float16 else 0, atol=2e-4)
    cosines.sum().backward()
    assert np.isfinite(x.grad).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "size"), [(tg.float32, 3e38), (tg.float64, 1e308)])
def test_a_standard_deviation_where_the_mean_overflows(dtype, size):
    x = (np.abs(SPREAD) * size).astype(dtype)
    right = np.std(np.abs(SPREAD), 1, ddof=1) * size
    np.testing.assert_allclose(tg.std(tg.tensor(x), 1).numpy(), right, rtol=1e-5)


@pytest.mark.parametrize("other", [1e-45, 1.0])
def test_a_standard_deviation_of_the_largest_number_of_all(other):
    largest = float(np.finfo(np.float32).max)
    x = tg.tensor(np.array([[largest, other]], np.float32), requires_grad=True)
    exact = tg.tensor(x.data.astype(float), requires_grad=True)
    y, right = tg.std(x, 1), tg.std(exact, 1)
    y.backward(tg.ones(1))
    right.backward(tg.ones(1))
    np.testing.assert_allclose(y.data, right.data, rtol=1e-6)
    np.testing.assert_allclose(x.grad, exact.grad, rtol=1e-6)


def test_how_much_a_normal_distribution_has_far_out():
    x = np.linspace(-6, 26, 3201)
    right = np.vectorize(math.erfc)(x)
    np.testing.assert_allclose(tg.erfc(tg.tensor(x)).numpy(), right, rtol=2e-14)
    single = tg.erfc(tg.tensor(x.astype(np.float32))).numpy()
    exact = np.vectorize(math.erfc)(x.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(single, exact, rtol=1e-7, atol=2e-45)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_rounded_quotient_has_no_slope():
    """Not where it is divided by 0 either."""
    for mode in ("floor", "trunc"):
        a, b = (tg.tensor(each, requires_grad=True) for each in ([1.0, -3.0, 7.5], [0.0, 2.0, np.inf]))
        y = tg.div(a, b, rounding_mode=mode)
        np.testing.assert_array_equal(y.detach().numpy()[:2], [np.inf, -2.0 if mode == "floor" else -1.0])
        y.sum().backward()
        np.testing.assert_array_equal([a.grad, b.grad], np.zeros((2, 3)))


QUIET = {
    "softmax": lambda x: F.softmax(x * 3, 0),
    "log_softmax": lambda x: F.log_softmax(x, 0),
    "logsumexp": lambda x: tg.logsumexp(x * 3, 0),
    "gelu": F.gelu,
    "erf": tg.erf,
    "erfc": tg.erfc,
    "atan": tg.atan,
    "asinh": tg.asinh,
    "acosh": lambda x: tg.acosh(abs(x) + 1),
    "softplus": lambda x: F.softplus(x, beta=1e9),
    "prelu": lambda x: F.prelu(x, tg.tensor([1.0])),
    "norm": tg.norm,
    "norm of order 3": lambda x: tg.norm(x, 3),
    "std": tg.std,
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "batch_norm": lambda x: F.batch_norm(x.reshape(2, 2, 1), None, None, training=True),
    "group_norm": lambda x: F.group_norm(x.reshape(1, 2, 2), 1),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", QUIET)
def test_no_warning_of_what_ends_well(name):
    x = tg.tensor([1e38, -1e38, 3e30, 1.0], requires_grad=True)
    y = QUIET[name](x)
    (dx,) = tg.grad(y, x, tg.ones_like(y))
    assert np.isfinite(y.detach().numpy()).all()
    assert np.isfinite(dx.numpy()).all()


def test_an_infinite_number_in_one_group_and_a_sum_that_overflows_in_another():
    """Only the second is computed anew, and that an Inf is among the numbers does not make it ∞."""
    large = 3e38
    x = tg.tensor(np.array([[np.inf, 1.0], [large, large], [-np.inf, 1.0], [3.0, 4.0]], np.float32))
    np.testing.assert_allclose(x.mean(1).data, [np.inf, large, -np.inf, 3.5], rtol=1e-6)
    np.testing.assert_allclose(
        (-x).mean(1, keepdim=True).data.ravel(), [-np.inf, -large, np.inf, -3.5], rtol=1e-6
    )
    largest = np.array([[np.inf, 1.0], [1e20, 1e20], [-np.inf, 0.0], [3.0, 4.0]], np.float32)
    expected = [np.inf, 1e20 * 2 ** (1 / 3), np.inf, (27 + 64) ** (1 / 3)]
    np.testing.assert_allclose(tg.norm(tg.tensor(largest), 3, dim=1).data, expected, rtol=1e-6)


@pytest.mark.parametrize("powers", [3, 1.5])
def test_the_norm_of_an_infinite_number_is_computed_once(powers, monkeypatch):
    """Not a second time, in float64, as where the powers overflow: that took up to ten times as long."""
    scaled = []
    monkeypatch.setattr(roots, "scaled", lambda *arguments: scaled.append(arguments))
    x = np.ones((2, 3), np.float32)
    x[0, 1] = np.inf
    assert tg.norm(tg.tensor(x), powers, dim=1).tolist() == pytest.approx([np.inf, 3 ** (1 / powers)])
    assert tg.norm(tg.tensor(x), powers).item() == np.inf
    assert not scaled
