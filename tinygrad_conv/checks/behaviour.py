"""What is asked of a function and its rules beside the right numbers.

They leave what they are given as it is, give the same again, are linear in dy, mean the same on arrays and on
Tensors, do not care how arrays lie in memory, and make no other dtype of the one that they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.node import nodes_behind
from ..engine.tensor import Tensor
from ..errors import RuleError, show_shape
from .calls import RecordedCall, gradients_returned, recorded_calls
from .fault import Fault
from .function import Function, is_float_array
from .introspection import as_array
from .pullback import Pullback
from .tolerance import same

MEMORY = ".strides and order='K' or 'A' tell how an array lies in memory, not what it means"
SINGLE = 1e-2  # how far, in proportion to the largest, gradients in float32 may be from those in float64
LOST = 1e-4  # what rounding in float32 may leave of a gradient that is 0
LINEAR = 1e-8  # how far, in proportion, a gradient may be from the sum that it should be


def assert_pure(function: Function) -> None:
    """Raise Fault unless the function gives the same again, and leaves its inputs as they are."""
    before, after = function.fresh(function.point), function.fresh(function.point)
    function.fn(*after)
    for position, (old, new) in enumerate(zip(map(as_array, before), map(as_array, after))):
        if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
            name = checked_name(function, position)
            raise Fault("forward mutates", f"the forward changes {name}, an input: make a new array instead")
    if not same(function.at(function.point), function.values):
        raise Fault("not deterministic", "two calls with the same inputs give different outputs")


def checked_name(function: Function, position: int) -> str:
    """What an input is called; of those that are not checked, its position."""
    if position in function.checked:
        return function.names[function.checked.index(position)]
    return f"input {position}"


def assert_repeatable(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules give the same twice."""
    cotangent, pull = rng.standard_normal(function.values.size), Pullback(function, lifted=False)
    if not same(pull(cotangent), pull(cotangent)):
        raise Fault("not deterministic", "two backward passes through the same tape give different gradients")


def assert_linear(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the gradient is linear in the gradient of the output, as the chain rule is."""
    first, second = rng.standard_normal((2, function.values.size))
    pull = Pullback(function, lifted=False)
    expected = 2 * pull(first) - 3 * pull(second)
    given = pull(2 * first - 3 * second)
    scale = np.max(np.abs(expected), initial=1.0)
    if np.isfinite(scale) and not (np.abs(given - expected) <= LINEAR * scale).all():
        _, place = farthest(function, given, expected)
        text = "the gradient is not linear in dy: for 2 u - 3 v it is not 2 times that for u less 3 times"
        raise Fault("not linear", f"{text} that for v, at {place}")
    for factor in (1e-6, 1e6):
        expected, given = factor * pull(first), pull(factor * first)
        scale = np.max(np.abs(expected), initial=factor)
        if np.isfinite(scale) and not (np.abs(given - expected) <= LINEAR * scale).all():
            _, place = farthest(function, given, expected)
            text = f"the gradient is not linear in dy: for {factor:g} u it is not {factor:g} times that for u"
            raise Fault("not linear", f"{text}, at {place}")


def assert_memory_of_its_own(function: Function) -> None:
    """Raise Fault where a rule writes to an array that it has returned before: it may be a gradient still."""
    with recorded_calls() as calls:
        function.call(function.point)
    for call in calls:
        first = list(gradients_returned(call))
        before = [np.copy(dx) for _, _, dx in first]
        list(gradients_returned(call, times=2.0))
        for (name, rule, dx), numbers in zip(first, before):
            if not np.array_equal(dx, numbers, equal_nan=True):
                text = f"the rule for {name} of {call.op.name} writes to the array that it returned before"
                raise Fault("rule mutates", f"{text}: make a new one each time", call, rule)


def assert_modes_agree(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules give the same on arrays and on Tensors."""
    cotangent, pull = rng.standard_normal(function.values.size), Pullback(function, lifted=False)
    on_arrays = pull(cotangent)
    nodes = nodes_behind(output.grad_fn for output in pull.outputs if output.grad_fn)
    if any(node.op.once for node in nodes):
        return
    try:
        on_tensors = Pullback(function, lifted=True)(cotangent)
    except (TypeError, AttributeError, ValueError, RuleError) as error:
        text = f"it runs on arrays, but on Tensors (create_graph=True) fails: {type(error).__name__}: {error}"
        raise Fault("modes", text) from error
    if not same(on_tensors, on_arrays):
        distance, place = farthest(function, on_arrays, on_tensors)
        text = "arrays and Tensors (create_graph=True) give different gradients"
        raise Fault("modes", f"{text}, by {distance:.4g} at {place}")


def assert_same_in_any_layout(function: Function) -> None:
    """Raise Fault unless the forward gives the same for the same numbers, however they lie in memory."""
    for arrange in LAYOUTS:
        if not same(function.arranged(arrange).at(function.point), function.values):
            where = f"where inputs are {arrange.__name__} in memory: {MEMORY}"
            raise Fault("layout", f"the forward gives other numbers {where}")


def assert_same_gradient_in_any_layout(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules do, for inputs and the gradient of the output."""
    cotangent = rng.standard_normal(function.values.size)
    gradient = Pullback(function, lifted=False)(cotangent)
    for arrange in LAYOUTS:
        moved = Pullback(function.arranged(arrange), lifted=False)(cotangent)
        if not same(moved, gradient):
            which, _ = function.domain.locate(farthest_column(moved, gradient))
            where = f"where inputs and dy are {arrange.__name__} in memory: {MEMORY}"
            raise Fault("layout", f"the gradient of {function.names[which]} is another {where}")


def farthest(function: Function, a: Array, b: Array) -> tuple[float, str]:
    """Two gradients at the input where they are farthest apart: how far that is, and its place."""
    column = farthest_column(a, b)
    which, index = function.domain.locate(column)
    distance = np.nan_to_num(np.abs(a - b), nan=np.inf)
    return float(distance[column]), f"{function.names[which]}{show_shape(index)}"


def farthest_column(a: Array, b: Array) -> int:
    """Where two vectors are farthest apart; where one of them is no number, if there is such a place."""
    return int(np.argmax(np.nan_to_num(np.abs(a - b), nan=np.inf)))


def assert_dtypes_kept(fn: Callable[..., Any], inputs: list[Any]) -> None:
    """Raise Fault where an op that a function calls makes another dtype of the one it is given."""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        with recorded_calls() as calls:
            fn(*(cast(value, dtype) for value in inputs))
        for call in calls:
            if given_dtypes(call) == {dtype} and not asks_for_dtype(call):
                assert_forward_keeps_dtype(call, dtype)
                assert_rules_keep_dtype(call, dtype)
                if dtype == np.float32 and call.op.is_user_defined:
                    assert_same_gradient_in_float64(call)


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


def assert_same_gradient_in_float64(call: RecordedCall) -> None:
    """Raise Fault unless the rules mean the same numbers in float32 as in float64, for the same inputs."""
    wide = call.in_dtype(np.dtype(np.float64))
    for (name, rule, dx), (_, _, exact) in zip(gradients_returned(call), gradients_returned(wide)):
        distance, scale = np.max(np.abs(dx - exact), initial=0.0), np.max(np.abs(exact), initial=0.0)
        if np.isfinite(distance) and distance > SINGLE * scale + LOST:
            text = f"the rule for {name} of {call.op.name} gives other numbers in float32 than in float64"
            raise Fault("dtype", f"{text}, by {distance:.3g} at most", call, rule)


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


def transposed(array: Array) -> Array:
    """The same array in Fortran's order."""
    return np.array(array, order="F")


def strided(array: Array) -> Array:
    """The same array as every other element of a larger one."""
    larger = np.full([2 * size for size in array.shape], 9.0, array.dtype)
    every_other = (slice(None, None, 2),) * array.ndim
    view = larger[every_other + (...,)]  # the … keeps it an array where there is no axis
    view[...] = array
    return view


def backwards(array: Array) -> Array:
    """The same array with negative strides."""
    return np.flip(np.flip(array).copy())


LAYOUTS = transposed, strided, backwards
