"""Data in numbers: inputs and labels, as they come by."""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ...engine.location import Where
from .seen import DataSeen, History, Shuffled, Stats, stats_of

SAMPLES = 64  # samples that are kept of a batch of inputs
LABELS = 4096  # labels that are kept of a batch
NUMBERS = 1024  # numbers of each sample that are kept
MOST_SHUFFLES = 32  # that are remembered: the last ones
MOST_SHUFFLED = 1 << 26  # numbers of an array that is looked at for them
HASHED = 1 << 20  # bytes of an array that are compared with other arrays' whole


def data_of(array: Array) -> DataSeen:
    """An array from outside, looked at."""
    floats = array.dtype.kind == "f"
    sample = array.reshape(-1)[:LABELS] if not floats or array.ndim < 2 else corner(array)
    whole = array if floats else array.astype(np.float64)
    return DataSeen(
        shape=array.shape,
        dtype=array.dtype,
        digest=digest_of(array),
        pointer=int(array.__array_interface__["data"][0]),
        stats=stats_of(whole) if whole.size else Stats(0.0, 0.0, 0.0, 0.0, True),
        sample=sample.copy(),
        mean=float(whole.mean()) if whole.size else 0.0,
    )


def corner(array: Array) -> Array:
    """The first samples and, of each, the first numbers: [samples, numbers]."""
    samples = array[:SAMPLES]
    return samples.reshape(len(samples), -1)[:, :NUMBERS] if array.size else samples


def row_digests(array: Array) -> list[int]:
    """For each sample a number, the same for the same numbers (as they are in float32)."""
    rows = array.reshape(len(array), -1)[:, :NUMBERS].astype(np.float32)
    return [hash(row.tobytes()) for row in rows]


def note_order(history: History, where: Where, order: object, array: Array) -> None:
    """Note that samples were put into another order, as they stand now."""
    shuffled = Shuffled(where, order, row_digests(array))
    history.shuffled = [*history.shuffled[1 - MOST_SHUFFLES :], shuffled]


def digest_of(array: Array) -> int:
    """The same for the same numbers in the same shape."""
    step = max(1, array.nbytes // HASHED)
    numbers = array if step == 1 else array.reshape(-1)[::step]
    return hash((array.shape, numbers.tobytes()))
