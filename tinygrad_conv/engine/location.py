"""Which line of the user's something was called from.

Noting it costs little: the code object and the offset of the call are kept, the line is looked up when
somebody reads it.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import warnings
from types import CodeType
from typing import Any, NamedTuple

Where = tuple[CodeType, int]

WARNED: dict[str, dict[Any, Any]] = {}  # by file: what has been warned of there

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

CELL_FILE = re.compile(r"<ipython-input-(\d+)-.*>|.*[/\\]ipykernel_\d+[/\\]\d+\.py")
"""What IPython and ipykernel call the file of a cell."""

ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
"""How an absolute path begins, on any system."""

SEPARATOR, NUMBER, SHOWN_CELL = re.compile(r"[/\\]"), re.compile(r"\d+"), re.compile(r"cell \d+|a cell")


class Ours(dict[str, bool]):
    """By file: whether it belongs to this package; asked for each frame, and worked out once."""

    def __missing__(self, file: str) -> bool:
        self[file] = file.startswith(PACKAGE_FOLDER)
        return self[file]


OURS = Ours()


class Place(NamedTuple):
    """The user's line that called an op."""

    file: str
    line: int
    source: str  # the text of the line, or "" where the file cannot be read
    layer: str  # the path of the layer whose call it was, or ""

    def __str__(self) -> str:
        in_layer = f" in {self.layer}" if self.layer else ""
        source = f"   {self.source}" if self.source else ""
        return f"{self.at}{in_layer}{source}"

    @property
    def at(self) -> str:
        """`net.py:41`; of a notebook's cell `cell 3, line 2`."""
        return show_line(relative_path(self.file), self.line)

    def relative(self) -> Place:
        """The same without the path of this machine."""
        return self._replace(file=relative_path(self.file))


def user_where(skip: int = 0) -> Where:
    """The innermost frame outside this package: the user's line, however many of our layers lie between.

    skip: how many frames around the caller are ours for certain, and need not be looked at.
    """
    frame = sys._getframe(1 + skip)
    while OURS[frame.f_code.co_filename]:
        caller = frame.f_back
        if caller is None:
            break
        frame = caller
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
    """A file's path, relative to the working directory where it lies below it; of a cell its number."""
    return show_cell(path) or (os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path)


def relative_path(path: str) -> str:
    """A file's path as it is written down for others, who do not have this machine: it is never absolute.

    Ours are relative to the package (`ops/pool.py`), the user's to the script's folder, the working directory
    or a folder that modules are imported from; of others, a recording's from elsewhere among them, the last
    folder and the name are left.
    """
    cell = show_cell(path)
    if cell or not ABSOLUTE.match(path):
        return cell or path
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    folders = [os.path.dirname(os.path.abspath(script))] if script else []
    for folder in (PACKAGE_FOLDER, *folders, os.getcwd(), *sorted(sys.path, key=len, reverse=True)):
        if folder.strip(os.sep) and path.startswith(folder.rstrip(os.sep) + os.sep):
            return os.path.relpath(path, folder)
    parts = SEPARATOR.split(path)
    ours = [place for place, part in enumerate(parts[:-1]) if part == "tinygrad_conv"]
    return "/".join(parts[ours[-1] + 1 :] if ours else parts[-2:]).lstrip("/")


def show_cell(path: str) -> str:
    """`cell 3` for the file of a notebook's cell; "" for any other."""
    matched = CELL_FILE.fullmatch(path)
    compiler: Any = getattr(running_ipython(), "compile", None)
    known = compiler.format_code_name(path) if hasattr(compiler, "format_code_name") else None
    number = NUMBER.search(known[1]) if known else None
    if number:
        return f"cell {number[0]}"
    if matched is None:
        return ""
    return f"cell {matched[1]}" if matched[1] else "a cell"


def running_ipython() -> Any:
    """IPython's shell, or its kernel's, where this program runs in one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def show_line(shown_path: str, line: int) -> str:
    """A line of a file, or of a cell, whose path has been shortened."""
    is_cell = SHOWN_CELL.fullmatch(shown_path)
    return f"{shown_path}, line {line}" if is_cell else f"{shown_path}:{line}"


def show_where(where: Where) -> str:
    """A place as messages write it: `examples/train_shapes.py:41`."""
    return show_line(show_path(where[0].co_filename), line_of(where))


def show_place(function: Any) -> str:
    """Where a function is defined: `file.py:41`."""
    return show_line(show_path(function.__code__.co_filename), function.__code__.co_firstlineno)


def place_at(where: Where, layer: str = "") -> Place:
    """A place in full, with the text of its line."""
    file, line = where[0].co_filename, line_of(where)
    lines = source_lines(file)
    return Place(file, line, lines[line - 1].strip() if 1 <= line <= len(lines) else "", layer)


def source_lines(file: str) -> list[str]:
    """The lines of a file; none where there is no such file, or where that is no name of one."""
    try:
        return linecache.getlines(file)
    except ValueError:  # a null in the name, as a damaged recording may have it
        return []
