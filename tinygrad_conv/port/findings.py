"""A script's text, with the places of its lines; and which of them must be written otherwise, as a list."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

LABELS = {
    "import": "import",
    "device": "device",
    "name": "name",
    "array": "array",
    "silent": "array, OTHER NUMBERS in silence",
}
"""By the kind of a finding, what is said of it."""

COUNTED = {"import": "import", "device": "device", "name": "name", "array": "array", "silent": "array"}
WIDEST = 90  # columns of what stands there, and of what to write


class Finding(NamedTuple):
    """A line that must be written otherwise."""

    line: int
    kind: str
    there: str
    instead: str

    def __str__(self) -> str:
        advice = self.instead.removeprefix("write ")
        return f"{LABELS[self.kind]}: {shorten(self.there)}   write: {advice}"


def shorten(text: str) -> str:
    """A piece of a script in one line that is not too wide."""
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def source_of(node: ast.AST) -> str:
    """A piece of a syntax tree as it is written."""
    return ast.unparse(ast.fix_missing_locations(node))


def count_them(findings: Iterable[Finding]) -> str:
    """`4 lines to write otherwise: 1 import, 3 arrays; 2 of them give other numbers in silence`."""
    findings = list(findings)
    lines = len({finding.line for finding in findings})
    if not lines:
        return "nothing to write otherwise"
    kinds = [COUNTED[finding.kind] for finding in findings]
    counts = [several(kinds.count(kind), kind) for kind in dict.fromkeys(COUNTED.values()) if kind in kinds]
    silent = len({finding.line for finding in findings if finding.kind == "silent"})
    tail = (
        f"; {silent} of them {'gives' if silent == 1 else 'give'} other numbers in silence" if silent else ""
    )
    why = " (.data and .grad are NumPy arrays, np is NumPy)" if "array" in kinds else ""
    return f"{several(lines, 'line')} to write otherwise: {', '.join(counts)}{tail}{why}"


def several(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


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
