"""The article step and the toy step by hand: the NumPy calls that these two nets need, and nothing around
them.

No tape, no ops, no checks, no choice of kernels; nothing here would serve another net, or even another kernel
size. What depends on shapes alone stands ready before the first step, all weights are one vector, and so are
their gradients. So this is the floor: on the same machine no engine that computes with NumPy, step by step,
can be faster than about this.

Images are [C, H, W, N], the samples innermost, and patches [K, P·Q·N]. Where there is a bias, the patches
have one row more, of ones, and the weights one column more: the product adds it, and the gradient's product
sums it up.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import inputs
from ..cases import ARTICLE, TOY, Training
from .base import Framework, NotOffered

Array = np.ndarray
LR = np.float32(0.01)


class Article:
    """One 2x2 kernel over one image."""

    def __init__(self, weights: list[Array], x: Array, target: Array) -> None:
        self.w, self.target = weights[0].reshape(-1), target.reshape(-1)
        self.windows = sliding_window_view(x[0, 0], (2, 2)).transpose(2, 3, 0, 1)  # [kh, kw, P, Q]
        self.share = np.float32(2 / target.size)

    def step(self) -> float:
        patches = self.windows.reshape(4, -1)
        error = self.w.dot(patches) - self.target
        self.w -= LR * patches.dot(self.share * error)
        return float(error.dot(error)) / error.size


class Patches:
    """The 3x3 patches of images [C, H, W, N] amid zeros; if asked for, with a row of ones below."""

    def __init__(self, channels: int, side: int, samples: int, ones: bool) -> None:
        padded = np.zeros((channels, side + 2, side + 2, samples), np.float32)
        rows = channels * 9
        self.matrix = np.ones((rows + ones, side * side * samples), np.float32)
        self.inside = padded[:, 1:-1, 1:-1]
        self.windows = sliding_window_view(padded, (3, 3), (1, 2)).transpose(
            0, 4, 5, 1, 2, 3
        )  # [C, 3, 3, H, W, N]
        self.target = self.matrix[:rows].reshape(self.windows.shape)

    def of(self, x: Array) -> Array:
        """The matrix, filled; it is the same one every time."""
        self.inside[...] = x
        self.target[...] = self.windows
        return self.matrix


class Pool:
    """relu and 2x2 max-pool, the latter first: a maximum is the same before and after, and there is a quarter
    left to do.
    """

    def forward(self, x: Array) -> Array:
        left, right = x[:, :, 0::2], x[:, :, 1::2]
        best = np.maximum(left, right)
        top, bottom = best[:, 0::2], best[:, 1::2]
        self.is_left, self.is_top = left >= right, top >= bottom  # at a tie the first one has the gradient
        self.y = np.maximum(np.maximum(top, bottom), np.float32(0))
        return self.y

    def backward(self, dy: Array) -> Array:
        """Each gradient goes to one of two rows, and there to one of two columns; the others have what that
        leaves.
        """
        dy = dy * (self.y > 0)
        rows = np.empty(self.is_left.shape, np.float32)
        np.multiply(dy, self.is_top, out=rows[:, 0::2])
        np.subtract(dy, rows[:, 0::2], out=rows[:, 1::2])
        dx = np.empty((*rows.shape[:2], 2 * rows.shape[2], rows.shape[3]), np.float32)
        np.multiply(rows, self.is_left, out=dx[:, :, 0::2])
        np.subtract(rows, dx[:, :, 0::2], out=dx[:, :, 1::2])
        return dx


class Toy:
    """conv 1 → 8, relu, pool, conv 8 → 16, relu, pool, linear 64 → 10, on images of 8x8."""

    def __init__(self, weights: list[Array], x: Array, target: Array) -> None:
        samples = len(x)
        self.x, self.target, self.share = x, target.T, np.float32(2 / target.size)
        with_bias = [
            np.column_stack([w.reshape(len(w), -1), b]) for w, b in zip(weights[0::2], weights[1::2])
        ]
        self.vector = np.concatenate(with_bias, axis=None)
        self.gradient = np.empty_like(self.vector)
        shapes = [w.shape for w in with_bias]
        (self.w1, self.w2, self.w3), (self.dw1, self.dw2, self.dw3) = (
            parts(vector, shapes) for vector in (self.vector, self.gradient)
        )
        self.patches1, self.patches2 = Patches(1, 8, samples, ones=True), Patches(8, 4, samples, ones=True)
        self.errors2 = Patches(16, 4, samples, ones=False)
        self.pool1, self.pool2 = Pool(), Pool()
        self.features = np.ones((65, samples), np.float32)
        # dX is the correlation of dY with the kernel turned round, its outputs and channels exchanged
        self.turned = self.w2[:, :-1].reshape(16, 8, 3, 3)[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)

    def step(self) -> float:
        patches1 = self.patches1.of(self.x.transpose(1, 2, 3, 0))
        y1 = self.pool1.forward(self.w1.dot(patches1).reshape(8, 8, 8, -1))
        patches2 = self.patches2.of(y1)
        y2 = self.pool2.forward(self.w2.dot(patches2).reshape(16, 4, 4, -1))
        self.features[:64] = y2.reshape(64, -1)
        error = self.w3.dot(self.features) - self.target

        dy3 = self.share * error
        np.dot(dy3, self.features.T, out=self.dw3)
        dy2 = self.pool2.backward(self.w3[:, :-1].T.dot(dy3).reshape(y2.shape))
        np.dot(dy2.reshape(16, -1), patches2.T, out=self.dw2)
        dx2 = self.turned.reshape(8, -1).dot(self.errors2.of(dy2))
        dy1 = self.pool1.backward(dx2.reshape(y1.shape))
        np.dot(dy1.reshape(8, -1), patches1.T, out=self.dw1)
        self.vector -= LR * self.gradient
        return float(np.vdot(error, error)) / error.size


def parts(vector: Array, shapes: list[tuple[int, ...]]) -> list[Array]:
    """Views of a vector as matrices, one after the other."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


class ByHand(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        if task.net not in (ARTICLE, TOY):
            raise NotOffered
        weights, x, target = inputs.for_training(task)
        return (Article if task.net == ARTICLE else Toy)(weights, x, target).step


FRAMEWORK = ByHand
