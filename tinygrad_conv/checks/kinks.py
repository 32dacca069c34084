"""Where a gradient and the differences disagree: is it a mistake, or a kink?

At a kink (relu at 0, a tie in a maximum) there is no derivative: a difference there is reported, not counted,
as long as the gradient lies between the slopes to the left and to the right. The same holds where a gradient
jumps that is differentiated itself, as that of abs does at 0: the slopes are those beside the jump then.
"""

from __future__ import annotations

import numpy as np

from ..dtypes import Array
from ..errors import show_shape
from .function import Function
from .tolerance import Tolerance


def look_again(function: Function, column: int, analytic: Array, tolerance: Tolerance) -> tuple[Array, Array]:
    """Of one input's derivatives: which agree at a smaller step, and which lie at a kink or a jump."""
    direction = function.unit(column)
    steps = tolerance.eps / 10, tolerance.eps / 100
    slopes = [function.slope(direction, step) for step in steps]
    with np.errstate(invalid="ignore"):
        extrapolated = (
            100 * slopes[1] - slopes[0]
        ) / 99  # Richardson's: their errors are as the steps' squares
    agrees = [
        tolerance.allows(analytic, slope, function.values, step)
        for slope, step in [*zip(slopes, steps), (extrapolated, steps[1])]
    ]
    at_kink = lies_at_kink(function, direction, analytic, steps, tolerance)
    at_jump = lies_at_jump(function, direction, analytic, steps, tolerance)
    return np.logical_or.reduce(agrees), at_kink | at_jump


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


def lies_at_jump(
    function: Function, direction: Array, analytic: Array, steps: tuple[float, float], tolerance: Tolerance
) -> Array:
    """Which of the derivatives along a direction lie where the function itself jumps, between the slopes
    beside the jump.

    steps: two, the larger first; what the function rises by over a jump stays where the step becomes smaller.
    """
    far, near = steps
    with np.errstate(invalid="ignore", over="ignore"):
        rise, near_rise = (np.abs(function.slope(direction, step)) * step for step in steps)
        rounding = tolerance.margin(np.zeros_like(rise), function.values, near) * near
        jumps = (near_rise > rise / 2) & (near_rise > 10 * rounding)
        left, right = (function.slope_beside(direction, side * 2 * far, far) for side in (-1, 1))
        margin = tolerance.margin(np.maximum(np.abs(left), np.abs(right)), function.values, far)
        lies: Array = jumps & (np.minimum(left, right) - margin <= analytic)
        return lies & (analytic <= np.maximum(left, right) + margin)


def describe_kink(function: Function, column: int) -> str:
    """Where a kink is."""
    which, index = function.domain.locate(column)
    return f"{function.names[which]}{show_shape(index)} = {function.point[column]:.6g}"
