"""Could the inputs tell? What a check that passed is blind to.

Where stride equals dilation, or rows are as many as columns, a rule that confuses them passes. So the right
rule is broken, one slip at a time: a slip that passes at the inputs that were checked, and fails at others
which the forward takes as well, is one that these inputs cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ...members import grouped
from ..calls import RecordedCall
from ..tolerance import Tolerance
from .edited import Candidate, Job, edited, job_of
from .edits import Edit, described, edits_by, place_of
from .expressions import slips
from .workshop import Attempt, is_open, try_all

SECONDS = 5.0  # for which slips are tried, for each rule
ENOUGH = 40  # blind spots of a rule
MOST_SHOWN = 3


class BlindSpot(NamedTuple):
    """A slip that the inputs cannot tell from the right rule, and inputs that can."""

    place: str
    before: str
    after: str
    told_by: str


def blind_spots(call: RecordedCall, tolerance: Tolerance, seconds: float = SECONDS) -> list[BlindSpot]:
    """What the inputs of a call, whose rules are right, cannot tell from these rules."""
    spots: list[BlindSpot] = []
    for argument in range(len(call.checked)) if is_open() else ():
        rule = call.rule_of(argument)
        job = job_of(call, argument, rule, 1, tolerance) if rule is not None else None
        if job is not None and rule is not None:
            right = Candidate(rule.function, rule.reads, rule.params)
            # where the right rule raises it is not made for that
            job = job._replace(
                cases=[case for case in job.cases if not case.is_beyond and not right.fails(case)]
            )
        if job is not None and len(job.cases) > 1:
            spots += try_all(partial(attempts, job), seconds).results
    return spots


def attempts(job: Job, results: list[Any]) -> Iterator[Attempt]:
    """Slip after slip."""
    for edit in edits_by(slips, 1, job.definition, job.scope):
        if len(results) >= ENOUGH:
            return
        if not edit.reads:
            yield partial(blind_spot_by, edit, job)


def blind_spot_by(edit: Edit, job: Job) -> BlindSpot | None:
    """A slip as a blind spot, if it is one."""
    candidate = edited(edit, job)
    first, *others = job.cases
    if not candidate.passes(first):
        return None
    told_by = next((case.label for case in others if candidate.fails(case)), None)
    if told_by is None:  # it changes nothing anywhere
        return None
    return BlindSpot(place_of(edit, job.rule.function), *described(edit), told_by)


def show_spots(spots: list[BlindSpot]) -> list[str]:
    """What is said of blind spots: for each cure the first slips that it would tell."""
    lines = []
    for cure, its_spots in grouped((spot.told_by, spot) for spot in spots).items():
        lines.append(f"these inputs cannot tell the rule from wrong ones; try {cure}:")
        lines += [f"  {spot.place}   {spot.before}  as  {spot.after}" for spot in its_spots[:MOST_SHOWN]]
        if len(its_spots) > MOST_SHOWN:
            lines.append(f"  and {len(its_spots) - MOST_SHOWN} more")
    return lines
