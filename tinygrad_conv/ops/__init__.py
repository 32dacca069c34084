"""The ops, by family: in each file a forward and, beside it, its rules; `arguments` has their checks.

`print(tg.ops)` lists them, users' own included; `tg.ops.conv2d` is one, and `help(tg.ops.conv2d)` tells its
rules.
"""

from __future__ import annotations

import sys

from . import (  # noqa: F401 (importing declares them)
    activations,
    adaptive,
    arithmetic,
    assign,
    classification,
    comparisons,
    contraction,
    conv,
    deviation,
    dropouts,
    extremes,
    functions,
    index,
    labels,
    linalg,
    loss,
    norm,
    padding,
    patches,
    pool,
    reduce,
    resample,
    roots,
    shape,
    softmaxes,
)
from .listing import OpsModule

sys.modules[__name__].__class__ = OpsModule
