"""Pooling. Windows that are rounded up are written as more padding, which every runtime reads alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....ops.adaptive import averages
from .....ops.arguments.windows import pool_window
from ..graph import Graph, Operand, Value, known_sizes
from ..table import NotWritable, writes
from .convolutions import in_batch, out_of_batch
from .resampling import mixed_axes


def pool_of(
    op: str, x: Value, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """Where the windows lie."""
    return pool_window(op, tuple(x.shape[-2:]), kernel_size, stride, padding, dilation, ceil_mode)


def reaching(window: Any) -> list[int]:
    """The padding with which all windows lie inside, in ONNX's order."""
    ends = []
    for axis in (0, 1):
        before, after = window.padding[axis]
        last = (window.out[axis] - 1) * window.stride[axis]
        reach = last + window.dilation[axis] * (window.kernel[axis] - 1) + 1
        ends.append(max(after, reach - window.size[axis] - before))
    return [window.padding[0][0], window.padding[1][0], *ends]


@writes("max_pool2d")
def max_pool2d(
    graph: Graph, x: Value, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """MaxPool."""
    window = pool_of("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    return out_of_batch(graph, max_pooled(graph, x, window, outputs=1), x.ndim)


@writes("max_pool2d_with_indices")
def max_pool2d_with_indices(
    graph: Graph, x: Value, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """MaxPool, and Mod of its Indices, which count through the whole batch."""
    window = pool_of("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    return with_places(graph, x, window)


def with_places(graph: Graph, x: Value, window: Any) -> tuple[Any, Any]:
    """The maximum of each window, and its place in the image."""
    y, places = max_pooled(graph, x, window, outputs=2)
    rows, columns = np.add(window.size, excess(window))
    place = graph.node("Mod", places, np.asarray(rows * columns, np.int64))
    if columns != window.size[1]:  # the image was made wider
        row = graph.node("Div", place, np.asarray(columns, np.int64))
        beyond = graph.node("Mul", row, np.asarray(columns - window.size[1], np.int64))
        place = graph.node("Sub", place, beyond)
    return out_of_batch(graph, y, x.ndim), out_of_batch(graph, place, x.ndim)


def excess(window: Any) -> list[int]:
    """How much more than a kernel's size would have to be padded at the ends, which runtimes refuse."""
    ends = reaching(window)[2:]
    return [max(0, end - kernel + 1) for end, kernel in zip(ends, window.kernel)]


def max_pooled(graph: Graph, x: Value, window: Any, outputs: int) -> Any:
    """The maximum of each window of a batch."""
    images, pads, more = in_batch(graph, x), reaching(window), excess(window)
    if any(more):
        lowest = -np.inf if x.is_float else np.iinfo(x.dtype).min
        sides = np.array([0, 0, 0, 0, 0, 0, *more], np.int64)
        images = graph.node("Pad", images, sides, graph.number(lowest, x))
        pads[2:] = np.subtract(pads[2:], more).tolist()
    return graph.node(
        "MaxPool",
        images,
        outputs=outputs,
        kernel_shape=window.kernel,
        strides=window.stride,
        pads=pads,
        dilations=window.dilation,
    )


@writes("avg_pool2d")
def avg_pool2d(
    graph: Graph,
    x: Value,
    *,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """AveragePool; before it Pad where the padding counts but what is beyond it does not."""
    window = pool_of("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode)
    images = in_batch(graph, x) if x.is_float else graph.cast(in_batch(graph, x), graph.y.dtype, x.dtype)
    if divisor_override is not None:
        y = summed(graph, images, window, graph.number(window.taps / divisor_override, graph.y))
    else:
        y = averaged(graph, images, window, count_include_pad)
    return out_of_batch(graph, y, x.ndim)


def averaged(graph: Graph, x: Operand, window: Any, count_include_pad: bool) -> str:
    """The mean of each window."""
    pads = reaching(window)
    given = [window.padding[axis][side] for side in (0, 1) for axis in (0, 1)]
    counted = count_include_pad and any(given)
    if counted and pads != given:
        x = graph.node("Pad", x, np.array([0, 0, *given[:2], 0, 0, *given[2:]], np.int64))
        pads = [most - own for most, own in zip(pads, given)]
        counted = False
    y: str = graph.node(
        "AveragePool",
        x,
        kernel_shape=window.kernel,
        strides=window.stride,
        pads=pads,
        count_include_pad=int(counted),
    )
    return y


def summed(graph: Graph, x: Operand, window: Any, factor: Operand) -> str:
    """The sum of each window times what is left of the factor: means in which all padding counts."""
    means = graph.node(
        "AveragePool",
        x,
        kernel_shape=window.kernel,
        strides=window.stride,
        pads=reaching(window),
        count_include_pad=1,
    )
    y: str = graph.node("Mul", means, factor)
    return y


@writes("sum_windows")
def sum_windows(
    graph: Graph, x: Value, *, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool
) -> Any:
    """AveragePool, times the taps."""
    window = pool_of("sum_windows", x, kernel_size, stride, padding, 1, ceil_mode)
    y = summed(graph, in_batch(graph, x), window, graph.number(window.taps, x))
    return out_of_batch(graph, y, x.ndim)


def cells(x: Value, output_size: Any) -> Any:
    """The windows of an adaptive pooling whose cells are of one size."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * 2
    sizes: list[Any] = list(x.shape[-2:])
    counts = [size if count is None else count for size, count in zip(sizes, wanted)]
    if any(not count or size % count for size, count in zip(sizes, counts)):
        return None
    kernel = tuple(size // count for size, count in zip(sizes, counts))
    return pool_window("adaptive pooling", tuple(sizes), kernel, kernel, 0, 1, False)


@writes("adaptive_avg_pool2d")
def adaptive_avg_pool2d(graph: Graph, x: Value, *, output_size: Any) -> Any:
    """GlobalAveragePool, AveragePool where the cells are of one size, else MatMul along each axis."""
    window = cells(x, output_size)
    if window is None:
        image = (1, *known_sizes(x.shape[-2:]))
        matrices: Any = averages("adaptive_avg_pool2d", image, output_size)  # type: ignore[no-untyped-call]
        return mixed_axes(graph, x, matrices)
    images = in_batch(graph, x)
    if window.out == (1, 1):
        return out_of_batch(graph, graph.node("GlobalAveragePool", images), x.ndim)
    return out_of_batch(graph, averaged(graph, images, window, False), x.ndim)


@writes("adaptive_max_pool2d")
def adaptive_max_pool2d(graph: Graph, x: Value, *, output_size: Any) -> Any:
    """MaxPool, where the cells are of one size."""
    window = cells(x, output_size)
    if window is None:
        raise NotWritable("its cells are of several sizes; take an output_size that divides the image's")
    return with_places(graph, x, window)
