"""Measuring the chosen cases, group by group."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from .cases import IMPORT
from .frameworks import ALL, OURS
from .frameworks.base import Settings
from .imports import import_times
from .turns import Effort, Times, Worker, build, take_turns

MEMORY_PROCESSES = 3


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
    memory: dict[str, dict[str, list[int]]]  # bytes by framework
    imports: dict[str, list[float]]
    others: dict[str, list[float]]  # what other programs took of the processors in each turn


def measure(plan: Plan, tell: Callable[[str], None]) -> Results:
    """Everything in the plan. `tell` is told of each case that begins."""
    results = Results(plan.groups, {}, {}, {}, {}, {})
    timed = [
        case for group, cases in plan.groups.items() if group not in ("memory", IMPORT) for case in cases
    ]
    if timed:
        measure_times(plan, timed, results, tell)
    for case in [*plan.groups.get("memory", []), *plan.groups.get("growth", [])]:
        tell(f"{case}: memory")
        results.memory[case] = memory_of(plan, case)
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


def memory_of(plan: Plan, case: str) -> dict[str, list[int]]:
    """Peak bytes by framework, each time in a fresh process."""
    peaks: dict[str, list[int]] = {}
    for name in plan.frameworks:
        for _ in range(min(plan.effort.rounds, MEMORY_PROCESSES)):
            with Worker(name, plan.settings) as worker:
                answer = worker.ask("memory", case)
            if answer is not None:
                peaks.setdefault(name, []).append(answer["bytes"])
    return peaks
