"""Tensors that a model keeps in files beside it. Only files inside the model's own folder are opened: no
absolute path, no `..`, no link that leads out of it, and nothing but regular files.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ....allocation import check_fits
from ....errors import SHORT, OnnxError, SizeError

KEYS = {"location", "offset", "length", "checksum"}


class ExternalData:
    """The files beside a model in `folder`; without a folder there are none."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.nbytes = 0  # of all that has been read

    def read(self, owner: str, tensor: Any, nbytes: int) -> bytes:
        """The bytes of a tensor, which are as many as its shape needs. Raises OnnxError otherwise."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        unknown = sorted(entries.keys() - KEYS)
        if unknown or "location" not in entries:
            raise OnnxError(f"{owner}: external_data {SHORT.repr(entries)} must have a location, and {KEYS}")
        offset = whole(owner, "offset", entries.get("offset", "0"))
        length = whole(owner, "length", entries.get("length", str(nbytes)))
        if length != nbytes:
            raise OnnxError(f"{owner} needs {nbytes:,} bytes, but its external data are {length:,}")
        path = self.inside(owner, entries["location"])
        self.check_total(owner, nbytes)
        return read_range(owner, path, offset, nbytes)

    def check_total(self, owner: str, nbytes: int) -> None:
        """Refuse what memory cannot hold: many tensors may name the same bytes of one file."""
        self.nbytes += nbytes
        try:
            check_fits(owner, "external_data", "", (self.nbytes,), 1)
        except SizeError as error:
            raise OnnxError(str(error)) from None

    def inside(self, owner: str, location: str) -> Path:
        """The file at a location, which is relative to the folder and inside it, links followed."""
        if self.folder is None:
            raise OnnxError(
                f"{owner} is in the file {SHORT.repr(location)} beside the model: pass the path of "
                "the model to load"
            )
        outside = OnnxError(f"{owner}: the location {SHORT.repr(location)} leads out of the model's folder")
        posix, windows = PurePosixPath(location), PureWindowsPath(location)
        rooted = posix.is_absolute() or windows.drive or windows.root
        if rooted or ".." in (*posix.parts, *windows.parts) or "\0" in location:
            raise outside
        folder = Path(os.path.realpath(self.folder))
        path = Path(os.path.realpath(folder / location))
        if not path.is_relative_to(folder):
            raise outside
        return path


def whole(owner: str, key: str, text: str) -> int:
    """A number of bytes that a model writes as text."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise OnnxError(f"{owner}: {key} of its external data is {SHORT.repr(text)}, not a number of bytes")
    return int(text)


def read_range(owner: str, path: Path, offset: int, nbytes: int) -> bytes:
    """Bytes of a regular file, which must have them."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OnnxError(f"{owner}: {path.name} beside the model is no regular file")
        if offset + nbytes > status.st_size:
            raise OnnxError(
                f"{owner} needs bytes {offset:,} to {offset + nbytes:,} of {path.name}, which has "
                f"{status.st_size:,}"
            )
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(nbytes)
    except OSError as error:
        raise OnnxError(f"{owner}: {path.name} beside the model cannot be read: {error}") from None
    if len(content) != nbytes:
        raise OnnxError(f"{owner}: {path.name} ended while it was read")
    return content
