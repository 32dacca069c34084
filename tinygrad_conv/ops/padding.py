"""Padding: a border of a constant, or of what is inside."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .resample import Entries, mix_axes, unmix_axes

MODES = ("constant", "reflect", "replicate", "circular")


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
    pairs = [(0, 0)] * (x.ndim - len(sides) // 2) + pairs_of(sides)
    y = np.full([size + before + after for size, (before, after) in zip(x.shape, pairs)], value or 0, x.dtype)
    inside = tuple(
        slice(max(before, 0), size - max(after, 0)) for size, (before, after) in zip(y.shape, pairs)
    )
    kept = tuple(
        slice(max(-before, 0), size - max(-after, 0)) for size, (before, after) in zip(x.shape, pairs)
    )
    y[inside] = x[kept]
    return y


@pad.grad("x")
def pad_dx(dy, x_shape, sides, mode, value):
    """The border of a constant is cut off again, and what was cut off gets 0; a border from inside goes back
    to where it was read."""
    if mode != "constant":
        return unmix_axes(dy, x_shape, borders(x_shape, sides, mode))
    return pad(dy, sides=tuple(-side for side in sides))


def pairs_of(sides):
    """(before, after) of each dimension, in the order of the dimensions."""
    return [(sides[at], sides[at + 1]) for at in range(0, len(sides), 2)][::-1]


def borders(shape, sides, mode):
    """The matrix of each padded axis: which place each place reads."""
    pairs = pairs_of(sides)
    return [border(size, before, after, mode) for size, (before, after) in zip(shape[-len(pairs) :], pairs)]


def border(size, before, after, mode):
    """The place inside that each place of a padded axis shows. What is cut off is gone before the other end
    is read.
    """
    places = np.arange(-before, size + after)
    if mode == "replicate":
        source = np.clip(places, 0, size - 1)
    elif mode == "reflect":
        source = (size - 1) - np.abs((size - 1) - np.abs(places))
    else:
        first, last = max(-before, 0), size - max(-after, 0)
        source = first + (places - first) % max(last - first, 1)
    return Entries(len(places), np.arange(len(places)), source)


def check_sides(shape, sides, mode, value):
    """Refuse sides that do not belong to the shape, or that ask for more than there is inside."""
    given = f"sides {tuple(sides)} of x {show_shape(shape)}"
    if mode not in MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(MODES)}, not {mode!r}")
    if mode != "constant" and value is not None:
        raise ValueError(f"pad: mode {mode!r} takes no value")
    if len(sides) % 2 or len(sides) // 2 > len(shape):
        raise ShapeError(f"pad: {given} must be two numbers for each of some last dimensions")
    if mode != "constant" and len(shape) - len(sides) // 2 not in (1, 2):
        raise ShapeError(
            f"pad: mode {mode!r} pads all dimensions but the first one or two; {given} pad {len(sides) // 2}"
        )
    for size, pair in zip(shape[::-1], pairs_of(sides)[::-1]):
        left = size + min(pair[0], 0) + min(pair[1], 0)
        most = {"constant": None, "reflect": size - 1, "replicate": None if size else 0, "circular": left}[
            mode
        ]
        if size + pair[0] + pair[1] < 0 or (most is not None and max(pair) > max(most, 0)):
            limit = (
                "leave a negative size"
                if most is None
                else f"are more than the {most} that mode {mode!r} can show"
            )
            raise ShapeError(f"pad: {given}: {pair} {limit} of a size of {size}")
