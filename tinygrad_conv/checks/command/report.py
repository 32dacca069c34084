"""Checking an op: the report of what came of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, Literal, NamedTuple

from ...engine.op import Op
from ...errors import GradcheckError
from ..calls import calls_of
from ..cases import Case, Sample
from ..fault import Fault
from ..surrogates import show_surrogates, surrogate_rules
from ..tolerance import Tolerance
from .guess import Guess, cases_of, guess, show_inputs
from .judge import judge
from .op_check import check_dtypes, check_layouts, check_scalars, compare_gradients, function_of

CHECKS: dict[str, Callable[[Case, Sample], Any]] = {
    "gradients": compare_gradients,
    "dtypes": check_dtypes,
    "layouts": check_layouts,
}
GUESSED = "inputs guessed"


class Asked(NamedTuple):
    """What the command line asks for."""

    order: Literal[1, 2] = 2
    repair: bool = False
    adequacy: bool = False


@dataclass
class Report:
    """What checking an op gave: the number of samples, and each check's message of its first failure.

    used, refused: where no inputs were declared, those that were tried; unsure: why it was not checked.
    """

    op: Op
    samples: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    refused: str = ""
    unsure: str = ""
    blind_spots: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """What came of it all."""
        if self.failures:
            return "wrong"
        return "not checked" if self.unsure else "right"

    def verdict_of(self, check: str) -> str:
        """What came of a check, in a word."""
        if check in self.failures:
            return "WRONG"
        return "-" if self.unsure or not self.samples else "ok"

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "op": self.op.name,
            "verdict": self.verdict,
            "rules": [name for name, rule in zip(self.op.inputs, self.op.rules) if rule],
            "samples": self.samples,
            "checks": {check: self.verdict_of(check) for check in CHECKS},
            "failures": self.failures,
            "not_checked_because": self.unsure,
            "notes": self.notes,
            "inputs": self.used,
            "refused": self.refused,
            "blind_spots": self.blind_spots,
        }


USUAL = Asked()


def report_on(op: Op, asked: Asked = USUAL) -> Report:
    """Check an op on all samples of its cases; where there are none, on inputs that are found for it."""
    report = Report(op)
    cases = cases_of(op)
    if cases:
        add_notes(report)
        samples = [(case, sample) for case in cases for sample in case.samples()]
        check_samples(report, samples, asked)
        firsts = [next(case.samples()) for case in cases]
    else:
        firsts = report_on_guess(report, asked)
    note_failure(report, "dtypes", partial(check_scalars, op))
    if asked.adequacy and report.verdict == "right":
        report.blind_spots = blind_to(op, firsts)
    return report


def add_notes(report: Report) -> None:
    """Note what is particular about an op."""
    if report.op.once:
        report.notes.append("order 1 only")
    if surrogate_rules(report.op):
        report.notes.append(show_surrogates(report.op))


def report_on_guess(report: Report, asked: Asked) -> list[Sample]:
    """Check an op that has no case; the samples at which it is right."""
    op = report.op
    if op.differentiable and not any(op.rules):
        report.notes.append("no rule")
        report.unsure = f"it has no rule: declare one with @{op.name}.grad({op.inputs[0]!r})"
        return []
    try:
        guessed = guess(op)
    except Exception as error:  # out of its example
        report.failures["gradients"] = f"{op.name}: its example fails: {type(error).__name__}: {error}"
        guessed = Guess("its example")
    report.notes.append(GUESSED if guessed.how == "guessed" else guessed.how)
    add_notes(report)
    report.refused = guessed.refusals()
    if not guessed.samples:
        if not report.failures:
            report.notes[0] = "no case"
            report.unsure = f"no inputs could be guessed; declare one with case({op.name}, …)"
        return []
    report.used = [show_inputs(op, sample) for sample in guessed.samples]
    judgement = judge(op, guessed.samples, asked.order, guessed.declared)
    report.unsure = judgement.unsure and f"{judgement.unsure}: declare what it is made for"
    runs = [(case_of(op, sample), sample) for sample in judgement.right]
    if judgement.wrong is not None:
        runs = [(case_of(op, judgement.wrong), judgement.wrong)]
    if runs and not judgement.unsure:
        check_samples(report, runs, asked)
    if judgement.wrong is not None:
        report.failures.setdefault("gradients", f"{op.name} is wrong for {show_inputs(op, judgement.wrong)}")
    report.samples = len(guessed.samples)
    return judgement.right


def case_of(op: Op, sample: Sample) -> Case:
    """A sample that nobody declared, as a case."""
    return Case(op.name, sample.inputs, sample.params)


def check_samples(report: Report, samples: list[tuple[Case, Sample]], asked: Asked) -> None:
    """Run every check on every sample; dtypes only on the first of those that are no case's, for a half has
    few digits, and numbers that were guessed may need more.
    """
    for number, (case, sample) in enumerate(samples):
        report.samples += 1
        for name, check in CHECKS.items():
            if name == "dtypes" and number and not cases_of(report.op):
                continue
            if name == "gradients":
                check = partial(compare_gradients, order=asked.order, repair=asked.repair)
            note_failure(report, name, partial(check, case, sample))


def note_failure(report: Report, name: str, check: Callable[[], Any]) -> None:
    """Run a check, unless it has failed already; the message of its failure goes into the report."""
    if name in report.failures:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, as it should be
            check()
    except (GradcheckError, Fault) as error:
        report.failures[name] = str(error)
    except Exception as error:  # whatever an op does wrong, the table goes on
        report.failures[name] = f"{report.op.name} fails: {type(error).__name__}: {error}"


def blind_to(op: Op, samples: list[Sample]) -> list[str]:
    """Lines that say which wrong rules would have passed at all of these samples."""
    adequacy = import_module("..repair.adequacy", __package__)
    common: dict[Any, Any] = {}
    for number, sample in enumerate(samples):
        calls = [call for call in calls_of(function_of(op, sample), 1) if call.op is op and call.checked]
        spots = {spot[:3]: spot for call in calls for spot in adequacy.blind_spots(call, Tolerance())}
        common = {key: common[key] for key in common if key in spots} if number else spots
        if not common:
            return []
    lines: list[str] = adequacy.show_spots(list(common.values()))
    return lines
