"""From a call whose rule is wrong to the edits that mend it, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ...engine.rule import Rule
from ..diagnosis.culprit import Culprit
from ..tolerance import Tolerance
from .additions import WAYS
from .edited import Job, blames, edited, job_of, makes_right
from .edits import Edit, canonical, described, edits_by, place_of
from .fitted import fitted_edits
from .workshop import Attempt, Outcome, is_open, try_all

SECONDS = 5.0  # for which edits are tried
ENOUGH = 8  # repairs of one size
MOST_SHOWN = 3


class Repair(NamedTuple):
    """An edit that makes a rule right: where, and what stands there before and after."""

    size: int
    place: str
    before: str
    after: str
    reads: tuple[str, ...]  # what the rule has to read beside what it reads already
    refused: int = 0  # sizes or params that the forward takes and the rule, with it, still does not
    limits: tuple[str, ...] = ()  # inputs of other signs, or with zeros, where it is wrong

    def __str__(self) -> str:
        reads = f"   (and have the rule read {', '.join(self.reads)})" if self.reads else ""
        limits = f"   (but not for {', nor for '.join(self.limits)})" if self.limits else ""
        return f"{self.place}   {self.before}  →  {self.after}{reads}{limits}"


def repairs_of(
    culprit: Culprit, rule: Rule, order: int, tolerance: Tolerance, seconds: float | None = None
) -> list[str]:
    """Lines that say which edits make a culprit's rule right up to an order; none where none can be tried."""
    if not is_open():
        return []
    job = job_of(culprit.call, argument_of(culprit, rule), rule, order, tolerance)
    if job is None:
        return []
    outcome = try_all(partial(attempts, job), SECONDS if seconds is None else seconds)
    return show_outcome(outcome, job)


def argument_of(culprit: Culprit, rule: Rule) -> int | str:
    """The number of the checked input whose gradient is wrong; of a derivation, the kept value's name."""
    call, order, fault = culprit
    if rule in call.op.derivations.values():
        return rule.argument
    blamed = blames(fault, order)
    if blamed is not None and call.rule_of(blamed) is rule:
        return blamed
    return next(number for number in range(len(call.checked)) if call.rule_of(number) is rule)


def attempts(job: Job, results: list[Any]) -> Iterator[Attempt]:
    """Edit after edit, the likely ones first, up to the size of the first that is found."""
    by_way = [edits_by(way, size, job.definition, job.scope) for size, way in WAYS]
    slips, factors, *others = by_way
    for edits in (slips, factors, fitted_edits(job), *others):
        for edit in edits:
            whole = [repair for repair in results if not repair.limits]
            if whole and (edit.size > max(repair.size for repair in whole) or len(results) >= ENOUGH):
                return
            yield partial(repair_by, edit, job)
        if any(not repair.limits for repair in results):
            return


def repair_by(edit: Edit, job: Job) -> Repair | None:
    """An edit as a repair, if it is one."""
    candidate = edited(edit, job)
    refused = candidate.times_refused(job.cases)
    if refused is None or not makes_right(candidate, job):
        return None
    return Repair(
        edit.size,
        place_of(edit, job.rule.function),
        *described(edit),
        edit.reads,
        refused,
        candidate.limits(job.cases),
    )


def rank_of(repair: Repair) -> tuple[int, int, int]:
    """The best first: those that the most cases agree with, then the smallest."""
    return len(repair.limits), repair.refused, repair.size


def show_outcome(outcome: Outcome, job: Job) -> list[str]:
    """What is said of an outcome."""
    tried = f"{outcome.tried:,} edits tried" + ("" if outcome.complete else " in the time there was")
    if not outcome.results:
        return [f"no single edit makes it right ({tried})"]
    rank = min(rank_of(repair) for repair in outcome.results)
    smallest = [repair for repair in outcome.results if rank_of(repair) == rank]
    smallest.sort(key=lambda repair: len(repair.after))
    distinct = list({canonical(repair.after): repair for repair in reversed(smallest)}.values())[::-1]
    lines = [f"an edit that makes it right: {repair}" for repair in distinct[:MOST_SHOWN]]
    if len(distinct) > MOST_SHOWN:
        lines.append(f"and {len(distinct) - MOST_SHOWN} more of this size")
    others = sum(case.has_other_sizes for case in job.cases) - smallest[0].refused
    sizes = ", at other sizes too" if others > 0 else ""
    raises = "; it raises for others that the forward takes" if smallest[0].refused else ""
    return [*lines, f"(with it the rule agrees with your forward{sizes}{raises}; {tried})"]
