"""A rule with an edit: compiled, and held against what a right rule gives."""

from __future__ import annotations

import ast
import inspect
import math
import sys
from dataclasses import replace
from typing import Any, NamedTuple

from ...engine.declare import Rule
from ...engine.op import Op
from ..calls import RecordedCall
from ..diagnosis.culprit import fault_alone
from ..diagnosis.rule_source import parse_definition
from ..introspection import REFUSALS, copy_of
from ..tolerance import Tolerance, WrongEntry
from .edits import Edit
from .exam import Case, cases_of
from .scope import PACKAGE, Scope, scope_of


class Job(NamedTuple):
    """A rule whose edits are tried, for one of the inputs of a call."""

    call: RecordedCall
    argument: int
    rule: Rule
    definition: ast.FunctionDef
    scope: Scope
    cases: list[Case]
    order: int
    tolerance: Tolerance
    namespace: dict[str, Any]  # what the rule sees beside its own names


class Candidate(NamedTuple):
    """A function that may be the rule, and the values and params that it reads."""

    function: Any
    reads: tuple[str, ...]
    params: tuple[str, ...]

    def passes(self, case: Case) -> bool:
        """Whether it gives what is right there."""
        return case.passed_by(self.function, self.reads, self.params)


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


def edited(edit: Edit, job: Job) -> Candidate:
    """The rule with an edit."""
    old = edit.place.content
    more_params = tuple(name for name in edit.reads if name in job.call.op.params)
    more_values = tuple(name for name in edit.reads if name not in more_params)
    reads, params = (*job.rule.reads, *more_values), (*job.rule.params, *more_params)
    ast.fix_missing_locations(ast.copy_location(edit.new, old))
    edit.place.put(edit.new)
    try:
        return Candidate(compiled(job, more_values, more_params), reads, params)
    finally:
        edit.place.put(old)


def compiled(job: Job, more_values: tuple[str, ...], more_params: tuple[str, ...]) -> Any:
    """The rule's function as its tree is now, with these parameters beside its own."""
    tree = job.definition
    own = tree.args
    if more_values or more_params:
        tree.args = with_parameters(own, 1 + len(job.rule.reads), more_values, more_params)
    try:
        code = compile(ast.Module([tree], []), job.rule.function.__code__.co_filename, "exec")
    finally:
        tree.args = own
    exec(code, job.namespace)
    return job.namespace[tree.name]


def with_parameters(
    own: ast.arguments, place: int, values: tuple[str, ...], params: tuple[str, ...]
) -> ast.arguments:
    """A rule's parameters and more: values from a place on, before the params."""
    new = ast.arguments(**dict(ast.iter_fields(own)))
    new.args = [*own.args[:place], *map(ast.arg, values), *own.args[place:], *map(ast.arg, params)]
    for argument in new.args[place:]:
        ast.copy_location(argument, own.args[0])
    return new


def makes_right(candidate: Candidate, job: Job) -> bool:
    """Whether the op with this rule passes the whole check, up to the order that was asked for.

    Another rule of the op may be wrong too: then this one is checked by itself.
    """
    rule = Rule(job.call.op, job.rule.argument, candidate.function, leading=1, of=job.rule.of)
    call = replace(job.call, op=with_rule(job.call.op, rule))
    for order in range(1, job.order + 1):
        fault = fault_alone(call, order, job.tolerance)
        if fault is None:
            continue
        alone = None if rule.variadic or blames(fault, order) == job.argument else call.only(job.argument)
        if alone is None or fault_alone(alone, order, job.tolerance) is not None:
            return False
    return True


def blames(fault: Exception, order: int) -> int | None:
    """The number of the input whose gradient has a wrong entry."""
    if not isinstance(fault, WrongEntry):
        return None
    return fault.input if order == 1 else fault.output


def with_rule(op: Op, rule: Rule) -> Op:
    """A copy of an op with another rule."""
    position = op.inputs.index(rule.argument)
    return copy_of(op, rules=[*op.rules[:position], rule, *op.rules[position + 1 :]], _plans={})
