"""Comparisons, logic, and bits."""

from __future__ import annotations

import math
from functools import partial

from .... import functional as F
from ....engine.tensor import Tensor
from ..reading.node import Node
from .table import Function, operator, plain

plain("Equal", (7, 11, 13, 19), F.eq)
plain("Greater", (7, 9, 13), F.gt)
plain("GreaterOrEqual", (12, 16), F.ge)
plain("Less", (7, 9, 13), F.lt)
plain("LessOrEqual", (12, 16), F.le)
plain("And", (7,), F.logical_and)
plain("Or", (7,), F.logical_or)
plain("Xor", (7,), F.logical_xor)
plain("Not", (1,), F.logical_not)
plain("IsNaN", (9, 13, 20), F.isnan)
plain("BitwiseAnd", (18,), F.bitwise_and)
plain("BitwiseOr", (18,), F.bitwise_or)
plain("BitwiseXor", (18,), F.bitwise_xor)
plain("BitwiseNot", (18,), F.bitwise_not)
plain("Where", (9, 16), F.where)


@operator("IsInf", (10, 20))
def is_infinite(node: Node) -> Function:
    """Where a number is infinite, of the signs that count."""
    signs = {math.inf: node.flag("detect_positive", True), -math.inf: node.flag("detect_negative", True)}
    return partial(one_of, numbers=tuple(number for number, counts in signs.items() if counts))


def one_of(x: Tensor, *, numbers: tuple[float, ...]) -> Tensor:
    """Where x is one of these numbers."""
    found = F.ne(x, x) & False
    for number in numbers:
        found = found | F.eq(x, number)
    return found


@operator("BitShift", (11, 28))
def bit_shift(node: Node) -> Function:
    """The bits of unsigned integers, moved to the left or to the right."""
    direction = node.word("direction", ("LEFT", "RIGHT"), "")
    return F.bitwise_left_shift if direction == "LEFT" else F.bitwise_right_shift
