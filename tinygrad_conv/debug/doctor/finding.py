"""`Finding`: one thing that is wrong with a training, with its evidence; and the report that findings make."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from ...engine.location import Place
from ...errors import show_count

FAULT, PERHAPS, NOTE = "fault", "perhaps", "note"
WIDTH = 100  # columns of a report
SHOWN = 8  # findings of a report; the rest follow from these as a rule, and are counted


@dataclass(frozen=True)
class Finding:
    """What is wrong, how one knows, where, and what to do.

    level: `fault`; `perhaps`, where it may be meant; `note`, which is no alarm. weight: how bad it is, which
    says what comes first. kind: its name, `stale_gradients`, for programs.
    """

    kind: str
    what: str
    evidence: str
    advice: str
    place: Place | None = None
    level: str = FAULT
    weight: float = 50.0

    @property
    def is_alarm(self) -> bool:
        """Whether something has to be done."""
        return self.level != NOTE

    def __str__(self) -> str:
        head = {FAULT: "", PERHAPS: "perhaps: ", NOTE: "a note, no alarm: "}[self.level]
        lines = textwrap.wrap(head + self.what, WIDTH - 4)
        if self.place is not None:
            lines.append(f"  {self.place}")
        for label, text in (("seen", self.evidence), ("do", self.advice)):
            lines += textwrap.wrap(
                text, WIDTH - 4, initial_indent=f"  {label + ':':<6}", subsequent_indent=" " * 8
            )
        return "\n".join(lines)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of a report: alarms before notes, the worst first, each but once."""
    order = {FAULT: 0, PERHAPS: 1, NOTE: 2}
    different = {(finding.kind, finding.what): finding for finding in findings}
    return sorted(different.values(), key=lambda finding: (order[finding.level], -finding.weight))


def report(findings: list[Finding], watched: str) -> str:
    """Findings as text; one line, if there are none."""
    alarms = [finding for finding in findings if finding.is_alarm]
    if not alarms:
        head = f"doctor: {watched}: nothing wrong"
    else:
        head = f"doctor: {watched}: {show_count(len(alarms), 'finding')}, the worst first"
    parts = [head]
    for number, finding in enumerate(findings[:SHOWN], 1):
        parts.append(textwrap.indent(str(finding), "   ").replace("   ", f"{number}. ", 1))
    if len(findings) > SHOWN:
        parts.append(f"… and {len(findings) - SHOWN} more: `d.findings`, or once these are mended")
    return "\n\n".join(parts)
