"""Tables of sizes, of times, of programs, and of checks; what the doctor found, as cards, the worst first."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ...replay.listing import HEAD as LISTING_HEAD
from ...replay.listing import row, summed_up
from ...replay.profile import Profile
from ..checking import HEAD as CHECK_HEAD
from ..checking import Report
from ..flow import HEAD as FLOW_HEAD
from ..flow import LEGEND, FlowTable
from ..profiler import profile
from .markup import LINE, caption, disclosure, table

if TYPE_CHECKING:  # the doctor is opened late
    from ..doctor.examination import Doctor
    from ..doctor.finding import Finding
    from ..doctor.flow import Flow

MOST = 8  # findings; the rest follow from these as a rule, and are counted
SEVERITY = {"fault": "#d32f2f", "perhaps": "#ef8a00", "note": LINE}  # seen on white and on black
CARD = "border-left: 4px solid {}; padding: 0 0 0 0.8em; margin: 0.6em 0; text-align: left; max-width: 60em"


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


def show_layers(flow: Flow) -> str:
    """The gradient flow by layer; bars are on a logarithmic scale."""
    if not flow.layers:
        return caption(str(flow))
    head, *rows = flow.rows()
    return table(head, rows, words=(0, len(head) - 1))


def show_finding(finding: Finding) -> str:
    """What is wrong, where, how one knows, and what to do."""
    places = [place for place in (finding.place, finding.cause) if place is not None]
    parts = [f"<b>{escape(finding.what)}</b>"]
    parts += [f'<span style="font-family: monospace">{escape(str(place))}</span>' for place in places]
    parts += [f"<i>seen:</i> {escape(finding.evidence)}"] if finding.evidence else []
    parts += [f"<i>do:</i> {escape(finding.advice)}"] if finding.advice else []
    lines = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="{CARD.format(SEVERITY[finding.level])}">{lines}</div>'


def show_doctor(doctor: Doctor) -> str:
    """The report: findings, the worst first, and the flow of gradients behind a click."""
    findings = doctor.findings
    cards = "".join(map(show_finding, findings[:MOST]))
    left_out = caption(f"… and {len(findings) - MOST} more: `.findings`") if len(findings) > MOST else ""
    head = f"<div>{escape(str(doctor).splitlines()[0])}</div>"
    return f"{head}{cards}{left_out}{disclosure('the gradient flow by layer', show_layers(doctor.flow))}"
