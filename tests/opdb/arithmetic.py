"""Arithmetic, functions of one number and comparisons on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import COMPLEX, Entry


def first_is_a_number(sample: Any) -> bool:
    return not hasattr(sample.input, "shape")


def one_is_a_number(sample: Any) -> bool:
    return not (hasattr(sample.input, "shape") and hasattr(sample.args[0], "shape"))


def condition_first(args: Any, kwargs: Any) -> Any:
    """The method's order, x.where(condition, other), as the function's."""
    return (args[1], args[0], *args[2:]), kwargs


NUMBERS = "a number stands where PyTorch wants a tensor: here arithmetic takes both, as NumPy's does"
FIRST = {NUMBERS: first_is_a_number}
EITHER = {NUMBERS: one_is_a_number}

TABLE = {
    "abs": Entry(tg.abs),
    "add": Entry(tg.add),
    "clamp": Entry(tg.clamp),
    "clamp_max": Entry(tg.clamp_max, left_out=EITHER),
    "clamp_min": Entry(tg.clamp_min, left_out=EITHER),
    "cos": Entry(tg.cos),
    "div.floor_rounding": Entry(tg.div),
    "div.no_rounding_mode": Entry(tg.div),
    "div.trunc_rounding": Entry(tg.div),
    "eq": Entry(tg.eq, left_out=FIRST),
    "exp": Entry(tg.exp),
    "ge": Entry(tg.ge, left_out=FIRST),
    "gt": Entry(tg.gt, left_out=FIRST),
    "le": Entry(tg.le, left_out=FIRST),
    "log": Entry(tg.log),
    "lt": Entry(tg.lt, left_out=FIRST),
    "masked_fill": Entry(tg.masked_fill, left_out=COMPLEX),
    "maximum": Entry(tg.maximum, left_out=EITHER),
    "max.binary": Entry(tg.maximum, left_out=EITHER),
    "minimum": Entry(tg.minimum, left_out=EITHER),
    "min.binary": Entry(tg.minimum, left_out=EITHER),
    "mul": Entry(tg.mul),
    "ne": Entry(tg.ne, left_out=FIRST),
    "neg": Entry(tg.neg),
    "pow": Entry(tg.pow, left_out=FIRST),
    "sign": Entry(tg.sign),
    "sin": Entry(tg.sin),
    "sqrt": Entry(tg.sqrt),
    "sub": Entry(tg.sub),
    "where": Entry(tg.where, adapt=condition_first),
}
