"""The tensors that good calls are made of."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg


def floats(*shape: int) -> tg.Tensor:
    return tg.tensor(np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape), requires_grad=True)


LABELS = np.array([0, 2])
IMAGE, ROW = (1, 2, 5, 5), (1, 2, 6)
