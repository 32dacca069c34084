"""A script's text, and how the places of its lines are shown."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import NamedTuple


class Source(NamedTuple):
    """What is read: the syntax tree of a script, or of all cells of a notebook one below the other."""

    name: str
    tree: ast.Module
    cells: list[int]  # of a notebook: at which line each cell begins

    def place(self, line: int) -> str:
        """`script.py:12`, or `notes.ipynb: cell 3, line 2`."""
        if not self.cells:
            return f"{self.name}:{line}"
        cell = max(number for number, start in enumerate(self.cells) if start <= line)
        return f"{self.name}: cell {cell + 1}, line {line - self.cells[cell] + 1}"


def read_source(path: Path) -> Source:
    """A Python file, or a notebook's cells of code.

    Raises OSError for a file that cannot be read, SyntaxError (a ValueError for a notebook) for one that is
    neither.
    """
    if path.suffix == ".ipynb":
        return read_notebook(path)
    return Source(str(path), ast.parse(path.read_bytes(), str(path)), [])


def read_notebook(path: Path) -> Source:
    """The cells of code; lines for IPython alone (`%matplotlib`, `!pip`) are left empty."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    try:
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no notebook ({type(error).__name__}: {error})") from error
    lines: list[str] = []
    starts = []
    for cell in cells:
        starts.append(len(lines) + 1)
        lines += [python_of(line) for line in ([""] if cell.startswith("%%") else cell.split("\n"))]
    return Source(str(path), ast.parse("\n".join(lines), str(path)), starts)


def python_of(line: str) -> str:
    """A line of a cell; one that is for IPython as `pass`, which keeps a block a block."""
    code = line.lstrip()
    return line[: len(line) - len(code)] + "pass" if code.startswith(("%", "!", "?")) else line
