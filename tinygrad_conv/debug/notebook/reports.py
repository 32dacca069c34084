"""Tables of sizes, of times, of programs, and of checks."""

from __future__ import annotations

from typing import Any

from ...replay.listing import HEAD as LISTING_HEAD
from ...replay.listing import row, summed_up
from ...replay.profile import Profile
from ..checking import HEAD as CHECK_HEAD
from ..checking import Report
from ..flow import HEAD as FLOW_HEAD
from ..flow import LEGEND, FlowTable
from ..profiler import profile
from .markup import caption, table


def show_flow(flow: FlowTable) -> str:
    """How large the numbers of a backward are, op by op."""
    return f"{table(FLOW_HEAD, flow.rows(flow), words=(0, 1))}{caption(LEGEND)}"


def show_profile(profiled: profile) -> str:
    """Where time and memory went, by op and by layer."""
    tables = [profiled.rows(by) for by in ("op", "layer")]
    return "".join(table(head, rows, words=(0, len(head) - 1)) for head, *rows in tables)


def show_program(shown: Any) -> str:
    """The calls of a replayed step, and how long each takes where that was measured."""
    if isinstance(shown, Profile):
        head, *rows = shown.rows()
        return f"{table(head, rows, words=(2, 3, 5, 6))}{caption(shown.verdict)}"
    recorded = shown.recorded
    rows = [row(line, recorded) for line in recorded.lines]
    return f"{table(LISTING_HEAD, rows, words=(0, 1, 3, 4))}{caption(summed_up(recorded))}"


def show_report(report: Report) -> str:
    """Each rule beside finite differences and the literal kernels."""
    rows = [check.columns() for check in report]
    return f"{table(CHECK_HEAD, rows, words=(0, 4, 5, 6))}{caption(report.verdict())}"
