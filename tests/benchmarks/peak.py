"""How much memory a task takes at its peak, above what the process holds once everything is imported and set
up.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import NamedTuple

from .cases import Convolution, Task, Training
from .frameworks.base import Framework, NotOffered, Part

RUNS = 3
WARM_SAMPLES = 2
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peaks(NamedTuple):
    """The bytes that the first runs take at their peak, and all later ones: some record or compile first."""

    bytes: int
    later: int


def peaks_of(framework: Framework, task: Task) -> Peaks:
    """Both. A small batch goes ahead: what is loaded and started with the first one counts as set-up."""
    if isinstance(task, Training | Convolution):
        run(framework.build(task._replace(samples=WARM_SAMPLES)))
    parts = framework.build(task)
    gc.collect()
    floor = begin_mark()
    peaks = []
    for _ in Peaks._fields:
        for _ in range(RUNS):
            run(parts)
        peaks.append(max(0, high_water_mark() - floor))
        gc.collect()
        begin_mark()
    return Peaks(*peaks)


def run(parts: dict[str, Part]) -> None:
    """Each part once."""
    for part in parts.values():
        part.run(*part.prepare())


def begin_mark() -> int:
    """The bytes held now; where the system can, the high-water mark begins here anew."""
    try:
        CLEAR.write_text("5")
    except OSError:
        pass
    return high_water_mark()


def high_water_mark() -> int:
    """The most bytes ever resident. Linux tells it of this program alone; `getrusage` includes what its
    parent held.
    """
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        raise NotOffered from None  # Windows
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
