"""The fast kernels against `reference`, and what both promise.

That is adjointness, exact zeros, Inf and NaN where the formula puts them, and fresh memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any, NamedTuple

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.window import Window, make_window

from .helpers import more

Array = np.ndarray[Any, Any]

TOLERANCE = {np.float16: 2e-3, np.float32: 2e-5, np.float64: 1e-12}
MEMORY_ORDERS = ((0, 1, 2, 3), (2, 1, 3, 0), (2, 1, 0, 3), (3, 2, 1, 0), (0, 2, 3, 1))


class Case(NamedTuple):
    """One setting of a correlation."""

    x: Array
    w: Array
    dy: Array
    window: Window
    groups: int


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
    """Small random numbers in a random memory order, now and then strided and read-only."""
    order = MEMORY_ORDERS[rng.integers(len(MEMORY_ORDERS))]
    inflated = [shape[axis] for axis in order]
    every_second = rng.random() < 0.2
    if every_second:
        inflated[-1] *= 2
    array = rng.standard_normal(inflated).astype(dtype)
    if every_second:
        array = array[..., ::2]
    array = array.transpose(np.argsort(order))
    array.setflags(write=rng.random() < 0.5)
    return array


def random_window(rng: np.random.Generator, largest: int = 9) -> Window:
    """Rectangles, all kinds of padding, dilation, strides beyond the kernel, and inputs of size 0 and 1."""

    def pair(low: int, high: int) -> tuple[int, int]:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    size = pair(0, 3) if rng.random() < 0.1 else pair(1, largest)
    plain = rng.random() < 0.4
    return make_window(
        size,
        pair(1, 5),
        (1, 1) if plain else pair(1, 4),
        (pair(0, 3), pair(0, 6 if rng.random() < 0.1 else 3)),
        (1, 1) if plain else pair(1, 4),
    )


def random_case(seed: int, dtype: Any = np.float32) -> Case:
    """A correlation with everything drawn at random."""
    rng = np.random.default_rng(seed)
    window = random_window(rng)
    groups = int(rng.choice([1, 1, 2, 3]))
    channels, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    if rng.random() < 0.2:
        channels, groups = 1, int(rng.integers(1, 6))
    samples = int(rng.choice([0, 1, 2, 5])) if rng.random() < 0.6 else 3
    x = random_array(rng, (samples, groups * channels, *window.size), dtype)
    w = random_array(rng, (groups * outputs, channels, *window.kernel), dtype)
    dy = random_array(rng, (samples, groups * outputs, *window.out), dtype)
    return Case(x, w, dy, window, groups)


def results(case: Case) -> dict[str, Array]:
    """The three linked correlations, by the current kernels."""
    return {
        "y": kernels.correlate(case.x, case.w, case.window, case.groups),
        "dw": kernels.correlate_weight_grad(case.x, case.dy, case.window, case.groups),
        "dx": kernels.correlate_input_grad(case.dy, case.w, case.window, case.groups),
    }


def assert_same(actual: Array, expected: Array, tolerance: float) -> None:
    """Equal up to rounding relative to the largest number, with every Inf and NaN in its place."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    assert actual.flags.writeable
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0, actual), np.where(finite, 0, expected))
    scale = np.abs(expected[finite], dtype=np.float64).max(initial=1.0)
    difference = actual[finite].astype(np.float64) - expected[finite].astype(np.float64)
    assert np.abs(difference).max(initial=0.0) <= tolerance * scale


def assert_equals_reference(case: Case, tolerance: float) -> None:
    """All three correlations at once."""
    actual = results(case)
    with kernels.use_kernels("reference"):
        expected = results(case)
    for name in expected:
        assert_same(actual[name], expected[name], tolerance)


@pytest.mark.parametrize("block", range(8))
def test_correlations_equal_reference(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        assert_equals_reference(random_case(seed), TOLERANCE[np.float32])


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_correlations_equal_reference_in_other_types(dtype: Any) -> None:
    for seed in range(1000, 1040):
        assert_equals_reference(random_case(seed, dtype), TOLERANCE[dtype])


def test_mixed_types_follow_numpy() -> None:
    case = random_case(0)
    arguments = case.x, case.w.astype(np.float64), case.window, case.groups
    assert_same(kernels.correlate(*arguments), reference.correlate(*arguments), TOLERANCE[np.float64])
    assert kernels.correlate(*arguments).dtype == np.float64


LARGER = {
    "toy": (16, 1, 8, 8, 8, 3, 1, 1, 1, 1),
    "lenet": (8, 6, 14, 14, 16, 5, 1, 0, 1, 1),
    "winograd": (2, 32, 13, 12, 34, 3, 1, 1, 1, 1),
    "winograd, larger": (5, 48, 13, 12, 50, 3, 1, 1, 1, 1),
    "narrow": (1, 64, 7, 7, 400, 3, 1, 1, 1, 1),
    "narrow, stride 2": (1, 64, 14, 14, 70, 3, 2, 1, 1, 1),
    "winograd without padding": (2, 40, 9, 9, 32, 3, 1, 0, 1, 1),
    "stride 2": (4, 16, 15, 17, 24, 3, 2, 1, 1, 1),
    "stride 2, 7x7": (2, 3, 33, 32, 16, 7, 2, 3, 1, 1),
    "1x1": (4, 32, 9, 9, 40, 1, 1, 0, 1, 1),
    "1x1, stride 2": (4, 16, 9, 9, 24, 1, 2, 0, 1, 1),
    "11x11": (2, 4, 24, 24, 4, 11, 1, 5, 1, 1),
    "depthwise": (4, 24, 16, 16, 24, 3, 1, 1, 1, 24),
    "depthwise, stride 2": (4, 24, 16, 16, 24, 3, 2, 1, 1, 24),
    "depthwise, multiplier": (2, 8, 9, 9, 24, 3, 1, 1, 1, 8),
    "grouped": (2, 32, 12, 12, 48, 3, 1, 1, 1, 4),
    "dilated": (2, 16, 20, 20, 16, 3, 1, 2, 2, 1),
    "winograd, dilated": (4, 24, 18, 17, 28, 3, 1, 2, 2, 1),
    "winograd, stride 2, dilated": (4, 24, 22, 21, 28, 3, 2, 2, 2, 1),
    "dilated, stride 2, grouped": (2, 16, 21, 20, 16, 3, 2, 3, 3, 2),
    "one sample": (1, 16, 30, 30, 16, 3, 1, 1, 1, 1),
    "rows in several groups": (16, 16, 40, 40, 20, 3, 1, 1, 1, 1),
}


def larger_case(name: str, dtype: Any = np.float32) -> Case:
    """A setting of an everyday size: N, C, H, W, O, k, stride, padding, dilation, groups."""
    samples, channels, height, width, outputs, k, stride, padding, dilation, groups = LARGER[name]
    rng = np.random.default_rng(0)
    sides = (padding, padding)
    window = make_window((height, width), (k, k), (stride, stride), (sides, sides), (dilation, dilation))
    x = random_array(rng, (samples, channels, height, width), dtype)
    w = random_array(rng, (outputs, channels // groups, k, k), dtype)
    return Case(x, w, random_array(rng, (samples, outputs, *window.out), dtype), window, groups)


@pytest.mark.parametrize("name", [*list(LARGER)[:-1], *more("rows in several groups")])
def test_everyday_sizes_equal_reference(name: str) -> None:
    assert_equals_reference(larger_case(name), 3e-5)


@pytest.mark.parametrize("name", ["winograd", "depthwise", "lenet"])
def test_everyday_sizes_in_double_precision(name: str) -> None:
    assert_equals_reference(larger_case(name, np.float64), 1e-11)


def double_cases() -> Iterator[Case]:
    """Random cases and everyday ones, in float64."""
    yield from (random_case(seed, np.float64) for seed in range(2000, 2060))
    yield from (larger_case(name, np.float64) for name in ("winograd", "stride 2", "depthwise", "dilated"))


def test_the_three_correlations_are_derivatives_of_one_number() -> None:
    for case in double_cases():
        gradients = results(case)
        number = np.sum(gradients["y"] * case.dy)
        np.testing.assert_allclose(np.sum(gradients["dx"] * case.x), number, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(np.sum(gradients["dw"] * case.w), number, rtol=1e-9, atol=1e-9)


def touched(window: Window) -> Array:
    """[H, W]: whether any window reads the place."""
    covered: Array = reference.spread_windows(np.ones((1, 1, *window.out)), window)[0, 0]
    return np.greater(covered, 0)


@pytest.mark.parametrize("kernel_set", ["reference", "fast"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_untouched_places_get_exactly_zero(kernel_set: str) -> None:
    with kernels.use_kernels(kernel_set):
        for seed in range(3000, 3060):
            case = random_case(seed)
            w = np.where(case.w > 1, np.inf, case.w)
            dx = kernels.correlate_input_grad(case.dy, w, case.window, case.groups)
            assert not dx[:, :, ~touched(case.window)].any()


@pytest.mark.parametrize("name", [None, *more(*LARGER)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_inf_and_nan_land_where_the_formula_puts_them(name: str | None) -> None:
    cases = [random_case(seed) for seed in range(4000, 4060)] if name is None else [larger_case(name)]
    rng = np.random.default_rng(1)
    for case in cases:
        for field in ("x", "w", "dy"):
            spoiled = np.array(getattr(case, field))
            if spoiled.size:
                spoiled.flat[rng.integers(spoiled.size)] = rng.choice([np.inf, -np.inf, np.nan])
                spoiled.flat[rng.integers(spoiled.size)] = np.inf
            replaced: dict[str, Any] = {field: spoiled}
            assert_equals_reference(case._replace(**replaced), 3e-5)


def calls(case: Case) -> dict[str, Any]:
    """Every public function on one case, as name: (function, arguments)."""
    y, tap = kernels.max_pool(case.x, case.window)
    return {
        "correlate": (kernels.correlate, (case.x, case.w, case.window, case.groups)),
        "weight_grad": (kernels.correlate_weight_grad, (case.x, case.dy, case.window, case.groups)),
        "input_grad": (kernels.correlate_input_grad, (case.dy, case.w, case.window, case.groups)),
        "max_pool": (lambda *a: kernels.max_pool(*a)[0], (case.x, case.window)),
        "tap": (lambda *a: kernels.max_pool(*a)[1], (case.x, case.window)),
        "gather": (kernels.gather_taps, (case.x, tap, case.window)),
        "scatter": (kernels.scatter_taps, (y, tap, case.window)),
        "sum": (kernels.sum_windows, (case.x, case.window)),
        "spread": (kernels.spread_windows, (y, case.window)),
    }


@pytest.mark.parametrize("name", [None, *more(*LARGER)])
@pytest.mark.parametrize("kernel_set", ["reference", "fast"])
def test_results_are_fresh_memory(kernel_set: str, name: str | None) -> None:
    random_cases = [random_case(seed) for seed in range(5000, 5030)]
    cases = [*random_cases, one_by_one()] if name is None else [larger_case(name)]
    with kernels.use_kernels(kernel_set):
        for case in cases:
            for call, (function, arguments) in calls(case).items():
                arrays = [a for a in arguments if isinstance(a, np.ndarray)]
                before = [a.copy() for a in arrays]
                first = function(*arguments)
                expected = first.copy()
                second = function(*arguments)
                assert not any(np.shares_memory(first, a) for a in (*arrays, second)), call
                first[...] = 7
                np.testing.assert_array_equal(second, expected, err_msg=call)
                for a, b in zip(arrays, before, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=call)


def one_by_one() -> Case:
    """The smallest window there is: every shortcut that would return its argument is tempted here."""
    x = np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4)
    return Case(x, np.ones((1, 1, 1, 1), np.float32), x + 1, make_window((3, 4), (1, 1)), 1)


@pytest.mark.parametrize("kernel_set", ["reference", "fast"])
def test_the_article(kernel_set: str) -> None:
    x = np.array([[[[1, 2, 0], [0, 1, 1], [1, 0, 1]]]], np.float32)
    w = np.array([[[[1, 0], [0, 1]]]], np.float32)
    window = make_window((3, 3), (2, 2))
    with kernels.use_kernels(kernel_set):
        y = kernels.correlate(x, w, window)
        np.testing.assert_array_equal(y, [[[[2, 3], [0, 2]]]])
        dy = y - 1
        np.testing.assert_array_equal(kernels.correlate_weight_grad(x, dy, window), [[[[6, 2], [1, 4]]]])
        np.testing.assert_array_equal(
            kernels.correlate_input_grad(dy, w, window), [[[[1, 2, 0], [-1, 2, 2], [0, -1, 1]]]]
        )


def test_use_kernels_nests_and_refuses_unknown_names() -> None:
    x, w, window = np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), make_window((3, 3), (2, 2))
    outer = kernels.use_kernels("reference")
    with outer, kernels.use_kernels("fast"), outer:
        assert kernels.correlate(x, w, window).sum() == 16
    with pytest.raises(ValueError, match="there is no kernel 'slow', only fast, .*reference"):
        kernels.use_kernels("slow")


def test_one_block_of_use_kernels_serves_again_and_again_and_in_threads() -> None:
    x, w, window = np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), make_window((3, 3), (2, 2))
    block, steps = kernels.use_kernels("reference"), Barrier(2)

    def which() -> str | None:
        kernels.correlate(x, w, window)
        return kernels.served()

    fast = which()
    assert fast != "reference"
    served: list[tuple[str | None, ...]] = []

    def enter(first: bool) -> None:
        steps.wait()
        with block:
            inside = which()
            steps.wait()  # both are in
            if first:
                block.__enter__()
                block.__exit__()
            else:
                block.__enter__()
            again = which()
            steps.wait()
            if not first:
                block.__exit__()
        served.append((inside, again, which()))

    threads = [Thread(target=enter, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served == [("reference", "reference", fast)] * 2
    outer, inner = kernels.use_kernels("reference"), kernels.use_kernels("mec")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__()  # not in order, as where generators end
    assert which() == "mec"
    inner.__exit__()
    assert which() == fast
