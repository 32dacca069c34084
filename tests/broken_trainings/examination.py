"""One script at the doctor's: what the doctor says of it, and whether that is right."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .docstring import FOLDER, Training

ROOT = FOLDER.parent.parent
TIME_LIMIT = 30
"""Seconds that the doctor has for a script."""

NOTHING_FOUND, FINDINGS = 0, 1  # the doctor's exit codes; any other says that it could not examine the script


@dataclass(frozen=True)
class Verdict:
    """What came of an examination."""

    training: Training
    exit_code: int | None
    report: str

    @property
    def right(self) -> bool:
        """Whether the fault is named, or nothing said of a healthy training."""
        if not self.training.broken:
            return self.exit_code == NOTHING_FOUND
        return self.exit_code == FINDINGS and not self.words_missing()

    def words_missing(self) -> list[str]:
        """The groups of which no word stands in the report."""
        report = " ".join(self.report.lower().split())
        return ["|".join(group) for group in self.training.words if not any(word in report for word in group)]

    def line_named(self) -> bool:
        """Whether the report points at a line that it should point at, by its number or its text."""
        numbers = self.training.line_numbers()
        by_number = any(re.search(rf"(:|line ){number}\b", self.report) for number in numbers)
        return by_number or any(part in self.report for part in self.training.lines)

    def __str__(self) -> str:
        return "\n".join([self.row(), *(f"        {line}" for line in self.first_lines())])

    def row(self) -> str:
        code = "-" if self.exit_code is None else self.exit_code
        return f"{self.training.name:32} {code:>4}   {self.in_words()}"

    def in_words(self) -> str:
        if not self.training.broken:
            return {NOTHING_FOUND: "right", FINDINGS: "false alarm"}.get(self.exit_code, self.not_examined())
        if self.exit_code == NOTHING_FOUND:
            return "missing"
        if self.exit_code != FINDINGS:
            return self.not_examined()
        if not self.right:
            return f"missing (no word of {', '.join(self.words_missing())})"
        return "right" if not self.training.lines or self.line_named() else "right (another line)"

    def not_examined(self) -> str:
        return f"not within {TIME_LIMIT} seconds" if self.exit_code is None else "not examined"

    def first_lines(self, limit: int = 5) -> list[str]:
        """The lines of the report that are not indented: each finding begins with one."""
        return [line for line in self.report.split("\n") if line[:1].strip()][:limit]


def examine(training: Training) -> Verdict:
    """Give a training to the doctor, under a name that says nothing and without its docstring."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "training.py"
        script.write_text(training.source, encoding="utf-8")
        command = [sys.executable, "-m", "tinygrad_conv", "doctor", str(script)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=TIME_LIMIT
            )
        except subprocess.TimeoutExpired:
            return Verdict(training, None, "")
    return Verdict(training, done.returncode, done.stdout)
