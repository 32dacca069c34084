"""Convolutions of one and two dimensions, and transposed ones."""

from __future__ import annotations

from functools import partial
from typing import Any

from .... import functional as F
from ....engine.tensor import Tensor
from ....errors import ShapeError
from ..reading.node import Node
from .table import Function, operator
from .windows import Pads, Windows, halved, sizes_of, windows_of


@operator("Conv", (1, 11, 22))
def conv(node: Node) -> Function:
    """x [N, C, …] with a kernel [O, C/group, …], plus a bias [O]."""
    return partial(convolved, windows=windows_of(node), groups=group_of(node))


def group_of(node: Node) -> int:
    """The number of groups of channels."""
    groups = node.get("group", 1)
    if groups < 1:
        node.refuse("group", groups, "integers of at least 1")
    return int(groups)


def convolved(x: Tensor, w: Tensor, b: Tensor | None = None, *, windows: Windows, groups: int) -> Tensor:
    check_kernel(windows, w)
    windows = windows.along(x.shape, w.shape[2:])
    pads = windows.sides(x.shape[2:])
    function, padding = (F.conv1d, pads[0]) if x.ndim == 3 else (F.conv2d, pads)
    options: Any = {"stride": windows.strides, "padding": padding, "dilation": windows.dilations}
    return function(x, w, b, groups=groups, **options)


def check_kernel(windows: Windows, w: Tensor) -> None:
    """Refuse a kernel of another size than the node says."""
    if windows.kernel and windows.kernel != tuple(w.shape[2:]):
        raise ShapeError(f"kernel_shape is {windows.kernel}, but the kernel has {tuple(w.shape[2:])}")


@operator("ConvTranspose", (1, 11, 22))
def conv_transpose(node: Node) -> Function:
    """The input gradient of a convolution, for x [N, C, …] and a kernel [C, O/group, …], plus a bias [O]."""
    return partial(
        convolved_back,
        windows=windows_of(node),
        groups=group_of(node),
        extra=sizes_of(node, "output_padding", 0),
        output_shape=sizes_of(node, "output_shape", 1),
    )


def convolved_back(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    windows: Windows,
    groups: int,
    extra: tuple[int, ...],
    output_shape: tuple[int, ...],
) -> Tensor:
    check_kernel(windows, w)
    windows = windows.along(x.shape, w.shape[2:])
    pads, more = transposed_pads(windows, x.shape[2:], extra, output_shape)
    function, padding = (F.conv_transpose1d, pads[0]) if x.ndim == 3 else (F.conv_transpose2d, pads)
    options: Any = {"padding": padding, "output_padding": more, "dilation": windows.dilations}
    return function(x, w, b, windows.strides, groups=groups, **options)  # type: ignore[arg-type]


def transposed_pads(
    windows: Windows, sizes: tuple[int, ...], extra: tuple[int, ...], wanted: tuple[int, ...]
) -> tuple[Pads, tuple[int, ...]]:
    """What is cut off at both sides of each axis, and what is added after it, for the size that is wanted."""
    extra = extra or (0,) * len(sizes)
    if windows.auto_pad.startswith("SAME") and not wanted:
        wanted = tuple(size * step for size, step in zip(sizes, windows.strides))
    if not wanted:
        return windows.sides(sizes), extra
    if not len(wanted) == len(extra) == len(sizes):
        raise ShapeError(f"output_shape {wanted} must have a size for each axis of {sizes}")
    whole = [
        step * (size - 1) + more + reach
        for size, step, more, reach in zip(sizes, windows.strides, extra, windows.reaches())
    ]
    over = [most - size for most, size in zip(whole, wanted)]
    added = tuple(more + max(-excess, 0) for more, excess in zip(extra, over))
    return halved([max(excess, 0) for excess in over], windows.auto_pad == "SAME_UPPER"), added
