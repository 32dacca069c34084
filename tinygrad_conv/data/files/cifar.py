"""CIFAR-10 and CIFAR-100: a file of either version, binary or of pickled dicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from ...options import FLAG, Option, checked, is_integer, optional
from ..options import PATH
from .pickled import ArrayDraft, Unreadable, interpreted
from .source import Path, Source, opened

SIZE = (3, 32, 32)
PIXELS = 3 * 32 * 32
COARSE_CLASSES = 20
CLASSES = Option("10 or 100", is_integer, lambda value: value in (10, 100))


@checked(path=PATH, classes=optional(CLASSES), coarse=FLAG)
def read_cifar(path: Path, classes: int | None = None, coarse: bool = False) -> tuple[Array, Array]:
    """(images uint8 [N, 3, 32, 32], labels int64 [N]) of one file of CIFAR-10 or CIFAR-100.

    Both the binary version (`data_batch_1.bin`, `train.bin`) and the pickled one (`data_batch_1`, `train`),
    of which nothing is run. classes: 10 or 100; by default as the file has them. coarse: of CIFAR-100 the 20
    coarse labels. Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).

    Raises DataError, with the offset and what was expected there, for another or a damaged file.
    """
    with opened("read_cifar", path) as source:
        content = source.rest()
        if not content:
            source.refuse("expected CIFAR's images, found nothing", 0)
        # a label is at most 19, of the coarse ones, where a binary file begins; no pickle begins with such
        if content[0] < COARSE_CLASSES:
            return binary_batch(source, content, classes, coarse)
        return pickled_batch(source, content, classes, coarse)


def binary_batch(source: Source, content: bytes, classes: int | None, coarse: bool) -> tuple[Array, Array]:
    """Rows of labels, one or two, and pixels."""
    class_count = classes or (10 if len(content) % (1 + PIXELS) == 0 else 100)
    labels_each = 1 if class_count == 10 else 2
    row = labels_each + PIXELS
    count, rest = divmod(len(content), row)
    if rest:
        expected = f"images of {row:,} bytes each" if classes else "images of 3,073 or 3,074 bytes each"
        source.refuse(f"expected {expected}; the file ends after {rest:,} bytes of one", count * row)
    rows = np.frombuffer(content, np.uint8).reshape(count, row)
    limits = (10,) if class_count == 10 else (COARSE_CLASSES, 100)
    for place, limit in enumerate(limits):
        wrong = np.flatnonzero(rows[:, place] >= limit)
        if len(wrong):
            number = int(wrong[0])
            source.refuse(
                f"expected a label below {limit}, found {rows[number, place]}", number * row + place
            )
    check_coarse(source, class_count, coarse)
    labels = rows[:, 0 if coarse or class_count == 10 else 1].astype(np.int64)
    return rows[:, labels_each:].reshape(count, *SIZE).copy(), labels


def pickled_batch(source: Source, content: bytes, classes: int | None, coarse: bool) -> tuple[Array, Array]:
    """A dict with "data" and "labels", or "fine_labels" and "coarse_labels"."""
    try:
        batch = interpreted(content)
    except Unreadable as error:
        source.refuse(str(error), error.offset)
    if not isinstance(batch, dict):
        source.refuse(f"expected a dict of CIFAR's, found a {type(batch).__name__}", 0)
    members = {
        name_of(key): value.array if isinstance(value, ArrayDraft) else value for key, value in batch.items()
    }
    class_count = 100 if "fine_labels" in members else 10
    if classes not in (None, class_count):
        source.refuse(f"expected the labels of CIFAR-{classes}, found those of CIFAR-{class_count}", 0)
    check_coarse(source, class_count, coarse)
    name = "labels" if class_count == 10 else "coarse_labels" if coarse else "fine_labels"
    limit = 10 if class_count == 10 else COARSE_CLASSES if coarse else 100
    images = members.get("data")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (PIXELS,):
        shown = (
            f"{images.dtype}{list(images.shape)}" if isinstance(images, np.ndarray) else type(images).__name__
        )
        source.refuse(f"expected 'data' to be uint8 [N, 3072], found {shown}", 0)
    labels = labels_of(source, name, members.get(name), limit)
    if len(labels) != len(images):
        source.refuse(f"expected one of {name!r} for each of {len(images)} images, found {len(labels)}", 0)
    return images.reshape(len(images), *SIZE), labels


def name_of(key: Any) -> Any:
    """A key of a pickled dict as a text, where Python 2 wrote it."""
    return key.decode("latin1") if isinstance(key, bytes) else key


def labels_of(source: Source, name: str, labels: Any, limit: int) -> Array:
    """Labels out of a pickle, each of which is a class."""
    values = labels.tolist() if isinstance(labels, np.ndarray) and labels.ndim == 1 else labels
    if type(values) is not list:
        source.refuse(f"expected {name!r} to be a list of classes, found a {type(labels).__name__}", 0)
    for place, label in enumerate(values):
        if type(label) is not int or not 0 <= label < limit:
            shown = label if type(label) is int and abs(label) < 10**6 else f"a {type(label).__name__}"
            source.refuse(f"expected {name!r} to be below {limit}, found {shown} for image {place}", 0)
    return np.array(values, np.int64)


def check_coarse(source: Source, classes: int, coarse: bool) -> None:
    """Refuse to look for coarse labels where there are none."""
    if coarse and classes == 10:
        source.refuse("expected coarse labels, which CIFAR-10 has not", 0)
