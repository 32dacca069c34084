"""Pooling: the maximum, the mean or the norm of each window, and of everything in a channel.

An image of one dimension is one of a single row. Where a window may lie in the padding by more than a half,
or has gaps, the image is padded first, and a mean is a sum divided by a count.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .... import functional as F
from ....dtypes import range_of
from ....engine.tensor import Tensor
from ....errors import ShapeError
from ....ops.arguments.windows import ceil_windows
from ..reading.node import Node
from .table import Function, operator, plain
from .values import integers, tensor_of
from .windows import Pads, Windows, windows_of

VERSIONS = (1, 8, 10, 11, 12, 22)


class Pooling:
    """The windows of a pooling on an image [N, C, H, W], and the pads around it.

    Raises ShapeError for windows that do not fit, and for some that would lie in the padding alone.
    """

    def __init__(self, windows: Windows, x_shape: tuple[int, ...], ceil_mode: bool) -> None:
        windows = windows.along(x_shape, windows.kernel)
        pads = windows.sides(x_shape[2:])
        self.sizes, self.ceil_mode = x_shape[2:], ceil_mode
        self.kernel, self.strides, self.dilations = windows.kernel, windows.strides, windows.dilations
        self.reaches, self.pads = windows.reaches(), pads
        if len(self.sizes) == 1:
            self.sizes, self.reaches, self.pads = (1, *self.sizes), (1, *self.reaches), ((0, 0), *pads)
            self.kernel, self.strides = (1, *self.kernel), (1, *self.strides)
            self.dilations = (1, *self.dilations)
        if any(max(sides) >= reach for sides, reach in zip(self.pads, self.reaches) if max(sides)):
            raise ShapeError(f"pads {self.pads} reach over whole windows of {self.reaches}")

    @property
    def is_usual(self) -> bool:
        """Whether no window lies in the padding by more than a half."""
        return all(max(sides) <= reach // 2 for sides, reach in zip(self.pads, self.reaches))

    def counts(self) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        spans = [size + sum(sides) - reach for size, sides, reach in zip(self.sizes, self.pads, self.reaches)]
        if min(spans) < 0:
            raise ShapeError(f"the windows {self.reaches} are larger than the image {self.sizes}, padded")
        if not self.ceil_mode:
            return tuple(span // step + 1 for span, step in zip(spans, self.strides))
        befores = [before for before, _ in self.pads]
        return tuple(map(ceil_windows, spans, self.strides, self.sizes, befores))

    def whole_pads(self) -> Pads:
        """The pads with what windows that were rounded up need beyond them, or without what none reads."""
        needed = [
            (count - 1) * step + reach
            for count, step, reach in zip(self.counts(), self.strides, self.reaches)
        ]
        return tuple(
            (before, total - size - before) for total, size, (before, _) in zip(needed, self.sizes, self.pads)
        )


def as_image(x: Tensor) -> Tensor:
    """x [N, C, L] as [N, C, 1, L]; [N, C, H, W] as it is."""
    return F.unsqueeze(x, dim=2) if x.ndim == 3 else x


def as_before(y: Tensor, x: Tensor) -> Tensor:
    """Without the row that `as_image` gave x."""
    return F.squeeze(y, dim=2) if x.ndim == 3 else y


def padded(x: Tensor, pads: Pads, value: float) -> Tensor:
    """An image [N, C, H, W] with pads around it; negative ones cut off."""
    (top, bottom), (left, right) = pads
    return F.pad(x, (left, right, top, bottom), value=value)


@operator("MaxPool", VERSIONS)
def max_pool(node: Node) -> Function:
    return partial(
        pooled_maxima,
        windows=windows_of(node),
        ceil_mode=node.flag("ceil_mode"),
        by_columns=node.flag("storage_order"),
        indices=node.makes(1),
    )


def pooled_maxima(x: Tensor, *, windows: Windows, ceil_mode: bool, by_columns: bool, indices: bool) -> Any:
    pooling = Pooling(windows, tuple(x.shape), ceil_mode)
    image, pads = as_image(x), pooling.pads
    if not pooling.is_usual:
        lowest = -math.inf if x.dtype.kind == "f" else range_of(x.dtype)[0]
        image, pads, ceil_mode = padded(image, pooling.whole_pads(), lowest), ((0, 0), (0, 0)), False
    geometry: Any = pooling.kernel, pooling.strides, pads, pooling.dilations, ceil_mode, indices
    y = F.max_pool2d(image, *geometry)
    if not indices:
        return as_before(y, x)
    offsets = (0, 0) if pooling.is_usual else (pooling.pads[0][0], pooling.pads[1][0])
    places = places_in(tuple(x.shape), y[1].data, image.shape[3], offsets, by_columns)
    return as_before(y[0], x), as_before(tensor_of(places), x)


def places_in(
    shape: tuple[int, ...], indices: Any, row_length: int, offsets: tuple[int, int], by_columns: bool
) -> Any:
    """Where maxima are in the whole tensor, of their places in padded images whose rows have this length.

    by_columns: each image counted column by column.
    """
    height, width = (1, *shape[2:])[-2:]
    rows, columns = np.divmod(indices, row_length)
    rows, columns = rows - offsets[0], columns - offsets[1]
    images = np.arange(math.prod(shape[:2])).reshape(*shape[:2], 1, 1) * height * width
    return images + (columns * height + rows if by_columns else rows * width + columns)


@operator("AveragePool", (7, 10, 11, 19, 22))
def average_pool(node: Node) -> Function:
    return partial(
        pooled_means,
        windows=windows_of(node),
        ceil_mode=node.flag("ceil_mode"),
        count_include_pad=node.flag("count_include_pad"),
    )


def pooled_means(x: Tensor, *, windows: Windows, ceil_mode: bool, count_include_pad: bool) -> Tensor:
    pooling = Pooling(windows, tuple(x.shape), ceil_mode)
    image = as_image(x)
    if pooling.is_usual and set(pooling.dilations) == {1}:
        geometry = {"kernel_size": pooling.kernel, "stride": pooling.strides, "padding": pooling.pads}
        y = F.avg_pool2d(image, **geometry, ceil_mode=ceil_mode, count_include_pad=count_include_pad)
        return as_before(y, x)
    ones = tensor_of(np.ones((1, 1, *pooling.sizes)), x.dtype)
    before = pooling.pads if count_include_pad else ((0, 0), (0, 0))
    counted = padded(ones, before, 1.0)
    beyond = tuple(
        (first - more, last - after) for (first, last), (more, after) in zip(pooling.whole_pads(), before)
    )
    counts = sums_of_windows(padded(counted, beyond, 0.0), pooling)
    return as_before(sums_of_windows(padded(image, pooling.whole_pads(), 0.0), pooling) / counts, x)


def sums_of_windows(image: Tensor, pooling: Pooling) -> Tensor:
    """The sum of each window of an image that is padded already: each channel with a kernel of ones."""
    channels = image.shape[1]
    ones = tensor_of(np.ones((channels, 1, *pooling.kernel)), image.dtype)
    return F.conv2d(image, ones, stride=pooling.strides, dilation=pooling.dilations, groups=channels)


@operator("LpPool", (2, 11, 18, 22))
def lp_pool(node: Node) -> Function:
    """(Σ |x|ᵖ)^(1/p) over each window."""
    return partial(pooled_norms, windows=windows_of(node), ceil_mode=node.flag("ceil_mode"), p=order_of(node))


def order_of(node: Node) -> int:
    """Which norm is meant."""
    p = node.get("p")
    if p < 1:
        node.refuse("p", p, "integers of at least 1")
    return int(p)


def pooled_norms(x: Tensor, *, windows: Windows, ceil_mode: bool, p: int) -> Tensor:
    pooling = Pooling(windows, tuple(x.shape), ceil_mode)
    powers = F.pow(F.abs(as_image(x)), p)
    sums = sums_of_windows(padded(powers, pooling.whole_pads(), 0.0), pooling)
    return as_before(F.pow(sums, 1 / p), x)


def spatial_axes(x: Tensor) -> tuple[int, ...]:
    """The axes of x [N, C, …] after the first two. Raises ShapeError where there are none."""
    if x.ndim < 3:
        raise ShapeError(f"the input must be [N, C, …], not {tuple(x.shape)}")
    return tuple(range(2, x.ndim))


def global_mean(x: Tensor) -> Tensor:
    return F.mean(x, spatial_axes(x), keepdim=True)


plain("GlobalAveragePool", (1, 22), global_mean)


def global_maximum(x: Tensor) -> Tensor:
    lines = x.reshape(*x.shape[:2], math.prod(x.shape[place] for place in spatial_axes(x)))
    largest: Any = F.max(lines, 2)  # whose gradient goes to the first of equals, as a pooling's does
    return largest.values.reshape(*x.shape[:2], *(1,) * (x.ndim - 2))


plain("GlobalMaxPool", (1, 22), global_maximum)


@operator("GlobalLpPool", (2, 22))
def global_lp_pool(node: Node) -> Function:
    return partial(global_norm, p=order_of(node))


def global_norm(x: Tensor, *, p: int) -> Tensor:
    return F.pow(F.sum(F.pow(F.abs(x), p), spatial_axes(x), keepdim=True), 1 / p)


@operator("MaxUnpool", (9, 11, 22), constants=(1, 2))
def max_unpool(node: Node) -> Function:
    """Numbers at the places in the whole tensor where a MaxPool found them, and 0 elsewhere."""
    return partial(unpooled, windows=windows_of(node))


def unpooled(x: Tensor, indices: Tensor, output_shape: Tensor | None = None, *, windows: Windows) -> Tensor:
    windows = windows.along(x.shape, windows.kernel)
    pads = windows.sides(x.shape[2:])
    sizes = [
        (size - 1) * step - sum(sides) + reach
        for size, step, sides, reach in zip(x.shape[2:], windows.strides, pads, windows.reaches())
    ]
    shape = (*x.shape[:2], *sizes)
    check_places(indices, math.prod(shape))
    zeros = tensor_of(np.zeros(math.prod(shape)), x.dtype)
    y = F.scatter(zeros, 0, indices.reshape(-1), x.reshape(-1)).reshape(shape)
    if output_shape is None:
        return y
    wanted = integers("output_shape", output_shape)
    if len(wanted) != y.ndim or any(new < old for new, old in zip(wanted, shape)):
        raise ShapeError(f"output_shape {wanted} must hold what the windows make, {shape}")
    return F.pad(y, [side for new, old in zip(wanted[::-1], shape[::-1]) for side in (0, new - old)])


def check_places(indices: Tensor, count: int) -> None:
    """Refuse places beyond the last."""
    places = indices.data
    if places.size and not 0 <= places.min() <= places.max() < count:
        raise ShapeError(f"an index is not one of the {count} places of the output")
