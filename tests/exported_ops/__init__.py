"""Models of one or two ops with random parameters, for each op that is written as ONNX.

Dimension 0 of the inputs is the batch, but in `static` ones, which are exported with the example's sizes
alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .draw import Case, Draw
from .layers import gradients, losses, norms, products, windows
from .tensors import arithmetic, elementary, indexing, reductions, shapes


def all_cases(seed: int = 0, dtype: Any = np.float32) -> dict[str, list[Case]]:
    """The cases by op."""
    draw = Draw(seed, dtype)
    families = (
        elementary,
        arithmetic,
        reductions,
        shapes,
        indexing,
        windows,
        norms,
        products,
        losses,
        gradients,
    )
    return {name: cases for family in families for name, cases in family(draw).items()}
