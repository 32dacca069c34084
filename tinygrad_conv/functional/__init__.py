"""Every op under the name and with the arguments that PyTorch gives it.

Most of PyTorch's functions are the ops themselves, imported here: `tg.exp` is `tg.ops.exp`, and
`help(tg.exp)` its docstring. An op takes its inputs under its own names and under PyTorch's (`tg.conv2d(x, w,
stride=2)`, `tg.conv2d(input=x, weight=w, bias=b)`), and its params by position too (`tg.conv2d(x, w, b, 2,
1)`). Where PyTorch's arguments say more than an op's, there is a function, in the files of this folder by
family.

Inputs may be Tensors or arrays; a result is a Tensor as soon as one of them is.
"""

from __future__ import annotations

from ..ops.activations import gelu, logsigmoid, prelu, softplus
from ..ops.adaptive import adaptive_avg_pool2d
from ..ops.arithmetic import clamp_max, clamp_min, div, maximum, minimum, mul, neg, pow
from ..ops.classification import cross_entropy, nll_loss
from ..ops.comparisons import eq, ge, gt, le, lt, ne
from ..ops.conv import conv2d
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
    unsqueeze,
)
from .activations import (
    elu,
    elu_,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    log_softmax,
    relu,
    relu6,
    relu_,
    selu,
    selu_,
    silu,
    softmax,
)
from .arithmetic import add, bmm, clamp, einsum, masked_fill, sub, where
from .convolutions import conv1d, conv_transpose1d, conv_transpose2d
from .norms import batch_norm, dropout, dropout2d, group_norm, instance_norm, layer_norm
from .pooling import adaptive_max_pool2d, avg_pool1d, max_pool1d, max_pool2d
from .reductions import cumsum, max, mean, min, norm, prod, std, sum, var
from .shapes import cat, interpolate, pad, scatter_add, stack

__all__ = [
    "abs",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "add",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bmm",
    "cat",
    "chunk",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cos",
    "cross_entropy",
    "cumsum",
    "div",
    "dropout",
    "dropout2d",
    "einsum",
    "elu",
    "elu_",
    "eq",
    "exp",
    "flatten",
    "flip",
    "fold",
    "gather",
    "ge",
    "gelu",
    "group_norm",
    "gt",
    "hardtanh",
    "hardtanh_",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "l1_loss",
    "layer_norm",
    "le",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "log",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "lt",
    "masked_fill",
    "matmul",
    "max",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mse_loss",
    "mul",
    "ne",
    "neg",
    "nll_loss",
    "norm",
    "one_hot",
    "pad",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pow",
    "prelu",
    "prod",
    "put_add",
    "relu",
    "relu6",
    "relu_",
    "reshape",
    "roll",
    "scatter_add",
    "selu",
    "selu_",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "sub",
    "sum",
    "tanh",
    "transpose",
    "unfold",
    "unsqueeze",
    "var",
    "where",
]
