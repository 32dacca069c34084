"""The API reference: `python -m pdoc tinygrad_conv -o FOLDER` makes it of docstrings, without a warning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .helpers import INSTALLED


@pytest.mark.guides
def test_the_reference_is_generated_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("pdoc")
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "default",
            "-m",
            "pdoc",
            "tinygrad_conv",
            "tinygrad_conv.debug",
            "-o",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        timeout=300,
    )
    assert done.returncode == 0 and not done.stderr and "Warn" not in done.stdout, done.stdout + done.stderr
    pages = {page.relative_to(tmp_path).as_posix() for page in tmp_path.rglob("*.html")}
    for package in ("nn", "optim", "data", "ops"):
        assert f"tinygrad_conv/{package}.html" in pages
    layers = (tmp_path / "tinygrad_conv" / "nn.html").read_text(encoding="utf-8")
    assert 'class</span>\n    <span class="name">Conv2d' in layers
