"""Inputs for an op that has no case: shapes are tried until its forward takes them."""

from __future__ import annotations

from itertools import islice, product

import numpy as np

from ..engine.op import Op
from .cases import CASES, Case, apart

SHAPES = ("n m", "n", "m", "n m k", "N C H+4 W+4", "O C 3 3", "O", "C H+4 W+4", "m k", "4 4", "")
MOST_TRIES = 2000


def cases_of(op: Op) -> tuple[list[Case], bool]:
    """The op's cases, and whether they were guessed: then there is one, or none."""
    if op.name in CASES:
        return CASES[op.name], False
    found = guess(op)
    return ([found] if found else []), True


def guess(op: Op) -> Case | None:
    """A case whose inputs the op takes; None where a param has no default, or no shapes fit."""
    if set(op.params) - set(op.defaults):
        return None
    count = 2 if op.variadic else len(op.inputs) - len(op.optional)
    for shapes in islice(product(SHAPES, repeat=count), MOST_TRIES):
        found = Case(op.name, tuple(map(apart, shapes)))
        sample = found.random(np.random.default_rng(0))
        try:
            with np.errstate(all="ignore"):
                y = op(*sample.inputs)
        except Exception:  # whatever it says, it doesn't want these
            continue
        outputs = y if isinstance(y, tuple) else (y,)
        if all(isinstance(one, (np.ndarray, np.generic)) and np.isfinite(one).all() for one in outputs):
            return found
    return None
