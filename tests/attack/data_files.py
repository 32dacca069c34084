"""Damaged and hostile files of data: refused with a DataError that names file and offset, or read whole.

A case is an honest file of one format and what is done to its bytes, one thing after the other.
"""

from __future__ import annotations

import gzip
import io
import pickle
import re
import struct
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.data_files import as_python_2_wrote, cifar_batch, cifar_binary, cifar_pickled, idx
from tinygrad_conv import data
from tinygrad_conv.errors import DataError

from .campaign import Campaign

MEMORY = 160 * 2**20
"""How many bytes the reading of these files, of at most 20 kB, may take: the 64 MB of contents that are
always taken from a compressed one, twice while they are copied."""

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
CALLED = []


def npz(save: Callable[..., None]) -> bytes:
    """An archive of two arrays."""
    file = io.BytesIO()
    save(file, x=np.arange(40.0), labels=np.arange(5))
    return file.getvalue()


HONEST: dict[str, tuple[Callable[[Path], Any], bytes]] = {
    "idx": (data.read_idx, idx(np.arange(60, dtype="i2").reshape(3, 4, 5))),
    "idx.gz": (data.read_idx, gzip.compress(idx(np.arange(600, dtype="i2")))),
    "binary": (data.read_cifar, cifar_binary(*cifar_batch(2))),
    "binary of 100": (data.read_cifar, cifar_binary(*cifar_batch(2, 100), 100)),
    "python 2": (data.read_cifar, as_python_2_wrote(*cifar_batch(2))),
    **{
        f"pickle {protocol}": (data.read_cifar, cifar_pickled(*cifar_batch(2, 100), 100, protocol))
        for protocol in range(6)
    },
    "npz": (data.read_npz, npz(np.savez)),
    "npz, deflated": (data.read_npz, npz(np.savez_compressed)),
}
"""By name: what reads it, and the file."""


class Calls:
    """Would note that it was called."""

    def __reduce__(self) -> Any:
        return CALLED.append, (1,)


def change_byte(content: bytearray, random: np.random.Generator) -> None:
    content[random.integers(len(content))] = random.integers(256)


def flip_bit(content: bytearray, random: np.random.Generator) -> None:
    content[random.integers(len(content))] ^= 1 << int(random.integers(8))


def near_an_end(content: bytearray, random: np.random.Generator) -> None:
    """Where headers are, and what pickles end with."""
    place = int(random.integers(min(64, len(content))))
    content[place if random.random() < 0.7 else -1 - place] = random.integers(256)


def cut(content: bytearray, random: np.random.Generator) -> None:
    del content[random.integers(len(content)) :]


def drop(content: bytearray, random: np.random.Generator) -> None:
    place = int(random.integers(len(content)))
    del content[place : place + int(random.integers(1, 9))]


def repeat(content: bytearray, random: np.random.Generator) -> None:
    start = int(random.integers(len(content)))
    part = content[start : start + int(random.integers(1, 200))]
    content[start:start] = part * int(random.integers(1, 30))


def number(content: bytearray, random: np.random.Generator) -> None:
    """A size that is far too large, or nothing."""
    value, size = int(random.choice(np.array(NUMBERS, np.uint64))), int(random.choice([1, 2, 4, 8]))
    raw = (value % 256**size).to_bytes(size, "big" if random.random() < 0.5 else "little")
    place = int(random.integers(min(64, len(content))))
    content[place : place + size] = raw


def append(content: bytearray, random: np.random.Generator) -> None:
    content += random.integers(0, 256, int(random.integers(1, 4000)), np.uint8).tobytes()


def instruct(content: bytearray, random: np.random.Generator) -> None:
    """Instructions of a pickle where there were none, a call of something among them."""
    codes = (b"(", b")", b"}", b"]", b"R", b"b", b"\x85", b"\x94", b"h\0", b"s", b"a", b"u", b"\x93", b"\x81")
    chosen = b"".join(codes[place] for place in random.integers(len(codes), size=int(random.integers(1, 20))))
    call = pickle.dumps(Calls(), int(random.integers(2, 5)))[2:-1]
    place = int(random.integers(len(content)))
    content[place:place] = chosen if random.random() < 0.6 else call


def bomb(content: bytearray, random: np.random.Generator) -> None:
    """More zeros than anybody asked for, in few bytes."""
    header = struct.pack(">BBBBI", 0, 0, 8, 1, int(random.integers(2**24, 2**27)))
    content[:] = gzip.compress(header + bytes(2**24) if random.random() < 0.5 else bytes(2**24))


MUTATIONS = {
    made.__name__: made
    for made in (change_byte, flip_bit, near_an_end, cut, drop, repeat, number, append, instruct, bomb)
}
"""By name."""


@dataclass
class Case:
    """A file by name, and mutations by name, each with the seed of what is random in it."""

    file: str
    mutations: tuple[tuple[str, int], ...]


class DataFiles(Campaign):
    """Every file is refused well, or read; and nothing in it is run."""

    def make(self, random: np.random.Generator) -> Case:
        count = int(random.choice([1, 1, 1, 2, 3, 6]))
        chosen = random.choice(list(MUTATIONS), size=count)
        return Case(
            file=str(random.choice(list(HONEST))),
            mutations=tuple((str(name), int(random.integers(2**31))) for name in chosen),
        )

    def check(self, case: Case) -> None:
        read, honest = HONEST[case.file]
        content = bytearray(honest)
        for name, seed in case.mutations:
            if content:
                MUTATIONS[name](content, np.random.default_rng(seed))
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            path = Path(folder) / "hostile"
            path.write_bytes(content)
            read_within(read, path)
        assert not CALLED, "something in the file was run"

    def smaller(self, case: Case) -> Iterable[Case]:
        for place in range(len(case.mutations)):
            yield replace(case, mutations=case.mutations[:place] + case.mutations[place + 1 :])


def read_within(read: Callable[[Path], Any], path: Path) -> None:
    """What is read can be used, or the file is refused as it should be; and in little memory."""
    tracemalloc.start()
    try:
        result = read(path)
        arrays = (
            result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else [result]
        )
        for array in arrays:
            assert array.dtype.isnative and array.dtype.kind in "biuf" and np.array(array).size == array.size
    except DataError as error:
        said = str(error).replace(str(path), "PATH")
        assert re.match(r"read_\w+: PATH, byte \d+: ", said), f"names no place in the file: {said}"
        assert len(said) < 1000, f"says too much: {said[:200]}"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= MEMORY, f"took {peak:,} bytes"


CAMPAIGN = DataFiles()
