"""Dropout: the choice is made outside and handed in, so that the op itself leaves nothing to chance."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arguments.values import check_float


@primitive
def dropout(x, *, kept, p=0.5):
    """x / (1 - p) where `kept`, a mask that broadcasts to x, holds, and 0 elsewhere: the expected value is x.

    p: the probability with which `kept` was drawn as False (Hinton et al. 2012). Raises DtypeError for
    integers.
    """
    check_float("dropout", input=x)
    return np.multiply(x, kept) * x.dtype.type(gain(p))


@dropout.grad("x")
def dropout_dx(dy, kept, p):
    """1 / (1 - p) for what was kept, 0 for what was dropped."""
    return dropout(dy, kept=kept, p=p)


def gain(p):
    """What is kept is scaled by 1 / (1 - p); where everything is dropped there is nothing to scale."""
    return 1 / (1 - p) if p < 1 else 0.0
