"""Rows a dilated kernel skips: one dilated correlation is several ordinary ones on interleaved pictures.

With dilation d, output row p reads input rows p * stride - top + i * d, all of one residue modulo d. So the
outputs fall into e = d / gcd(d, stride) classes p = p0, p0 + e, p0 + 2e, ...; each class reads the rows of a
single residue, and on the smaller picture of just those rows it is a correlation without dilation, with
stride / gcd(d, stride). Different classes read different residues, so what is true of gradients by class is
true of the whole. Only the height needs this: along the width every kernel here copies or adds one tap at a
time.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import NamedTuple

from .window import Window


class Interleaved(NamedTuple):
    """One class: which rows of the input and of the output it has, and its own window, whose dilation is (1,
    dw).
    """

    inputs: slice
    outputs: slice
    window: Window


@lru_cache(maxsize=1024)
def interleaved(window: Window) -> tuple[Interleaved, ...]:
    """The classes of a window; a single one, the whole, if the height is not dilated.

    With one tap the dilation means nothing, so it may be taken to be the stride: then the rows between are
    left out.
    """
    stride = window.stride[0]
    dilation = window.dilation[0] if window.kernel[0] > 1 else stride
    if dilation == 1:
        return (Interleaved(slice(None), slice(None), window),)
    common = gcd(dilation, stride)
    step = dilation // common
    return tuple(
        _one_class(window, p0, step, dilation, stride // common) for p0 in range(min(step, window.out[0]))
    )


def _one_class(window: Window, p0: int, step: int, dilation: int, stride: int) -> Interleaved:
    """The class of output rows p0, p0 + step, ...; its first row reads row `skipped` of the smaller
    picture.
    """
    height, count, top = window.size[0], window.out[0], window.padding[0][0]
    skipped, residue = divmod(p0 * window.stride[0] - top, dilation)
    rows = len(range(residue, height, dilation))
    smaller = Window(
        size=(rows, window.size[1]),
        kernel=window.kernel,
        stride=(stride, window.stride[1]),
        padding=((-skipped, 0), window.padding[1]),  # may be negative: then the first rows are left out
        dilation=(1, window.dilation[1]),
        out=(len(range(p0, count, step)), window.out[1]),
    )
    return Interleaved(slice(residue, None, dilation), slice(p0, None, step), smaller)
