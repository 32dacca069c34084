"""What the parent and its workers say to each other: one JSON object on a line, a question and its answer.

    {"ask": "build", "case": …}                        → {"prints": {part: [[norm, projection], …]}, "served": {part: kernel}}
    {"ask": "time", "case": …, "seconds": …}           → {"times": {part: seconds}}
    {"ask": "memory", "case": …}                       → {"bytes": …}

or {"not offered": true}. The process ends with its standard input.
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
    return len(ours) == len(theirs) and all(
        all(abs(one - other) <= TOLERANCE * max(norm, their_norm) for one, other in ((norm, their_norm), (place, their_place)))
        for (norm, place), (their_norm, their_place) in zip(ours, theirs)
    )
