"""Real images: the 1,797 handwritten digits, 8×8, that scikit-learn ships."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import MissingExtraError, ShapeError, show_shape
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


@checked(test_fraction=NUMBER)
def stratified_split(
    images: Any, labels: Any, test_fraction: float = 1 / 3, seed: int = 0
) -> tuple[Pair, Pair]:
    """((train images, train labels), (test images, test labels)), with the same share of every class.

    Each class gives round(count · test_fraction) of its examples, chosen by the seed: the same seed holds out
    the same ones. Both parts keep the order of the whole.

    Raises ValueError for a fraction outside [0, 1], ShapeError unless there is one label for each image.
    """
    x, y = (given if isinstance(given, Tensor) else Tensor(np.asarray(given)) for given in (images, labels))
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
