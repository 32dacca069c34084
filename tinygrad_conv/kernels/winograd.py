"""Three taps along the height for half the multiplications: Winograd's minimal filtering F(4, 3).

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Four rows of output need six rows of input and
three rows of weights; instead of 4 * 3 products, their transforms meet in 6 ("frequencies"):

    Y = A^T [ (G W) * (B^T X) ]        X: 6 rows, W: 3 rows, Y: 4 rows

The transforms are themselves matrix products over whole rows of the picture, H being the outermost axis, so they gather
and scatter nothing. In the middle stands, for each frequency, a correlation of rows with a kernel of height one: lowered
along the width as in `lowering`, it is a matrix product over K = (j, C). Both gradients follow by transposing:

    dW = G^T [ (B^T X) * (A dY) ]      dX: a correlation again, see `mirror`

The error is about 3e-6 of the largest number in float32, where the direct sum has 2e-6. But a single Inf would spread
over its whole tile as NaN, so every result is checked, and one that is not finite is `None`: the caller takes another way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .layout import Array, Rows, compute_type, from_rows, to_rows
from .mirror import flipped, mirrored
from .threads import product_time, share
from .window import Window, overlap

TILE = 4  # rows of output
SEEN = 6  # rows of input a tile reads, and the number of frequencies
WORKSPACE_BYTES = 1_700_000

INPUT_TRANSFORM = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)  # B^T
WEIGHT_TRANSFORM = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24  # G
OUTPUT_TRANSFORM = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])  # A^T


def serves(window: Window, groups: int) -> bool:
    """Height 3 without stride or dilation, and at least one full tile; any width."""
    return window.kernel[0] == 3 and window.stride[0] == window.dilation[0] == groups == 1 and window.out[0] >= TILE
