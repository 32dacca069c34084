"""Files that are written wholly or not at all, whatever interrupts the program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8; an older file of that name is there until the new one is complete."""
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of another once it is written: nobody ever finds half of it there."""
    target = Path(os.path.realpath(path))  # behind a link, which stays one
    if target.exists() and not target.is_file():  # a pipe, or a device
        with open(target, "wb") as file:
            yield file
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with opened(temporary, target) as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def opened(temporary: Path, target: Path) -> IO[bytes]:
    """A new file to be written; where there can be none, the error names the one that was asked for."""
    try:
        return open(temporary, "wb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
