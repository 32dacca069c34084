"""Which line of the user's something was called from.

Noting it costs little: the code object and the offset of the call are kept, the line is looked up when
somebody reads it.
"""

from __future__ import annotations

import linecache
import os
import sys
import warnings
from types import CodeType
from typing import Any, NamedTuple

Where = tuple[CodeType, int]

WARNED: dict[str, dict[Any, Any]] = {}  # by file: what has been warned of there

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Place(NamedTuple):
    """The user's line that called an op."""

    file: str
    line: int
    source: str  # the text of the line, or "" where the file cannot be read
    layer: str  # the path of the layer whose call it was, or ""

    def __str__(self) -> str:
        in_layer = f" in {self.layer}" if self.layer else ""
        return f"{self.file}:{self.line}{in_layer}{self.source and '   '}{self.source}"


def user_where(known: int = 0) -> Where:
    """The innermost frame outside this package: the user's line, however many of our layers lie between.

    known: of how many frames around the caller it is known that they are ours, and need not be looked at.
    """
    frame = sys._getframe(1 + known)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def warn_user(message: str) -> None:
    """A warning that names the user's line, once for each line."""
    where = user_where()
    file = where[0].co_filename
    registry = WARNED.setdefault(file, {})
    warnings.warn_explicit(message, UserWarning, file, line_of(where), registry=registry)


def line_of(where: Where) -> int:
    """The line number behind a code object and an offset in it."""
    code, offset = where
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            return line
    return code.co_firstlineno


def show_path(path: str) -> str:
    """A file's path, relative to the working directory where it lies below it."""
    return os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path


def show_where(where: Where) -> str:
    """A place as messages write it: `examples/train_shapes.py:41`."""
    return f"{show_path(where[0].co_filename)}:{line_of(where)}"


def show_place(function: Any) -> str:
    """Where a function is defined: `file.py:41`."""
    return f"{show_path(function.__code__.co_filename)}:{function.__code__.co_firstlineno}"


def place_at(where: Where, layer: str) -> Place:
    """A place in full, with the text of its line."""
    file, line = where[0].co_filename, line_of(where)
    return Place(file, line, linecache.getline(file, line).strip(), layer)
