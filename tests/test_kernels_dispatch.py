"""The tables of kernels: each kernel, forced, equals the reference where it serves, or says it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.errors import ShapeError
from tinygrad_conv.kernels.conv.problem import empty
from tinygrad_conv.kernels.dispatch import TABLES, Line, choose, problem_of
from tinygrad_conv.kernels.window import make_window

from .test_kernels import LARGER, Array, Case, assert_same, larger_case, random_case

CASES = [*(random_case(seed) for seed in range(6000, 6080)), *(larger_case(name) for name in LARGER)]


def functions(case: Case) -> dict[str, tuple[Callable[..., Array], Array, Array]]:
    """Each of the three correlations, with its two arrays."""
    return {
        "correlate": (kernels.correlate, case.x, case.w),
        "correlate_weight_grad": (kernels.correlate_weight_grad, case.x, case.dy),
        "correlate_input_grad": (kernels.correlate_input_grad, case.dy, case.w),
    }


FEW_CHANNELS = 3  # of random cases
LINES = [
    (family, line)
    for family, table in TABLES.items()
    for line in table
    if line.name not in ("reference", "empty", "not_a_number")
]


@pytest.mark.parametrize(("family", "line"), LINES, ids=[f"{family}-{line.name}" for family, line in LINES])
def test_every_kernel_serves_what_it_says(family: str, line: Line) -> None:
    times_served = 0
    for case in CASES:
        function, first, second = functions(case)[family]
        problem = problem_of(
            family, first.shape, second.shape, case.window, case.groups, first.dtype, second.dtype
        )
        if empty(problem):
            continue
        with kernels.use_kernels("reference"):
            expected = function(first, second, case.window, case.groups)
        with kernels.use_kernels(line.name):
            if not line.serves(problem):
                with pytest.raises(ShapeError, match=f"{family}: kernel '{line.name}' cannot serve"):
                    function(first, second, case.window, case.groups)
                continue
            actual = function(first, second, case.window, case.groups)
        assert_same(actual, expected, 3e-5)
        if line.name == "winograd" and kernels.served() == TABLES[family][-1].name:
            assert problem.channels <= FEW_CHANNELS or problem.outputs <= FEW_CHANNELS
            continue  # windows of few numbers are easily nothing beside their neighbours
        assert kernels.served() == line.name
        times_served += 1
    assert times_served >= 5


def test_the_last_line_of_each_table_wants_everything_and_wanting_means_serving() -> None:
    for family, table in TABLES.items():
        for case in CASES:
            _, first, second = functions(case)[family]
            problem = problem_of(
                family, first.shape, second.shape, case.window, case.groups, first.dtype, second.dtype
            )
            assert table[-1].wants(problem)
            assert all(line.serves(problem) for line in table if line.wants(problem))


@pytest.mark.parametrize("name", ["winograd, larger", "toy", "1x1", "grouped"])
def test_where_everything_is_nan_nothing_is_multiplied(name: str) -> None:
    case = larger_case(name)
    for family, (function, first, second) in functions(case).items():
        for spoiled in ((first, second * np.nan), (first * np.nan, second)):
            with kernels.use_kernels("reference"):
                expected = function(*spoiled, case.window, case.groups)
            assert_same(function(*spoiled, case.window, case.groups), expected, 0)
            with kernels.use_kernels("not_a_number"):
                result = function(*spoiled, case.window, case.groups)
            assert_same(result, expected, 0)
            if spoiled[1] is not second:
                assert kernels.served() == "not_a_number"
            if kernels.served() == "not_a_number" and family != "correlate_weight_grad":
                assert result.strides[0] == result.itemsize  # the samples are innermost, as they always are


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("x", np.nan),
        pytest.param("w", np.nan, marks=pytest.mark.exhaustive),
        pytest.param("dy", np.nan, marks=pytest.mark.exhaustive),
        ("w", np.inf),
    ],
)
def test_it_does_not_put_a_nan_where_the_formula_has_none(field: str, value: float) -> None:
    rng = np.random.default_rng(2)
    for case in CASES:
        spoiled = np.array(getattr(case, field))
        if not spoiled.size:
            continue
        spoiled[rng.random(spoiled.shape) < rng.choice([0.1, 0.8])] = value
        replaced: dict[str, Any] = {field: spoiled}
        for function, first, second in functions(case._replace(**replaced)).values():
            with np.errstate(invalid="ignore"), kernels.use_kernels("reference"):
                expected = function(first, second, case.window, case.groups)
            with np.errstate(invalid="ignore"), kernels.use_kernels("not_a_number"):
                assert_same(function(first, second, case.window, case.groups), expected, 3e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_kernel_that_would_spread_infinities_hands_over() -> None:
    case = larger_case("winograd, larger")
    x = np.array(case.x)
    kernels.correlate(x, case.w, case.window)
    assert kernels.served() == "winograd"
    x[0, 0, 5, 5] = np.inf
    for name in ("fast", "winograd"):  # chosen or forced
        with kernels.use_kernels(name):
            kernels.correlate(x, case.w, case.window)
        assert kernels.served() == "mec"
    case = larger_case("toy")
    kernels.correlate_input_grad(case.dy, case.w, case.window)
    assert kernels.served() == "im2col"
    kernels.correlate_input_grad(case.dy, case.w + np.inf, case.window)
    assert kernels.served() == "scatter_add"


def test_integers_do_not_meet_fractions() -> None:
    case = larger_case("winograd")
    x, w = (np.round(a * 3).astype(np.int64) for a in (case.x, case.w))
    with kernels.use_kernels("reference"):
        expected = kernels.correlate(x, w, case.window)
    np.testing.assert_array_equal(kernels.correlate(x, w, case.window), expected)


def test_pooling_says_who_served() -> None:
    x, window = np.ones((1, 1, 4, 4)), make_window((4, 4), (2, 2), (2, 2))
    kernels.max_pool(x, window)
    assert kernels.served() == "pooling"
    with kernels.use_kernels("reference"):
        kernels.max_pool(x, window)
        assert kernels.served() == "reference"


LEADS_THERE = {  # what a debugger may skip, by name; everything else in the folder is arithmetic
    "tinygrad_conv.kernels",
    "tinygrad_conv.kernels.blas",
    "tinygrad_conv.kernels.dispatch",
    "tinygrad_conv.kernels.memory_order",
    "tinygrad_conv.kernels.threads",
    "tinygrad_conv.kernels.window",
    "tinygrad_conv.kernels.conv.identities",
    "tinygrad_conv.kernels.conv.plans",
    "tinygrad_conv.kernels.conv.problem",
}


def stepped_into(function: Callable[..., Array], *arguments: object) -> tuple[str, str]:
    """The module and function where a step into the call stops that skips what leads to the arithmetic."""
    stops: list[tuple[str, str]] = []

    def trace(frame: FrameType, event: str, argument: object) -> None:
        module = str(frame.f_globals["__name__"])
        if module.startswith("tinygrad_conv.") and module not in LEADS_THERE:
            stops.append((module, frame.f_code.co_name))

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return stops[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LARGER)
def test_a_step_into_a_correlation_is_in_the_arithmetic(name: str) -> None:
    case = larger_case(name)
    for family, (function, first, second) in functions(case).items():
        for _ in range(2):  # the first time the choice is made, the second time it is known
            module, entered = stepped_into(function, first, second, case.window, case.groups)
            assert entered == family and module.endswith(f".conv.{kernels.served()}")
        with kernels.use_kernels("reference"):
            stop = stepped_into(function, first, second, case.window, case.groups)
        assert stop == ("tinygrad_conv.kernels.reference", family)
        choose.cache_clear()


def test_a_step_into_a_pooling_is_in_the_arithmetic() -> None:
    x, window = np.ones((1, 1, 4, 4), np.float32), make_window((4, 4), (2, 2), (2, 2))
    assert stepped_into(kernels.max_pool, x, window) == ("tinygrad_conv.kernels.pooling", "max_pool")
    assert stepped_into(kernels.rectify, x) == ("tinygrad_conv.kernels.pointwise", "rectify")
