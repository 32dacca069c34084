"""With stride 1 the input gradient is itself a correlation, and so any kernel for one serves the other.

    dX = dY ⋆ flipped(W)      the channels of W exchanged, its taps turned by 180 degrees,
                              and padding dilation * (k - 1) - top instead of top

This is the full correlation of the article. Read backwards it makes a correlation out of an input gradient.
The two differ in one corner: padding made of zeros turns infinite weights into NaN, an input gradient has no
padding.
"""

from __future__ import annotations

from functools import lru_cache

from .layout import Array
from .window import Window


@lru_cache(maxsize=1024)
def mirrored(window: Window) -> Window:
    """The window that reads dY and gives dX, with stride 1. Its padding may be negative; its own mirror is
    `window`.
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
