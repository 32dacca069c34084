"""The table of `python -m tinygrad_conv check`: a line for each op, then what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...engine.op import Op
from ...errors import GradcheckError
from ..cases import Case, Sample
from ..fault import Fault
from ..surrogates import show_surrogates, surrogate_rules
from .guess import cases_of
from .op_check import check_dtypes, check_layouts, check_scalars, compare_gradients

CHECKS: dict[str, Callable[[Case, Sample], Any]] = {
    "gradients": compare_gradients,
    "dtypes": check_dtypes,
    "layouts": check_layouts,
}
GUESSED = "inputs guessed"
WIDTHS = (24, 14, 9, 11, 9, 9)


@dataclass
class Report:
    """What checking an op gave: the number of samples, and each check's message of its first failure."""

    op: Op
    samples: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The op's line in the table."""
        rules = " ".join(name for name, rule in zip(self.op.inputs, self.op.rules) if rule) or "-"
        verdicts = [self.verdict(check) for check in CHECKS]
        return [self.op.name, rules, str(self.samples), *verdicts, "; ".join(self.notes)]

    def verdict(self, check: str) -> str:
        """What came of a check, in a word."""
        if not self.samples:
            return "-"
        return "WRONG" if check in self.failures else "ok"


def report_on(op: Op) -> Report:
    """Check an op on all samples of its cases; where they were guessed, on the first sample."""
    report = Report(op)
    cases, guessed = cases_of(op)
    if not cases:
        text = f"{op.name}: no inputs could be guessed; declare one with case({op.name}, …)"
        report.failures["gradients"] = text
        report.notes.append("no case")
    elif guessed:
        report.notes.append(GUESSED)
    if op.once:
        report.notes.append("order 1 only")
    if surrogate_rules(op):
        report.notes.append(show_surrogates(op))
    for case in cases:
        for sample in list(case.samples())[: 1 if guessed else None]:
            report.samples += 1
            for name, check in CHECKS.items():
                note_failure(report, name, partial(check, case, sample))
    note_failure(report, "dtypes", partial(check_scalars, op))
    return report


def note_failure(report: Report, name: str, check: Callable[[], Any]) -> None:
    """Run a check; the message of its first failure goes into the report."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, as it should be
            check()
    except (GradcheckError, Fault) as error:
        report.failures.setdefault(name, str(error))
    except Exception as error:  # whatever an op does wrong, the table goes on
        report.failures.setdefault(name, f"{report.op.name} fails: {type(error).__name__}: {error}")


def print_table(reports: Iterator[Report]) -> int:
    """Print a line for each op as it is checked, then what is wrong; return how many are."""
    print(row(["op", "rules", "samples", *CHECKS, ""]))
    wrong = []
    for report in reports:
        print(row(report.cells()), flush=True)
        if report.failures:
            wrong.append(report)
    for report in wrong:
        print_failures(report)
    return len(wrong)


def print_failures(report: Report) -> None:
    """Print what is wrong with an op, each message once."""
    print("\n" + "\n".join(dict.fromkeys(report.failures.values())))
    if GUESSED in report.notes:
        advice = f"say which it is made for: case({report.op.name}, normal('n m'), …), see --help"
        print(f"  (the inputs were guessed; {advice})")


def row(cells: list[str]) -> str:
    """A line of the table."""
    return " ".join(cell.ljust(width) for cell, width in zip(cells, (*WIDTHS, 0))).rstrip()
