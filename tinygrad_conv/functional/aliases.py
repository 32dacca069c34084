"""Second names of functions, as PyTorch and NumPy have them."""

from __future__ import annotations

from ..ops.arithmetic import mul as multiply
from ..ops.arithmetic import neg as negative
from ..ops.comparisons import ge as greater_equal
from ..ops.comparisons import gt as greater
from ..ops.comparisons import le as less_equal
from ..ops.comparisons import lt as less
from ..ops.comparisons import ne as not_equal
from ..ops.elementary import abs as absolute
from .arithmetic import clamp as clip
from .arithmetic import sub as subtract
from .elementwise import div as divide
from .elementwise import div as true_divide
from .shapes import cat as concat
from .shapes import cat as concatenate

__all__ = [
    "absolute",
    "clip",
    "concat",
    "concatenate",
    "divide",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "multiply",
    "negative",
    "not_equal",
    "subtract",
    "true_divide",
]
