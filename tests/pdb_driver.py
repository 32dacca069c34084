"""A real pdb, driven through its standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .helpers import INSTALLED

TO_THE_NEXT_LINE = ["next"] if sys.version_info >= (3, 13) else []
"""What leads from `breakpoint()` to the line after it, at which Python stops by itself before 3.13."""


def drive(arguments: list[str], presses: list[str], hook: str = "tinygrad_conv.debug.set_trace") -> list[str]:
    """What pdb says at its first prompt, and after each press."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(INSTALLED),
        "PYTHONBREAKPOINT": hook,
        "PYTHONIOENCODING": "utf-8",
        "PYTHON_COLORS": "0",
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        input="\n".join([*presses, "quit", ""]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
    )
    answers = done.stdout.split("(Pdb) ")
    assert len(answers) > len(presses), done.stdout + done.stderr
    return answers[: len(presses) + 1]


def written(folder: Path, text: str) -> Path:
    """The text as a script of that folder."""
    script = folder / "a_net.py"
    script.write_text(text.strip() + "\n")
    return script
