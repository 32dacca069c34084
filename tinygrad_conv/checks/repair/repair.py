"""From a call whose rule is wrong to the edits that mend it, and what is said of them."""

from __future__ import annotations

import inspect
import math
import multiprocessing
import sys
from typing import Any

from ...engine.declare import Rule
from ...engine.location import show_path
from ..calls import RecordedCall
from ..diagnosis.culprit import Culprit
from ..diagnosis.rule_source import parse_definition
from ..tolerance import Tolerance
from .exam import REFUSALS, cases_of
from .scope import PACKAGE, scope_of
from .workshop import Job, Outcome, Repair, blames, try_edits

SECONDS = 5.0  # for which edits are tried
MOST_SHOWN = 3  # repairs


def repairs_of(
    culprit: Culprit, rule: Rule, order: int, tolerance: Tolerance, seconds: float = SECONDS
) -> list[str]:
    """Lines that say which edits make a culprit's rule right up to an order; none where none can be tried."""
    if "fork" not in multiprocessing.get_all_start_methods():  # as on Windows
        return []
    if multiprocessing.current_process().daemon:  # it may not have children
        return []
    argument = argument_of(culprit, rule)
    job = job_of(culprit.call, argument, rule, order, tolerance)
    return [] if job is None else lines_of(rule, try_edits(job, seconds), len(job.cases))


def argument_of(culprit: Culprit, rule: Rule) -> int:
    """The number of the checked input whose gradient is wrong."""
    call, order, fault = culprit
    blamed = blames(fault, order)
    if blamed is not None:
        return blamed
    return next(number for number in range(len(call.checked)) if call.rule_of(number) is rule)


def job_of(call: RecordedCall, argument: int, rule: Rule, order: int, tolerance: Tolerance) -> Job | None:
    """What there is to do; None where the rule's source is not at hand, or its forward has no differences."""
    function: Any = rule.function
    try:
        lines, _ = inspect.getsourcelines(function)
        definition = parse_definition(function, lines)
        cases = cases_of(call, argument, tolerance)
    except (OSError, TypeError, SyntaxError, *REFUSALS):
        return None
    if definition is None:
        return None
    definition.decorator_list = []
    scope = scope_of(rule, cases[0])
    names = names_around(function, scope.package)
    return Job(call, argument, rule, definition, scope, cases, order, tolerance, names)


def names_around(function: Any, package: str) -> dict[str, Any]:
    """What a function sees beside its own names; this package and `math` in any case."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    return {
        package: sys.modules[PACKAGE],
        "math": math,
        **function.__globals__,
        **{name: cell.cell_contents for name, cell in cells},
    }


def lines_of(rule: Rule, outcome: Outcome, cases: int) -> list[str]:
    """What is said of an outcome."""
    tried = f"{outcome.tried:,} edits tried" + ("" if outcome.complete else " in the time there was")
    if not outcome.repairs:
        return [f"no single edit makes it right ({tried})"]
    size = min(repair.size for repair in outcome.repairs)
    smallest = [repair for repair in outcome.repairs if repair.size == size]
    smallest.sort(key=lambda repair: abs(len(repair.after) - len(repair.before)))
    distinct = list({repair.after: repair for repair in smallest}.values())
    lines = [f"an edit that makes it right: {shown(rule, repair)}" for repair in distinct[:MOST_SHOWN]]
    if len(distinct) > MOST_SHOWN:
        lines.append(f"and {len(distinct) - MOST_SHOWN} more of this size")
    sizes = ", at other sizes too" if cases > 2 else ""
    return [*lines, f"(with it the rule agrees with your forward{sizes}; {tried})"]


def shown(rule: Rule, repair: Repair) -> str:
    """A repair with its line."""
    _, first = inspect.getsourcelines(rule.function)
    path = show_path(rule.function.__code__.co_filename)
    edit = f"{path}:{first + repair.line - 1}   {repair.before}  →  {repair.after}"
    return edit + (f"   (and have the rule read {', '.join(repair.reads)})" if repair.reads else "")
