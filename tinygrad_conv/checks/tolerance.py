"""How far apart numbers may be that ought to be the same, and the entry of a Jacobian that is further off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dtypes import Array
from ..errors import show_shape
from .fault import Fault
from .function import Function

ROUNDING = 16 * float(np.finfo(np.float64).eps)  # of a function's value; a difference divides it by the step


@dataclass(frozen=True)
class Tolerance:
    """The step of the differences, and how far a gradient may be from them."""

    eps: float = 1e-6
    rtol: float = 1e-5
    atol: float = 1e-7

    def allows(self, analytic: Array, numeric: Array, values: Array, step: float) -> Array:
        """Where they agree, allowing for what rounding does to the differences of `values`."""
        with np.errstate(invalid="ignore"):
            return np.abs(analytic - numeric) <= self.margin(numeric, values, step)

    def margin(self, numeric: Array, values: Array, step: float) -> Array:
        """How far from these differences of `values` a gradient may be."""
        rounding = ROUNDING / step * np.max(np.abs(values), initial=1.0)
        margin: Array = self.atol + rounding + self.rtol * np.abs(numeric)
        return margin


class WrongEntry(Fault):
    """An entry of the Jacobian that differs from the finite differences."""

    def __init__(self, function: Function, row: int, column: int, analytic: float, numeric: float) -> None:
        self.input, input_index = function.domain.locate(column)
        self.output, output_index = function.codomain.locate(row)
        which = f"[{self.output}]" if len(function.codomain.shapes) > 1 else ""
        y = f"∂y{which}{show_shape(output_index)}"
        x = f"∂{function.names[self.input]}{show_shape(input_index)}"
        super().__init__(
            "wrong", f"{y} / {x}: the gradient gives {analytic:.10g}, finite differences give {numeric:.10g}"
        )


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal, up to what different summation orders may cost; NaN equals NaN."""
    scale = np.max(np.abs(b), initial=1.0, where=np.isfinite(b))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12 * float(scale), equal_nan=True))
