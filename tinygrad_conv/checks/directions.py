"""A large Jacobian beside finite differences: its sums along random directions.

Where such a sum is wrong, halving finds an entry that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..dtypes import Array
from .function import Function
from .kinks import describe_kink, look_again
from .pullback import Pullback
from .tolerance import ROUNDING, Tolerance, WrongEntry

DIRECTIONS = 4  # random directions that are tried
MOST_KINKS = 8  # that are told apart from mistakes one by one


def compare_directions(
    function: Function, tolerance: Tolerance, rng: np.random.Generator, moves: int = 2
) -> list[str]:
    """Compare sums of the Jacobian along random directions; returns the kinks.

    Where there are many kinks (an image of zeros before a relu) it looks at a point nearby instead, `moves`
    times at most. Raises WrongEntry for an entry found by halving.
    """
    pull = Pullback(function, lifted=False)
    kinks: dict[int, str] = {}
    for _ in range(DIRECTIONS):
        probe = Probe(pull, tolerance, rng)
        probe.leave_out(kinks)
        while not probe.agrees():
            column = probe.find_kink()
            kinks[column] = describe_kink(function, column)
            probe.leave_out([column])
            if len(kinks) > MOST_KINKS:
                nearby = function.nearby(rng)
                moved = compare_directions(nearby, tolerance, rng, moves - 1) if moves else []
                return [*kinks.values(), *moved]
    return list(kinks.values())


class Probe:
    """The sum ⟨cotangent, J direction⟩ over a Jacobian J, for one random cotangent and direction."""

    def __init__(self, pull: Pullback, tolerance: Tolerance, rng: np.random.Generator) -> None:
        self.pull, self.function, self.tolerance = pull, pull.function, tolerance
        self.direction = rng.standard_normal(self.function.point.size)
        self.cotangent = rng.standard_normal(self.function.values.size)

    def leave_out(self, columns: Iterable[int]) -> None:
        """Sum over the other inputs only."""
        self.direction[list(columns)] = 0.0

    def agrees(self) -> bool:
        """Whether the sum is the same by differences and by gradients."""
        eps, atol, rtol = self.tolerance.eps, self.tolerance.atol, self.tolerance.rtol
        parts = self.pull(self.cotangent) * self.direction
        numeric = float(self.cotangent @ self.function.slope(self.direction, eps))
        values = float(np.linalg.norm(self.cotangent * self.function.values))
        rounding = ROUNDING / eps * max(1.0, values)
        scale = max(abs(numeric), float(np.linalg.norm(parts)))
        return abs(float(parts.sum()) - numeric) <= atol + rounding + rtol * scale

    def find_kink(self) -> int:
        """The column of a kink that makes the sums differ. Raises WrongEntry where a mistake does."""
        column = self.find_column()
        row = self.find_row(column)
        only_row = np.eye(1, self.function.values.size, row)[0]
        analytic = self.pull(only_row)[column]
        everywhere = np.full(self.function.values.size, analytic)
        agrees, at_kink = look_again(self.function, column, everywhere, self.tolerance)
        if not (agrees | at_kink)[row]:
            numeric = self.function.slope(self.function.unit(column), self.tolerance.eps)[row]
            raise WrongEntry(self.function, row, column, analytic, numeric)
        return column

    def find_column(self) -> int:
        """The input of a wrong entry: half of the inputs is left out again and again."""
        parts = self.pull(self.cotangent) * self.direction

        def error(columns: Array) -> float:
            slope = self.function.slope(only(columns, self.direction), self.tolerance.eps)
            return size_of_error(float(self.cotangent @ slope) - float(parts[columns].sum()))

        return halve(self.direction.size, error)

    def find_row(self, column: int) -> int:
        """The output of a wrong entry of a column: half of the outputs is left out again and again."""
        slope = self.function.slope(self.function.unit(column), self.tolerance.eps)

        def error(rows: Array) -> float:
            cotangent = only(rows, self.cotangent)
            return size_of_error(float(cotangent @ slope) - float(self.pull(cotangent)[column]))

        return halve(self.cotangent.size, error)


def only(positions: Array, vector: Array) -> Array:
    """The vector, 0 everywhere but at these positions."""
    masked = np.zeros_like(vector)
    masked[positions] = vector[positions]
    return masked


def halve(size: int, error: Callable[[Array], float]) -> int:
    """The position that is left when, again and again, the half with the smaller error is dropped."""
    positions = np.arange(size)
    while positions.size > 1:
        first, second = np.array_split(positions, 2)
        positions = first if error(first) >= error(second) else second
    return int(positions[0])


def size_of_error(difference: float) -> float:
    """How large an error is; what is no number is the largest."""
    return abs(difference) if np.isfinite(difference) else np.inf
