"""A rule with an edit: compiled, and held against what a right rule gives."""

from __future__ import annotations

import ast
import inspect
import math
import sys
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...engine.op import Op
from ...engine.rule import Rule
from ...foreign import PACKAGE
from ..calls import RecordedCall
from ..diagnosis.culprit import fault_alone
from ..diagnosis.rule_source import parse_definition
from ..directions import Probe
from ..introspection import REFUSALS, copy_of
from ..pullback import Pullback, gradient_of
from ..tolerance import Tolerance, WrongEntry
from .edits import Edit
from .exam import Case, cases_of
from .rule_names import RuleNames, names_for


class Job(NamedTuple):
    """A rule whose edits are tried, for one of the inputs of a call, or a derivation of a kept value."""

    call: RecordedCall
    argument: int | str  # the number of a checked input, or the name of a kept value that the rule derives
    rule: Rule
    definition: ast.FunctionDef
    scope: RuleNames
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

    def fails(self, case: Case) -> bool:
        """Whether it gives what is wrong there, or raises."""
        try:
            return not self.passes(case)
        except Exception:
            return True

    def limits(self, cases: list[Case]) -> tuple[str, ...]:
        """The cases of other signs or with zeros where it is wrong, in words."""
        return tuple([case.label for case in cases if case.is_beyond and self.fails(case)])

    def times_refused(self, cases: list[Case]) -> int | None:
        """At how many cases it raises, of those where it may; at the others it gives what is right.

        None where it does not.
        """
        refused = 0
        for case in cases:
            if case.is_beyond:
                continue
            try:
                if not self.passes(case):
                    return None
            except REFUSALS:
                if not case.may_raise:
                    return None
                refused += 1
        return refused


def job_of(
    call: RecordedCall, argument: int | str, rule: Rule, order: int, tolerance: Tolerance
) -> Job | None:
    """What there is to do; None where the rule's source is not at hand, or its forward has no differences."""
    function: Any = rule.function
    try:
        lines, _ = inspect.getsourcelines(function)
        definition = parse_definition(function, lines)
        cases = cases_of(call, argument, rule, tolerance)
    except (OSError, TypeError, SyntaxError, *REFUSALS):
        return None
    if definition is None:
        return None
    definition.decorator_list = []
    scope = names_for(rule, cases)
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
    more_params = tuple(name for name in edit.reads if name in job.call.op.params)
    more_values = tuple(name for name in edit.reads if name not in more_params)
    reads, params = (*job.rule.reads, *more_values), (*job.rule.params, *more_params)
    with edit.made():
        return Candidate(compiled(job, more_values, more_params), reads, params)


def compiled(job: Job, more_values: tuple[str, ...], more_params: tuple[str, ...]) -> Any:
    """The rule's function as its tree is now, with these parameters beside its own."""
    tree = job.definition
    own = tree.args
    if more_values or more_params:
        leading = len(job.cases[0].leading[0])
        tree.args = with_parameters(own, leading + len(job.rule.reads), more_values, more_params)
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
    call = replace(job.call, op=with_candidate(job.call.op, candidate, job))
    if job.order == 2 and not is_right_along_a_direction(call, job.tolerance):
        return False
    for order in range(1, job.order + 1):
        fault = fault_alone(call, order, job.tolerance)
        if fault is None:
            continue
        argument = job.argument
        if isinstance(argument, str) or job.rule.variadic or blames(fault, order) == argument:
            return False
        if fault_alone(call.only(argument), order, job.tolerance) is not None:
            return False
    return True


def is_right_along_a_direction(call: RecordedCall, tolerance: Tolerance) -> bool:
    """Whether one sum over the gradient's own Jacobian is right, which is told fast; True where the whole
    check has to tell: of calls that have kinks, or other wrong rules.
    """
    rng = np.random.default_rng(0)
    gradient = gradient_of(call.function(), rng)
    return Probe(Pullback(gradient, lifted=False), tolerance, rng).agrees()


def blames(fault: Exception, order: int) -> int | None:
    """The number of the input whose gradient has a wrong entry."""
    if not isinstance(fault, WrongEntry):
        return None
    return fault.input if order == 1 else fault.output


def with_candidate(op: Op, candidate: Candidate, job: Job) -> Op:
    """A copy of an op with a candidate in the place of the rule, or of the derivation."""
    leading = len(job.cases[0].leading[0])
    rule = Rule(op, job.rule.argument, candidate.function, leading=leading, of=job.rule.of)
    if isinstance(job.argument, str):
        return copy_of(op, derivations={**op.derivations, job.argument: rule}, _plans={})
    position = op.inputs.index(rule.argument)
    return copy_of(op, rules=[*op.rules[:position], rule, *op.rules[position + 1 :]], _plans={})
