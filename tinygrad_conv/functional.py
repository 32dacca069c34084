"""Every op under the name and with the arguments that PyTorch gives it.

Inputs may be Tensors or arrays; a result is a Tensor as soon as one of them is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .engine.tensor import Tensor
from .ops import conv as _conv
from .ops import elementwise as _elementwise
from .ops import index as _index
from .ops import linalg as _linalg
from .ops import loss as _loss
from .ops import pool as _pool
from .ops import reduce as _reduce
from .ops import shape as _shape
from .ops.windows import pair, padding_pairs

Operand = Any  # a Tensor, an ndarray or a scalar
Dim = int | tuple[int, ...] | None
Padding = Any  # an int, a pair, ((top, bottom), (left, right)), 'valid' or 'same'
Size = int | tuple[int, int]

# Arithmetic


def add(input: Operand, other: Operand) -> Tensor:
    return _elementwise.add(input, other)


def sub(input: Operand, other: Operand) -> Tensor:
    return _elementwise.sub(input, other)


def mul(input: Operand, other: Operand) -> Tensor:
    return _elementwise.mul(input, other)


def div(input: Operand, other: Operand) -> Tensor:
    return _elementwise.div(input, other)


def neg(input: Operand) -> Tensor:
    return _elementwise.neg(input)


def pow(input: Operand, exponent: Operand) -> Tensor:
    return _elementwise.pow(input, exponent)


def exp(input: Operand) -> Tensor:
    return _elementwise.exp(input)


def log(input: Operand) -> Tensor:
    return _elementwise.log(input)


def sqrt(input: Operand) -> Tensor:
    return _elementwise.sqrt(input)


def abs(input: Operand) -> Tensor:
    return _elementwise.abs(input)


def sign(input: Operand) -> Tensor:
    return _elementwise.sign(input)


def sin(input: Operand) -> Tensor:
    return _elementwise.sin(input)


def cos(input: Operand) -> Tensor:
    return _elementwise.cos(input)


def tanh(input: Operand) -> Tensor:
    return _elementwise.tanh(input)


def sigmoid(input: Operand) -> Tensor:
    return _elementwise.sigmoid(input)


def relu(input: Operand) -> Tensor:
    return _elementwise.relu(input)


def maximum(input: Operand, other: Operand) -> Tensor:
    return _elementwise.maximum(input, other)


def where(condition: Operand, input: Operand, other: Operand) -> Tensor:
    """`input` where the condition holds, `other` elsewhere."""
    return _elementwise.where(input, other, condition=condition)


def eq(input: Operand, other: Operand) -> Tensor:
    return _elementwise.eq(input, other)


# Reductions


def sum(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return _reduce.sum(input, dim=dim, keepdim=keepdim)


def mean(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return _reduce.mean(input, dim=dim, keepdim=keepdim)


def amax(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return _reduce.amax(input, dim=dim, keepdim=keepdim)


# Shapes and indices


def reshape(input: Operand, shape: Sequence[int]) -> Tensor:
    return _shape.reshape(input, shape=tuple(shape))


def permute(input: Operand, dims: Sequence[int]) -> Tensor:
    return _shape.permute(input, dims=tuple(dims))


def transpose(input: Operand, dim0: int, dim1: int) -> Tensor:
    return _shape.transpose(input, dim0=dim0, dim1=dim1)


def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return _shape.flatten(input, start_dim=start_dim, end_dim=end_dim)


def squeeze(input: Operand, dim: Dim = None) -> Tensor:
    return _shape.squeeze(input, dim=dim)


def unsqueeze(input: Operand, dim: int) -> Tensor:
    return _shape.unsqueeze(input, dim=dim)


def flip(input: Operand, dims: Sequence[int]) -> Tensor:
    return _shape.flip(input, dims=tuple(dims))


def cat(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return _shape.cat(*tensors, dim=dim)


def stack(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return _shape.stack(*tensors, dim=dim)


def put_add(input: Operand, index: Any, shape: Sequence[int]) -> Tensor:
    """Zeros of `shape` with `input` added at the index: what indexing takes apart, put back."""
    return _index.put_add(input, index=index, shape=tuple(shape))


# Matrix products


def matmul(input: Operand, other: Operand) -> Tensor:
    return _linalg.matmul(input, other)


def linear(input: Operand, weight: Operand, bias: Operand | None = None) -> Tensor:
    return _linalg.linear(input, weight, bias)


# Losses


def mse_loss(input: Operand, target: Operand, reduction: str = "mean") -> Tensor:
    return _loss.mse_loss(input, target, reduction=reduction)


# Convolution


def conv2d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    return _conv.conv2d(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv_transpose2d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The input gradient of a convolution as a layer: input [N, C, H, W], weight [C, O/groups, kh, kw] → [N, O, P, Q].

    P = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and Q likewise. Raises ValueError unless
    output_padding is smaller than the stride or the dilation.
    """
    op = "conv_transpose2d"
    _conv.check_images(op, "input", input)
    _conv.check_channels(op, input, weight, groups, given="dy")
    size, kernel = input.shape[-2:], weight.shape[2:]
    steps, spread, extra = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1), pair(op, "output_padding", output_padding, 0)
    pads = padding_pairs(op, padding, size, kernel, steps, spread)
    if any(one >= max(step, gap) for one, step, gap in zip(extra, steps, spread)):
        raise ValueError(f"{op}: output_padding {output_padding} must be smaller than stride {stride} or dilation {dilation}")
    out = tuple(
        (size[axis] - 1) * steps[axis] - pads[axis][0] - pads[axis][1] + spread[axis] * (kernel[axis] - 1) + extra[axis] + 1
        for axis in (0, 1)
    )
    y = _conv.conv2d_input_grad(
        input, weight, input_size=out, stride=steps, padding=pads, dilation=spread, groups=groups
    )
    return y if bias is None else y + _shape.reshape(bias, shape=(-1, 1, 1))


# Pooling


def max_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    return _pool.max_pool2d(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )


def avg_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    return _pool.avg_pool2d(
        input, kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
        count_include_pad=count_include_pad, divisor_override=divisor_override,
    )  # fmt: skip
