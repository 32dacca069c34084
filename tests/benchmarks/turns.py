"""The parent's side: workers, and taking turns with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from .frameworks import OURS
from .frameworks.base import Settings
from .load import TOLERABLE
from .protocol import Built, differing

ROOT = Path(__file__).parents[2]
# After a product, OpenBLAS's workers spin for about 134 ms, waiting for another; the next turn begins after
# that.
WAIT = 0.15
CACHES = ("TORCHINDUCTOR_CACHE_DIR", "CACHEDB")  # where torch.compile, and tinygrad, keep what they compiled

Times = dict[str, dict[str, list[float]]]  # framework → part → seconds, one for each round


class BenchmarkError(Exception):
    """A framework failed, or did other work than this project."""


class Worker:
    """A framework's process."""

    def __init__(self, framework: str, settings: Settings, cache: str | None = None) -> None:
        """cache: a folder for what is compiled, in the place of the user's, which knows it already."""
        self.framework = framework
        self.errors = tempfile.TemporaryFile("w+")
        command = [sys.executable, "-m", "tests.benchmarks.worker", framework, json.dumps(settings._asdict())]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        caches = {} if cache is None else {name: f"{cache}/{name}" for name in CACHES}
        env = {**environment(), **caches}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, **pipes)

    def ask(self, ask: str, case: str, **more: Any) -> dict[str, Any] | None:
        """The answer, or None where the framework has no such thing. Raises BenchmarkError if the process
        ended.
        """
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"ask": ask, "case": case, **more}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, as the next line shows
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise BenchmarkError(f"{self.framework} failed on {ask} {case}:\n{self.errors.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return None if "not offered" in answer else answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self.process.stdin and self.process.stdout
        if error_type is not None:
            self.process.kill()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def environment() -> dict[str, str]:
    """This environment, with this checkout first among the places that packages come from.

    And without the order to write no compiled files: an installed package has them, so an import here must
    not compile anew.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths)}


def build(case: str, workers: Iterable[Worker]) -> dict[str, Built]:
    """Who can do the case, with what each says of it. Raises BenchmarkError if a peer's results are not
    ours.
    """
    built = {}
    for worker in workers:
        answer = worker.ask("build", case)
        if answer is not None:
            built[worker.framework] = Built(**answer)
    for name, theirs in built.items():
        if parts := differing(built[OURS].prints, theirs.prints):
            numbers = "; ".join(
                f"{part}: ours {built[OURS].prints[part]}, theirs {theirs.prints[part]}" for part in parts
            )
            raise BenchmarkError(f"{case}: {name} finds other numbers than we do: {numbers}")
    return built


class Effort(NamedTuple):
    """How thoroughly to measure."""

    rounds: int  # turns of each framework
    seconds: float  # of each part, in a turn
    patience: float  # seconds that a turn may be repeated for, until other programs leave it alone


def take_turns(case: str, workers: list[Worker], effort: Effort) -> tuple[Times, list[float]]:
    """Each framework's times, A B A B …; and what other programs took of the processors in each turn."""
    times: Times = {worker.framework: {} for worker in workers}
    others = []
    for _ in range(effort.rounds):
        for worker in workers:
            turn = quiet_turn(case, worker, effort)
            others.append(turn["others"])
            for part, seconds in turn["times"].items():
                times[worker.framework].setdefault(part, []).append(seconds)
    return times, [share for share in others if share is not None]


def quiet_turn(case: str, worker: Worker, effort: Effort) -> dict[str, Any]:
    """A turn that other programs did not disturb; when patience ends, the least disturbed one."""
    end = time.monotonic() + effort.patience
    turns: list[dict[str, Any]] = []
    while not turns or ((turns[-1]["others"] or 0) > TOLERABLE and time.monotonic() < end):
        time.sleep(WAIT)
        turn = worker.ask("time", case, seconds=effort.seconds)
        assert turn is not None, "it has been built"
        turns.append(turn)
    return min(turns, key=lambda turn: turn["others"] or 0)
