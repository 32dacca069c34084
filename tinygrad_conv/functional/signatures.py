"""What the functions of this folder share: the types in their signatures, and where their docstrings come
from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..engine.op import Op

Function = TypeVar("Function", bound=Callable[..., Any])

Operand = Any  # a Tensor, an ndarray, or, in arithmetic, a scalar
Dim = int | tuple[int, ...] | None
Size = int | tuple[int, int]
Padding = Any  # an int, a pair, ((top, bottom), (left, right)), 'valid' or 'same'


def documented_by(op: Op) -> Callable[[Function], Function]:
    """Give a function the docstring of the op it calls: the op is where shapes, formula and errors are
    stated, once.
    """

    def document(function: Function) -> Function:
        function.__doc__ = op.forward.__doc__
        return function

    return document
