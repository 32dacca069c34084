"""Dropout, whose choice is another one in each step."""

from __future__ import annotations

import numpy as np

from ..dropouts import dropout, gain


@dropout.replayed(varying=("kept",))
def dropout_replayed(out, shared, x, *, kept, p):
    """x / (1 - p) where kept, 0 elsewhere."""
    scale = np.asarray(gain(p), x.dtype)

    def run(x, *, kept):
        y = np.multiply(x, kept, out=out)
        y *= scale
        return y

    return run if x.ndim else None


@dropout.replayed("x", varying=("kept",))
def dropout_dx_replayed(out, shared, dy, *, kept, p):
    """The same of dy."""
    return dropout_replayed(out, shared, dy, kept=kept, p=p)
