"""Files that are written wholly or not at all, whatever interrupts the program."""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # on Windows, which refuses to delete an open file
    fcntl = None

SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
LONGEST_NAME = 200  # bytes of a file's name in a temporary one, of the 255 that most systems allow


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8; an older file of that name is there until the new one is complete."""
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: str | Path, durable: bool = False) -> Iterator[IO[bytes]]:
    """A file that takes the place of another once it is written: nobody ever finds half of it there.

    durable: it is on the disk by then, and outlives a crash of the machine too; what programs left that were
    killed while they wrote it is removed.
    """
    target = Path(os.path.realpath(path))  # behind a link, which stays one
    check_target(path, target)
    if target.exists() and not target.is_file():  # a pipe, or a device, where nobody can go back and forth
        content = io.BytesIO()
        yield content
        with open(target, "wb") as file:
            file.write(content.getbuffer())
        return
    if durable:
        remove_leftovers(target.parent, target.name)
    temporary = target.with_name(f".{shortened_name(target.name)}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        with naming(target), opened(temporary, target) as file:
            copy_permissions(target, temporary)
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if fcntl is not None:
                os.replace(temporary, target)  # while it is locked
        if fcntl is None:  # there an open file cannot be moved
            os.replace(temporary, target)
        if durable:
            sync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_target(path: str | Path, target: Path) -> None:
    """Refuse what opening a file to write would: a folder by its name, and a file that is write-protected."""
    if str(path).endswith(SEPARATORS):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def shortened_name(name: str) -> str:
    """As much of a name as leaves room for what a temporary one has beside it."""
    return os.fsdecode(os.fsencode(name)[:LONGEST_NAME])


def copy_permissions(target: Path, temporary: Path) -> None:
    """Let those read and write the new file who may the older one: what is private stays so."""
    if target.exists():
        with suppress(OSError):  # on a file system that has none
            os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """An error of the system's, such as a full disk, with the name of the file."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, f"{error.strerror}, and nothing was changed", str(target)) from error


def opened(temporary: Path, target: Path) -> IO[bytes]:
    """A new file, locked; where there can be none, the error names the one that was asked for."""
    try:
        file = open(temporary, "wb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    if not lock(file, 0) or os.fstat(file.fileno()).st_nlink:
        return file
    file.close()  # taken for a leftover before it was locked
    return opened(temporary, target)


def lock(file: IO[bytes], flags: int) -> bool:
    """Lock a file for as long as it is open, by whomever; whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | flags)
    except OSError:  # another program has it, or there are no locks in that folder
        return False
    return True


def remove_leftovers(folder: Path, name: str = "") -> None:
    """Remove what programs left in a folder that were killed while they wrote a file, or any file."""
    for leftover in folder.glob(f".{glob.escape(shortened_name(name)) or '*'}.*.part"):
        with suppress(OSError):
            if fcntl is None:
                leftover.unlink()  # fails where it is open
                continue
            with open(leftover, "rb") as file:
                # by now another file may have that name: who found its own removed begins anew
                if lock(file, fcntl.LOCK_NB) and os.path.samestat(os.fstat(file.fileno()), leftover.stat()):
                    leftover.unlink()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk too, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
