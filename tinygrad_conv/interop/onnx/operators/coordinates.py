"""Where a new pixel of a resized axis looks, and how much it takes from each old one.

Every axis is resized by itself: y[i] = Σ_j k((j - x(i)) s) x[j], where x(i) is the place of the new pixel i
among the old ones, k a kernel (a triangle, or Keys's cubic, 1981), and s = 1, or with antialiasing the scale
of an axis that becomes shorter, so that k reaches over all the pixels that one pixel stands for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ....allocation import check_fits
from ....dtypes import Array
from ....ops.resample import Entries

BYTES_OF_A_TAP = 64  # an index, a weight, and what it takes to find them


class Sampling(NamedTuple):
    """How a node looks at pixels; ONNX's words."""

    mode: str
    transformation: str
    rounding: str
    cubic_a: float
    exclude_outside: bool
    antialias: bool


class Axis(NamedTuple):
    """An axis that is resized. roi: which part of it the new one shows, from 0 to 1."""

    old: int
    new: int
    scale: float
    roi: tuple[float, float]


def places(axis: Axis, transformation: str) -> Array:
    """x(i): where each new pixel lies among the old ones."""
    i = np.arange(axis.new, dtype=np.float64)
    if transformation == "half_pixel":
        return (i + 0.5) / axis.scale - 0.5
    if transformation == "half_pixel_symmetric":
        adjustment = axis.new / (axis.scale * axis.old)
        return axis.old / 2 * (1 - adjustment) + (i + 0.5) / axis.scale - 0.5
    if transformation == "pytorch_half_pixel":
        return (i + 0.5) / axis.scale - 0.5 if axis.new > 1 else i
    if transformation == "align_corners":
        return i * ((axis.old - 1) / (axis.new - 1)) if axis.new > 1 else i
    if transformation == "tf_half_pixel_for_nn":
        return (i + 0.5) / axis.scale
    if transformation == "tf_crop_and_resize":
        start, end = axis.roi
        share = i / (axis.new - 1) if axis.new > 1 else np.array([0.5])
        return (start + share * (end - start)) * (axis.old - 1)
    return i / axis.scale  # asymmetric


def entries_of(axis: Axis, sampling: Sampling) -> Entries:
    """The matrix that resizes an axis."""
    where = places(axis, sampling.transformation)
    targets = np.arange(axis.new)
    if sampling.mode == "nearest":
        return Entries(axis.new, targets, np.clip(rounded(where, sampling.rounding), 0, axis.old - 1))
    taps, weights = taps_of(where, axis, sampling)
    count = taps.shape[1]
    sources = np.clip(taps, 0, axis.old - 1)
    return Entries(axis.new, np.repeat(targets, count), sources.reshape(-1), weights.reshape(-1))


def rounded(where: Array, rounding: str) -> Array:
    """The pixel that a place is taken for."""
    if rounding == "floor":
        pixels = np.floor(where)
    elif rounding == "ceil":
        pixels = np.ceil(where)
    elif rounding == "round_prefer_ceil":
        pixels = np.floor(where + 0.5)
    else:
        pixels = np.ceil(where - 0.5)
    return pixels.astype(np.int64)


def taps_of(where: Array, axis: Axis, sampling: Sampling) -> tuple[Array, Array]:
    """The old pixels that each new one reads, and their weights: [new, taps] both."""
    squeeze = min(axis.scale, 1.0) if sampling.antialias else 1.0
    radius = math.ceil((1 if sampling.mode == "linear" else 2) / squeeze)
    check_fits("Resize", "scale", axis.scale, (axis.new, 2 * radius), BYTES_OF_A_TAP)
    taps = np.floor(where).astype(np.int64)[:, None] + np.arange(1 - radius, radius + 1)
    distances = np.abs(taps - where[:, None]) * squeeze
    weights = triangle(distances) if sampling.mode == "linear" else cubic(distances, sampling.cubic_a)
    if sampling.exclude_outside:
        weights = np.where((taps < 0) | (taps >= axis.old), 0, weights)
    if sampling.exclude_outside or sampling.antialias:
        weights = weights / weights.sum(1, keepdims=True)
    return taps, weights


def triangle(distances: Array) -> Array:
    """1 at the place itself, 0 from the next pixel on."""
    return np.maximum(1 - distances, 0)


def cubic(distances: Array, a: float) -> Array:
    """Keys's kernel, which is smooth, and passes through the pixels."""
    near = ((a + 2) * distances - (a + 3)) * distances**2 + 1
    far = ((distances - 5) * distances + 8) * a * distances - 4 * a
    return np.where(distances <= 1, near, np.where(distances < 2, far, 0))
