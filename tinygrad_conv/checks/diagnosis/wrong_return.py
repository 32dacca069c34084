"""What is wrong with the type, the dtype or the shape of what a rule returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...dtypes import FLOATS
from ...engine.rule import Rule
from ...engine.tensor import Tensor
from ...errors import show_shape
from ..calls import RecordedCall, gradients_returned
from ..fault import Finding
from ..function import can_broadcast


def find_wrong_return(call: RecordedCall) -> tuple[Rule, Finding] | None:
    """The first rule of a call that returns what cannot be its input's gradient; None if none does."""
    for name, rule, dx, shape in returned(call):
        finding = wrong_type(name, dx, shape) or wrong_shape(name, dx, shape, call.op.broadcasting)
        if finding:
            return rule, finding
    return None


def returned(call: RecordedCall) -> Iterator[tuple[str, Rule, Any, tuple[int, ...]]]:
    """(input, its rule, what it returns, the shape it should have) of a call, on arrays."""
    function = call.function()
    shapes = dict(zip(function.names, function.domain.shapes))
    try:
        for name, rule, dx in gradients_returned(call):
            yield name, rule, dx, shapes[name]
    except Exception:  # a rule that fails has failed before, with its own message
        return


def wrong_type(name: str, dx: Any, shape: tuple[int, ...]) -> Finding | None:
    """What is wrong with the type or dtype of what a rule returned; None if nothing is."""
    expected = f"it must return d{name}, of shape {show_shape(shape)}"
    if dx is None:
        return Finding("returns None", f"the rule returns None; {expected}")
    if isinstance(dx, Tensor):
        return Finding("modes", "the rule returns a Tensor where it is given arrays: it makes one itself")
    if not isinstance(dx, (np.ndarray, np.generic)):
        return Finding("wrong type", f"the rule returns {type(dx).__name__}; {expected}")
    if dx.dtype not in FLOATS:
        return Finding("wrong dtype", f"the rule returns {dx.dtype}; d{name} must be floating-point")
    return None


def wrong_shape(name: str, dx: Any, shape: tuple[int, ...], broadcasting: bool) -> Finding | None:
    """What is wrong with the shape of what a rule returned; None if nothing is."""
    if dx.shape == shape or broadcasting:
        return None
    returned, expected = show_shape(dx.shape), show_shape(shape)
    if sorted(dx.shape) == sorted(shape):
        text = f"axes are exchanged: the rule returns {returned}, d{name} is {expected}"
        return Finding("axes", text)
    if can_broadcast(shape, dx.shape):
        text = f"forgotten un-broadcast: the forward stretches {name} {expected} to {returned}"
        advice = "declare the op @primitive(broadcasting=True), or sum it back with sum_to(…, shape=…)"
        return Finding("un-broadcast", f"{text}; {advice}")
    return Finding("wrong shape", f"the rule returns {returned}, but d{name} is {expected}")
