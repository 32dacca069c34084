"""Every rule of every op says only what means the same on ndarrays and on Tensors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers import all_rules
from tinygrad_conv.checks.diagnosis.rule_source import function_faults, rule_faults
from tinygrad_conv.engine.location import show_path
from tinygrad_conv.ops.elementary import exp
from tinygrad_conv.ops.reduce import sum as total

RULES = all_rules()


@pytest.mark.parametrize(("op", "rule"), RULES, ids=[f"{op.name}-{rule.argument}" for op, rule in RULES])
def test_a_rule_means_the_same_in_both_modes(op, rule):
    assert not rule_faults(op, rule), "\n".join(map(str, rule_faults(op, rule)))


def allowed(dy, x, y, x_shape, dim):
    half = x / 2
    sizes = np.prod(x_shape) + np.asarray(x.shape).max()
    parts = [piece * exp(half) for piece in (dy, y)]
    scale = total(half, dim=dim) if x is not None else 1
    part, at = (half, 0) if dim is None else (x, dim)
    names = ",".join(str(array.ndim) for array in parts).replace("1", "2")
    sizes += len(names) + x.shape[at] * len((slice(None),) * at)
    return helper(parts[0], (1, 2)) * scale + sizes * x[..., None].shape[0] + len(y)


def helper(dy, dims):
    dims = [dims.index(axis) for axis in dims]
    return -dy[0]


def calls_a_method(dy, x):
    return dy * x.sum()


def calls_a_method_of_a_result(dy, x):
    half = x / 2
    return dy * half.T


def calls_numpy(dy, x):
    return dy * np.exp(x)


def calls_numpy_in_a_helper(dy, x):
    return dy * bad_helper(2, x)


def bad_helper(power, x):
    return power * np.exp(x)


def has_a_lambda(dy, x):
    return dy * (lambda value: 2 * value)(x)


def has_an_inner_function(dy, x):
    def twice(value):
        return 2 * value

    return dy * twice(x)


def changes_dy(dy, x):
    dy *= x
    return dy


def changes_an_element(dy, x):
    x[0] = 0
    return dy * x


def asks_for_a_float(dy, x):
    return dy * float(x)


def finds_out_in_a_loop(dy, x):
    scale = 1
    for _ in range(2):
        twice = 2 * np.tanh(scale)
        scale = x
    return dy * twice


def test_what_rules_are_made_of_is_allowed():
    assert function_faults(allowed, frozenset(["dy", "x", "y"])) == []


@pytest.mark.parametrize(
    ("rule", "kind", "line"),
    [
        (calls_a_method, "method", 1),
        (calls_a_method_of_a_result, "method", 2),
        (calls_numpy, "numpy", 1),
        (has_a_lambda, "lambda", 1),
        (has_an_inner_function, "closure", 1),
        (changes_dy, "in place", 1),
        (changes_an_element, "in place", 1),
        (asks_for_a_float, "callee", 1),
        (finds_out_in_a_loop, "numpy", 3),
    ],
)
def test_what_means_two_things_is_found_with_its_line(rule, kind, line):
    faults = [fault for fault in function_faults(rule, frozenset(["dy", "x"])) if fault.kind == kind]
    assert [fault.place for fault in faults] == [
        f"{show_path(__file__)}:{rule.__code__.co_firstlineno + line}"
    ]


def test_a_fault_in_a_helper_is_found_at_the_helper():
    (fault,) = function_faults(calls_numpy_in_a_helper, frozenset(["dy", "x"]))
    assert fault.kind == "numpy"
    assert fault.place == f"{show_path(__file__)}:{bad_helper.__code__.co_firstlineno + 1}"


def test_a_closure_is_found():
    scale = 2

    def rule(dy, x):
        return dy * x * scale

    (fault,) = function_faults(rule, frozenset(["dy", "x"]))
    assert fault.kind == "closure"
