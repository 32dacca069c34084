"""What must be written otherwise: the lines of the list."""

from __future__ import annotations

import ast
from collections.abc import Iterable
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
