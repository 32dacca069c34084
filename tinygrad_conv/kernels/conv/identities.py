"""What turns a correlation or its gradient into other correlations: seven equations, for any kernel.

**Mirror.** With stride 1 the input gradient is itself a correlation:

    dX = dY ⋆ flipped(W)      the channels of W exchanged, its taps turned by 180 degrees,
                              and padding dilation * (k - 1) - top instead of top

This is the full correlation of the article. Read backwards it makes a correlation out of an input gradient.
The two differ in one corner: padding made of zeros turns infinite weights into NaN, an input gradient has no
padding.

**Phases.** With any stride s it is several correlations. Tap i of window p meets input row h = p * s + i * d
- top. So only those taps reach row h = r + s * u whose i * d has the right residue modulo s: i = first, first
+ e, first + 2e, ... with e = s / gcd(d, s). Row u of this phase gets

    dX[r + s u] = sum over t of dY[u - offset - (d / gcd(d, s)) t] . W[first + e t]
    offset      = (first d - top - r) / s

which is a full correlation with stride 1, of dY with some of the taps. Rows and columns fall into phases
alike, and each pair of them is a correlation on its own. A phase without taps gets nothing: there dX is zero.

**Dilation.** One dilated correlation is several ordinary ones on interleaved pictures. With dilation d,
output row p reads input rows p * stride - top + i * d, all of one residue modulo d. So the outputs fall into
e = d / gcd(d, stride) classes p = p0, p0 + e, p0 + 2e, ...; each class reads the rows of a single residue,
and on the smaller picture of just those rows it is a correlation without dilation, with stride / gcd(d,
stride). Different classes read different residues, so what is true of gradients by class is true of the
whole. Only the height needs this: along the width every kernel here copies or adds one tap at a time.

**Exchange.** Rows and columns are alike: of pictures, kernels and windows on their side a correlation makes y
on its side. So a kernel that copies along one axis may choose which.

**Places.** A kernel of a single tap sees one place at a time, and which of them are samples, rows or columns
is all the same to it. So pictures that lie in memory as N, C, H, W are taken as H, C, W, N, with their
samples for rows, and nothing has to be copied.

**Groups.** Each is a convolution of its own, for a kernel that knows nothing of groups. That costs a copy of
everything, and pays where the kernel saves more than that: Winograd, with many channels in a group.

**Nothing.** Without samples, channels or windows there is nothing to add up, so every result is zero. Windows
over a picture of no rows see nothing but padding, whose zeros make NaN of an Inf.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple, TypeAlias

import numpy as np

from ..window import Array, Window

Kernel: TypeAlias = Callable[..., "Array | None"]

# The axes of the groups in a kernel's two arrays and in its result:
GROUPS_OF_CORRELATION = (1, 0, 1)  # y of x and w, and dx of dy and w
GROUPS_OF_WEIGHT_GRAD = (1, 1, 0)  # dw of x and dy


FEWEST_PLACES = 64  # of a picture: with fewer its products are narrow, and one copy is cheaper


@lru_cache(maxsize=256)
def is_one_tap(window: Window) -> bool:
    """Whether each output place sees the input at its own place alone, in pictures of some size."""
    plain = window.kernel == window.stride == (1, 1) and window.padding == ((0, 0), (0, 0))
    return plain and window.out == window.size and window.size[0] * window.size[1] >= FEWEST_PLACES


def lies_by_sample(x: Array) -> bool:
    """Whether x [N, C, H, W] lies in memory in this order, and not as H, C, W, N."""
    return x.size > 0 and x.flags.c_contiguous and not x.transpose(2, 1, 3, 0).flags.c_contiguous


def samples_for_rows(x: Array) -> Array:
    """x [N, C, H, W] as pictures [W, C, N, H], a view."""
    return x.transpose(3, 1, 0, 2)


def rows_for_samples(y: Array) -> Array:
    """The other way round: pictures [W, O, N, H] as [N, O, H, W]."""
    return y.transpose(2, 1, 3, 0)


@lru_cache(maxsize=256)
def mirrored(window: Window) -> Window:
    """The window that reads dY and gives dX, with stride 1.

    Its padding may be negative; its own mirror is `window`.
    """
    (kh, kw), (dh, dw), ((top, bottom), (left, right)) = window.kernel, window.dilation, window.padding
    rows, columns = dh * (kh - 1), dw * (kw - 1)
    return window._replace(
        size=window.out,
        out=window.size,
        padding=((rows - top, rows - bottom), (columns - left, columns - right)),
    )


def flipped(w: Array, groups: int) -> Array:
    """w [O, C/groups, kh, kw] as [C, O/groups, kh, kw] with the taps in reverse order."""
    outputs, channels, kh, kw = w.shape
    by_group = w.reshape(groups, outputs // groups, channels, kh, kw).swapaxes(1, 2)
    return by_group[..., ::-1, ::-1].reshape(groups * channels, outputs // groups, kh, kw)


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


@lru_cache(maxsize=256)
def phases(window: Window) -> tuple[Phase, ...]:
    """All phases that get anything; none of their windows has a stride."""
    pairs = product(_phases_along(window, 0), _phases_along(window, 1))
    return tuple(_joined(window, rows, columns) for rows, columns in pairs)


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


def _phases_along(window: Window, axis: int) -> list[AxisPhase]:
    """The phases of an axis that have taps."""
    size, taps, stride = window.size[axis], window.kernel[axis], window.stride[axis]
    dilation, before = window.dilation[axis], window.padding[axis][0]
    common = gcd(dilation, stride)
    phases_with_taps: list[AxisPhase] = []
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
            phases_with_taps.append(phase)
    return phases_with_taps


@lru_cache(maxsize=256)
def exchanged(window: Window) -> Window:
    """The window on its side: what was said of rows is said of columns."""
    return Window(
        size=window.size[::-1],
        kernel=window.kernel[::-1],
        stride=window.stride[::-1],
        padding=window.padding[::-1],
        dilation=window.dilation[::-1],
        out=window.out[::-1],
    )


class Interleaved(NamedTuple):
    """A class: which rows of the input and of the output it has, and its own window, of dilation (1, dw)."""

    inputs: slice
    outputs: slice
    window: Window


@lru_cache(maxsize=256)
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
    firsts = range(min(step, window.out[0]))
    return tuple(_class_of(window, p0, step, dilation, stride // common) for p0 in firsts)


def _class_of(window: Window, p0: int, step: int, dilation: int, stride: int) -> Interleaved:
    """The class of output rows p0, p0 + step, ...; the first reads row `skipped` of the smaller picture."""
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


def each_group(
    kernel: Kernel, axes: tuple[int, int, int], first: Array, second: Array, window: Window, groups: int
) -> Array | None:
    """What `kernel` makes of one group after another; None if it gives up on one of them.

    `axes` says which axis of its two arrays is divided into groups, and which of its result.
    """
    if groups == 1:
        return kernel(first, second, window, 1)
    pairs = zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]), strict=True)
    joined: Array | None = None
    for group, (a, b) in enumerate(pairs):
        result = kernel(a, b, window, 1)
        if result is None:
            return None
        if joined is None:
            shape = list(result.shape)
            shape[axes[2]] *= groups
            joined = np.empty_like(result, shape=shape)
        np.split(joined, groups, axes[2])[group][...] = result
    return joined


def zero_y(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q] where there is nothing to add up, but the zeros of the padding times weights."""
    y = np.zeros((len(x), len(w), *window.out), np.result_type(x, w))
    y[:, ~np.isfinite(w).all((1, 2, 3))] = np.nan
    return y


def zero_dw(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [O, C/groups, kh, kw] where there is nothing to add up, but the zeros of the padding times dY."""
    dw = np.zeros((dy.shape[1], x.shape[1] // groups, *window.kernel), np.result_type(x, dy))
    dw[~np.isfinite(dy).all((0, 2, 3))] = np.nan
    return dw


def zero_dx(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """dx [N, C, H, W] where there is nothing to add up."""
    return np.zeros((len(dy), groups * w.shape[1], *window.size), np.result_type(dy, w))
