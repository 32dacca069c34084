"""Shapes changed; tensors joined, parted and padded."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .... import functional as F
from ....allocation import check_fits
from ....engine.tensor import Tensor
from ....errors import OnnxError, ShapeError, show_shape
from ..reading.node import Node
from .table import Function, operator, plain
from .values import axes_of, axis_of, integers, scalar, tensor_of

TYPES_ALONE = (21, 23, 24, 25)
"""Opsets that brought operators dtypes, and nothing else."""


def itself(x: Tensor) -> Tensor:
    return x


plain("Identity", (1, 13, 14, 16, 19, *TYPES_ALONE), itself)


@operator("Reshape", (5, 13, 14, 19, *TYPES_ALONE), constants=(1,))
def reshape(node: Node) -> Function:
    """Another shape: 0 keeps a size, unless allowzero says that it is one; -1 is what is left."""
    return partial(reshaped, allowzero=node.flag("allowzero"))


def reshaped(x: Tensor, shape: Tensor, *, allowzero: bool) -> Tensor:
    wanted = integers("shape", shape)
    if not allowzero:
        if any(not size and place >= x.ndim for place, size in enumerate(wanted)):
            raise ShapeError(f"shape {wanted} keeps a size that the input {show_shape(x.shape)} has not")
        wanted = tuple(size or x.shape[place] for place, size in enumerate(wanted))
    return x.reshape(wanted)


def flattened(x: Tensor, *, axis: int) -> Tensor:
    """A matrix, whose rows are all that there is before an axis."""
    place = axis if axis == x.ndim else axis_of(axis, x.ndim)
    return x.reshape(math.prod(x.shape[:place]), math.prod(x.shape[place:]))


plain("Flatten", (1, 9, 11, 13, *TYPES_ALONE), flattened, axis="axis")


def transposed(x: Tensor, *, perm: tuple[int, ...] | None) -> Tensor:
    return F.permute(x, dims=tuple(range(x.ndim))[::-1] if perm is None else perm)


plain("Transpose", (1, 13, *TYPES_ALONE), transposed, perm="perm")


def joined(*tensors: Tensor, axis: int) -> Tensor:
    return F.cat(tensors, axis)


plain("Concat", (4, 11, 13), joined, axis="axis")


@operator("Split", (2, 11, 13, 18), constants=(1,))
def split(node: Node) -> Function:
    """Parts along an axis: of given sizes, or one for each output, of which the last may be smaller."""
    count = node.get("num_outputs", len(node.outputs))
    if count != len(node.outputs):
        node.refuse("num_outputs", count, f"the number of outputs, {len(node.outputs)}")
    return partial(parted, axis=node.get("axis"), sizes=node.get("split"), count=count)


def parted(
    x: Tensor, split: Tensor | None = None, *, axis: int, sizes: tuple[int, ...] | None, count: int
) -> tuple[Tensor, ...]:
    axis = axis_of(axis, x.ndim)
    sizes = integers("split", split) if split is not None else sizes
    if not sizes:
        each = -(-x.shape[axis] // count)
        sizes = (each,) * (count - 1) + (x.shape[axis] - each * (count - 1),)
    if len(sizes) != count or sum(sizes) != x.shape[axis] or min(sizes) < 0:
        raise ShapeError(f"the sizes {sizes} do not split {x.shape[axis]} into {count} parts")
    return tuple(F.split(x, split_size_or_sections=sizes, dim=axis))


@operator("Squeeze", (1, 11, 13, *TYPES_ALONE), constants=(1,))
def squeeze(node: Node) -> Function:
    return partial(squeezed, axes=node.get("axes", ()))


def squeezed(x: Tensor, places: Tensor | None = None, *, axes: tuple[int, ...]) -> Tensor:
    """Without axes of size 1: those that are named, or all."""
    named = axes_of(axes if places is None else integers("axes", places), x.ndim)
    if any(x.shape[axis] != 1 for axis in named):
        raise ShapeError(f"axes {named} of {show_shape(x.shape)} are not all of size 1")
    gone = named or tuple(axis for axis, size in enumerate(x.shape) if size == 1)
    return x.reshape(tuple(size for axis, size in enumerate(x.shape) if axis not in gone))


@operator("Unsqueeze", (1, 11, 13, *TYPES_ALONE), constants=(1,))
def unsqueeze(node: Node) -> Function:
    return partial(unsqueezed, axes=node.get("axes", ()))


def unsqueezed(x: Tensor, places: Tensor | None = None, *, axes: tuple[int, ...]) -> Tensor:
    """With axes of size 1 at these places of the result."""
    named = axes if places is None else integers("axes", places)
    new = axes_of(named, x.ndim + len(named))
    sizes = iter(x.shape)
    return x.reshape(tuple(1 if axis in new else next(sizes) for axis in range(x.ndim + len(new))))


def expanded(x: Tensor, shape: Tensor) -> Tensor:
    """x in the shape to which it and the wanted one broadcast."""
    wanted = integers("shape", shape)
    if min(wanted, default=0) < 0:
        raise ShapeError(f"shape {wanted} has a negative size")
    ndim = max(len(wanted), x.ndim)
    old = (1,) * (ndim - x.ndim) + tuple(x.shape)
    new = (1,) * (ndim - len(wanted)) + wanted
    if any(a != b and 1 not in (a, b) for a, b in zip(old, new)):
        raise ShapeError(f"the input {show_shape(x.shape)} and shape {wanted} do not broadcast")
    sizes = tuple(b if a == 1 else a for a, b in zip(old, new))
    check_fits("Expand", "shape", wanted, sizes, x.dtype.itemsize)
    return F.broadcast_to(x, sizes)


plain("Expand", (8, 13), expanded, constants=(1,))


def tiled(x: Tensor, repeats: Tensor) -> Tensor:
    times = integers("repeats", repeats)
    if len(times) != x.ndim or min(times, default=0) < 0:
        raise ShapeError(f"repeats {times} must be a number for each dimension of {show_shape(x.shape)}")
    sizes = [size * count for size, count in zip(x.shape, times)]
    check_fits("Tile", "repeats", times, sizes, x.dtype.itemsize)
    return F.tile(x, times)


plain("Tile", (6, 13), tiled, constants=(1,))


@operator("Shape", (1, 13, 15, 19, *TYPES_ALONE), constants=(0,))
def shape(node: Node) -> Function:
    """The sizes of a tensor, or, since opset 15, a slice of them."""
    return partial(sizes_of, bounds=slice(node.get("start", 0), node.get("end")))


def sizes_of(x: Tensor, *, bounds: slice) -> Tensor:
    return tensor_of(tuple(x.shape)[bounds], np.int64)


def size_of(x: Tensor) -> Tensor:
    return tensor_of(x.numel(), np.int64)


plain("Size", (1, 13, 19, *TYPES_ALONE), size_of, constants=(0,))


@operator("DepthToSpace", (1, 11, 13, 28))
def depth_to_space(node: Node) -> Function:
    """Blocks of channels as blocks of pixels. DCR: the block comes first among the channels; CRD: last."""
    mode = node.word("mode", ("DCR", "CRD"), "DCR")
    return partial(spread, block=block_of(node), channels_last=mode == "DCR")


def block_of(node: Node) -> int:
    block = node.get("blocksize")
    if block < 1:
        node.refuse("blocksize", block, "integers of at least 1")
    return int(block)


def spread(x: Tensor, *, block: int, channels_last: bool) -> Tensor:
    if not channels_last:
        return F.pixel_shuffle(x, upscale_factor=block)
    check_image(x)
    samples, channels, height, width = x.shape
    parts = x.reshape(samples, block, block, -1, height, width)
    ordered = F.permute(parts, dims=(0, 3, 4, 1, 5, 2))
    return ordered.reshape(samples, channels // block**2, height * block, width * block)


@operator("SpaceToDepth", (1, 13, 28))
def space_to_depth(node: Node) -> Function:
    """Blocks of pixels as blocks of channels; the block comes first among them."""
    mode = node.word("mode", ("DCR", "CRD"), "DCR")
    return partial(gathered, block=block_of(node), channels_last=mode == "DCR")


def gathered(x: Tensor, *, block: int, channels_last: bool) -> Tensor:
    if not channels_last:
        return F.pixel_unshuffle(x, downscale_factor=block)
    check_image(x)
    samples, channels, height, width = x.shape
    parts = x.reshape(samples, channels, height // block, block, width // block, block)
    ordered = F.permute(parts, dims=(0, 3, 5, 1, 2, 4))
    return ordered.reshape(samples, channels * block**2, height // block, width // block)


def check_image(x: Tensor) -> None:
    if x.ndim != 4:
        raise ShapeError(f"the input must be [N, C, H, W], not {show_shape(x.shape)}")


@operator("Pad", (2, 11, 13, 18, 19, *TYPES_ALONE), constants=(1, 2, 3))
def pad(node: Node) -> Function:
    """A border of a constant, or of what is inside; negative pads cut off."""
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    mode = modes[node.word("mode", tuple(modes), "constant")]
    if node.version < 11:
        return partial(padded, sides=node.get("pads"), number=node.get("value"), mode=mode)
    return partial(padded, sides=None, number=0.0, mode=mode)


def padded(
    x: Tensor,
    pads: Tensor | None = None,
    value: Tensor | None = None,
    axes: Tensor | None = None,
    *,
    sides: tuple[int, ...] | None,
    number: float,
    mode: str,
) -> Tensor:
    if pads is None and sides is None:
        raise OnnxError("the input pads is left out")
    given = sides if pads is None else integers("pads", pads)
    number = number if value is None else scalar("constant_value", value)
    places = axes_of(tuple(range(x.ndim)) if axes is None else integers("axes", axes), x.ndim)
    if given is None or len(given) != 2 * len(places):
        raise ShapeError(f"pads {given} must be two numbers for each of {len(places)} axes")
    pairs = dict(zip(places, zip(given[: len(places)], given[len(places) :])))
    check_fits("Pad", "pads", given, padded_sizes(x, pairs), x.dtype.itemsize)
    if mode != "constant":
        return padded_from_inside(x, pairs, mode)
    return bordered(x, pairs, number)


def bordered(x: Tensor, pairs: dict[int, tuple[int, int]], number: float = 0.0) -> Tensor:
    """x with a border of a number, (before, after) some axes."""
    backwards = [pairs.get(axis, (0, 0)) for axis in reversed(range(x.ndim))]
    return F.pad(x, [side for sides in backwards for side in sides], value=number)


def padded_sizes(x: Tensor, pairs: dict[int, tuple[int, int]]) -> list[int]:
    """The sizes of x with a border. Raises ShapeError where more is cut off than there is."""
    sizes = [size + sum(pairs.get(axis, (0, 0))) for axis, size in enumerate(x.shape)]
    if min(sizes, default=0) < 0:
        raise ShapeError(f"the pads cut off more than there is of {show_shape(x.shape)}")
    return sizes


def padded_from_inside(x: Tensor, pairs: dict[int, tuple[int, int]], mode: str) -> Tensor:
    """Axis after axis, each alone as the last of three: so many axes, and which, does not matter."""
    for axis, sides in pairs.items():
        if sides != (0, 0):
            lines = F.movedim(x, axis, -1)
            longer = F.pad(lines.reshape(1, -1, lines.shape[-1]), sides, mode)
            x = F.movedim(longer.reshape(*lines.shape[:-1], -1), -1, axis)
    return x


def centred(x: Tensor, shape: Tensor, *, axes: tuple[int, ...] | None) -> Tensor:
    """Some axes cut, or padded with 0, on both sides alike, to given sizes."""
    wanted = integers("shape", shape)
    places = axes_of(tuple(range(x.ndim)) if axes is None else axes, x.ndim)
    if len(wanted) != len(places) or min(wanted, default=0) < 0:
        raise ShapeError(f"shape {wanted} must be a size for each of the axes {places}")
    pairs = {}
    for axis, size in zip(places, wanted):
        over = size - x.shape[axis]
        first = over // 2 if over > 0 else -(-over // 2)
        pairs[axis] = (first, over - first)
    check_fits("CenterCropPad", "shape", wanted, padded_sizes(x, pairs), x.dtype.itemsize)
    return bordered(x, pairs)


plain("CenterCropPad", (18,), centred, constants=(1,), axes="axes")
