"""Activations and softmax against PyTorch where it is easy to be wrong: kinks, far out, infinities, few
digits.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch
functional = torch.nn.functional

PAIRS = {
    "leaky_relu": (tg.leaky_relu, functional.leaky_relu),
    "leaky_relu, negative slope": (
        lambda x: tg.leaky_relu(x, -0.5),
        lambda x: functional.leaky_relu(x, -0.5),
    ),
    "elu": (tg.elu, functional.elu),
    "elu, negative alpha": (lambda x: tg.elu(x, alpha=-0.5), lambda x: functional.elu(x, alpha=-0.5)),
    "celu": (tg.celu, functional.celu),
    "selu": (tg.selu, functional.selu),
    "gelu": (tg.gelu, functional.gelu),
    "gelu, tanh": (
        lambda x: tg.gelu(x, approximate="tanh"),
        lambda x: functional.gelu(x, approximate="tanh"),
    ),
    "silu": (tg.silu, functional.silu),
    "softplus": (tg.softplus, functional.softplus),
    "softplus, beta": (lambda x: tg.softplus(x, 3.0, 5.0), lambda x: functional.softplus(x, 3.0, 5.0)),
    "hardtanh": (tg.hardtanh, functional.hardtanh),
    "relu6": (tg.relu6, functional.relu6),
    "logsigmoid": (tg.logsigmoid, functional.logsigmoid),
    "prelu": (
        lambda x: tg.prelu(x, tg.tensor(0.25, dtype=x.dtype)),
        lambda x: functional.prelu(x, torch.tensor(0.25, dtype=x.dtype)),
    ),
    "softmax": (lambda x: tg.softmax(x, 0), lambda x: torch.softmax(x, 0)),
    "log_softmax": (lambda x: tg.log_softmax(x, 0), lambda x: torch.log_softmax(x, 0)),
}
KINKS = np.array([0.0, -0.0, 1.0, -1.0, 6.0, 0.5, -0.5, 3.0, 1e-7, -1e-7])
FAR = np.array([20.0, -20.0, 40.0, -40.0, 80.0, -80.0, 300.0, -300.0, 1e4, -1e4])
DIGITS = {np.float16: 2e-3, np.float32: 2e-6, np.float64: 1e-13}


def both(name, array):
    """Values and gradients for dY = 1, ours and PyTorch's."""
    ours, theirs = PAIRS[name]
    mine, other = tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    y, z = ours(mine), theirs(other)
    y.backward(np.ones_like(y.data))
    z.backward(torch.ones_like(z))
    return (y.data, mine.grad), (z.detach().numpy(), other.grad.numpy())


@pytest.mark.parametrize("dtype", DIGITS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", PAIRS)
def test_values_and_gradients_at_kinks_and_far_out(name, dtype):
    points = np.concatenate([KINKS, FAR, np.linspace(-12, 12, 481)]).astype(dtype)
    for array in (points, points[:20], points[:7].reshape(7, 1)):
        mine, other = both(name, array)
        for ours, theirs in zip(mine, other):
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, theirs, rtol=DIGITS[dtype], atol=DIGITS[dtype])


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_infinities_and_nan(name):
    for point in (np.inf, -np.inf, np.nan):
        (ours, _), (theirs, _) = both(name, np.array([point, 1.0]))
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tails_keep_their_digits(dtype):
    """Far left Φ(x) and σ(x) are tiny, not 0: the relative error counts. PyTorch's own gelu is 0 there."""
    x = np.linspace(-12, -3, 91).astype(dtype)
    exact = np.array([math.erfc(-number / math.sqrt(2)) / 2 for number in x.tolist()])
    np.testing.assert_allclose(
        tg.gelu(tg.tensor(x)).data, x * exact, rtol=3e-5 if dtype == np.float32 else 1e-11
    )
    exact = torch.sigmoid(torch.tensor(x, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(
        tg.silu(tg.tensor(x)).data, x * exact, rtol=1e-6 if dtype == np.float32 else 1e-13
    )
    exact = functional.logsigmoid(torch.tensor(-4 * x)).numpy()
    np.testing.assert_allclose(tg.logsigmoid(tg.tensor(-4 * x)).data, exact, rtol=2e-6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 1, 3)])
@pytest.mark.parametrize("name", PAIRS)
def test_shapes(name, shape):
    array = np.linspace(-2, 2, int(np.prod(shape))).reshape(shape)
    mine, other = both(name, array)
    for ours, theirs in zip(mine, other):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(
            ours, theirs, rtol=1e-7
        )  # PyTorch computes a number alone with fewer digits


def test_softmax_takes_another_dtype():
    ours = tg.softmax(tg.tensor(np.array([1, 2, 3])), 0, dtype=np.float64)
    np.testing.assert_allclose(ours.data, torch.softmax(torch.tensor([1, 2, 3]), 0, dtype=torch.float64))


def test_celu_of_a_negative_alpha():
    """e^(x/α) grows to the left then, and x / α is above 0 where x is below."""
    numbers = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 2.0])
    x, theirs = tg.tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
    y, expected = tg.celu(x, alpha=-1.5), functional.celu(theirs, alpha=-1.5)
    np.testing.assert_allclose(y.detach(), expected.detach(), rtol=1e-12)
    y.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(x.grad, theirs.grad, rtol=1e-12)
