"""One framework in a process of its own: it answers questions on standard input, see `protocol`.

python -m tests.benchmarks.worker torch '{"threads": null}'
"""

from __future__ import annotations

import json
import os
import sys
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from .cases import Convolution, Task, task_named
from .frameworks import load
from .frameworks.base import Framework, NotOffered, Part, Settings
from .load import OthersWatched
from .peak import peaks_of

WARM_UP = 0.1  # seconds
LEAST_RUNS = 2
FIRST = 3  # steps: a replay records two, and so does a capture of tinygrad's
MOST_PREPARATION = 5  # times the seconds that are to be measured


class Worker:
    """A framework, and the cases it has built."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.built: dict[str, dict[str, Part]] = {}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question's answer."""
        try:
            match question:
                case {"ask": "build", "case": case}:
                    return self.build(case)
                case {"ask": "time", "case": case, "seconds": seconds}:
                    warm_up(self.built[case])
                    with OthersWatched() as others:
                        times = {name: time_of(part, seconds) for name, part in self.built[case].items()}
                    return {"times": times, "others": others.share}
                case {"ask": "memory", "case": case}:
                    return peaks_of(self.framework, task_named(case))._asdict()
                case {"ask": "first", "case": case}:
                    return {"times": first_times(self.framework, task_named(case))}
        except NotOffered:
            return {"not offered": True}
        raise ValueError(f"no such question: {question}")

    def build(self, case: str) -> dict[str, Any]:
        """Make a case ready, in place of the one before, and run it once: results to compare, and warm
        caches.
        """
        task = task_named(case)
        self.built = {case: self.framework.build(task)}
        prints, served = {}, {}
        for name, part in self.built[case].items():
            prints[name] = [
                fingerprint
                for _ in range(part.checks)
                for fingerprint in self.fingerprints(part.run(*part.prepare()))
            ]
            served[name] = self.framework.served() if isinstance(task, Convolution) else None
        return {"prints": prints, "served": served}

    def fingerprints(self, result: Any) -> list[list[float]]:
        """[norm, projection on a random direction] of each array of a result."""
        prints = []
        for value in result if isinstance(result, list) else [result]:
            array = self.framework.array(value).astype(np.float64)
            direction = np.random.default_rng(array.size).standard_normal(array.shape)
            prints.append([float(np.sqrt((array * array).sum())), float((array * direction).sum())])
        return prints


def warm_up(parts: dict[str, Part]) -> None:
    """Compute for a while: after a pause the system leaves all threads on one processor for about 50 ms, then
    spreads them.
    """
    end = perf_counter() + WARM_UP
    while perf_counter() < end:
        for part in parts.values():
            part.run(*part.prepare())


def time_of(part: Part, seconds: float) -> float:
    """The median of runs that together take so many seconds, for one call."""
    part.run(*part.prepare())
    times: list[float] = []
    begin = perf_counter()
    while len(times) < LEAST_RUNS or (
        sum(times) < seconds and perf_counter() - begin < MOST_PREPARATION * seconds
    ):
        arguments = part.prepare()
        start = perf_counter()
        part.run(*arguments)
        times.append(perf_counter() - start)
    return median(times) / part.calls


def first_times(framework: Framework, task: Task) -> dict[str, float]:
    """Seconds from an imported framework until its first step is done, and until its third, from which on
    whatever records or compiles is at its speed.
    """
    begin = perf_counter()
    (part,) = framework.build(task).values()
    moments = []
    for _ in range(FIRST):
        part.run(*part.prepare())
        moments.append(perf_counter() - begin)
    return {"first": moments[0], "third": moments[-1]}


def main() -> None:
    """Answer until the questions end. What a library prints goes to standard error."""
    name, settings = sys.argv[1], Settings(**json.loads(sys.argv[2]))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(load(name, settings))
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
