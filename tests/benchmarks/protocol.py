"""What the parent and its workers say to each other: one JSON object on a line, a question and its answer.

    {"ask": "build", "case": …}               → {"prints": {part: [[norm, projection], …]}, "served": {part:
    kernel}}
    {"ask": "time", "case": …, "seconds": …}  → {"times": {part: seconds}, "others": share or null}
    {"ask": "memory", "case": …}              → {"bytes": …, "later": …}
    {"ask": "first", "case": …}               → {"times": {part: seconds}}

or {"not offered": true}. `others` is what other programs took of the processors meanwhile. The process ends
with its standard input.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Prints: TypeAlias = dict[str, list[list[float]]]  # of each part: [norm, projection] of its results
TOLERANCE = 1e-3


class Built(NamedTuple):
    """What a framework says of a case it has built."""

    prints: Prints
    served: dict[str, str | None]


def differing(ours: Prints, theirs: Prints) -> list[str]:
    """The parts both have whose results are not the same, to within rounding."""
    return [part for part in ours if part in theirs and not agree(ours[part], theirs[part])]


def agree(ours: list[list[float]], theirs: list[list[float]]) -> bool:
    """Whether two fingerprints are of the same arrays. A NaN agrees with nothing."""
    return len(ours) == len(theirs) and all(map(close, ours, theirs))


def close(ours: list[float], theirs: list[float]) -> bool:
    """Whether norm and projection differ by no more than a thousandth of the norm."""
    allowed = TOLERANCE * max(ours[0], theirs[0])
    return all(abs(mine - other) <= allowed for mine, other in zip(ours, theirs))
