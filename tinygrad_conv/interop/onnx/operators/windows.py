"""The windows of convolutions and pooling: which attributes there are, and the pads that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ....errors import OnnxError, ShapeError, show_shape
from ..reading.node import Node

MOST_DIMS = 2
LARGEST = 2**31 - 1  # of sizes, so that sums and products of them are numbers that NumPy has
Pads = tuple[tuple[int, int], ...]


class Windows(NamedTuple):
    """The attributes of a node with windows. What is left out is empty: 1, or no padding, for each axis."""

    auto_pad: str
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]  # before each axis, then after each

    def along(self, x_shape: Sequence[int], kernel: Sequence[int]) -> Windows:
        """The same with a number for each axis of an input [N, C, …].

        Raises ShapeError where the attributes have another number of axes.
        """
        dims = len(x_shape) - 2
        filled = Windows(
            self.auto_pad,
            tuple(kernel),
            self.strides or (1,) * dims,
            self.dilations or (1,) * dims,
            self.pads or (0,) * 2 * dims,
        )
        if dims < 1 or not dims == len(kernel) == len(filled.strides) == len(filled.dilations):
            raise ShapeError(
                f"the input {show_shape(x_shape)} must be [N, C, …] with as many axes as the kernel "
                f"{show_shape(kernel)}, strides {filled.strides} and dilations {filled.dilations}"
            )
        if dims > MOST_DIMS:
            raise ShapeError(f"the input {show_shape(x_shape)} has {dims} spatial axes; supported: 1 and 2")
        return filled

    def reaches(self) -> tuple[int, ...]:
        """How far a window reaches along each axis."""
        return tuple((size - 1) * spread + 1 for size, spread in zip(self.kernel, self.dilations))

    def sides(self, sizes: Sequence[int]) -> Pads:
        """(before, after) for each axis of an image of these sizes."""
        if self.auto_pad == "NOTSET":
            dims = len(sizes)
            return tuple(zip(self.pads[:dims], self.pads[dims:]))
        if self.auto_pad == "VALID":
            return ((0, 0),) * len(sizes)
        totals = [
            max((-(-size // step) - 1) * step + reach - size, 0)
            for size, step, reach in zip(sizes, self.strides, self.reaches())
        ]
        return halved(totals, self.auto_pad == "SAME_UPPER")


def halved(totals: Sequence[int], upper: bool) -> Pads:
    """Padding of a total for each axis on both sides, the odd one after the axis (upper), or before it."""
    before = [total // 2 if upper else total - total // 2 for total in totals]
    return tuple((first, total - first) for first, total in zip(before, totals))


def windows_of(node: Node) -> Windows:
    """The attributes of a node with windows. Raises OnnxError where they do not fit together."""
    auto_pad = node.word("auto_pad", ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"), "NOTSET")
    windows = Windows(
        auto_pad,
        sizes_of(node, "kernel_shape", 1),
        sizes_of(node, "strides", 1),
        sizes_of(node, "dilations", 1),
        sizes_of(node, "pads", 0),
    )
    counts = {len(windows.kernel), len(windows.strides), len(windows.dilations), len(windows.pads) / 2} - {0}
    if len(counts) > 1:
        raise OnnxError(f"{node}: kernel_shape, strides, dilations and pads are of different lengths")
    if counts and max(counts) > MOST_DIMS:
        dims = int(max(counts))
        raise OnnxError(f"{node}: it has {dims} spatial axes; supported: 1 and 2")
    return windows


def sizes_of(node: Node, name: str, least: int) -> tuple[int, ...]:
    """An attribute that is a size for each axis; empty where it is left out."""
    sizes = node.get(name, ())
    if any(not least <= size <= LARGEST for size in sizes):
        node.refuse(name, sizes, f"integers of at least {least}, and no more than {LARGEST}")
    return tuple(sizes)
