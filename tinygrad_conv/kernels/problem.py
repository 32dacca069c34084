"""What a choice of kernel, and whatever it prepares, may depend on: everything but the numbers themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .window import Window


class Problem(NamedTuple):
    """The shapes and types of a correlation or of one of its gradients."""

    samples: int
    channels: int  # C / groups
    outputs: int  # O / groups
    groups: int
    window: Window
    dtype: np.dtype[Any]  # that is computed in
    result: np.dtype[Any]

    @property
    def real(self) -> bool:
        """Whether there are fractions."""
        return self.dtype.kind in "fc"

    @property
    def empty(self) -> bool:
        """Whether some axis has no length."""
        return 0 in (*self[:4], *self.window.size, *self.window.out)

    @property
    def multiplications(self) -> int:
        """How many the definition takes."""
        return self.patches * self.outputs

    @property
    def patches(self) -> int:
        """How many numbers all patches of the input are, side by side."""
        return (
            self.samples
            * self.channels
            * self.groups
            * self.window.taps
            * self.window.out[0]
            * self.window.out[1]
        )

    @property
    def error_patches(self) -> int:
        """How many numbers those of dY are that every place of the input gets its gradient from."""
        return (
            self.samples
            * self.outputs
            * self.groups
            * self.window.taps
            * self.window.size[0]
            * self.window.size[1]
        )

    @property
    def group_bytes(self) -> int:
        """How much memory the input of one group takes, lowered along the width."""
        row = self.window.kernel[1] * self.channels * self.window.out[1] * self.samples
        return self.window.size[0] * row * self.dtype.itemsize
