"""Measuring the chosen cases, group by group."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from .cases import IMPORT
from .frameworks import ALL, OURS
from .frameworks.base import Settings
from .imports import import_times
from .turns import Effort, Times, Worker, build, take_turns

FRESH_PROCESSES = 3


class Plan(NamedTuple):
    """What to measure, and how thoroughly."""

    groups: dict[str, list[str]]  # group → cases
    peers: list[str]
    effort: Effort
    settings: Settings

    @property
    def frameworks(self) -> list[str]:
        return [OURS, *self.peers]


class Results(NamedTuple):
    """What was measured: all by case, but for imports, which go by package."""

    groups: dict[str, list[str]]
    times: dict[str, Times]
    served: dict[str, dict[str, str | None]]  # by part, of this project
    memory: dict[str, dict[str, list[int]]]  # bytes by framework; `…, later` when all is recorded, compiled
    imports: dict[str, list[float]]
    others: dict[str, list[float]]  # what other programs took of the processors in each turn
    first: dict[str, Times]  # until the first step is done, and until the third


def measure(plan: Plan, tell: Callable[[str], None]) -> Results:
    """Everything in the plan. `tell` is told of each case that begins."""
    results = Results(plan.groups, {}, {}, {}, {}, {}, {})
    apart = ("memory", "first", IMPORT)
    timed = [case for group, cases in plan.groups.items() if group not in apart for case in cases]
    if timed:
        measure_times(plan, timed, results, tell)
    for case in [*plan.groups.get("memory", []), *plan.groups.get("growth", [])]:
        tell(f"{case}: memory")
        for name, peaks in in_fresh_processes(plan, "memory", case).items():
            for key, peak in ((case, "bytes"), (later(case), "later")):
                results.memory.setdefault(key, {})[name] = [answer[peak] for answer in peaks]
    for case in plan.groups.get("first", []):
        tell(case)
        for name, answers in in_fresh_processes(plan, "first", case).items():
            times = [answer["times"] for answer in answers]
            parts = {part: [each[part] for each in times] for part in times[0]}
            results.first.setdefault(case, {})[name] = parts
    if IMPORT in plan.groups:
        tell(IMPORT)
        packages = ["numpy", ALL[OURS].package, *(ALL[peer].package for peer in plan.peers)]
        results.imports.update(import_times(list(dict.fromkeys(packages)), plan.effort.rounds))
    return results


def measure_times(plan: Plan, cases: list[str], results: Results, tell: Callable[[str], None]) -> None:
    """Turns, with the same processes for all the cases."""
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name, plan.settings)) for name in plan.frameworks]
        for case in cases:
            tell(case)
            built = build(case, workers)
            able = [worker for worker in workers if worker.framework in built]
            results.times[case], results.others[case] = take_turns(case, able, plan.effort)
            results.served[case] = built[OURS].served


def in_fresh_processes(plan: Plan, ask: str, case: str) -> dict[str, list[dict[str, Any]]]:
    """Answers by framework, each from a process of its own, which finds nothing that was compiled before."""
    answers: dict[str, list[dict[str, Any]]] = {}
    for name in plan.frameworks:
        for _ in range(min(plan.effort.rounds, FRESH_PROCESSES)):
            with tempfile.TemporaryDirectory() as cache, Worker(name, plan.settings, cache) as worker:
                answer = worker.ask(ask, case)
            if answer is not None:
                answers.setdefault(name, []).append(answer)
    return answers


def later(case: str) -> str:
    """The name of a case's memory once everything is recorded, or compiled."""
    return f"{case}, later"
