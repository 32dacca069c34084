"""Kernels that are prepared for many calls: to the bit what each call by itself gives, whatever comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels.conv import prepared_mec, prepared_scatter
from tinygrad_conv.kernels.window import Window, make_window

from .test_kernels import Array, Case, random_array, random_case

KERNEL = {"correlate": "mec", "correlate_weight_grad": "mec", "correlate_input_grad": "scatter_add"}
FUNCTIONS: dict[str, Callable[..., Array]] = {
    "correlate": kernels.correlate,
    "correlate_weight_grad": kernels.correlate_weight_grad,
    "correlate_input_grad": kernels.correlate_input_grad,
}
SAME, WIDE = ((2, 2), (2, 2)), ((3, 3), (1, 1))
WINDOWS = {  # with how many channels and outputs
    "LeNet's first": (make_window((12, 12), (5, 5), padding=SAME), 1, 6),
    "LeNet's second": (make_window((14, 14), (5, 5)), 6, 16),
    "another padding below": (make_window((9, 8), (4, 3), padding=((2, 0), (1, 0))), 2, 3),
    "more padding than the kernel sees": (make_window((5, 6), (3, 3), padding=WIDE), 2, 3),
    "fewer windows than there could be": (make_window((8, 8), (3, 3), out=(3, 4)), 2, 3),
    "lower than its kernel": (make_window((3, 6), (5, 3), padding=((2, 2), (1, 1))), 2, 3),
    "one row of windows": (make_window((5, 6), (5, 3)), 2, 3),
    "wide taps": (make_window((6, 9), (3, 3), dilation=(1, 2)), 3, 2),
    "stride along the width": (make_window((8, 9), (3, 3), stride=(1, 2)), 2, 3),
    "stride, and a remainder": (make_window((10, 10), (3, 3), stride=(2, 2)), 2, 3),
}


def sample(name: str, dtype: Any, seed: int = 0) -> Case:
    """Arrays for one of the windows."""
    window, channels, outputs = WINDOWS[name]
    rng = np.random.default_rng(seed)
    x = random_array(rng, (4, channels, *window.size), dtype)
    w = random_array(rng, (outputs, channels, *window.kernel), dtype)
    return Case(x, w, random_array(rng, (4, outputs, *window.out), dtype), window, 1)


def in_rows(shape: tuple[int, ...], dtype: Any) -> Array:
    """Memory for images [N, C, H, W] in the order H, C, W, N, as a program has it."""
    samples, channels, height, width = shape
    return np.full((height, channels, width, samples), np.nan, dtype).transpose(3, 1, 0, 2)


def prepare(
    case: Case, shared: dict[Any, Any], outs: dict[str, Array | None]
) -> dict[str, Callable[..., Array]]:
    """The three correlations, settled for such arrays, the forward first."""
    pairs, settled = pairs_of(case), {}
    for family, kernel in KERNEL.items():
        with kernels.use_kernels(kernel):
            settled[family] = kernels.settled(
                family, *pairs[family], case.window, case.groups, shared, outs.get(family)
            )
    return settled


def pairs_of(case: Case) -> dict[str, tuple[Array, Array]]:
    """The two arrays of each of the three."""
    return dict(zip(KERNEL, ((case.x, case.w), (case.x, case.dy), (case.dy, case.w))))


def assert_equal_bits(settled: dict[str, Callable[..., Array]], case: Case) -> None:
    """What is settled gives what one call by itself gives."""
    for family, (first, second) in pairs_of(case).items():
        with kernels.use_kernels(KERNEL[family]):
            expected = FUNCTIONS[family](first, second, case.window, case.groups)
        np.testing.assert_array_equal(settled[family](first, second), expected, strict=True)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_calls_one_after_another_equal_single_ones(name: str, dtype: Any) -> None:
    case = sample(name, dtype)
    settled = prepare(case, {"declined": set()}, {})
    for seed in range(3):
        other = sample(name, dtype, seed)
        assert_equal_bits(settled, other)
        spoiled = np.array(other.x)
        spoiled[0, 0, 2, 3] = np.inf
        assert_equal_bits(settled, other._replace(x=spoiled))


@pytest.mark.parametrize("seed", range(40))
def test_random_cases_equal_single_calls(seed: int) -> None:
    case = random_case(seed)
    settled = prepare(case, {"declined": set()}, {})
    assert_equal_bits(settled, case)
    assert_equal_bits(settled, case._replace(x=case.x * 2, dy=case.dy * 3))


@pytest.mark.parametrize("name", ["LeNet's first", "LeNet's second", "another padding below"])
def test_results_are_in_the_memory_that_is_given(name: str) -> None:
    case = sample(name, np.float32)
    x, dy = in_rows(case.x.shape, np.float32), in_rows(case.dy.shape, np.float32)
    x[...], dy[...] = case.x, case.dy
    case = case._replace(x=x, dy=dy)
    shared: dict[Any, Any] = {"declined": set(), ("lasting", id(x)): x, ("lasting", id(dy)): dy}
    outs: dict[str, Array | None] = {
        "correlate": in_rows(dy.shape, np.float32),
        "correlate_input_grad": in_rows(x.shape, np.float32),
    }
    settled, pairs = prepare(case, shared, outs), pairs_of(case)
    for family, out in outs.items():
        assert settled[family](*pairs[family]) is out and id(out) not in shared["declined"]
    assert_equal_bits(settled, case)
    x *= 2  # the same array, with other numbers
    assert_equal_bits(settled, case)


def test_memory_in_another_order_is_declined() -> None:
    case = sample("LeNet's second", np.float32)
    shared: dict[Any, Any] = {"declined": set()}
    outs: dict[str, Array | None] = {
        "correlate": np.empty(case.dy.shape, np.float32),
        "correlate_input_grad": np.empty(case.x.shape, np.float32),
    }
    assert_equal_bits(prepare(case, shared, outs), case)
    assert shared["declined"] >= {id(out) for out in outs.values()}


def test_two_threads_equal_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_conv.kernels.threads.WORTH_SHARING", 0.0)
    threads = kernels.get_num_threads()
    try:
        for count in (1, 2, 3):
            kernels.set_num_threads(count)
            for name in WINDOWS:
                case = sample(name, np.float32)
                assert_equal_bits(prepare(case, {"declined": set()}, {}), case)
    finally:
        kernels.set_num_threads(threads)


def served(window: Window, channels: int, outputs: int, groups: int = 1) -> tuple[bool, bool]:
    """Whether y, and dX, of such images are prepared."""
    x = np.zeros((4, groups * channels, *window.size), np.float32)
    w = np.zeros((groups * outputs, channels, *window.kernel), np.float32)
    dy = np.zeros((4, groups * outputs, *window.out), np.float32)
    shared: dict[Any, Any] = {"declined": set()}
    y = prepared_mec.for_y(x, w, shared, None, window, groups)
    return y is not None, prepared_scatter.for_dx(dy, w, shared, None, window, groups) is not None


def test_what_is_prepared_and_what_is_not() -> None:
    expected = {name: (True, True) for name in WINDOWS}
    expected["fewer windows than there could be"] = True, False  # some rows of dX get nothing
    expected["stride along the width"] = expected["stride, and a remainder"] = True, False
    assert {name: served(*window) for name, window in WINDOWS.items()} == expected
    assert served(make_window((8, 8), (1, 1)), 2, 3) == (False, True)  # x is its own lowering
    assert served(make_window((8, 8), (3, 3), dilation=(2, 1)), 2, 3) == (False, False)
    assert served(make_window((8, 8), (3, 3)), 2, 3, groups=2) == (False, False)
    assert served(make_window((200, 200), (3, 3)), 4, 3) == (False, False)  # larger than the cache
