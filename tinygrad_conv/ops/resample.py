"""Resizing and averaging along axes: sparse matrices, whose adjoints are their transposes.

Whatever is computed separately along each axis of an image and is linear in it (nearest and bilinear
interpolation, padding with what is inside, adaptive averages) is `mix` with the right matrix, given by its
entries; and the rule of `mix` is `mix` with rows and columns exchanged. So everything here is closed under
differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from .. import kernels
from ..dtypes import Array
from ..engine.declare import primitive
from ..errors import ShapeError
from ..kernels.sums import BLOCK, sum_in_halves
from .arguments.dims import one_dim
from .arguments.shapes import check_resized
from .arguments.values import check_float
from .conversion import wide

NEAREST = {"nearest": 0.0, "nearest-exact": 0.5}
"""Modes that read one pixel, and where in a new pixel they look from: at its edge, or at its centre."""

SHORT_AXIS = 1024  # places: the matrix of an axis that is no longer takes some kilobytes

Matrix = TypeVar("Matrix", bound=Callable[..., "Entries"])


class Entries:
    """A sparse matrix for the lines of one axis: y[target[t]] = Σ weight[t] · x[source[t]].

    size: of the axis of y. weight: by default 1 for each.
    """

    __slots__ = ("size", "target", "source", "weight")

    def __init__(self, size: int, target: Array, source: Array, weight: Array | None = None) -> None:
        self.size = size
        self.target = target
        self.source = source
        self.weight = weight


def kept_if_short(matrix: Matrix) -> Matrix:
    """A decorator for the matrix of an axis, which follows from its lengths (old, new) and some options: that
    of a short one is made once. Long ones would be a lot to keep.
    """
    known = lru_cache(maxsize=128, typed=True)(matrix)

    @wraps(matrix)
    def look_up(old: int, new: int, *options: Any) -> Entries:
        return (known if max(old, new) <= SHORT_AXIS else matrix)(old, new, *options)

    return cast(Matrix, look_up)


@primitive
def mix(x, *, dim, size, target, source, weight=None):
    """y[target[t]] = Σ weight[t] · x[source[t]] along `dim`, the sum over all t of one target.

    y has `size` places there. A place that is no target is 0; without weights each counts 1.
    """
    if not x.ndim:
        raise ShapeError("mix: x [] has no dimensions to mix along")
    axis = one_dim("mix", dim, x.ndim)
    lines = wide(x).transpose(axis, *range(axis), *range(axis + 1, x.ndim))
    if weight is not None:
        check_float("mix", x=x)
    order = order_of(size, target, source, weight)
    sums = sum_of_rounds if order.by_rounds else sums_by_target
    y = sums(order.steps, lines, (size, *lines.shape[1:]))
    return np.ascontiguousarray(y.transpose(*range(1, axis + 1), 0, *range(axis + 1, x.ndim)), x.dtype)


def sum_of_rounds(rounds, lines, shape):
    """The mixed lines [size, …]: in each round every target gets one product at most."""

    def add_up(first, last):
        y = np.zeros(shape, lines.dtype)
        for step in rounds[first:last]:
            y[step.target] += products(step, lines)
        return y

    return sum_in_halves(add_up, 0, len(rounds), BLOCK)


def sums_by_target(steps, lines, shape):
    """The same, one target after another: of few targets with many products each."""
    y = np.zeros(shape, lines.dtype)
    for step in steps:
        y[step.target] = kernels.sum_over(products(step, lines), 0)
    return y


def products(step, lines):
    """What the entries of a step add: the lines that they read, times their weights."""
    part = lines[step.source]
    if step.weight is None:
        return part
    return part * step.weight.astype(lines.dtype).reshape(-1, *(1,) * (lines.ndim - 1))


class Step(NamedTuple):
    """Some entries, added up in one go: where they write to and read from, as slices if possible."""

    target: object
    source: object
    weight: object  # an array, or None


class Order(NamedTuple):
    """In which steps the entries of a matrix are added up: in rounds, or one target after another."""

    by_rounds: bool
    steps: tuple[object, ...]  # of class Step


def order_of(size: int, target: Array, source: Array, weight: Array | None) -> Order:
    """The order for a matrix. It follows from its numbers, so that of a few it is worked out once."""
    if not 0 < len(target) <= SHORT_AXIS:
        return worked_out(size, target, source, weight)
    keys = [None if each is None else (each.dtype, each.tobytes()) for each in (target, source, weight)]
    return known_order(size, *keys)


@lru_cache(maxsize=256)
def known_order(size: int, *keys: tuple[Any, bytes] | None) -> Order:
    """The same, by dtypes and bytes."""
    return worked_out(size, *[None if key is None else np.frombuffer(key[1], key[0]) for key in keys])


def worked_out(size: int, target: Any, source: Any, weight: Any) -> Order:
    """The same, without looking it up."""
    rounds = each_target_once(target)
    by_rounds = len(rounds) <= size
    steps: list[object] = []
    for entries in rounds if by_rounds else each_target_whole(target):
        written = as_slice(target[entries]) if by_rounds else int(target[entries[0]])
        steps.append(Step(written, as_slice(source[entries]), None if weight is None else weight[entries]))
    return Order(by_rounds, tuple(steps))


def each_target_once(target):
    """The entries in groups that name each target once at most: first ones, second ones, and so on."""
    order = np.argsort(target, kind="stable")
    ordered = target[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    by_rank = np.argsort(rank, kind="stable")
    return groups_of(order[by_rank], rank[by_rank])


def each_target_whole(target):
    """The entries in groups that name one target each."""
    order = np.argsort(target, kind="stable")
    return groups_of(order, target[order])


def groups_of(entries, keys):
    """The entries of each of the keys, which are sorted."""
    starts = np.flatnonzero(np.diff(keys)) + 1
    return np.split(entries, starts) if len(entries) else []


def as_slice(index):
    """Places as a slice where they are evenly spaced, which is several times faster to read and to write."""
    step = int(index[1] - index[0]) if len(index) > 1 else 1
    even = step > 0 and (np.diff(index) == step).all()
    return slice(int(index[0]), int(index[-1]) + 1, step) if even else index


@mix.grad("x")
def mix_dx(dy, x_shape, dim, size, target, source, weight):
    """The transposed matrix: each x takes back from every y that took from it."""
    return mix(dy, dim=dim, size=x_shape[dim], target=source, source=target, weight=weight)


def mix_axes(x, matrices):
    """`mix` of an array along its last axes, by one matrix for each."""
    for dim, entries in enumerate(matrices, -len(matrices)):
        x = mix.forward(
            x, dim=dim, size=entries.size, target=entries.target, source=entries.source, weight=entries.weight
        )
    return x


def unmix_axes(dy, x_shape, matrices):
    """The adjoint of `mix_axes`: the transposed matrices."""
    for dim, entries in enumerate(matrices, -len(matrices)):
        dy = mix(
            dy,
            dim=dim,
            size=x_shape[dim],
            target=entries.source,
            source=entries.target,
            weight=entries.weight,
        )
    return dy


@primitive
def interpolate(x, *, size, mode="nearest", align_corners=False, scale=None):
    """x [N, C, …] resized to `size` along the axes after the first two, each axis by itself.

    Place i of a new axis lies at s i of the old one ('nearest'), or at s (i + ½) ('nearest-exact'), rounded
    down; or at s (i + ½) - ½, and with align_corners at s i, between two neighbours that share it by their
    distance ('linear'). The step s is old / new, or 1 / scale where a scale for each axis is given; with
    align_corners (old - 1) / (new - 1), so that the corners stay where they are.
    """
    if mode == "linear":
        check_float("interpolate", input=x)
    return mix_axes(x, resizing(x.shape, size, mode, align_corners, scale, x.dtype))


@interpolate.grad("x")
def interpolate_dx(dy, x_shape, size, mode, align_corners, scale):
    """To each old place from every new one that read it, by the same share."""
    return unmix_axes(dy, x_shape, resizing(x_shape, size, mode, align_corners, scale, dy.dtype))


def resizing(
    shape: tuple[int, ...], size: tuple[int, ...], mode: str, align_corners: bool, scale: Any, dtype: Any
) -> list[Entries]:
    """The matrix of each axis after the first two."""
    check_resized("interpolate", shape, size)
    axes = list(zip(shape[2:], size, scale or (None,) * len(size)))
    if mode == "nearest" and len(axes) == 2:
        # In PyTorch an axis of an image that stays or becomes twice as long is copied or doubled, whatever
        # the scale; of volumes and sequences only its gradient knows that.
        axes = [(old, new, None if new in (old, 2 * old) else factor) for old, new, factor in axes]
    if mode in NEAREST:
        return [nearest_entries(*axis, dtype, NEAREST[mode]) for axis in axes]
    return [linear_entries(*axis, align_corners) for axis in axes]


@kept_if_short
def nearest_entries(old: int, new: int, scale: float | None, dtype: Any, centre: float) -> Entries:
    """Each new place reads the old one at or before it; what rounding decides, it decides as in PyTorch's.

    centre: where in a new pixel its place is.
    """
    real = np.float64 if dtype == np.float64 else np.float32
    step = real(1 / scale) if scale else real(old) / real(new)
    read = ((np.arange(new, dtype=real) + real(centre)) * step).astype(np.float32)
    return Entries(new, np.arange(new), np.minimum(np.floor(read).astype(np.int64), old - 1))


@kept_if_short
def linear_entries(old: int, new: int, scale: float | None, align_corners: bool) -> Entries:
    """Each new place reads its two neighbours; beyond the border there is only one.

    An axis of the same size stays as it is.
    """
    if old == new:
        places = np.arange(new) * 1.0
    elif align_corners:
        places = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        places = np.maximum((np.arange(new) + 0.5) * (1 / scale if scale else old / new) - 0.5, 0)
    before = np.minimum(np.floor(places).astype(np.int64), old - 1)
    share = np.clip(places - before, 0, 1)
    after = np.minimum(before + 1, old - 1)
    target, source = np.tile(np.arange(new), 2), np.concatenate([before, after])
    return Entries(new, target, source, np.concatenate([1 - share, share]))
