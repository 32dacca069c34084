"""How long importing a package takes, each time in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from .turns import ROOT, environment

PROGRAM = "from time import perf_counter; begin = perf_counter(); import {}; print(perf_counter() - begin)"


def import_times(packages: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds by package, one for each round; a round ahead of them compiles, and warms the file system's
    cache.
    """
    times: dict[str, list[float]] = {package: [] for package in packages}
    for number in range(rounds + 1):
        for package in packages:
            seconds = import_time(package)
            if number:
                times[package].append(seconds)
    return times


def import_time(package: str) -> float:
    """Seconds of one import."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(package)]
    run = subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True)
    return float(run.stdout.split()[-1])
