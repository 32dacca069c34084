"""The arithmetic of a chain of calls alone, in bare NumPy: what a tape's cost is measured against."""

from __future__ import annotations

import numpy as np

from ..cases import CALLS
from .base import Part
from .loops import binary_chain

ZERO = np.zeros((), np.float32)


def bare_numpy(op: str, x: np.ndarray, w: np.ndarray, dy: np.ndarray) -> dict[str, Part]:
    """The NumPy calls of the op and of its rules, and of adding up the gradient of w, which all calls
    share.
    """

    def relu_forward() -> np.ndarray:
        y = x
        for _ in range(CALLS):
            y = np.maximum(y, ZERO)
        return y

    def relu_backward() -> np.ndarray:
        dx = dy
        for _ in range(CALLS):
            dx = dx * (x > 0)
        return dx

    def add_backward() -> np.ndarray:
        dw = dy
        for _ in range(CALLS - 1):
            dw = dw + dy
        return dy

    def matmul_backward() -> np.ndarray:
        dx, dw = dy @ w.T, x.T @ dy
        for _ in range(CALLS - 1):
            dw = dw + x.T @ dx
            dx = dx @ w.T
        return dx

    forward, backward = {
        "relu": (relu_forward, relu_backward),
        "add": (lambda: binary_chain(np.add, x, w), add_backward),
        "matmul": (lambda: binary_chain(np.matmul, x, w), matmul_backward),
    }[op]
    return {"numpy forward": Part(forward, calls=CALLS), "numpy backward": Part(backward, calls=CALLS)}
