"""First and second derivatives of activations far from 0, where a rule that is right may lose its digits.

The literal formulas are written so that they lose none themselves, in NumPy's longest float.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

LONG = np.longdouble
DIGITS = {np.float32: 4e-7, np.float64: 1e-15}


def derivatives(function, x):
    """f'(x) and f''(x) of each number."""
    leaf = tg.tensor(x, requires_grad=True)
    (slope,) = tg.grad(function(leaf).sum(), [leaf], create_graph=True)
    (bend,) = tg.grad(slope.sum(), [leaf])
    return slope.data, bend.data


def logistic_pair(u):
    """σ(u) and 1 - σ(u), to the last digit on both sides."""
    smaller = np.exp(-np.abs(u))
    near, far = 1 / (1 + smaller), smaller / (1 + smaller)
    return np.where(u > 0, near, far), np.where(u > 0, far, near)


@pytest.mark.parametrize("dtype", DIGITS)
def test_logsigmoid(dtype):
    """-σ(x) (1 - σ(x)) has its digits on both sides, where 1 - σ is 0 and where σ is."""
    x = np.linspace(-80, 80, 1601).astype(dtype)
    share, rest = logistic_pair(x.astype(LONG))
    slope, bend = derivatives(tg.logsigmoid, x)
    np.testing.assert_allclose(slope, rest, rtol=DIGITS[dtype])
    np.testing.assert_allclose(bend, -share * rest, rtol=DIGITS[dtype])
    assert derivatives(tg.logsigmoid, np.zeros(1, dtype))[1] == -0.25


@pytest.mark.parametrize("dtype", DIGITS)
def test_softsign(dtype):
    x = np.concatenate([np.linspace(-30, 30, 601), [1e4, -1e5, 1e10, -1e12]]).astype(dtype)
    size = 1 + np.abs(x.astype(LONG))
    slope, bend = derivatives(tg.nn.functional.softsign, x)
    np.testing.assert_allclose(slope, 1 / size**2, rtol=DIGITS[dtype])
    np.testing.assert_allclose(bend, -2 * np.sign(x) / size**3, rtol=2 * DIGITS[dtype])


@pytest.mark.parametrize("dtype", DIGITS)
def test_gelu_by_tanh(dtype):
    """For Φ = σ(u), Φ'' has a term x σ (1 - σ) (1 - 2σ) u'², which is -1e-5 where σ rounds to 1."""
    x = np.linspace(-9, 9, 1801).astype(dtype)
    long, cubic, scale = x.astype(LONG), LONG(0.044715), 2 * np.sqrt(2 / LONG(np.pi))
    u, du = scale * (long + cubic * long**3), scale * (1 + 3 * cubic * long**2)
    share, rest = logistic_pair(u)
    slope_of_share = share * rest * du
    bend_of_share = share * rest * ((rest - share) * du**2 + 6 * scale * cubic * long)
    slope, bend = derivatives(lambda x: tg.gelu(x, approximate="tanh"), x)
    np.testing.assert_allclose(slope, share + long * slope_of_share, rtol=0, atol=2 * DIGITS[dtype])
    right = 2 * slope_of_share + long * bend_of_share
    np.testing.assert_allclose(bend, right, rtol=0, atol=4 * DIGITS[dtype])
