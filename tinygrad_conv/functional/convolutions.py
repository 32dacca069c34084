"""Convolutions of one dimension, and transposed ones; that of two dimensions is the op `conv2d` itself."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import conv, shape
from ..ops.arguments.convolutions import check_convolution, check_transposed, transposed_output_size
from ..ops.arguments.windows import window_of
from ..options import checked
from .arguments import Operand, Padding, Size, in_one_row


@checked()
def conv1d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of input [N, C, L] with weight [O, C/groups, k], plus bias [O] if given → [N, O, P].

    It is conv2d on an image of one row; N may be left out. P = (L + padding before and after - dilation (k -
    1) - 1) // stride + 1. padding: an int, (before, after), 'valid', or 'same' (P = ⌈L / stride⌉). Raises as
    `conv2d` does.
    """
    op = "conv1d"
    check_convolution(op, "input", input, weight, bias, groups, dims=1)
    steps, spread = in_one_row(stride, 1), in_one_row(dilation, 1)
    pads = padding if isinstance(padding, str) else in_one_row(padding, 0)
    window_of(op, (1, input.shape[-1]), (1, weight.shape[-1]), steps, pads, spread)
    images, kernels = shape.unsqueeze(input, dim=-2), shape.unsqueeze(weight, dim=-2)
    y = conv.conv2d(images, kernels, bias, stride=steps, padding=pads, dilation=spread, groups=groups)
    return shape.squeeze(y, dim=-2)


@checked()
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
    """The input gradient of conv2d: input [N, C, H, W], weight [C, O/groups, kh, kw] → [N, O, P, Q].

    P = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and Q likewise. Raises ValueError
    unless output_padding is smaller than the stride or the dilation; ShapeError and DtypeError as `conv2d`
    does.
    """
    op = "conv_transpose2d"
    check_transposed(op, input, weight, bias, groups, dims=2)
    return transposed(op, input, weight, bias, stride, padding, output_padding, groups, dilation)


@checked()
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
    """The input gradient of conv1d: input [N, C, L], weight [C, O/groups, k] → [N, O, P].

    It is conv_transpose2d on an image of one row. P = (L - 1) stride - 2 padding + dilation (k - 1) +
    output_padding + 1. Raises as `conv_transpose2d` does.
    """
    op = "conv_transpose1d"
    check_transposed(op, input, weight, bias, groups, dims=1)
    images, kernels = shape.unsqueeze(input, dim=-2), shape.unsqueeze(weight, dim=-2)
    steps, spread = in_one_row(stride, 1), in_one_row(dilation, 1)
    pads, extra = in_one_row(padding, 0), in_one_row(output_padding, 0)
    y = transposed(op, images, kernels, bias, steps, pads, extra, groups, spread)
    return shape.squeeze(y, dim=-2)


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
    """The input gradient of a convolution, of the size that output_padding chooses where stride > 1."""
    sizes = input.shape[-2:], weight.shape[2:]
    output_size = transposed_output_size(op, *sizes, stride, padding, output_padding, dilation)
    y = conv.conv2d_input_grad(
        input,
        weight,
        input_size=output_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    return y if bias is None else y + shape.reshape(bias, shape=(-1, 1, 1))
