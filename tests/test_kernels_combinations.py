"""Every kernel in every combination of options, and with work cut into other pieces than usual."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import threads
from tinygrad_conv.kernels.conv import mec
from tinygrad_conv.kernels.window import Window, make_window

from .helpers import more
from .test_kernels import (
    Array,
    Case,
    assert_same,
    larger_case,
    random_case,
    results,
)
from .test_kernels_pooling import pool_input, pool_windows

pytestmark = pytest.mark.exhaustive

MODULES = [
    importlib.import_module(entry.name)
    for entry in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}.")
]
BOUNDS = (  # how much is done at once
    "CACHE_BYTES",
    "CACHE_BYTES_OF_GROUPS",
    "CACHE_BYTES_OF_PIECE",
    "CACHE_WINDOWS",
    "WORKSPACE_BYTES",
    "LARGEST_UNPACKED",
)


@pytest.fixture(
    params=[(1, 1), (1, 3), (2000, 2), (1 << 24, 4)], ids=lambda cut: f"{cut[0]} bytes, {cut[1]} parts"
)
def cut_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in pieces of so many bytes, all of it shared by so many threads, however little it is."""
    size, parts = request.param
    settings = {**dict.fromkeys(BOUNDS, size), "WORTH_SHARING": 0.0}
    places = [(module, name) for module in MODULES for name in settings if hasattr(module, name)]
    assert {name for _, name in places} == set(settings)
    for module, name in places:
        monkeypatch.setattr(module, name, settings[name])
    monkeypatch.setattr(threads, "get_num_threads", lambda: parts)
    forget_plans()
    yield
    forget_plans()


def forget_plans() -> None:
    """What was worked out from shapes is worked out anew."""
    for module in MODULES:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


FORCED = ["fast", *(name for name in kernels.KERNELS if name not in ("reference", "empty"))]


@pytest.mark.parametrize("name", FORCED)
def test_however_the_work_is_cut_up_the_numbers_are_the_same(name: str, cut_up: None) -> None:
    served = 0
    for case, expected in cases_to_cut_up():
        for family, value in forced(name, case).items():
            assert_same(value, expected[family], 1e-11)
            served += 1
    assert served >= 40


@cache
def cases_to_cut_up() -> list[tuple[Case, dict[str, Array]]]:
    """Random cases and everyday ones, with what is right."""
    names = ("toy", "winograd", "stride 2", "grouped", "dilated, stride 2, grouped", "1x1", "1x1, stride 2")
    cases = [random_case(seed, np.float64) for seed in range(7000, 7060)]
    return with_results(cases + [larger_case(name, np.float64) for name in names])


def with_results(cases: list[Case]) -> list[tuple[Case, dict[str, Array]]]:
    """Each case beside its literal results."""
    with kernels.use_kernels("reference"):
        return [(case, results(case)) for case in cases]


def forced(name: str, case: Case) -> dict[str, Any]:
    """Those of the three correlations that a kernel serves, by that kernel."""
    served = {}
    x, w, dy, window, groups = case
    for family, function, first, second in (
        ("y", kernels.correlate, x, w),
        ("dw", kernels.correlate_weight_grad, x, dy),
        ("dx", kernels.correlate_input_grad, dy, w),
    ):
        with kernels.use_kernels(name):
            try:
                served[family] = function(first, second, window, groups)
            except ValueError as refusal:
                assert f"{name!r} cannot serve" in str(refusal)
    return served


PADDINGS = [
    ((0, 0), (0, 0)),
    ((1, 0), (0, 0)),
    ((0, 0), (1, 0)),
    ((0, 1), (1, 1)),
    ((0, 0), (0, 2)),
    ((2, 2), (1, 0)),
]


@pytest.mark.parametrize("kernel", [(1, 3), (3, 3), *more((1, 1), (3, 1), (2, 2))])
@pytest.mark.parametrize("name", FORCED)
def test_every_kernel_in_every_combination(name: str, kernel: tuple[int, int]) -> None:
    for case, expected in combinations(kernel):
        for family, value in forced(name, case).items():
            assert_same(value, expected[family], 1e-12)


@cache
def combinations(kernel: tuple[int, int]) -> list[tuple[Case, dict[str, Array]]]:
    """A case for every combination of the options, with what is right."""
    rng, cases = np.random.default_rng(0), []
    options = product(
        [(1, 1), (2, 1), (1, 2)], PADDINGS, [(1, 1), (2, 1), (1, 3)], [1, 2], [(0, 1, 2, 3), (2, 1, 3, 0)]
    )
    for stride, padding, dilation, groups, order in options:
        window = make_window((7, 8), kernel, stride, padding, dilation)
        shapes = (2, 2 * groups, 7, 8), (3 * groups, 2, *kernel), (2, 3 * groups, *window.out)
        x, w, dy = (
            np.moveaxis(rng.standard_normal([shape[axis] for axis in order]), range(4), order)
            for shape in shapes
        )
        cases.append(Case(x, w, dy, window, groups))
    return with_results(cases)


@pytest.mark.parametrize("contents", ["plain", "ties", "wild"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_however_a_pooling_is_cut_up_the_numbers_are_the_same(contents: str, cut_up: None) -> None:
    for seed, window in pool_windows():
        x = pool_input(np.random.default_rng(seed), window, contents)
        y, tap = kernels.max_pool(x, window)
        dx = kernels.scatter_taps(y, tap, window)
        with kernels.use_kernels("reference"):
            expected_y, expected_tap = kernels.max_pool(x, window)
            expected_dx = kernels.scatter_taps(expected_y, expected_tap, window)
        np.testing.assert_array_equal(y, expected_y)
        np.testing.assert_array_equal(tap, expected_tap)
        assert_same(dx, expected_dx, 1e-6)


@pytest.mark.parametrize("size", [(5, 4), *more((4, 4), (4, 5), (5, 5), (2, 2))])
def test_pooling_in_every_combination(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    strides, dilations, orders = [(2, 2), (1, 2), (2, 1)], [(1, 1), (1, 2)], permutations(range(4))
    for stride, padding, dilation, order in product(strides, PADDINGS, dilations, orders):
        window = make_window(size, (2, 2), stride, padding, dilation)
        shapes = (2, 3, *size), (2, 3, *window.out)
        x, dy = (
            np.moveaxis(rng.standard_normal([shape[axis] for axis in order]), range(4), order)
            for shape in shapes
        )
        results_of_pooling = pooled(x, dy, window)
        with kernels.use_kernels("reference"):
            expected = pooled(x, dy, window)
        for result, literal in zip(results_of_pooling, expected, strict=True):
            np.testing.assert_allclose(result, literal, rtol=1e-12, atol=1e-14)


def pooled(x: Array, dy: Array, window: Window) -> tuple[Array, ...]:
    """What every function of pooling makes of an input and an output error."""
    y, tap = kernels.max_pool(x, window)
    scattered, gathered = kernels.scatter_taps(dy, tap, window), kernels.gather_taps(x, tap, window)
    return y, tap, scattered, gathered, kernels.sum_windows(x, window), kernels.spread_windows(dy, window)


@pytest.mark.parametrize("block", range(4))
def test_weight_gradients_with_their_tap_columns_apart(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mec` multiplies tap columns apart where they have many rows; here always, even in small cases."""
    monkeypatch.setattr(mec, "LEAST_ROWS_APART", 0)
    monkeypatch.setattr(mec, "LEAST_ROWS_APART_PACKED", 0)
    for seed in range(block * 50, block * 50 + 50):
        case = random_case(seed, np.float64)
        dw = {}
        for name in ("mec", "reference"):
            with kernels.use_kernels(name):
                dw[name] = kernels.correlate_weight_grad(case.x, case.dy, case.window, case.groups)
        assert_same(dw["mec"], dw["reference"], 1e-12)
