"""The ops, by family: in each file a forward and, beside it, its rules.

`arguments` has their checks, `replayed` what prepares them for a replay.

`print(tg.ops)` lists them, users' own included; `tg.ops.conv2d` is one, and `help(tg.ops.conv2d)` tells its
rules.
"""

from __future__ import annotations

import sys

from ..engine.registry import OPS
from . import (  # noqa: F401 (importing declares them)
    activations,
    adaptive,
    arithmetic,
    classification,
    comparisons,
    contraction,
    conv,
    conversion,
    counting,
    deviation,
    dropouts,
    elementary,
    error_function,
    extremes,
    index,
    linalg,
    loss,
    masking,
    norm,
    padding,
    patches,
    pool,
    reduce,
    resample,
    roots,
    rounding,
    shape,
    softmaxes,
)
from .arguments.options import declare_options
from .listing import OpsModule

for op in OPS.values():
    declare_options(op)
del op

sys.modules[__name__].__class__ = OpsModule
