"""An input gradient as correlations: what `mirror` says of stride 1, for any stride.

Tap i of window p meets input row h = p * s + i * d - top. So only those taps reach row h = r + s * u whose i
* d has the right residue modulo the stride s: i = first, first + e, first + 2e, ... with e = s / gcd(d, s).
Row u of this phase gets

    dX[r + s u] = sum over t of dY[u - offset - (d / gcd(d, s)) t] . W[first + e t],     offset = (first d -
    top - r) / s

which is a full correlation with stride 1, of dY with some of the taps. Rows and columns fall into phases
alike, and each pair of them is a correlation on its own. A phase without taps gets nothing: there dX is zero.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple

from .window import Window


class Phase(NamedTuple):
    """Which places of dX are reached by which taps, and the window that reads dY for them."""

    places: tuple[slice, slice]
    taps: tuple[slice, slice]
    window: Window


class AxisPhase(NamedTuple):
    """The same along one axis."""

    places: slice
    taps: slice
    out: int  # how many places
    kernel: int  # how many taps
    padding: int  # before dY; may be negative
    dilation: int


@lru_cache(maxsize=1024)
def phases(window: Window) -> tuple[Phase, ...]:
    """All of them that get anything; none of their windows has a stride."""
    return tuple(
        _joined(window, rows, columns) for rows, columns in product(_along(window, 0), _along(window, 1))
    )


def _joined(window: Window, rows: AxisPhase, columns: AxisPhase) -> Phase:
    """The places that belong to a phase of the rows and to one of the columns."""
    smaller = Window(
        size=window.out,
        kernel=(rows.kernel, columns.kernel),
        stride=(1, 1),
        padding=((rows.padding, 0), (columns.padding, 0)),
        dilation=(rows.dilation, columns.dilation),
        out=(rows.out, columns.out),
    )
    return Phase((rows.places, columns.places), (rows.taps, columns.taps), smaller)


def _along(window: Window, axis: int) -> list[AxisPhase]:
    """The phases of an axis that have taps."""
    size, taps, stride = window.size[axis], window.kernel[axis], window.stride[axis]
    dilation, before = window.dilation[axis], window.padding[axis][0]
    common = gcd(dilation, stride)
    found: list[AxisPhase] = []
    for residue in range(min(stride, size)):
        reaching = [tap for tap in range(taps) if (tap * dilation - before - residue) % stride == 0]
        if reaching:
            offset = (reaching[0] * dilation - before - residue) // stride
            phase = AxisPhase(
                places=slice(residue, None, stride),
                taps=slice(reaching[0], None, stride // common),
                out=len(range(residue, size, stride)),
                kernel=len(reaching),
                padding=offset + dilation // common * (len(reaching) - 1),
                dilation=dilation // common,
            )
            found.append(phase)
    return found
