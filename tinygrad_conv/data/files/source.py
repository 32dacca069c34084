"""Bytes of a file, plain or compressed by gzip, one part after the other; their number is bounded."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NoReturn, Union

import numpy as np

from ...archive import contents_limit
from ...dtypes import Array
from ...errors import DataError

Path = Union[str, "os.PathLike[str]"]

CHUNK = 2**20  # bytes that are read at once


class Source:
    """A file that is being read, for functions that are named in messages as its owner."""

    def __init__(self, owner: str, path: str, stream: IO[bytes], limit: int) -> None:
        self.owner, self.path, self.stream, self.limit = owner, path, stream, limit
        self.offset = 0  # how far it has been read

    def refuse(self, problem: str, offset: int | None = None) -> NoReturn:
        """Raise a DataError about what is at an offset; by default at the place that reading has come to."""
        place = self.offset if offset is None else offset
        raise DataError(f"{self.owner}: {self.path}, byte {place}: {problem}")

    def read(self, count: int) -> bytes:
        """Up to so many bytes."""
        try:
            chunk = self.stream.read(count)
        except (OSError, EOFError, zlib.error) as error:  # what the gzip module raises; a failing disk, too
            self.refuse(f"cannot be read: {error}")
        self.offset += len(chunk)
        return chunk

    def take(self, count: int, what: str) -> Array:
        """uint8 [count], the next bytes. what: they are, for the message."""
        start = self.offset
        if count > self.limit - start:
            self.refuse(
                f"expected {what}, {count:,} bytes; a file of this size can have {self.limit - start:,}"
            )
        content = np.empty(count, np.uint8)
        done = 0
        while done < count:
            chunk = self.read(min(CHUNK, count - done))
            if not chunk:
                self.refuse(f"expected {what}, {count:,} bytes; the file ends after {done:,}", start)
            content[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
            done += len(chunk)
        return content

    def rest(self) -> bytes:
        """All that follows."""
        start, chunks = self.offset, []
        while chunk := self.read(CHUNK):
            chunks.append(chunk)
            if self.offset > self.limit:
                self.refuse(f"more than {self.limit - start:,} bytes follow, compressed too well", start)
        return b"".join(chunks)

    def end(self) -> None:
        """Refuse bytes after the last one."""
        start = self.offset
        if self.read(1):
            self.refuse("expected the end of the file, but more bytes follow", start)


@contextmanager
def opened(owner: str, path: Path) -> Iterator[Source]:
    """A file to be read. Compressed is what begins as gzip's files do, whatever its name."""
    name = os.fsdecode(os.fspath(path))
    with open(name, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        is_compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if is_compressed else file
        limit = contents_limit(size) if is_compressed else size
        yield Source(owner, name, stream, limit)
