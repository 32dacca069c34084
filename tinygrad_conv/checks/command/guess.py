"""Inputs for an op that has no case: shapes are tried until its forward takes them."""

from __future__ import annotations

from itertools import islice, product
from typing import Any

import numpy as np

from ...engine.op import Op
from ...engine.tensor import Tensor
from ...members import members_of
from ..cases import CASES, Case, apart
from ..introspection import rules_of

SHAPES = ("n m", "n", "m", "n m k", "N C H+4 W+4", "O C 3 3", "O", "C H+4 W+4", "m k", "4 4", "")
MOST_TRIES = 2000


def cases_of(op: Op) -> tuple[list[Case], bool]:
    """The op's cases, and whether they were guessed: then there is one, or none."""
    if op.name in CASES:
        return CASES[op.name], False
    case = guess(op)
    return ([case] if case else []), True


def guess(op: Op) -> Case | None:
    """A case whose inputs the op takes, and its rules too if, with the first of its shapes, there are such.

    None where a param has no default, or no shapes fit.
    """
    if set(op.params) - set(op.defaults):
        return None
    count = 2 if op.variadic else len(op.inputs) - len(op.optional)
    taken = None
    for shapes in islice(product(SHAPES, repeat=count), MOST_TRIES):
        if taken and shapes[0] != taken.inputs[0].shape:
            break
        case = Case(op.name, tuple(map(apart, shapes)))
        inputs = case.random(np.random.default_rng(0)).inputs
        if not suits_forward(op, inputs):
            continue
        if suits_rules(op, inputs):
            return case
        taken = taken or case
    return taken


def suits_forward(op: Op, inputs: tuple[Any, ...]) -> bool:
    """Whether the forward takes these arrays, and makes numbers of them."""
    try:
        with np.errstate(all="ignore"):
            outputs = members_of(op(*inputs))
    except Exception:  # whatever it says, it doesn't want these
        return False
    return all(isinstance(y, (np.ndarray, np.generic)) and np.isfinite(y).all() for y in outputs)


def suits_rules(op: Op, inputs: tuple[Any, ...]) -> bool:
    """Whether the rules, too, take these arrays, and return gradients of the right shapes."""
    rules = rules_of(op, len(inputs))
    leaves = [Tensor(array, requires_grad=rule is not None) for array, rule in zip(inputs, rules)]
    outputs = members_of(op(*leaves))
    try:
        with np.errstate(all="ignore"):
            for y in outputs:
                if y.requires_grad:
                    y.backward(np.ones_like(y.data), retain_graph=True)
    except Exception:  # what is wrong with them is found when the op is checked
        return False
    return True
