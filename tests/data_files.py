"""Files of data as others write them, packed by hand: MNIST's IDX and both versions of CIFAR's."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """An IDX file: by its description, the highest byte first."""
    array = np.asarray(array)
    code = array.dtype.str[1:]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[code], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def mnist(folder: Path, count: int = 12, train: bool = True, compressed: bool = False) -> None:
    """The two files of a part of MNIST."""
    random = np.random.default_rng(count)
    part, suffix = "train" if train else "t10k", ".gz" if compressed else ""
    for name, array in (
        ("images-idx3-ubyte", random.integers(0, 256, (count, 28, 28), np.uint8)),
        ("labels-idx1-ubyte", random.integers(0, 10, count).astype(np.uint8)),
    ):
        content = idx(array)
        (folder / f"{part}-{name}{suffix}").write_bytes(gzip.compress(content) if compressed else content)


def cifar_batch(count: int, classes: int = 10, seed: int = 0) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Images as rows, and labels."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 256, (count, 3072), np.uint8)
    return rows, random.integers(0, classes, count).tolist()


def cifar_binary(rows: np.ndarray[Any, Any], labels: list[int], classes: int = 10) -> bytes:
    """A file of the binary version."""
    lines = []
    for row, label in zip(rows, labels):
        head = struct.pack("B", label) if classes == 10 else struct.pack("BB", label // 5, label)
        lines.append(head + row.tobytes())
    return b"".join(lines)


def cifar_pickled(
    rows: np.ndarray[Any, Any], labels: list[int], classes: int = 10, protocol: int = 2, text: type = bytes
) -> bytes:
    """A file of the pickled version, whose keys are of a type of text."""
    names = {"data": rows, "filenames": [f"{place}.png" for place in range(len(rows))], "batch_label": "1"}
    if classes == 10:
        members = {**names, "labels": labels}
    else:
        members = {**names, "fine_labels": labels, "coarse_labels": [label // 5 for label in labels]}
    keyed = {key.encode() if text is bytes else key: value for key, value in members.items()}
    return pickle.dumps(keyed, protocol)


def as_python_2_wrote(rows: np.ndarray[Any, Any], labels: list[int]) -> bytes:
    """A pickled file as the original ones are: strings of bytes, and NumPy's older names."""
    string = lambda raw: b"T" + struct.pack("<i", len(raw)) + raw  # noqa: E731
    short = lambda raw: b"U" + struct.pack("B", len(raw)) + raw  # noqa: E731
    numbers = b"".join(b"K" + struct.pack("B", label) for label in labels)
    shape = b"M" + struct.pack("<H", len(rows)) + b"M" + struct.pack("<H", 3072) + b"\x86"
    dtype = b"cnumpy\ndtype\n" + short(b"u1") + b"K\x00K\x01\x87R(K\x03" + short(b"|")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + short(b"b") + b"\x87R"
    array = made + b"(K\x01" + shape + dtype + b"\x89" + string(rows.tobytes()) + b"tb"
    return b"\x80\x02}q\x00(" + short(b"labels") + b"](" + numbers + b"e" + short(b"data") + array + b"u."
