"""A training that is killed goes on bit for bit as if it had never stopped, whenever that was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg

from . import resumed_training
from .helpers import INSTALLED

SCRIPT = Path(resumed_training.__file__)
LONGEST = 4  # steps from the start of a run until it is killed

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing can be killed here")


def started(folder: Path, steps: int, stdin: int) -> subprocess.Popen[str]:
    """The training, going on."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), str(steps)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "OPENBLAS_NUM_THREADS": "1"},
    )


def killed(folder: Path, steps: int, rng: random.Random) -> None:
    """Start it, and kill it some steps later, anywhere in a step or in writing a checkpoint."""
    run = started(folder, steps, subprocess.PIPE)
    assert run.stdin is not None and run.stdout is not None and run.stderr is not None
    count = rng.randint(1, LONGEST)
    run.stdin.write("\n" * count)
    run.stdin.flush()
    for _ in range(count):
        assert run.stdout.readline(), run.stderr.read()
    time.sleep(rng.random() * 0.01)
    run.kill()
    run.communicate()
    assert run.returncode == -signal.SIGKILL


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """All numbers of a structure by their places, with their dtypes."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        return {
            place: leaf
            for index, part in enumerate(value)
            for place, leaf in flat(part, f"{path}[{index}]").items()
        }
    array = np.asarray(getattr(value, "data", value))
    numbers = array.tobytes() if array.dtype.kind in "biuf" else value
    return {path: (str(array.dtype), array.shape, numbers)}


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.exhaustive)])
def test_killed_at_random_moments_it_ends_as_if_it_had_never_stopped(kills, tmp_path):
    steps, rng = (kills + 1) * LONGEST, random.Random(kills)
    whole = resumed_training.train(tmp_path / "whole", steps)
    for _ in range(kills):
        killed(tmp_path / "killed", steps, rng)
    run = started(tmp_path / "killed", steps, subprocess.DEVNULL)
    _, errors = run.communicate()
    assert run.returncode == 0 and not errors, errors
    assert flat(tg.load(tmp_path / "killed" / "state.npz")) == flat(whole)
    assert not list((tmp_path / "killed" / "checkpoints").glob(".*"))
