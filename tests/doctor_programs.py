"""Trainings for the doctor's tests: run as a script would be, watched in this process."""

from __future__ import annotations

import gc
from pathlib import Path

from tinygrad_conv.debug.doctor.examination import Doctor

HEAD = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.utils.data import DataLoader, TensorDataset
import tinygrad_conv.nn.functional as F

tg.manual_seed(0)
rng = np.random.default_rng(0)
"""

POINTS = """
x = tg.randn(96, 8)
y = (x.data[:, 0] + x.data[:, 1] > 0).astype(np.int64) + (x.data[:, 2] > 0.5)
y = tg.tensor(y)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""

LOOP = """
for epoch in range(4):
    for start in range(0, 96, 24):
        part = slice(start, start + 24)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[part]), y[part])
        loss.backward()
        optimizer.step()
"""


def examined(source: str, tmp_path: Path, steps: int = 50) -> Doctor:
    """A doctor that has watched a program to its end, or to its error."""
    path = tmp_path / "train.py"
    path.write_text(source, encoding="utf-8")
    gc.collect()
    gc.freeze()  # a doctor looks through what lives: through the program's objects, not a whole test run's
    doctor = Doctor(prints=False)
    try:
        with doctor:
            namespace = {"__name__": "__main__", "__file__": str(path)}
            exec(compile(source, str(path), "exec"), namespace)
            doctor.close()
            doctor.findings  # noqa: B018 (looked at while the program's objects live)
    except Exception:
        assert doctor.history.error is not None
    finally:
        gc.unfreeze()
    return doctor


def kinds(doctor: Doctor) -> list[str]:
    """What it found, but for notes."""
    return [finding.kind for finding in doctor.findings if finding.is_alarm]


def assert_alarmed(doctor: Doctor, kind: str) -> None:
    """It found a fault of this kind, is no mere note of it, and names a line of the program."""
    finding = next((finding for finding in doctor.findings if finding.kind == kind), None)
    assert finding is not None, str(doctor)
    assert finding.is_alarm and finding.place is not None and finding.place.file.endswith("train.py")
