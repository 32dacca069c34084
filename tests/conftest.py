"""Fixtures for the whole suite."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tinygrad_conv.engine.registry import OPS

from .step_programs import environment


@pytest.fixture
def scratch_ops():
    """Ops that a test declares, gone after it."""
    known = dict(OPS)
    yield
    OPS.clear()
    OPS.update(known)


@pytest.fixture
def drive(tmp_path):
    """Runs a script under the stepper with these lines in a pipe; returns what it said after each, and how it
    ended.
    """

    def drive(script, *lines, options=(), arguments=()):
        path = tmp_path / "a_net.py"
        path.write_text(script.lstrip("\n"), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "tinygrad_conv", "step", *options, str(path), *arguments],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environment(COLUMNS="100"),
            timeout=120,
        )
        return done.stdout.split("(step) "), done

    return drive
