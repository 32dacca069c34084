"""Convolutions, their transposes, and the lowering that turns one into a matrix product."""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import conv, precision, shape
from ..ops.windows import check_images, padding_pairs, pair, window_of
from .signatures import Operand, Padding, Size, documented_by

__all__ = [
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
]


@documented_by(conv.conv2d)
def conv2d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    return conv.conv2d(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv1d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of input [N, C, L] (or [C, L]) with weight [O, C/groups, k], plus bias [O] if given →
    [N, O, P].

    It is conv2d on an image of one row. P = (L + padding before and after - dilation (k - 1) - 1) // stride +
    1. padding: an int, (before, after), 'valid', or 'same' (P = ⌈L / stride⌉). Raises as `conv2d` does.
    """
    op = "conv1d"
    precision.check_float(op, input=input, weight=weight, bias=bias)
    check_images(op, "input", input, dims=1)
    conv.check_channels(op, "input", input, weight, groups, dims=1)
    conv.check_bias(op, bias, weight.shape[0])
    steps, spread = row(stride, 1), row(dilation, 1)
    pads = padding if isinstance(padding, str) else row(padding, 0)
    window_of(op, (1, input.shape[-1]), (1, weight.shape[-1]), steps, pads, spread)
    images, kernels = shape.unsqueeze(input, dim=-2), shape.unsqueeze(weight, dim=-2)
    y = conv.conv2d(images, kernels, bias, stride=steps, padding=pads, dilation=spread, groups=groups)
    return shape.squeeze(y, dim=-2)


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
    """The input gradient of a convolution as a layer: input [N, C, H, W], weight [C, O/groups, kh, kw] → [N,
    O, P, Q].

    P = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and Q likewise. Raises ValueError
    unless output_padding is smaller than the stride or the dilation; ShapeError and DtypeError as `conv2d`
    does.
    """
    op = "conv_transpose2d"
    check_transposed(op, input, weight, bias, groups, dims=2)
    return transposed(op, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose1d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The input gradient of conv1d as a layer: input [N, C, L], weight [C, O/groups, k] → [N, O, P]: one row
    of conv_transpose2d.

    P = (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1. Raises as `conv_transpose2d` does.
    """
    op = "conv_transpose1d"
    check_transposed(op, input, weight, bias, groups, dims=1)
    images, kernels = shape.unsqueeze(input, dim=-2), shape.unsqueeze(weight, dim=-2)
    steps, pads, extra, spread = row(stride, 1), row(padding, 0), row(output_padding, 0), row(dilation, 1)
    return shape.squeeze(transposed(op, images, kernels, bias, steps, pads, extra, groups, spread), dim=-2)


def check_transposed(
    op: str, input: Operand, weight: Operand, bias: Operand | None, groups: int, dims: int
) -> None:
    """Refuse what a transposed convolution cannot take."""
    precision.check_float(op, input=input, weight=weight, bias=bias)
    check_images(op, "input", input, dims)
    conv.check_channels(op, "input", input, weight, groups, side="transposed", dims=dims)
    conv.check_bias(op, bias, weight.shape[1] * groups)


def transposed(
    op: str,
    input: Operand,
    weight: Operand,
    bias: Operand | None,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    """The output's size, which the input leaves open where stride > 1; and the input gradient of that
    size.
    """
    if isinstance(padding, str):
        raise ValueError(
            f"{op}: padding must be an int, a pair or ((top, bottom), (left, right)), not {padding!r}"
        )
    size, kernel = input.shape[-2:], weight.shape[2:]
    steps, spread = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1)
    extra, pads = (
        pair(op, "output_padding", output_padding, 0),
        padding_pairs(op, padding, size, kernel, steps, spread),
    )
    if any(one >= max(step, gap) for one, step, gap in zip(extra, steps, spread)):
        raise ValueError(
            f"{op}: output_padding {output_padding} must be smaller than stride {stride} or dilation {dilation}"
        )
    out = tuple(
        (size[axis] - 1) * steps[axis] - sum(pads[axis]) + spread[axis] * (kernel[axis] - 1) + extra[axis] + 1
        for axis in (0, 1)
    )
    if min(out) < 1:
        raise ShapeError(
            f"{op}: the padding {padding} takes away all of the output, whose size would be {show_shape(out)}"
        )
    y = conv.conv2d_input_grad(
        input, weight, input_size=out, stride=steps, padding=pads, dilation=spread, groups=groups
    )
    return y if bias is None else y + shape.reshape(bias, shape=(-1, 1, 1))


def row(value: Any, neutral: int) -> Any:
    """An argument of one dimension as one of two: of an image with a single row, whose other dimension stays
    as it is.
    """
    one = value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value
    return (neutral, one) if not isinstance(one, (tuple, list)) else ((neutral, neutral), tuple(one))
