"""The file of a checkpoint or a recording: an .npz with a text, `structure`, and arrays, `array0` ….

It may come from anybody. So what a size leads to is bounded before it is believed: that of the contents by
that of the file, that of an array by that of its member, and a header of NumPy's is read by a pattern. The
text is JSON, in which no object has a key twice. Nothing in a file is run when it is read; there is no
pickle, and arrays of objects are refused.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np

from .dtypes import Array
from .errors import SHORT, DamagedFileError, show_shape

CONTENTS_LIMIT, CONTENTS_RATIO = 64 * 2**20, 100
TEXT_LIMIT, TEXT_RATIO = 2**20, 8
"""Of the contents in bytes, and of the text in characters: how much is taken from any file, and how many
times the file's own size. A training's numbers shrink to a half or a tenth, and its text is smaller than its
arrays, for each op brings some."""

LONGEST = 600  # characters of a message
CHUNK = 2**20  # bytes that are read at once
MOST_DIMS = 32  # of an array
MAGIC = b"\x93NUMPY\x01\x00"  # version 1.0 of the format, the only one that short headers need
HEADER = re.compile(
    rb"\{'descr': '([<>|])(b1|[iu][1248]|f[248]|U[1-9]\d{0,9})', "
    rb"'fortran_order': (True|False), 'shape': \(((?:\d{1,19}, ?)*(?:\d{1,19})?)\), \} *\n"
)


def write_archive(file: IO[bytes], text: str, arrays: Sequence[Any], compressed: bool = False) -> None:
    """Write a text and arrays to a file that is open for writing, for `read_archive`."""
    members = {"structure": np.array(text)}
    members.update({f"array{number}": np.asarray(array) for number, array in enumerate(arrays)})
    if compressed:
        nbytes = write_members(file, members, zipfile.ZIP_DEFLATED)
        size = file.tell()
        if nbytes <= contents_limit(size) and len(text) <= text_limit(size):
            return
        file.seek(0)  # it would be taken for a bomb
        file.truncate()
    write_members(file, members, zipfile.ZIP_STORED)


def write_members(file: IO[bytes], members: dict[str, Array], compression: int) -> int:
    """Arrays as the members of a zip archive, as `np.savez` writes them; how many bytes they are."""
    archive = None
    try:
        archive = zipfile.ZipFile(file, "w", compression, allowZip64=True)
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        archive.close()
    except BaseException:
        if archive is not None:
            archive.fp = None  # given up: it cannot be closed where Ctrl-C came in the midst of a member
        raise
    return sum(member.file_size for member in archive.infolist())


def contents_limit(file_size: int) -> int:
    """How many bytes the contents of a file may have."""
    return max(CONTENTS_LIMIT, CONTENTS_RATIO * file_size)


def text_limit(file_size: int) -> int:
    """How many characters its text may have."""
    return max(TEXT_LIMIT, TEXT_RATIO * file_size)


def read_archive(file: IO[bytes]) -> tuple[str, list[Array]]:
    """The text and the arrays of a file that is open for reading.

    Raises DamagedFileError, which names the member that is damaged.
    """
    start = file.tell()
    file_size = file.seek(0, os.SEEK_END)
    with damage_of("the archive"):
        archive = zipfile.ZipFile(file)
    with archive:
        check_start(archive, start)
        members = members_in_order(archive, contents_limit(file_size))
        text = read_text(archive, members[0], text_limit(file_size))
        return text, [read_array(archive, member) for member in members[1:]]


def check_start(archive: zipfile.ZipFile, start: int) -> None:
    """Refuse an archive with something before it, which may be another one: `zipfile` finds the last."""
    first = min((member.header_offset for member in archive.infolist()), default=start)
    if first > start:
        raise DamagedFileError(
            f"the archive begins at byte {first:,}, and there is something before it from byte {start:,} on"
        )


def parsed(text: str) -> Any:
    """What a text in JSON says."""
    with damage_of("structure"):
        return json.loads(text, object_pairs_hook=without_duplicates)


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no key may stand twice."""
    if len({key for key, _ in pairs}) != len(pairs):
        keys = SHORT.repr([key for key, _ in pairs])
        raise DamagedFileError(f"structure: an object has a key twice: {keys}")
    return dict(pairs)


def shortened_message(message: str) -> str:
    """A message without its middle, where names out of a file make it long."""
    half = LONGEST // 2
    return message if len(message) <= LONGEST else f"{message[:half]} … {message[-half:]}"


@contextmanager
def damage_of(member: str) -> Iterator[None]:
    """What goes wrong inside as a DamagedFileError about a member of the file."""
    try:
        yield
    except DamagedFileError:
        raise
    except Exception as error:  # `zipfile` does not say what it raises, and it may be nearly anything
        raise DamagedFileError(f"{member} cannot be read: {type(error).__name__}: {error}") from error


def members_in_order(archive: zipfile.ZipFile, limit: int) -> list[zipfile.ZipInfo]:
    """The members of an archive: the structure, and the arrays in their order."""
    members = members_by_name(archive, limit)
    expected = ["structure.npy", *(f"array{number}.npy" for number in range(len(members) - 1))]
    for name in expected:
        if name not in members:
            extra = next((name for name in members if name not in expected), "nothing")
            raise DamagedFileError(f"{name!r} is missing from the archive, and in its place is {extra!r}")
    return [members[name] for name in expected]


def members_by_name(archive: zipfile.ZipFile, limit: int) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive, which can be read, and are together no larger than they may be."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        if name in members:
            raise DamagedFileError(f"{name!r} is there twice")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise DamagedFileError(f"{name!r} is compressed in another way, or encrypted")
        members[name] = member
    nbytes = sum(member.file_size for member in members.values())
    if nbytes > limit:
        raise DamagedFileError(
            f"the archive says that its members have {nbytes:,} bytes; from a file of this size up to "
            f"{limit:,} are taken"
        )
    return members


def read_text(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> str:
    """The text in a member that is an array of one string."""
    with damage_of(member.filename), archive.open(member) as stream:
        header = read_header(stream, member)
        if header.dtype.kind != "U" or header.shape != ():
            raise DamagedFileError(f"{member.filename!r} is {header}; it must be one text")
        if header.nbytes > 4 * limit:
            raise DamagedFileError(f"{member.filename!r} is longer than {limit:,} characters")
        content = read_content(stream, header)
        return content.tobytes().decode("utf-32-be" if header.dtype.str[0] == ">" else "utf-32-le")


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """The array in a member."""
    with damage_of(member.filename), archive.open(member) as stream:
        header = read_header(stream, member)
        if header.dtype.kind == "U":
            raise DamagedFileError(f"{member.filename!r} is a text; it must be numbers")
        content = read_content(stream, header)
        if header.dtype.kind == "b" and content.max(initial=0) > 1:
            raise DamagedFileError(f"{member.filename!r} is {header}, and a bool in it is {content.max()}")
        return content.view(header.dtype).reshape(header.shape, order="F" if header.by_columns else "C")


class Header(NamedTuple):
    """What stands before the numbers of an array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool  # in Fortran's order
    nbytes: int  # of the numbers

    def __str__(self) -> str:
        return f"{self.dtype}{show_shape(self.shape)}"


def read_header(stream: IO[bytes], member: zipfile.ZipInfo) -> Header:
    """The header of an array, which must be of the very size that its member has."""
    if stream.read(len(MAGIC)) != MAGIC:
        raise DamagedFileError(f"{member.filename!r} is no array of NumPy's format 1.0")
    length = int.from_bytes(stream.read(2), "little")
    matched = HEADER.fullmatch(stream.read(length))
    if matched is None:
        raise DamagedFileError(f"{member.filename!r} has a header that is not one of an array of numbers")
    byte_order, code, fortran_order, sizes = (part.decode() for part in matched.groups())
    shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    dtype = np.dtype(byte_order + code)
    nbytes = math.prod(shape) * dtype.itemsize
    room = member.file_size - len(MAGIC) - 2 - length
    if nbytes != room or not is_moderate(shape, nbytes):
        raise DamagedFileError(f"{member.filename!r} is {dtype}{show_shape(shape)}, but has {room:,} bytes")
    return Header(dtype, shape, fortran_order == "True", nbytes)


def is_moderate(shape: tuple[int, ...], nbytes: int) -> bool:
    """Whether an array may be of this shape: an empty one of any size in its other dimensions may not, for
    the sake of those that it is added to.
    """
    return len(shape) <= MOST_DIMS and math.prod(filter(None, shape)) <= CONTENTS_LIMIT + nbytes


def read_content(stream: IO[bytes], header: Header) -> Array:
    """The bytes of an array."""
    content = np.empty(header.nbytes, np.uint8)
    done = 0
    while done < header.nbytes:
        chunk = stream.read(min(CHUNK, header.nbytes - done))
        if not chunk:
            raise EOFError(f"it ends after {done:,} of {header.nbytes:,} bytes")
        content[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    stream.read(1)  # the end, where the checksum is compared
    return content
