"""Padding: a border of a constant, or of what is inside."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..dtypes import numbers_in
from ..engine.declare import primitive
from .arguments.shapes import check_sides
from .resample import Entries, kept_if_short, mix_axes, unmix_axes


@primitive
def pad(x, *, sides, mode="constant", value=None):
    """x with a border: sides = (before, after) of the last dimension, then of the one before it, and so on.

    mode: 'constant' (`value`, 0 by default); 'reflect' (the inside, mirrored at the outermost element),
    'replicate' (the outermost element) or 'circular' (the other end), for the last one, two or three of two
    more or one more dimensions. Negative sides cut off. Raises ShapeError where the sides do not fit x,
    ValueError for another mode.
    """
    check_sides(x.shape, sides, mode, value)
    if mode != "constant":
        return mix_axes(x, borders(x.shape, sides, mode))
    shape, inside, shown = placed(x.shape, tuple(sides))
    y = np.full(shape, numbers_in(value, x.dtype)) if value else np.zeros(shape, x.dtype)
    y[inside] = x[shown]
    return y


@pad.grad("x")
def pad_dx(dy, x_shape, sides, mode, value):
    """The border of a constant is cut off again, and what was cut off gets 0.

    A border from inside goes back to where it was read.
    """
    if mode != "constant":
        return unmix_axes(dy, x_shape, borders(x_shape, sides, mode))
    return pad(dy, sides=tuple(-side for side in sides))


@lru_cache(maxsize=512)
def placed(shape, sides):
    """The shape with a border, where in it the inside is, and what of the unpadded array is shown there."""
    pairs = [(0, 0)] * (len(shape) - len(sides) // 2) + pairs_of(sides)
    padded = tuple([size + before + after for size, (before, after) in zip(shape, pairs)])
    return padded, inner(padded, pairs), inner(shape, [(-before, -after) for before, after in pairs])


def inner(shape, borders):
    """What is left of an array without its borders; a border of negative width takes nothing away."""
    return tuple(slice(max(before, 0), size - max(after, 0)) for size, (before, after) in zip(shape, borders))


def pairs_of(sides):
    """(before, after) of each dimension, in the order of the dimensions."""
    return list(zip(sides[::2], sides[1::2]))[::-1]


def borders(shape, sides, mode):
    """The matrix of each padded axis: which place each place reads."""
    pairs = pairs_of(sides)
    axes = zip(shape[-len(pairs) :], pairs)
    return [border(size, before + size + after, before, mode) for size, (before, after) in axes]


@kept_if_short
def border(old, new, before, mode):
    """The place inside that each place of a padded axis shows.

    What is cut off is gone before the other end is read.
    """
    places, after = np.arange(-before, new - before), new - old - before
    if mode == "replicate":
        source = np.clip(places, 0, old - 1)
    elif mode == "reflect":
        source = (old - 1) - np.abs((old - 1) - np.abs(places))
    else:
        first, last = max(-before, 0), old - max(-after, 0)
        source = first + (places - first) % max(last - first, 1)
    return Entries(new, np.arange(new), source)
