"""Convolution and its two gradients; windows as columns, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....ops.arguments.windows import window_of
from ..graph import Graph, Operand, Value
from ..table import NotWritable, writes
from .resampling import taken


def geometry(
    op: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any = None
) -> Any:
    """Where the windows lie."""
    return window_of(op, tuple(size), tuple(kernel), stride, padding, dilation, out)


def pads_of(window: Any) -> list[int]:
    """ONNX's order: what is padded before each axis, then after each."""
    return [window.padding[axis][side] for side in (0, 1) for axis in (0, 1)]


def in_batch(graph: Graph, x: Value) -> Operand:
    """An image without a batch as a batch of one."""
    return x if x.ndim == 4 else graph.node("Unsqueeze", x, np.array([0], np.int64))


def out_of_batch(graph: Graph, y: str, ndim: int) -> Any:
    """The image of a batch of one, where there was no batch."""
    return y if ndim == 4 else graph.node("Squeeze", y, np.array([0], np.int64))


@writes("conv2d")
def conv2d(
    graph: Graph,
    x: Value,
    w: Value,
    b: Value | None,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """Conv."""
    window = geometry("conv2d", x.shape[-2:], w.shape[2:], stride, padding, dilation)
    y = graph.node("Conv", in_batch(graph, x), w, b, **attributes_of(window), group=groups)
    return out_of_batch(graph, y, x.ndim)


def attributes_of(window: Any) -> dict[str, Any]:
    """The attributes that say where windows lie."""
    return {
        "kernel_shape": window.kernel,
        "strides": window.stride,
        "pads": pads_of(window),
        "dilations": window.dilation,
    }


@writes("conv2d_input_grad")
def conv2d_input_grad(
    graph: Graph,
    dy: Value,
    w: Value,
    *,
    input_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """ConvTranspose; before Pad where there are rows that no window touched."""
    out = tuple(dy.shape[-2:])
    window = geometry("conv2d_input_grad", input_size, w.shape[2:], stride, padding, dilation, out)
    return out_of_batch(graph, transposed(graph, in_batch(graph, dy), w, window, groups, dy), dy.ndim)


def transposed(graph: Graph, dy: Operand, w: Operand, window: Any, groups: int, like: Value) -> str:
    """The adjoint of windows that a kernel reads: images of the window's size."""
    reaches = [
        (window.out[axis] - 1) * window.stride[axis] + window.dilation[axis] * (window.kernel[axis] - 1) + 1
        for axis in (0, 1)
    ]
    before = [pads[0] for pads in window.padding]
    ends = [reach - first - size for reach, first, size in zip(reaches, before, window.size)]
    y: str = graph.node(
        "ConvTranspose",
        dy,
        w,
        strides=window.stride,
        pads=[*before, *(max(0, end) for end in ends)],
        dilations=window.dilation,
        group=groups,
    )
    untouched = [max(0, -end) for end in ends]
    if any(untouched):
        y = graph.node("Pad", y, np.array([0] * 6 + untouched, np.int64), graph.number(0, like))
    return y


@writes("conv2d_weight_grad")
def conv2d_weight_grad(
    graph: Graph,
    x: Value,
    dy: Value,
    *,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """Conv of x with dy, samples in the place of channels, stride and dilation exchanged; for each group."""
    out = tuple(dy.shape[-2:])
    window = geometry("conv2d_weight_grad", x.shape[-2:], kernel_size, stride, padding, dilation, out)
    images = graph.node("Transpose", in_batch(graph, x), perm=[1, 0, 2, 3])
    errors = graph.node("Transpose", in_batch(graph, dy), perm=[1, 0, 2, 3])
    channels, outputs = int(x.shape[-3]) // groups, int(dy.shape[-3]) // groups  # type: ignore[arg-type]
    parts = []
    for group in range(groups):
        inputs, kernels = images, errors
        if groups > 1:
            inputs = graph.slices(images, 0, group * channels, (group + 1) * channels)
            kernels = graph.slices(errors, 0, group * outputs, (group + 1) * outputs)
        parts.append(
            graph.node(
                "Conv",
                inputs,
                kernels,
                strides=window.dilation,
                dilations=window.stride,
                pads=pads_of(window),
            )
        )
    dw = parts[0] if groups == 1 else graph.node("Concat", *parts, axis=1)
    bounds = [np.array(each, np.int64) for each in ([0, 0], list(window.kernel), [2, 3])]
    return graph.node("Transpose", graph.node("Slice", dw, *bounds), perm=[1, 0, 2, 3])


@writes("unfold")
def unfold(graph: Graph, x: Value, *, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Gather of the rows of each tap, then of the columns."""
    window = window_of("unfold", tuple(x.shape[-2:]), kernel_size, stride, padding, dilation)
    (top, bottom), (left, right) = window.padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    images = in_batch(graph, x)
    padded = graph.node("Pad", images, pads, graph.number(0, x)) if pads.any() else images
    by_rows = taken(graph, padded, 2, places_of_taps(window, 0))
    by_columns = taken(graph, by_rows, 4, places_of_taps(window, 1))
    return graph.reshape(graph.node("Transpose", by_columns, perm=[0, 1, 2, 4, 3, 5]), graph.y.shape)


def places_of_taps(window: Any, axis: int) -> Any:
    """Where each tap [k] of each window [P] reads in the padded image."""
    taps = np.arange(window.kernel[axis])[:, None] * window.dilation[axis]
    return taps + np.arange(window.out[axis]) * window.stride[axis]


@writes("fold")
def fold(
    graph: Graph, x: Value, *, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Any:
    """Col2Im, from opset 18 on."""
    if graph.opset < 18:
        raise NotWritable("it needs opset_version=18")
    window = window_of("fold", output_size, kernel_size, stride, padding, dilation)
    columns = x if x.ndim == 3 else graph.node("Unsqueeze", x, np.array([0], np.int64))
    sizes = [np.array(each, np.int64) for each in (window.size, window.kernel)]
    y = graph.node(
        "Col2Im", columns, *sizes, dilations=window.dilation, pads=pads_of(window), strides=window.stride
    )
    return y if x.ndim == 3 else graph.node("Squeeze", y, np.array([0], np.int64))
