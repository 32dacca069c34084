"""Plain text tables."""

from __future__ import annotations

from collections.abc import Sequence

from .ratios import Summary

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A title, a header and rows, in columns; the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    shown = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]
    return "\n".join([title, shown[0].rstrip(), "-" * len(shown[0]), *(line.rstrip() for line in shown[1:])])


def show_time(seconds: float) -> str:
    """Three digits and a unit."""
    scale, unit = next((unit for unit in UNITS if abs(seconds) >= unit[0]), UNITS[-1])
    return f"{seconds / scale:.3g} {unit}" if abs(seconds) < 100 * scale else f"{seconds / scale:.0f} {unit}"


def show_ratio(ratio: Summary) -> str:
    """A median and the quartiles around it."""
    return f"{ratio.middle:.2f} [{ratio.low:.2f}-{ratio.high:.2f}]"


def show_bytes(count: float) -> str:
    """Megabytes."""
    return f"{count / 1e6:.1f} MB"
