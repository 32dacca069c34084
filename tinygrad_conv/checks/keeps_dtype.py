"""An op that is given one dtype makes no other of it, neither in its forward nor in a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import FLOATS
from ..engine.tensor import Tensor
from .calls import RecordedCall, gradients_returned, recorded_calls
from .fault import Fault
from .function import is_float_array


def assert_dtypes_kept(fn: Callable[..., Any], inputs: list[Any]) -> None:
    """Raise Fault where an op that a function calls makes another dtype of the one it is given."""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        with recorded_calls() as calls:
            fn(*(cast(value, dtype) for value in inputs))
        for call in calls:
            if given_dtypes(call) == {dtype} and not asks_for_dtype(call):
                assert_forward_keeps_dtype(call, dtype)
                assert_rules_keep_dtype(call, dtype)


def assert_forward_keeps_dtype(call: RecordedCall, dtype: np.dtype[Any]) -> None:
    """Raise Fault unless a call's outputs have the dtype of its inputs."""
    for output in call.outputs:
        if output.dtype in FLOATS and output.dtype != dtype:
            text = f"the forward of {call.op.name} makes {output.dtype} of {dtype}"
            advice = "arrays that it makes itself should have its input's dtype"
            raise Fault("wrong dtype", f"{text}; {advice}", call)


def assert_rules_keep_dtype(call: RecordedCall, dtype: np.dtype[Any]) -> None:
    """Raise Fault unless a call's gradients have the dtype of its inputs."""
    for name, rule, dx in gradients_returned(call):
        # a single number is cast for nothing
        if np.ndim(dx) and dx.dtype in FLOATS and dx.dtype != dtype:
            text = f"the rule for {name} of {call.op.name} makes {dx.dtype} of {dtype}"
            advice = "arrays that it makes itself should have dy.dtype"
            raise Fault("wrong dtype", f"{text}; {advice}", call, rule)


def given_dtypes(call: RecordedCall) -> set[Any]:
    """The dtypes of its floating-point inputs; a single number has none beside arrays."""
    floats = [array for array in call.arrays if is_float_array(array)]
    return {array.dtype for array in floats if array.ndim} or {array.dtype for array in floats}


def asks_for_dtype(call: RecordedCall) -> bool:
    """Whether a param says which dtype the output shall have."""
    return any(isinstance(value, (np.dtype, type)) for value in call.params.values())


def cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """A floating-point input in another dtype."""
    if isinstance(value, Tensor) and is_float_array(value.data):
        return Tensor(value.data.astype(dtype, copy=False), requires_grad=value.requires_grad)
    return value.astype(dtype, copy=False) if is_float_array(value) else value
