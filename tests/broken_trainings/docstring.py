"""What a training's docstring says of it, so that a report on it can be compared.

A broken one says, after the fault in a sentence:

    Reason: what a right diagnosis must say
    Line: a part of the line to point at || a part of another that would do (or nothing, where it has no line)
    Words: a|b, c|d       the report has a word of each group, in any case
    Harm: what the training does, and what it does when it is mended

A healthy one begins with `Healthy:` and why it looks suspicious.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SETS = ("seen", "kept", "fresh", "blind")
FIELDS = ("Reason", "Line", "Words", "Harm")


@dataclass(frozen=True)
class Training:
    """One script: its source with blank lines for the docstring, and what is known of it."""

    path: Path
    source: str
    summary: str
    reason: str = ""
    lines: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    harm: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def broken(self) -> bool:
        return self.path.parent.name == "broken"

    def line_numbers(self) -> list[int]:
        """The numbers of the source lines that a report may point at."""
        numbered = list(enumerate(self.source.split("\n"), 1))
        return [number for part in self.lines for number, line in numbered if part in line]


def trainings(name: str) -> list[Training]:
    """All trainings of a set, the broken ones first."""
    paths = [path for kind in ("broken", "healthy") for path in sorted((FOLDER / name / kind).glob("*.py"))]
    return [read(path) for path in paths]


def read(path: Path) -> Training:
    """A training from its file."""
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    fields = fields_of(docstring)
    return Training(
        path,
        without_docstring(text),
        docstring.split("\n")[0],
        fields.get("Reason", ""),
        tuple(part.strip() for part in fields.get("Line", "").split("||") if part.strip()),
        groups(fields.get("Words", "")),
        fields.get("Harm", ""),
    )


def fields_of(docstring: str) -> dict[str, str]:
    """The text behind each `Name:` of a docstring; a field ends where the next one begins."""
    parts = re.split(rf"^({'|'.join(FIELDS)}):", docstring, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2])}


def groups(words: str) -> tuple[tuple[str, ...], ...]:
    """(("a", "b"), ("c", "d")) of "a|b, c|d"."""
    return tuple(
        tuple(word.strip().lower() for word in group.split("|"))
        for group in words.split(",")
        if group.strip()
    )


def without_docstring(text: str) -> str:
    """A script with blank lines for its docstring."""
    first = ast.parse(text).body[0]
    lines = text.split("\n")
    lines[: first.end_lineno] = [""] * (first.end_lineno or 0)
    return "\n".join(lines)
