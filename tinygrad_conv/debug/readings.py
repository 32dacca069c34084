"""One number of a convolution's input gradient, read in two ways: as a gather and as a scatter.

The errors dY and the kernel W make dX by one sum, in two orders. Gathered, it is a window: the kernel turned
by 180° lies over dY, with zeros around it and, for a stride, between. Scattered, each dY[p, q] stamps
dY[p, q] · W, not turned, onto the window that Y[p, q] was made from; seen from one pixel the stamps come with
the weights in reverse, which is where the turn comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..kernels import Window
from .explain import Index, reading
from .factors import geometry, windows_at
from .step import Step

SHOWN = 12  # products of a line


class Stamp(NamedTuple):
    """What one error adds to a pixel: which error, which weight of the kernel, and the two numbers."""

    at: Index
    tap: Index
    dy: float
    w: float


def stamps_onto(index: Index, step: Step) -> list[Stamp]:
    """The stamps that reach dx[index], in the order of the errors."""
    w, dy = step.read["w"], step.grad_output
    (*sample, channel, row, column) = index
    window, c = window_of(step), channel % w.shape[1]
    rows, columns = pairs_at(window, 0, row), pairs_at(window, 1, column)
    stamps = []
    for o in outputs_of(channel, step):
        for p, a in rows:
            for q, b in columns:
                at, tap = (*sample, o, p, q), (o, c, a, b)
                stamps.append(Stamp(at, tap, float(dy[at]), float(w[tap])))
    return stamps


def gathered_by(index: Index, step: Step) -> Iterator[tuple[float, float]]:
    """(number of dY′, number of the turned kernel) for each place of the window that makes dx[index]."""
    w = step.read["w"]
    kernel, c = w.shape[2:], index[-3] % w.shape[1]
    stamps = {stamp.tap: stamp for stamp in stamps_onto(index, step)}
    for o in outputs_of(index[-3], step):
        for a, b in np.ndindex(*kernel):
            tap = (o, c, kernel[0] - 1 - a, kernel[1] - 1 - b)
            yield (stamps[tap].dy if tap in stamps else 0.0), float(w[tap])


def window_of(step: Step) -> Window:
    """The window of a recorded conv2d."""
    return geometry(step, step.read["x_shape"][-2:], step.read["w"].shape[2:], step.shapes[0][0][-2:])


def outputs_of(channel: int, step: Step) -> range:
    """The output channels that read an input channel: those of its group."""
    outputs, per_group = step.read["w"].shape[:2]
    count = outputs // step.params["groups"]
    first = channel // per_group * count
    return range(first, first + count)


def pairs_at(window: Window, axis: int, place: int) -> list[tuple[int, int]]:
    """(window, tap) for every window that meets a row or column of the input, the first window first."""
    windows, taps = windows_at(window, axis, place)
    return sorted(zip(windows.tolist(), taps.tolist()))


@reading("conv2d", "x")
def conv2d_x(index: Index, step: Step) -> list[str]:
    """Both readings, a line each, with the numbers."""
    stamps = stamps_onto(index, step)
    if not stamps:
        return ["no window lies over it: nothing is gathered, and no error stamps it"]
    pixel = f"dx[{show_index(index)}]"
    total = f"{sum(stamp.dy * stamp.w for stamp in stamps):.6g}"
    gathered = first_terms([f"{show(dy)}·{show(w)}" for dy, w in gathered_by(index, step)])
    stamped = first_terms([f"dy[{show_index(stamp.at)}]·w[{show_index(stamp.tap)}]" for stamp in stamps])
    return [
        f"{pixel} gathers, w turned by 180° over dy with zeros around it: {gathered} = {total}",
        f"{pixel} is stamped by, each with w as it is: {stamped} = {total}",
    ]


def first_terms(terms: list[str]) -> str:
    """A sum of terms, of which the first are shown."""
    rest = len(terms) - SHOWN
    return " + ".join(terms[:SHOWN]) + (f" + {rest:,} more" if rest > 0 else "")


def show(value: float) -> str:
    """A number in a sum of products: negative ones in brackets."""
    return f"({value:.6g})" if value < 0 else f"{value:.6g}"


def show_index(index: Index) -> str:
    """`0, 0, 1, 1`."""
    return ", ".join(map(str, index))
