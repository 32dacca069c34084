"""Where edits are tried: in a child process, which can be stopped, with memory of its own and a limit to it.

An edit may loop for ever, ask for all memory there is, or print. The child is a copy of this process (a
fork), so that rules and inputs need not be sent; where there is no fork, as on Windows, nothing is tried.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...engine.declare import Rule
from ...engine.op import Op
from ..calls import RecordedCall
from ..diagnosis.culprit import fault_alone
from ..tolerance import Tolerance, WrongEntry
from .edits import Edit, described, edits_of
from .exam import Case
from .scope import Scope

MEMORY = 1 << 30  # bytes that a child may take beyond what it has
LONGEST = 0.5  # seconds of computing that one edit may take
STUCK = 2.0  # seconds after which a child is stopped that does not get on, for it cannot stop itself
POLL = 0.02  # seconds between looks at the child
FOUND_ENOUGH = 8  # repairs of one size


class Repair(NamedTuple):
    """An edit that makes a rule right: where, and what stands there before and after."""

    size: int
    line: int  # in the function, its first being 1
    before: str
    after: str
    reads: tuple[str, ...]  # what the rule has to read beside what it reads already


class Job(NamedTuple):
    """A rule to be mended."""

    call: RecordedCall
    argument: int
    rule: Rule
    definition: ast.FunctionDef
    scope: Scope
    cases: list[Case]
    order: int
    tolerance: Tolerance
    namespace: dict[str, Any]  # what the rule sees beside its own names


class Outcome(NamedTuple):
    """What trying gave: the repairs, how many edits were tried, and whether those were all."""

    repairs: list[Repair]
    tried: int
    complete: bool


def try_edits(job: Job, seconds: float) -> Outcome:
    """Try edit after edit until some of one size are found, none is left, or the time is over."""
    ends = time.monotonic() + seconds
    repairs: list[Repair] = []
    first, complete = 0, False
    while not complete and time.monotonic() < ends:
        child = Child(job, first)
        complete = child.watch(ends, repairs)
        first = child.at.value + 1
        if repairs:  # what was stuck comes after them
            break
    return Outcome(repairs, first, complete)


class Child:
    """A process that tries the edits from one on."""

    def __init__(self, job: Job, first: int) -> None:
        context = multiprocessing.get_context("fork")
        self.at: Any = context.Value("q", first, lock=False)  # the edit that it tries
        self.receiver, sender = context.Pipe(duplex=False)
        self.process: Any = context.Process(target=work, args=(job, first, self.at, sender), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from 3.12 on: of forks beside threads; ours start anew
            self.process.start()
        sender.close()

    def watch(self, ends: float, repairs: list[Repair]) -> bool:
        """Take repairs in until it has tried all (True), or has to be stopped."""
        last, since = self.at.value, time.monotonic()
        try:
            while time.monotonic() < ends:
                while self.receiver.poll(POLL):
                    message = self.receiver.recv()
                    if message is None:
                        return True
                    repairs.append(message)
                if self.at.value != last:
                    last, since = self.at.value, time.monotonic()
                elif time.monotonic() - since > STUCK or not self.process.is_alive():
                    return False
            return False
        except EOFError:  # it died, of too much memory perhaps
            return False
        finally:
            self.process.kill()
            self.process.join()
            self.receiver.close()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError inside the block once it has computed for so long."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def out_of_time(*_: object) -> None:
    """The handler of that."""
    raise TimeoutError


def work(job: Job, first: int, at: Any, sender: Any) -> None:
    """What the child does: send each repair, and None at the end."""
    be_quiet()
    limit_memory()
    signal.signal(signal.SIGVTALRM, out_of_time)
    sizes: set[int] = set()
    count = 0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, edit in enumerate(edits_of(job.definition, job.scope)):
            if sizes and (edit.size > max(sizes) or count >= FOUND_ENOUGH):
                break
            if number < first:
                continue
            at.value = number
            if mends(edit, job):
                sizes.add(edit.size)
                count += 1
                sender.send(repair_of(edit))
    sender.send(None)


def be_quiet() -> None:
    """Print nothing from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def limit_memory() -> None:
    """Have the process take so much more memory and no more; where that can be said."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def mends(edit: Edit, job: Job) -> bool:
    """Whether a rule is right with an edit. What makes nonsense fails, or takes too long."""
    try:
        with at_most(LONGEST):
            mended = mended_by(edit, job)
        with at_most(4 * LONGEST):
            return mended is not None and makes_right(mended, job)
    except Exception:
        return False


def mended_by(edit: Edit, job: Job) -> Rule | None:
    """The rule with an edit, if it passes all cases."""
    old = edit.place.content
    more_params = tuple(name for name in edit.reads if name in job.call.op.params)
    more_values = tuple(name for name in edit.reads if name not in more_params)
    reads, params = (*job.rule.reads, *more_values), (*job.rule.params, *more_params)
    ast.fix_missing_locations(ast.copy_location(edit.new, old))
    edit.place.put(edit.new)
    try:
        function = compiled(job, more_values, more_params)
        if all(case.passed_by(function, reads, params) for case in job.cases):
            return Rule(job.call.op, job.rule.argument, function, leading=1)
    finally:
        edit.place.put(old)
    return None


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


def makes_right(mended: Rule, job: Job) -> bool:
    """Whether the op with this rule passes the whole check, up to the order that was asked for.

    Another rule of the op may be wrong too: then this one is checked by itself.
    """
    call = replace(job.call, op=with_rule(job.call.op, mended))
    for order in range(1, job.order + 1):
        fault = fault_alone(call, order, job.tolerance)
        if fault is None:
            continue
        alone = None if mended.variadic or blames(fault, order) == job.argument else call.only(job.argument)
        if alone is None or fault_alone(alone, order, job.tolerance) is not None:
            return False
    return True


def blames(fault: Exception, order: int) -> int | None:
    """The number of the input whose gradient has a wrong entry."""
    if not isinstance(fault, WrongEntry):
        return None
    return fault.input if order == 1 else fault.output


def with_rule(op: Op, rule: Rule) -> Op:
    """A copy of an op with another rule; the op itself stays as it is."""
    copy: Op = object.__new__(type(op))
    copy.__dict__.update(op.__dict__)
    position = op.inputs.index(rule.argument)
    copy.rules = [*op.rules[:position], rule, *op.rules[position + 1 :]]
    copy._plans = {}
    return copy


def repair_of(edit: Edit) -> Repair:
    """What is said of an edit."""
    return Repair(edit.size, *described(edit), edit.reads)
