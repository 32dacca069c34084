"""The table of `python -m tinygrad_conv check`: a line for each op, then what is to be said of some."""

from __future__ import annotations

from collections.abc import Iterator

from .report import CHECKS, GUESSED, Report

WIDTHS = (24, 14, 9, 11, 9, 9)


def print_table(reports: Iterator[Report]) -> list[Report]:
    """Print a line for each op as it is checked, then what is wrong and what is not sure; the reports."""
    print(row(["op", "rules", "samples", *CHECKS, ""]))
    printed = []
    for report in reports:
        print(row(cells(report)), flush=True)
        printed.append(report)
    for report in printed:
        print_inputs(report)
        print_failures(report)
    for report in printed:
        if report.blind_spots:
            print(f"\n{report.op.name}: " + "\n  ".join(report.blind_spots))
    return printed


def cells(report: Report) -> list[str]:
    """An op's line in the table."""
    op = report.op
    rules = " ".join(name for name, rule in zip(op.inputs, op.rules) if rule) or "-"
    verdicts = [report.verdict_of(check) for check in CHECKS]
    notes = ["not checked"] if report.verdict == "not checked" else []
    return [op.name, rules, str(report.samples), *verdicts, "; ".join([*notes, *report.notes])]


def print_inputs(report: Report) -> None:
    """Print which inputs were found for an op that has no case, and which were refused."""
    if report.used:
        print(f"\n{report.op.name}: checked on " + "; ".join(report.used))
    if report.refused and (GUESSED in report.notes or report.unsure):
        print(f"  {report.refused}" if report.used else f"\n{report.op.name}: {report.refused}")


def print_failures(report: Report) -> None:
    """Print what is wrong with an op, each message once; or why it was not checked."""
    if report.failures:
        print("\n" + "\n".join(dict.fromkeys(report.failures.values())))
    elif report.unsure:
        print(f"\n{report.op.name}: not checked, because {report.unsure}")
    if (report.failures or report.unsure) and GUESSED in report.notes:
        name = report.op.name
        advice = f"say which it is made for: case({name}, normal('n m'), …) or @{name}.example, see --help"
        print(f"  (the inputs were guessed; {advice})")


def row(cells: list[str]) -> str:
    """A line of the table."""
    return " ".join(cell.ljust(width) for cell, width in zip(cells, (*WIDTHS, 0))).rstrip()
