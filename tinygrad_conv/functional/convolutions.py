"""Convolutions and their transposes."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import conv, shape
from ..ops.windows import pair, padding_pairs
from .signatures import Operand, Padding, Size, documented_by

__all__ = [
    "conv2d",
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
    conv.check_images(op, "input", input)
    conv.check_channels(op, input, weight, groups, given="dy")
    size, kernel = input.shape[-2:], weight.shape[2:]
    steps, spread, extra = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1), pair(op, "output_padding", output_padding, 0)
    pads = padding_pairs(op, padding, size, kernel, steps, spread)
    if any(one >= max(step, gap) for one, step, gap in zip(extra, steps, spread)):
        raise ValueError(f"{op}: output_padding {output_padding} must be smaller than stride {stride} or dilation {dilation}")
    out = tuple(
        (size[axis] - 1) * steps[axis] - pads[axis][0] - pads[axis][1] + spread[axis] * (kernel[axis] - 1) + extra[axis] + 1
        for axis in (0, 1)
    )
    y = conv.conv2d_input_grad(
        input, weight, input_size=out, stride=steps, padding=pads, dilation=spread, groups=groups
    )
    return y if bias is None else y + shape.reshape(bias, shape=(-1, 1, 1))
