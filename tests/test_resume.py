"""A training that is killed goes on bit for bit as if it had never stopped, whenever that was."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg

from . import resumed_training
from .helpers import INSTALLED

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing can be killed here")


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
    steps = (kills + 1) * resumed_training.MOST
    whole = resumed_training.train(tmp_path / "whole", steps)
    done = subprocess.run(
        [sys.executable, resumed_training.__file__, str(tmp_path), str(steps), str(kills)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert flat(tg.load(tmp_path / "state.npz")) == flat(whole)
    assert not list((tmp_path / "checkpoints").glob(".*"))
