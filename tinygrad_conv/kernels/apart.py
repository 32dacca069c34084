"""A few large groups: each of them a convolution of its own, for a kernel that knows nothing of groups.

That costs a copy of everything, and pays where the kernel saves more than that: Winograd, with many channels
in a group.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .layout import Array
from .window import Window

Kernel: TypeAlias = Callable[..., "Array | None"]

CORRELATION = (1, 0, 1)  # the axes of the groups: y of x and w, and dx of dy and w
WEIGHT_GRAD = (1, 1, 0)  # dw of x and dy


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
