"""What the tests of the engine share."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS


def leaf(*shape, seed=0, dtype=np.float64, name=None):
    """A leaf of normal numbers that requires a gradient."""
    return tg.Tensor(
        np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True, name=name
    )


def assert_gradients(op, inputs, params, expected):
    """The sum of what an op, by name, makes of these float64 inputs has the expected gradients."""
    leaves = [tg.Tensor(np.array(numbers, np.float64), requires_grad=True) for numbers in inputs]
    OPS[op](*leaves, **params).sum().backward()
    for x, gradient in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(x.grad, gradient, rtol=1e-12)
