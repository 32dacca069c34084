"""NumPy's archives, .npz, of arrays of numbers."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from ...archive import contents_limit, damage_of, members_by_name, read_array, shortened_message
from ...dtypes import Array
from ...errors import DamagedFileError, DataError
from ...options import checked
from ..options import PATH
from .source import Path


@checked(path=PATH)
def read_npz(path: Path) -> dict[str, Array]:
    """The arrays in an .npz file by their names: numbers and truth values, as `np.savez` writes them.

    There is no pickle: an array of objects is refused, and nothing is run. Raises DataError, with the member
    and what is wrong, for a file that is damaged, or says of itself that it is larger than it can be.
    """
    name = os.fsdecode(os.fspath(path))
    with open(name, "rb") as file:
        limit = contents_limit(os.fstat(file.fileno()).st_size)
        with named(name, 0), damage_of("the archive"):
            archive = zipfile.ZipFile(file)
        with archive:
            with named(name, 0):
                members = members_by_name(archive, limit)
            return {key.removesuffix(".npy"): array_in(archive, key, name) for key in members}


def array_in(archive: zipfile.ZipFile, key: str, path: str) -> Array:
    """The array in a member, with its bytes in the order of this machine."""
    member = archive.getinfo(key)
    with named(path, max(member.header_offset, 0)):
        array = read_array(archive, member)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


@contextmanager
def named(path: str, offset: int) -> Iterator[None]:
    """What is damaged inside as a DataError that names the file, and where in it."""
    try:
        yield
    except DamagedFileError as damage:
        raise DataError(f"read_npz: {path}, byte {offset}: {shortened_message(str(damage))}") from damage
