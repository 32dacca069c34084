"""Where a gradient and the differences disagree: is it a mistake, or a kink?

At a kink (relu at 0, a tie in a maximum) there is no derivative: a difference there is reported, not counted,
as long as the gradient lies between the slopes to the left and to the right.
"""

from __future__ import annotations

import numpy as np

from ..dtypes import Array
from ..errors import show_shape
from .function import Function
from .tolerance import Tolerance


def look_again(function: Function, column: int, analytic: Array, tolerance: Tolerance) -> tuple[Array, Array]:
    """Of one input's derivatives: which agree at a smaller step, and which lie at a kink."""
    direction = function.unit(column)
    steps = tolerance.eps / 10, tolerance.eps / 100
    agrees = [
        tolerance.allows(analytic, function.slope(direction, step), function.values, step) for step in steps
    ]
    return agrees[0] | agrees[1], lies_at_kink(function, direction, analytic, steps, tolerance)


def lies_at_kink(
    function: Function, direction: Array, analytic: Array, steps: tuple[float, float], tolerance: Tolerance
) -> Array:
    """Which of the derivatives along a direction lie at a kink, between the slopes to the left and right.

    steps: two, the larger first; the jump of a kink stays where the step becomes smaller.
    """
    left, right = function.one_sided(direction, steps[0])
    near_left, near_right = function.one_sided(direction, steps[1])
    margin = tolerance.margin(near_right, function.values, steps[1])
    with np.errstate(invalid="ignore"):
        jump, near_jump = np.abs(right - left), np.abs(near_right - near_left)
        stays = (near_jump > 10 * margin) & (near_jump > jump / 2)  # a smooth function's falls with the step
        low = np.minimum(near_left, near_right) - margin
        high = np.maximum(near_left, near_right) + margin
        lies: Array = stays & (low <= analytic) & (analytic <= high)
        return lies


def describe_kink(function: Function, column: int) -> str:
    """Where a kink is."""
    which, index = function.domain.locate(column)
    return f"{function.names[which]}{show_shape(index)} = {function.point[column]:.6g}"
