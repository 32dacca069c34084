"""The arguments of sliding windows, as PyTorch and ONNX write them, turned into the kernels' geometry."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from ...allocation import check_fits
from ...errors import ShapeError, show_shape
from ...kernels import Window, make_window

Pair = tuple[int, int]
Geometry = TypeVar("Geometry", bound=Callable[..., Any])

BYTES_OF_A_CELL = 256  # of an adaptive pooling: its bounds, and an entry of its matrix


def pair(op: str, name: str, value: Any, least: int) -> Pair:
    """An int or a pair of them as a pair. Raises ValueError for anything else, or below `least`."""
    try:
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        first, second = map(operator.index, values * 2 if len(values) == 1 else values)
    except (TypeError, ValueError):
        raise ValueError(f"{op}: {name} must be an int or a pair of ints, not {value!r}") from None
    if min(first, second) < least:
        raise ValueError(f"{op}: {name} must be at least {least}, got {value!r}")
    return first, second


def padding_pairs(
    op: str, padding: Any, size: Pair, kernel: Pair, stride: Pair, dilation: Pair
) -> tuple[Pair, Pair]:
    """((top, bottom), (left, right)) of an int, a pair (height, width), such pairs, 'valid' or 'same'.

    'same' pads so that P = ⌈H / stride⌉, the odd one at the bottom and right: ONNX's SAME_UPPER, and
    PyTorch's where the stride is 1.
    """
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        rows, columns = map(same_padding, size, kernel, stride, dilation)
        return rows, columns
    if isinstance(padding, str):
        forms = "an int, a pair, ((top, bottom), (left, right)), 'valid' or 'same'"
        raise ValueError(f"{op}: padding must be {forms}, not {padding!r}")
    if isinstance(padding, (tuple, list)) and any(isinstance(side, (tuple, list)) for side in padding):
        if len(padding) != 2:
            raise ValueError(f"{op}: padding must be ((top, bottom), (left, right)), not {padding!r}")
        return pair(op, "padding", padding[0], 0), pair(op, "padding", padding[1], 0)
    height, width = pair(op, "padding", padding, 0)
    return (height, height), (width, width)


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """How much to pad before and after one axis of `size` to get ⌈size / stride⌉ windows."""
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + dilation * (kernel - 1) + 1 - size)
    return total // 2, total - total // 2


def looked_up(geometry: Geometry) -> Geometry:
    """A decorator for what follows from sizes and options alone: it is worked out, and checked, once."""
    known = lru_cache(maxsize=512)(geometry)

    @wraps(geometry)
    def look_up(*arguments: Any, **options: Any) -> Any:
        try:
            return known(*arguments, **options)
        except TypeError:  # lists cannot be looked up
            return geometry(*arguments, **options)

    return cast(Geometry, look_up)


@looked_up
def window_of(
    op: str,
    size: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    out: Any = None,
    ceil_mode: bool = False,
) -> Window:
    """The checked geometry of sliding windows."""
    size, kernel = pair(op, "input size", size, 0), pair(op, "kernel_size", kernel_size, 1)
    stride = kernel if stride is None else pair(op, "stride", stride, 1)
    dilation = pair(op, "dilation", dilation, 1)
    pads = padding_pairs(op, padding, size, kernel, stride, dilation)
    spans = [size[axis] + sum(pads[axis]) - dilation[axis] * (kernel[axis] - 1) - 1 for axis in (0, 1)]
    most = make_window(size, kernel, stride, pads, dilation).out
    if ceil_mode:
        most = out = tuple(map(ceil_windows, spans, stride, size, (pads[0][0], pads[1][0])))
    # rounded up there may be a window, though its kernel reaches beyond the padded input
    misfits = [axis for axis in (0, 1) if spans[axis] < 0 and most[axis] < 1]
    if misfits:
        axis = min(misfits, key=spans.__getitem__)
        raise ShapeError(f"{op}: {too_large(axis, size, kernel, pads, dilation)}")
    check_fits(op, "padding", padding, most, 2)
    if out is not None and (out[0] > most[0] or out[1] > most[1]):
        raise ShapeError(
            f"{op}: dy has {show_shape(out)} rows and columns, but the windows make {show_shape(most)}"
        )
    return make_window(size, kernel, stride, pads, dilation, tuple(out) if out is not None else most)


def too_large(axis: int, size: Pair, kernel: Pair, pads: tuple[Pair, Pair], dilation: Pair) -> str:
    """In words, and then in the formula: a kernel reaches over more rows, or columns, than there are."""
    reach, padding = dilation[axis] * (kernel[axis] - 1) + 1, sum(pads[axis])
    dilated = f" (of size {kernel[axis]}, dilated by {dilation[axis]})" if reach > kernel[axis] else ""
    has = f"{size[axis]}" + (f" and {padding} of padding" if padding else "")
    formula = f"{'HW'[axis]} + padding - dilation (k - 1) - 1"
    numbers = f"{size[axis]} + {padding} - {dilation[axis]} · {kernel[axis] - 1} - 1"
    return (
        f"the kernel{dilated} is larger than the image, which has {has}: it needs {reach} "
        f"{('rows', 'columns')[axis]}; pad more, or take a smaller kernel ({formula} = {numbers} < 0)"
    )


def ceil_windows(span: int, stride: int, size: int, before: int) -> int:
    """How many windows along an axis, rounded up.

    The last one must begin inside the input or the padding before it.
    """
    windows = -(-span // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + before else windows


@looked_up
def pool_window(
    op: str, size: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Window:
    """The checked geometry of a pooling; padding beyond half a window would make windows of padding alone."""
    stride = None if stride == () or stride == [] else stride
    window = window_of(op, size, kernel_size, stride, padding, dilation, None, ceil_mode)
    reaches = [(kernel - 1) * step + 1 for kernel, step in zip(window.kernel, window.dilation)]
    if any(max(pads) > reach // 2 for pads, reach in zip(window.padding, reaches)):
        raise ValueError(f"{op}: padding {padding} is more than half of the window {show_shape(reaches)}")
    return touching(window) if op != "avg_pool2d" else window  # whose mean counts the padding too


def touching(window: Window) -> Window:
    """The window without the rows and columns that lie in the padding wherever it stands.

    It reads the same, and costs as much as the input has elements, however large it was.
    """
    if 0 in (*window.size, *window.out) or all(map(operator.le, window.kernel, window.size)):
        return window
    kernels, pads = zip(*[touching_axis(window, axis) for axis in (0, 1)])
    return make_window(window.size, kernels, window.stride, pads, window.dilation, window.out)


def touching_axis(window: Window, axis: int) -> tuple[int, Pair]:
    """How many taps along an axis ever meet the input, and the padding around it for these alone."""
    size, step, spread = window.size[axis], window.stride[axis], window.dilation[axis]
    before, reach = window.padding[axis][0], (window.out[axis] - 1) * step
    first = max(0, (before - reach) // spread)
    last = max(first, min(window.kernel[axis] - 1, (size - 1 + before) // spread))
    before -= first * spread
    after = reach + spread * (last - first) + 1 - size - before
    return last - first + 1, (before, max(0, after))


def check_images(op: str, name: str, x: Any, dims: int = 2) -> None:
    """Refuse what is neither [N, C, H, W] nor [C, H, W], or for one dimension [N, C, L] and [C, L]."""
    if x.ndim not in (dims + 1, dims + 2):
        shape = "C, H, W" if dims == 2 else "C, L"
        raise ShapeError(
            f"{op}: {name} must be [N, {shape}], or [{shape}] without a batch, not {show_shape(x.shape)}"
        )


def batched(x: Any) -> Any:
    """An image without a batch as a batch of one."""
    return x if x.ndim == 4 else x[None]


def check_columns(op: str, x: Any, window: Window) -> None:
    """Refuse columns that are not those of the windows."""
    if x.ndim not in (2, 3) or x.shape[-2] % window.taps or x.shape[-1] != window.out[0] * window.out[1]:
        form = f"[N, C · {window.taps}, {window.out[0]} · {window.out[1]}]"
        windows = f"windows {show_shape(window.kernel)} of an image {show_shape(window.size)}"
        raise ShapeError(f"{op}: input {show_shape(x.shape)} must be {form} for {windows}")


def cell_counts(op: str, shape: tuple[int, ...], output_size: Any) -> Pair:
    """How many rows and columns of cells an adaptive pooling makes.

    Raises ShapeError for an image without rows or columns.
    """
    if len(shape) not in (3, 4) or 0 in shape[-2:]:
        raise ShapeError(
            f"{op}: input must be [N, C, H, W] or [C, H, W], with rows and columns, not {show_shape(shape)}"
        )
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    wanted = [size if count is None else count for count, size in zip(given, shape[-2:])]
    counts = pair(op, "output_size", wanted if len(given) == 2 else given, 0)
    check_fits(op, "output_size", output_size, (*shape[:-2], *counts), 2)
    check_fits(op, "output_size", output_size, (sum(counts),), BYTES_OF_A_CELL)
    return counts


def bounds_of(size: int, count: int) -> list[Pair]:
    """Where each of the cells along an axis begins and ends."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
