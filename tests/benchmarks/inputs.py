"""The arrays that a case begins with: drawn from one seed, so that every framework gets the same."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .cases import Chain, Convolution, Epoch, LayerRun, Training
from .nets import initial_weights

SEED = 0


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal numbers in float32."""
    return rng.standard_normal(shape, np.float32)


def for_training(task: Training) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The weights, x, and the targets: normal numbers, or one class of each row where they are rows."""
    rng = np.random.default_rng(SEED)
    weights = initial_weights(task.net, rng)
    x = normal(rng, task.samples, *task.image)
    if len(task.target) > 1:
        return weights, x, normal(rng, task.samples, *task.target)
    classes = task.target[0]
    return weights, x, np.eye(classes, dtype=np.float32)[rng.integers(0, classes, task.samples)]


IMAGES = """
import sys, numpy as np
from tinygrad_conv import data
made = data.shapes({samples}, seed=0) if {name!r} == "shapes" else getattr(data, {name!r})()
np.savez(sys.argv[1], *[tensor.data for tensor in made])
"""


def for_epoch(task: Epoch) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The weights, images and labels. These are made in a process of their own, for `tinygrad_conv` tells the
    system how to keep freed memory, and that is none of a peer's business.
    """
    weights = initial_weights(task.net, np.random.default_rng(SEED))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "images.npz")
        script = IMAGES.format(samples=task.samples, name=task.data)
        subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(file)], check=True)
        with np.load(file) as made:
            images, labels = made["arr_0"], made["arr_1"]
    return weights, images, labels


class Shuffled:
    """The order of the images: another one in each epoch, and for every framework the same."""

    def __init__(self, count: int) -> None:
        self.count, self.rng = count, np.random.default_rng(SEED)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(self.rng.permutation(self.count).tolist())

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """The same in batches, for who has no loader."""
        order = np.array(list(self))
        return (order[first : first + size] for first in range(0, self.count, size))


def for_layer(task: LayerRun) -> tuple[list[np.ndarray], np.ndarray]:
    """The layer's weights, and x."""
    rng = np.random.default_rng(SEED)
    return initial_weights((task.layer,), rng), normal(rng, *task.shape)


def for_convolution(task: Convolution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, w and dy."""
    rng = np.random.default_rng(SEED)
    (w,) = initial_weights((task.conv,), rng)
    x = normal(rng, task.samples, task.conv.inputs, task.height, task.width)
    return x, w, normal(rng, task.samples, task.conv.outputs, *task.conv.out(task.height, task.width))


def for_chain(task: Chain) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, w and dy, each 4x4; w small enough that a long chain of products stays finite."""
    rng = np.random.default_rng(SEED)
    x, w, dy = (rng.random((4, 4), np.float32) * np.float32(0.3) for _ in range(3))
    return x, w, dy


def gradient_for(y: np.ndarray) -> np.ndarray:
    """What a layer's backward begins with."""
    return normal(np.random.default_rng(SEED + 1), *y.shape)
