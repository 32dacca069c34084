"""Operands in float16 beside what it cannot hold, `x / 1e5`: computed in float32, and the result rounded.

float16 ends at 65504, and has all its digits from 6.1e-5 on alone: 1e5 in it is inf, and 1e-8 is 0. So such
an op is three on the tape: to float32, itself, and back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import HALF, BeyondHalf
from .registry import OPS

SINGLE = np.dtype(np.float32)


def is_beyond_half(op: Any, inputs: tuple[Any, ...]) -> bool:
    """Whether operands meet in float16 of which it does not hold all."""
    if not op.broadcasting:
        return False
    try:
        op.unwrap(inputs)
    except BeyondHalf:
        return True
    except Exception:  # the call itself will say it, in the op's words
        return False
    return False


def apply_in_float32(op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """An op on operands in float32, its result, if it is of floats, in float16."""
    y = op(*[in_float32(value) for value in inputs], **params)
    return OPS["to"](y, dtype=HALF) if y.dtype == SINGLE else y


def in_float32(operand: Any) -> Any:
    """An operand with its dtype widened, or cut, to float32; a number as it is."""
    if not hasattr(operand, "_data") and not isinstance(operand, np.ndarray):
        return operand
    return operand if operand.dtype == SINGLE else OPS["to"](operand, dtype=SINGLE)
