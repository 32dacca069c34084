"""What breaking the kernels showed to be untested: geometry counted out by hand, and work cut into other
pieces than usual.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import mec, threads
from tinygrad_conv.kernels.dilation import interleaved
from tinygrad_conv.kernels.mirror import mirrored
from tinygrad_conv.kernels.window import Window, make_window, overlap

from .test_kernels import (
    Array,
    Case,
    assert_same,
    larger_case,
    pool_input,
    pool_windows,
    random_case,
    random_window,
    results,
)


def windows() -> Iterator[Window]:
    """Random ones, and such as have no place for their kernel."""
    for seed in range(200):
        yield random_window(np.random.default_rng(seed))
    yield make_window((2, 9), (5, 2))
    yield make_window((1, 1), (4, 4), (3, 2), ((1, 0), (0, 1)), (2, 3))


def places(window: Window, axis: int) -> range:
    """Where windows begin in the padded input, one stride apart, as long as their last tap lies inside."""
    padded = window.size[axis] + sum(window.padding[axis])
    reach = window.dilation[axis] * (window.kernel[axis] - 1)
    return range(0, max(0, padded - reach), window.stride[axis])


@pytest.mark.parametrize("axis", [0, 1])
def test_there_are_as_many_windows_as_there_is_room_for(axis: int) -> None:
    for window in windows():
        assert window.out[axis] == len(places(window, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_an_overlap_is_the_windows_whose_tap_meets_the_input(axis: int) -> None:
    for window in windows():
        for tap in range(window.kernel[axis]):
            read = [p + tap * window.dilation[axis] - window.padding[axis][0] for p in places(window, axis)]
            inside = [(number, at) for number, at in enumerate(read) if 0 <= at < window.size[axis]]
            found = overlap(window, axis, tap)
            numbers = range(window.out[axis])[found.windows]
            assert list(zip(numbers, range(window.size[axis])[found.inputs], strict=True)) == inside
            if not inside:
                assert found == (0, 0, 0, 0, window.stride[axis])


def test_a_mirror_makes_the_input_out_of_the_output_and_is_its_own_inverse() -> None:
    for window in windows():
        window = make_window(window.size, window.kernel, (1, 1), window.padding, window.dilation)
        if min(window.out) == 0:
            continue
        back = mirrored(window)
        assert make_window(back.size, back.kernel, (1, 1), back.padding, back.dilation) == back
        assert back.out == window.size
        assert mirrored(back) == window


MODULES = [
    importlib.import_module(f"{kernels.__name__}.{entry.name}")
    for entry in pkgutil.iter_modules(kernels.__path__)
]
BOUNDS = ("CACHE_BYTES", "CACHE_WINDOWS", "WORKSPACE_BYTES", "LARGEST")  # how much is done at once


@pytest.fixture(
    params=[(1, 1), (1, 3), (2000, 2), (1 << 24, 4)], ids=lambda one: f"{one[0]} bytes, {one[1]} parts"
)
def cut_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in pieces of so many bytes, all of it shared by so many threads, however little it is."""
    size, parts = request.param
    settings = {**dict.fromkeys(BOUNDS, size), "WORTH_SHARING": 0.0}
    found = [(module, name) for module in MODULES for name in settings if hasattr(module, name)]
    assert {name for _, name in found} >= {"CACHE_BYTES", "WORTH_SHARING"}
    for module, name in found:
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


FORCED = ["fast", *(one for one in kernels.KERNELS if one not in ("reference", "nothing"))]


@pytest.mark.parametrize("name", FORCED)
def test_however_the_work_is_cut_up_the_numbers_are_the_same(name: str, cut_up: None) -> None:
    names = ("toy", "winograd", "stride 2", "grouped", "dilated, stride 2, grouped", "1x1", "1x1, stride 2")
    cases = [random_case(seed, np.float64) for seed in range(7000, 7060)] + [
        larger_case(one, np.float64) for one in names
    ]
    served = 0
    for case in cases:
        with kernels.use_kernels("reference"):
            expected = results(case)
        for family, value in forced(name, case).items():
            assert_same(value, expected[family], 1e-11)
            served += 1
    assert served >= 40


def forced(name: str, case: Case) -> dict[str, Any]:
    """Those of the three correlations that a kernel serves, by that kernel."""
    found = {}
    x, w, dy, window, groups = case
    for family, function, first, second in (
        ("y", kernels.correlate, x, w),
        ("dw", kernels.correlate_weight_grad, x, dy),
        ("dx", kernels.correlate_input_grad, dy, w),
    ):
        with kernels.use_kernels(name):
            try:
                found[family] = function(first, second, window, groups)
            except ValueError as refusal:
                assert f"{name!r} cannot serve" in str(refusal)
    return found


PADDINGS = [
    ((0, 0), (0, 0)),
    ((1, 0), (0, 0)),
    ((0, 0), (1, 0)),
    ((0, 1), (1, 1)),
    ((0, 0), (0, 2)),
    ((2, 2), (1, 0)),
]


@pytest.mark.parametrize("kernel", [(1, 1), (1, 3), (3, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("name", FORCED)
def test_every_kernel_in_every_combination(name: str, kernel: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    options = product(
        [(1, 1), (2, 1), (1, 2)], PADDINGS, [(1, 1), (2, 1), (1, 3)], [1, 2], [(0, 1, 2, 3), (2, 1, 3, 0)]
    )
    for stride, padding, dilation, groups, order in options:
        window = make_window((7, 8), kernel, stride, padding, dilation)
        shapes = (2, 2 * groups, 7, 8), (3 * groups, 2, *kernel), (2, 3 * groups, *window.out)
        x, w, dy = (
            np.moveaxis(rng.standard_normal([one[at] for at in order]), range(4), order) for one in shapes
        )
        case = Case(x, w, dy, window, groups)
        with kernels.use_kernels("reference"):
            expected = results(case)
        for family, value in forced(name, case).items():
            assert_same(value, expected[family], 1e-12)


@pytest.mark.parametrize("kind", ["plain", "ties", "wild"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_however_a_pooling_is_cut_up_the_numbers_are_the_same(kind: str, cut_up: None) -> None:
    for seed, window in pool_windows():
        x = pool_input(np.random.default_rng(seed), window, kind)
        y, tap = kernels.max_pool(x, window)
        dx = kernels.scatter_taps(y, tap, window)
        with kernels.use_kernels("reference"):
            expected_y, expected_tap = kernels.max_pool(x, window)
            expected_dx = kernels.scatter_taps(expected_y, expected_tap, window)
        np.testing.assert_array_equal(y, expected_y)
        np.testing.assert_array_equal(tap, expected_tap)
        assert_same(dx, expected_dx, 1e-6)


@pytest.mark.parametrize("shape", [(3, 4, 30, 40), (1, 1, 120, 90), (7, 1, 40, 40)])
def test_channels_wherever_they_lie_in_memory(shape: tuple[int, int, int, int]) -> None:
    for order in permutations(range(4)):
        y = (
            np.random.default_rng(0)
            .standard_normal([shape[axis] for axis in order])
            .transpose(np.argsort(order))
        )
        b = np.arange(1.0, 1 + shape[1])
        np.testing.assert_allclose(kernels.sum_by_channel(y), y.sum((0, 2, 3)), rtol=0, atol=1e-10)
        np.testing.assert_array_equal(y + b[:, None, None], kernels.add_bias(y, b))


def test_the_classes_of_a_dilated_window_read_what_the_window_reads() -> None:
    for window in windows():
        parts = interleaved(window)
        assert sorted(row for part in parts for row in range(window.out[0])[part.outputs]) == list(
            range(window.out[0])
        )
        for part in parts:
            rows = dict(enumerate(range(window.size[0])[part.inputs]))
            assert part.window.size[0] == len(rows)
            for own, row in enumerate(range(window.out[0])[part.outputs]):
                for tap in range(window.kernel[0]):
                    read, here = place_of(window, row, tap), place_of(part.window, own, tap)
                    assert rows.get(here, -1) == (read if 0 <= read < window.size[0] else -1)


def place_of(window: Window, row: int, tap: int) -> int:
    """Which row of the input a tap of a row of windows meets; beyond the input in the padding."""
    return row * window.stride[0] + tap * window.dilation[0] - window.padding[0][0]


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (4, 5), (5, 5), (2, 2)])
def test_pooling_in_every_combination(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    strides, dilations, orders = [(2, 2), (1, 2), (2, 1)], [(1, 1), (1, 2)], permutations(range(4))
    for stride, padding, dilation, order in product(strides, PADDINGS, dilations, orders):
        window = make_window(size, (2, 2), stride, padding, dilation)
        shapes = (2, 3, *size), (2, 3, *window.out)
        x, dy = (
            np.moveaxis(rng.standard_normal([one[at] for at in order]), range(4), order) for one in shapes
        )
        found = pooled(x, dy, window)
        with kernels.use_kernels("reference"):
            expected = pooled(x, dy, window)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def pooled(x: Array, dy: Array, window: Window) -> tuple[Array, ...]:
    """What every function of pooling makes of an input and an output error."""
    y, tap = kernels.max_pool(x, window)
    scattered, gathered = kernels.scatter_taps(dy, tap, window), kernels.gather_taps(x, tap, window)
    return y, tap, scattered, gathered, kernels.sum_windows(x, window), kernels.spread_windows(dy, window)


@pytest.mark.parametrize("block", range(4))
def test_weight_gradients_with_their_tap_columns_apart(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mec` multiplies tap columns apart where they have many rows; here always, so that small cases show it
    too.
    """
    monkeypatch.setattr(mec, "LEAST_ROWS_APART", 0)
    monkeypatch.setattr(mec, "LEAST_ROWS_APART_PACKED", 0)
    for seed in range(block * 50, block * 50 + 50):
        case = random_case(seed, np.float64)
        found = {}
        for name in ("mec", "reference"):
            with kernels.use_kernels(name):
                found[name] = kernels.correlate_weight_grad(case.x, case.dy, case.window, case.groups)
        assert_same(found["mec"], found["reference"], 1e-12)
