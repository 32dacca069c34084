"""`Finding`: one thing that is wrong with a training, and how one knows; the report that findings make."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from ...engine.location import Place
from ...engine.registry import if_open
from ...errors import show_count

FAULT, PERHAPS, NOTE = "fault", "perhaps", "note"
WIDTH = 100  # columns of a report
SHOWN = 8  # findings of a report; the rest follow from these as a rule, and are counted


@dataclass(frozen=True, repr=False)
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
    cause: Place | None = None  # another line to look at: the one that made the layer, the loader

    @property
    def is_alarm(self) -> bool:
        """Whether something has to be done."""
        return self.level != NOTE

    def __str__(self) -> str:
        head = {FAULT: "", PERHAPS: "perhaps: ", NOTE: "a note, no alarm: "}[self.level]
        lines = textwrap.wrap(head + self.what, WIDTH - 4)
        lines += [f"  {place}" for place in (self.place, self.cause) if place is not None]
        for label, text in (("seen", self.evidence), ("do", self.advice)):
            lines += textwrap.wrap(
                text, WIDTH - 4, initial_indent=f"  {label + ':':<6}", subsequent_indent=" " * 8
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        at = f", {self.place.at}" if self.place else ""
        return f"<{self.level} {self.kind}: {self.what}{at}>"

    def _repr_html_(self) -> str | None:
        return if_open("finding_html", self)


LARGE_STEPS = {"dead_units", "vanishing_gradient", "exploding_gradient", "saturated"}
CONSEQUENCES = {
    "exploding_recurrence": LARGE_STEPS | {"step_too_large", "not_finite", "diverged", "gradient_not_finite"},
    "step_too_large": LARGE_STEPS | {"diverged"},
    "summed_loss": LARGE_STEPS | {"diverged"},
    "not_normalised": {"dead_units", "vanishing_gradient", "exploding_gradient", "step_too_large"},
    "dead_units": {"vanishing_gradient"},
    "relu_before_loss": {"dead_units"},
    "constant_input": {"reused_buffer", "vanishing_gradient", "dead_units", "symmetric_units"},
    "zero_weights": {"vanishing_gradient", "dead_units"},
    "layers_in_a_list": {"not_optimised"},
    "stale_gradients": {"step_too_large"},
    "wrong_sign": {"step_too_large", "summed_loss"},
    "data_not_finite": LARGE_STEPS | {"constant_loss"},
    "not_finite": {"constant_loss"},
    "wrong_mode_of_plateau": {"rate_has_ended"},
    "growing_activations": LARGE_STEPS | {"large_weights", "step_too_large", "summed_loss"},
    "fading_activations": LARGE_STEPS | {"constant_loss"},
    "rebound": {"no_step", "constant_loss", "not_optimised"},
    "no_gradient": {"constant_loss"},
    "rows_normalised": {"large_offset"},
    "divergence_of_probabilities": {"step_too_large", "wrong_sign"},
    "divergence_from_logarithms": {"not_finite", "diverged", "constant_loss"},
    "gradient_not_finite": {"not_finite", "diverged", "step_too_large", "constant_loss"},
    "gradients_cleared": {"another_model"},
    "no_step": {"not_optimised"},
}
"""What follows from what: a report says the first alone."""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of a report: alarms before notes, the worst first, each but once; without those
    that follow from others.
    """
    order = {FAULT: 0, PERHAPS: 1, NOTE: 2}
    different = {(finding.kind, finding.what): finding for finding in findings}
    causes = {finding.kind for finding in different.values() if finding.level == FAULT}
    following = {kind for cause in causes for kind in CONSEQUENCES.get(cause, ())}
    causes_left = [finding for finding in different.values() if finding.kind not in following]
    return sorted(causes_left, key=lambda finding: (order[finding.level], -finding.weight))


def headline(findings: list[Finding], watched: str) -> str:
    """How many alarms there are."""
    alarms = sum(finding.is_alarm for finding in findings)
    told = f"{show_count(alarms, 'finding')}, the worst first" if alarms else "nothing wrong"
    return f"doctor: {watched}: {told}"


def report(findings: list[Finding], watched: str) -> str:
    """Findings as text; one line, if there are none."""
    parts = [headline(findings, watched)]
    for number, finding in enumerate(findings[:SHOWN], 1):
        parts.append(textwrap.indent(str(finding), "   ").replace("   ", f"{number}. ", 1))
    if len(findings) > SHOWN:
        parts.append(f"… and {len(findings) - SHOWN} more: `d.findings`, or once these are mended")
    return "\n\n".join(parts)
