"""Which line of the user's something was called from.

Noting it costs little: the code object and the offset of the call are kept, the line is looked up when
somebody reads it.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

Where = tuple[CodeType, int]

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_where(inner: int = 0) -> Where:
    """The innermost frame outside this package: the user's line, however many of our layers lie between.

    inner: of how many frames around this one the caller knows that they are ours.
    """
    frame = sys._getframe(1 + inner)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


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
