"""Generated images: what to classify is known exactly, and there is as much of it as one likes."""

from __future__ import annotations

import numpy as np

from ..allocation import check_fits
from ..dtypes import Array
from ..engine.tensor import Tensor
from ..options import COUNT, NOT_NEGATIVE, checked
from ..randomness.seeds import SEED

SHAPES = ("circle", "square", "triangle", "cross")
BARS = ("horizontal", "vertical")


@checked(n=COUNT, size=COUNT, noise=NOT_NEGATIVE, seed=SEED)
def shapes(
    n: int, size: int = 16, noise: float = 0.1, seed: int | np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """n images of filled shapes: images float32 [n, 1, size, size], labels int64 [n], places in `SHAPES`.

    Every class is equally frequent, up to one. Position and size vary, each shape lies wholly inside;
    background 0, shape 1, soft edges, plus normal noise of standard deviation `noise`. The same seed gives
    the same numbers; None: a new one.

    Raises ValueError for a negative n or noise, and for a size below 8.
    """
    check("shapes", n, size, noise, least=8)
    rng = np.random.default_rng(seed)
    labels = balanced_labels(rng, n, len(SHAPES))
    radius = rng.uniform(0.2, 0.35, (n, 1, 1)) * size
    rows, columns = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
    down = rows - rng.uniform(radius, size - radius)
    right = columns - rng.uniform(radius, size - radius)
    distances = np.stack([outside(name, down, right, radius) for name in SHAPES])
    distance = distances[labels, np.arange(n)] if n else distances[0]
    return finish(rng, np.clip(0.5 - distance, 0.0, 1.0), labels, noise)


def outside(shape: str, down: Array, right: Array, radius: Array) -> Array:
    """How far each pixel lies outside the shape, negative inside; from its offsets to the centre."""
    y, x, arm = np.abs(down), np.abs(right), 0.3 * radius
    distance: Array
    if shape == "circle":
        distance = np.hypot(y, x) - radius
    elif shape == "square":
        distance = np.maximum(y, x) - 0.85 * radius
    elif shape == "triangle":  # upright and equilateral: its sides lie half a radius from the centre
        distance = np.maximum(x * np.cos(np.pi / 6) - down * np.sin(np.pi / 6), down) - 0.5 * radius
    else:  # a cross: the union of two bars
        distance = np.minimum(np.maximum(y - radius, x - arm), np.maximum(y - arm, x - radius))
    return distance


@checked(n=COUNT, size=COUNT, noise=NOT_NEGATIVE, seed=SEED)
def bars(
    n: int, size: int = 8, noise: float = 0.1, seed: int | np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """n images of one bar each: images float32 [n, 1, size, size], labels int64 [n], 1 for vertical.

    Position, length and thickness vary; background 0, bar 1, plus normal noise of standard deviation `noise`.
    A bar is always longer than it is thick. The same seed gives the same numbers; None: a new one.

    Raises ValueError for a negative n or noise, and for a size below 4.
    """
    check("bars", n, size, noise, least=4)
    rng = np.random.default_rng(seed)
    labels = balanced_labels(rng, n, len(BARS))
    length = rng.integers(size // 2 + 1, size + 1, n)
    thickness = rng.integers(1, size // 4 + 1, n)
    along = within(rng, size, length)
    across = within(rng, size, thickness)
    images = across[:, :, None] & along[:, None, :]
    images = np.where(labels[:, None, None] == BARS.index("vertical"), images.transpose(0, 2, 1), images)
    return finish(rng, images, labels, noise)


def within(rng: np.random.Generator, size: int, lengths: Array) -> Array:
    """Which of `size` places lie in a stretch of each length at a random place: bool [n, size]."""
    start = rng.integers(0, size - lengths + 1)[:, None]
    places = np.arange(size)
    return (places >= start) & (places < start + lengths[:, None])


def balanced_labels(rng: np.random.Generator, n: int, classes: int) -> Array:
    """n labels in random order, each class equally frequent up to one."""
    return rng.permutation(np.arange(n) % classes)


def finish(rng: np.random.Generator, images: Array, labels: Array, noise: float) -> tuple[Tensor, Tensor]:
    """Noise on the images, a channel dimension, and both as Tensors."""
    noisy = images + noise * rng.standard_normal(images.shape)
    return Tensor(noisy[:, None].astype(np.float32)), Tensor(labels.astype(np.int64))


def check(name: str, n: int, size: int, noise: float, least: int) -> None:
    """Refuse arguments that make no picture."""
    if n < 0 or noise < 0:
        raise ValueError(f"{name}: n={n} and noise={noise} cannot be negative")
    check_fits(name, "n and size", (n, size), (n, size, size), 8)
    if size < least:
        raise ValueError(
            f"{name}: size must be at least {least} pixels to tell the classes apart, not {size}"
        )
