"""What the tests of the engine share."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg


def leaf(*shape, seed=0, dtype=np.float64, name=None):
    """A leaf of normal numbers that requires a gradient."""
    return tg.Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True, name=name)
