"""The ops that are functions of PyTorch's as they are: same name, same arguments."""

from __future__ import annotations

from ..engine.op import Op
from ..ops.activations import gelu, logsigmoid, prelu, softplus
from ..ops.adaptive import adaptive_avg_pool2d
from ..ops.arithmetic import clamp_max, clamp_min, maximum, minimum, mul, neg, pow
from ..ops.classification import cross_entropy, nll_loss
from ..ops.comparisons import (
    eq,
    ge,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)
from ..ops.conv import conv2d
from ..ops.counting import argsort, bincount, count_nonzero
from ..ops.division import floor_divide, fmod, remainder
from ..ops.elementary import acos, asin, atan, cosh, erf, exp2, expm1, log1p, log2, log10, sinh, tan
from ..ops.extremes import amax, amin, argmax, argmin
from ..ops.functions import abs, cos, exp, log, sigmoid, sign, sin, sqrt, tanh
from ..ops.index import gather, put_add
from ..ops.labels import one_hot
from ..ops.linalg import linear, matmul
from ..ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from ..ops.patches import fold, pixel_shuffle, pixel_unshuffle, unfold
from ..ops.pool import avg_pool2d
from ..ops.reduce import logsumexp
from ..ops.rounding import ceil, floor, round, trunc
from ..ops.shape import (
    chunk,
    clone,
    flatten,
    flip,
    permute,
    reshape,
    roll,
    split,
    squeeze,
    transpose,
    unbind,
    unsqueeze,
)
from ..spellings import spelled

__all__ = [
    "abs",
    "acos",
    "adaptive_avg_pool2d",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "argsort",
    "asin",
    "atan",
    "avg_pool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bincount",
    "ceil",
    "chunk",
    "clamp_max",
    "clamp_min",
    "clone",
    "conv2d",
    "cos",
    "cosh",
    "count_nonzero",
    "cross_entropy",
    "eq",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "flatten",
    "flip",
    "floor",
    "floor_divide",
    "fmod",
    "fold",
    "gather",
    "ge",
    "gelu",
    "gt",
    "huber_loss",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "l1_loss",
    "le",
    "linear",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsigmoid",
    "logsumexp",
    "lt",
    "matmul",
    "maximum",
    "minimum",
    "mse_loss",
    "mul",
    "ne",
    "neg",
    "nll_loss",
    "one_hot",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pow",
    "prelu",
    "put_add",
    "remainder",
    "reshape",
    "roll",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "smooth_l1_loss",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "tan",
    "tanh",
    "transpose",
    "trunc",
    "unbind",
    "unfold",
    "unsqueeze",
]

for name in __all__:
    if isinstance(globals()[name], Op) and "dim" in globals()[name].params:
        globals()[name] = spelled(globals()[name])  # PyTorch takes `axis` and `keepdims` too
del name
