"""Kernels for groups, depthwise among them: against the reference, and what they take in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import blas, threads
from tinygrad_conv.kernels.conv import depthwise, depthwise_bands, grouped, problem
from tinygrad_conv.kernels.dispatch import choose
from tinygrad_conv.kernels.window import make_window

from .test_kernels import (
    TOLERANCE,
    Case,
    assert_equals_reference,
    assert_same,
    calls,
    random_array,
    random_window,
    results,
)

pytestmark = pytest.mark.exhaustive


@pytest.fixture(autouse=True, params=[True, False], ids=["bands", "vectors"])
def in_bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """On any processor, as if BLAS multiplied small matrices as they lie in memory, and as if it did not."""
    for module in (grouped, depthwise, problem):
        monkeypatch.setattr(module, "blas_multiplies_unpacked", lambda: request.param)
    choose.cache_clear()
    wanted: bool = request.param
    yield wanted
    choose.cache_clear()


EVERYDAY = {
    "depthwise": (8, 1, 1, 24, 16, (3, 3), 1, 1, 1),
    "depthwise, one sample": (1, 1, 1, 32, 30, (3, 3), 1, 1, 1),
    "depthwise 5x5": (4, 1, 1, 16, 15, (5, 5), 1, 2, 1),
    "depthwise, stride 2": (4, 1, 1, 24, 17, (3, 3), 2, 1, 1),
    "depthwise, stride 2 down": (4, 1, 1, 12, 20, (3, 3), (2, 1), 1, 1),
    "depthwise, dilated": (4, 1, 1, 12, 20, (3, 3), 1, 2, 2),
    "depthwise, dilated, stride 2": (4, 1, 1, 12, 21, (3, 3), 2, 2, 2),
    "depthwise 1x7": (4, 1, 1, 12, 20, (1, 7), 1, 3, 1),
    "depthwise 7x1": (4, 1, 1, 12, 20, (7, 1), 1, 3, 1),
    "multiplier 2": (4, 1, 2, 12, 14, (3, 3), 1, 1, 1),
    "four by four": (8, 4, 4, 8, 16, (3, 3), 1, 1, 1),
    "more outputs": (8, 8, 16, 4, 32, (3, 3), 1, 1, 1),
    "more channels": (8, 16, 8, 4, 32, (3, 3), 1, 1, 1),
    "1x1": (8, 8, 8, 4, 16, (1, 1), 1, 0, 1),
    "1x1, stride 2": (8, 8, 8, 4, 16, (1, 1), 2, 0, 1),
    "large": (3, 24, 32, 2, 13, (3, 3), 1, 1, 1),
    "large, dilated": (3, 24, 32, 2, 13, (3, 3), 1, 2, 2),
    "stride beyond the kernel": (4, 3, 3, 4, 20, (2, 2), 3, 1, 1),
}


def everyday_case(name: str, dtype: Any = np.float32) -> Case:
    """N, C/groups, O/groups, groups, side, kernel, stride, padding, dilation."""
    samples, channels, outputs, groups, side, kernel, stride, padding, dilation = EVERYDAY[name]
    strides = stride if isinstance(stride, tuple) else (stride, stride)
    rng = np.random.default_rng(0)
    sides = (padding, padding)
    window = make_window((side, side + 1), kernel, strides, (sides, sides), (dilation, dilation))
    x = random_array(rng, (samples, groups * channels, *window.size), dtype)
    w = random_array(rng, (groups * outputs, channels, *kernel), dtype)
    return Case(x, w, random_array(rng, (samples, groups * outputs, *window.out), dtype), window, groups)


def random_grouped_case(seed: int, dtype: Any = np.float32) -> Case:
    """Several groups, of one channel or of a few; everything else at random."""
    rng = np.random.default_rng(seed)
    window = random_window(rng, largest=12)
    groups, samples = int(rng.integers(2, 9)), int(rng.choice([0, 1, 2, 5]))
    channels, outputs = (1, 1) if rng.random() < 0.4 else (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    x = random_array(rng, (samples, groups * channels, *window.size), dtype)
    w = random_array(rng, (groups * outputs, channels, *window.kernel), dtype)
    return Case(x, w, random_array(rng, (samples, groups * outputs, *window.out), dtype), window, groups)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_random_groups_equal_reference(dtype: Any) -> None:
    for seed in range(7000, 7100):
        assert_equals_reference(random_grouped_case(seed, dtype), TOLERANCE[dtype])


@pytest.mark.parametrize("name", EVERYDAY)
def test_everyday_groups_equal_reference(name: str, in_bands: bool) -> None:
    case = everyday_case(name)
    assert_equals_reference(case, 2e-5)
    kernels.correlate(case.x, case.w, case.window, case.groups)
    alone = in_bands and case.w.shape[1] * len(case.w) == case.groups and case.window.stride[1] == 1
    expected = "winograd" if name.startswith("large") else "depthwise_bands" if alone else "grouped"
    assert kernels.served() == expected


@pytest.mark.parametrize("name", EVERYDAY)
def test_one_group_at_a_time_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = everyday_case(name)
    expected = results(case)
    monkeypatch.setattr(grouped, "CACHE_BYTES_OF_GROUPS", 1)
    for key, value in results(case).items():
        assert_same(value, expected[key], 1e-6)


@pytest.mark.parametrize("name", EVERYDAY)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinities_meet_zeros_as_the_formula_says(name: str) -> None:
    """A weight of exactly 0 makes NaN of an infinite number, and an infinite weight of the padding."""
    case = everyday_case(name)
    rng = np.random.default_rng(2)
    zeros = np.where(rng.random(case.w.shape) < 0.3, 0, case.w).astype(np.float32)
    for field in ("x", "w", "dy"):
        spoiled = case._replace(w=zeros)
        array = np.array(getattr(spoiled, field))
        array.flat[rng.integers(array.size, size=3)] = [np.inf, -np.inf, np.nan]
        replaced: dict[str, Any] = {field: array}
        assert_equals_reference(spoiled._replace(**replaced), 2e-5)


@pytest.mark.parametrize("name", ["depthwise", "depthwise, stride 2", "depthwise, dilated", "multiplier 2"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_row_is_spoiled_by_what_it_does_not_see(name: str, value: float) -> None:
    case = everyday_case(name)
    for field in ("x", "dy"):
        array = np.array(getattr(case, field))
        array[0, 1, 3, 4] = value
        replaced: dict[str, Any] = {field: array}
        assert_equals_reference(case._replace(**replaced), 2e-5)


@pytest.mark.parametrize(
    "name",
    ["depthwise, stride 2 down", "depthwise, dilated", "depthwise 1x7", "depthwise 7x1", "depthwise 5x5"],
)
def test_rows_that_are_padded_and_not_lowered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = everyday_case(name, np.float64)
    with kernels.use_kernels("reference"):
        expected = results(case)
    for size in (depthwise.CACHE_BYTES_OF_GROUPS, 20_000):  # all channels at once, or some
        monkeypatch.setattr(depthwise, "CACHE_BYTES_OF_GROUPS", size)
        monkeypatch.setattr(depthwise_bands, "CACHE_BYTES", 3 * size)
        for kernel in ("depthwise", "depthwise_bands"):
            with kernels.use_kernels(kernel):
                y = kernels.correlate(case.x, case.w, case.window, case.groups)
                assert kernels.served() == kernel
                assert_same(y, expected["y"], 1e-12)
                if case.window.stride == (1, 1):
                    dx = kernels.correlate_input_grad(case.dy, case.w, case.window, case.groups)
                    assert kernels.served() == kernel
                    assert_same(dx, expected["dx"], 1e-12)


@pytest.mark.parametrize("rows", range(1, 10))
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_bands_give_up_what_they_would_spoil(rows: int, value: float) -> None:
    """Whichever row has it: the first row of its band, if no other, is spoiled by it."""
    window = make_window((rows, 3), (1, 1))
    w = np.ones((2, 1, 1, 1))
    for row in range(rows):
        x = np.ones((2, 2, rows, 3))
        x[1, 1, row, 2] = value
        assert depthwise_bands.correlate(x, w, window, 2) is None
    np.testing.assert_array_equal(depthwise_bands.correlate(np.ones((2, 2, rows, 3)), w, window, 2), 1)


def test_large_numbers_are_no_reason_to_warn() -> None:
    """Their squares overflow, which only the question whether they are finite meets."""
    case = everyday_case("depthwise")
    y = kernels.correlate(case.x * np.float32(1e30), case.w * np.float32(1e-30), case.window, case.groups)
    np.testing.assert_allclose(y, results(case)["y"], rtol=1e-4, atol=1e-4)


def test_bands_serve_where_they_are_said_to(in_bands: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []

    def noted(module: Any, name: str) -> None:
        function = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *args, **kwargs: (served.append(name), function(*args, **kwargs))[1]
        )

    noted(grouped, "multiply_banded")
    noted(depthwise, "banded_dot_products")
    case = everyday_case("depthwise, stride 2")
    kernels.correlate(case.x, case.w, case.window, case.groups)
    case = everyday_case("depthwise")
    kernels.correlate_weight_grad(case.x, case.dy, case.window, case.groups)
    assert set(served) == ({"multiply_banded", "banded_dot_products"} if in_bands else set())


def test_results_are_fresh_and_arguments_are_untouched() -> None:
    for case in (*map(everyday_case, EVERYDAY), *map(random_grouped_case, range(7200, 7220))):
        for name in ("correlate", "weight_grad", "input_grad"):
            function, arguments = calls(case)[name]
            before = [np.array(a) for a in arguments[:2]]
            first, second = function(*arguments), function(*arguments)
            assert not any(np.shares_memory(first, a) for a in (*arguments[:2], second))
            np.testing.assert_array_equal(first, second)
            for array, copy in zip(arguments, before, strict=False):
                np.testing.assert_array_equal(array, copy)


@pytest.fixture
def threads_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However small the work, it is shared; afterwards there are as many threads as there were."""
    if not blas.libraries():
        pytest.skip("NumPy has a BLAS here that cannot be held")
    before = kernels.get_num_threads()
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    yield
    kernels.set_num_threads(before)


@pytest.mark.parametrize("name", [name for name in EVERYDAY if not name.startswith("large")])
def test_threads_change_no_bit(name: str, threads_as_before: None) -> None:
    case, by_count = everyday_case(name), []
    for count in (1, 2, 3):
        kernels.set_num_threads(count)
        by_count.append(results(case))
    for other in by_count[1:]:
        np.testing.assert_array_equal(by_count[0]["y"], other["y"])
        np.testing.assert_array_equal(by_count[0]["dw"], other["dw"])


def test_depthwise_takes_little_more_memory_than_its_result() -> None:
    groups, window = 256, make_window((32, 32), (3, 3), (1, 1), ((1, 1), (1, 1)))
    x = np.ones((32, groups, 32, 4), np.float32).transpose(
        3, 1, 0, 2
    )  # as the results of other kernels lie in memory
    w = np.ones((groups, 1, 3, 3), np.float32)
    for function, second in (
        (kernels.correlate, w),
        (kernels.correlate_weight_grad, x),
        (kernels.correlate_input_grad, w),
    ):
        tracemalloc.start()
        result = function(x, second, window, groups)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        beside = kernels.get_num_threads() * grouped.CACHE_BYTES_OF_GROUPS
        if kernels.served() == "depthwise_bands":
            beside = depthwise_bands.CACHE_BYTES
        assert peak < result.nbytes + beside + (1 << 19)
