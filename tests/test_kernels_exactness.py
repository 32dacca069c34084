"""How exact each kernel is: beside outliers, over many summands, against a float64 sum and against PyTorch.

The bound, for every kernel and all numbers of an array that see a large value, and for all that do not:

    largest error ≤ 4 times PyTorch's + 4 roundings of the largest sum of absolute summands
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from itertools import islice
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.attack.kernels import CAMPAIGN as KERNELS
from tests.attack.kernels import FAMILIES, check_family, small_geometries
from tinygrad_conv import kernels
from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.conv.winograd import transforms
from tinygrad_conv.kernels.dispatch import TABLES, problem_of
from tinygrad_conv.kernels.window import Window, make_window

from .helpers import more

pytestmark = pytest.mark.exhaustive

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

WINDOW = make_window((10, 9), (3, 3), padding=((1, 1), (1, 1)))
DIRECTIONS = ("correlate", "correlate_weight_grad", "correlate_input_grad")


def ordinary(channels: int = 24, sparse: bool = False) -> Arrays:
    """Normal numbers; or what is left of them by a ReLU and a pooling."""
    random = np.random.default_rng(0)
    x = random.standard_normal((4, channels, *WINDOW.size))
    dy = random.standard_normal((4, channels, *WINDOW.out))
    w = random.standard_normal((channels, channels, *WINDOW.kernel))
    if sparse:
        x, dy = np.maximum(x, 0), dy * (random.random(dy.shape) < 0.3)
    return {name: array.astype(np.float32) for name, array in (("x", x), ("w", w), ("dy", dy))}


def one(value: float) -> Any:
    """A single large number, at a place where a border makes a difference."""

    def spoil(array: Array) -> None:
        array[1, 2, 0, 1] = value

    return spoil


def border_row(array: Array) -> None:
    """All of the first row, of pictures or of taps."""
    array[:, :, 0] = 1e8


def half(array: Array) -> None:
    """Half of the rows are large: no single number stands out."""
    array[:, :, : array.shape[2] // 2 + 1] *= 1e6


def one_channel(array: Array) -> None:
    """One of the first axis: a sample, or an output."""
    array[1] *= 1e7


SPOILS = {"1e3": one(1e3), "1e6": one(1e6), "1e10": one(1e10), "1e20": one(1e20), "border row": border_row}
SPOILS |= {"half": half, "one channel": one_channel}


def spoiled(arrays: Arrays, name: str, spoil: Any) -> Arrays:
    """With one of them changed."""
    array = arrays[name].copy()
    spoil(array)
    return {**arrays, name: array}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("where", ["x", "w", "dy"])
@pytest.mark.parametrize("what", SPOILS)
def test_a_large_number_spoils_nothing_that_does_not_see_it(what: str, where: str, sparse: bool) -> None:
    arrays = spoiled(ordinary(sparse=sparse), where, SPOILS[what])
    for family, (first, second) in FAMILIES.items():
        check_family(family, (arrays[first], arrays[second]), WINDOW, 1)


def test_ordinary_numbers_keep_the_fast_kernel() -> None:
    for sparse in (False, True):
        arrays = ordinary(sparse=sparse)
        for family, (first, second) in FAMILIES.items():
            with kernels.use_kernels("winograd"):
                getattr(kernels, family)(arrays[first], arrays[second], WINDOW, 1)
            assert kernels.served() == "winograd"


def torch_results(torch: Any, arrays: Arrays, dtype: Any) -> dict[str, Array]:
    """The three, by PyTorch."""
    x, w, dy = (torch.tensor(arrays[name], dtype=dtype) for name in ("x", "w", "dy"))
    results = (
        torch.nn.functional.conv2d(x, w, padding=1),
        torch.nn.grad.conv2d_weight(x, w.shape, dy, padding=1),
        torch.nn.grad.conv2d_input(x.shape, w, dy, padding=1),
    )
    return {family: result.numpy() for family, result in zip(DIRECTIONS, results, strict=True)}


@pytest.mark.torch
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("where", ["x", "w", "dy"])
@pytest.mark.parametrize("what", SPOILS)
def test_errors_are_at_most_four_times_pytorchs(what: str, where: str, sparse: bool) -> None:
    torch = pytest.importorskip("torch")
    before = ordinary(sparse=sparse)
    arrays = spoiled(before, where, SPOILS[what])
    exact, clean = (torch_results(torch, numbers, torch.float64) for numbers in (arrays, before))
    theirs = torch_results(torch, arrays, torch.float32)
    for family, (first, second) in FAMILIES.items():
        sees = exact[family] != clean[family]
        absolute = getattr(reference, family)(
            np.abs(arrays[first], dtype=np.float64), np.abs(arrays[second], dtype=np.float64), WINDOW, 1
        )
        for name in served_by(family, arrays[first], arrays[second], WINDOW):
            with kernels.use_kernels(name):
                ours = getattr(kernels, family)(arrays[first], arrays[second], WINDOW, 1)
            for some in (sees, ~sees):
                error, their_error = (
                    np.abs(result - exact[family])[some].max(initial=0.0) for result in (ours, theirs[family])
                )
                rounding = 4 * np.finfo(np.float32).eps * absolute[some].max(initial=0.0)
                assert error <= 4 * their_error + rounding, (family, name, error, their_error, rounding)


def served_by(family: str, first: Array, second: Array, window: Window) -> list[str]:
    """The kernels that can serve."""
    problem = problem_of(family, first.shape, second.shape, window, 1, first.dtype, second.dtype)
    return [line.name for line in TABLES[family] if line.serves(problem)]


LONG = {  # N, C, H, W, groups: of each a million positions
    "many samples": (62500, 1, 4, 4, 1),
    "many rows": (1, 1, 250_000, 4, 1),
    "one long row": (1, 1, 1, 1_000_000, 1),
    "pictures": (16, 2, 250, 250, 2),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("numbers", ["alike", "normal"])
def test_sums_over_a_million_positions(name: str, numbers: str) -> None:
    samples, channels, height, width, groups = LONG[name]
    kernel = (min(3, height), 3)
    window = make_window((height, width), kernel, padding=((kernel[0] // 2,) * 2, (1, 1)))
    shape = (samples, channels, height, width)
    random = np.random.default_rng(0)
    # the worst there is: what is lost each time adds up
    x, dy = (
        np.full(shape, 0.1, np.float32) if numbers == "alike" else random.standard_normal(shape, np.float32)
        for _ in range(2)
    )
    wide = x.astype(np.float64), dy.astype(np.float64)
    exact = reference.correlate_weight_grad(*wide, window, groups)
    scale = np.sqrt(np.square(wide[0]).sum() * np.square(wide[1]).sum() / channels**2)
    problem = problem_of("correlate_weight_grad", shape, shape, window, groups, x.dtype, dy.dtype)
    for line in TABLES["correlate_weight_grad"]:
        if line.serves(problem) and not line.name == "reference":
            with kernels.use_kernels(line.name):
                dw = kernels.correlate_weight_grad(x, dy, window, groups)
            assert np.abs(dw - exact).max() <= 3e-5 * scale, line.name
    assert np.abs(kernels.sum_by_channel(dy) - wide[1].sum((0, 2, 3))).max() <= 5e-6 * np.abs(wide[1]).sum()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 3, 0), (0, 2, 3, 1), (3, 2, 0, 1)])
@pytest.mark.parametrize(
    "shape", [(1_000_000, 1, 1, 1), (1, 2, 1, 500_000), (250, 4, 250, 4), (3, 2, 100_000, 1)]
)
def test_bias_gradients_over_a_million_rows(shape: tuple[int, ...], order: tuple[int, ...]) -> None:
    dy = np.full([shape[axis] for axis in order], 0.1, np.float32).transpose(np.argsort(order))
    count = dy.size // shape[1]
    np.testing.assert_allclose(kernels.sum_by_channel(dy), count * float(np.float32(0.1)), rtol=5e-6)
    center = np.zeros((1, shape[1], 1, 1), np.float32)
    squares = kernels.deviation(dy, center)[1].ravel()
    np.testing.assert_allclose(squares, count * float(np.float32(0.1)) ** 2, rtol=5e-6)


@pytest.mark.parametrize("step", [11, *more(1)])
def test_small_geometries(step: int) -> None:
    """Every one, or every so-manieth."""
    for case in islice(small_geometries(), 0, None, step):
        KERNELS.check(case)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("height", [6, 6000])
def test_a_kernel_lower_than_the_stride_and_few_rows_of_dy(groups: int, height: int) -> None:
    """Rows that no tap reaches, beyond the last row of dy."""
    dy, w = np.ones((1, 4, 1, 1)), np.ones((4, 4 // groups, 2, 1))
    dx = tg.ops.conv2d_input_grad(dy, w, input_size=(height, 1), stride=(3, 1), groups=groups)
    expected = np.zeros((1, 4, height, 1))
    expected[:, :, :2] = 4 // groups
    np.testing.assert_array_equal(dx, expected)


def test_the_rule_of_the_weight_gradient_gets_there_too() -> None:
    x, dy = tg.ones(1, 2, 60, 1, requires_grad=True), tg.ones(1, 2, 2, 1)
    dw = tg.ops.conv2d_weight_grad(x, dy, kernel_size=(2, 1), stride=(3, 1), groups=2)
    dw.sum().backward()
    expected = np.zeros((1, 2, 60, 1))
    expected[:, :, [0, 1, 3, 4]] = 1
    np.testing.assert_array_equal(x.grad, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e25])
@pytest.mark.parametrize("where", ["x", "w", "dy"])
def test_what_a_kernel_tries_in_vain_does_not_warn(where: str, value: float) -> None:
    """Numbers whose squares overflow, though no result does; and a NaN, which is no reason to warn."""

    def spoil(array: Array) -> None:
        array[:, 0] = value

    arrays = spoiled(ordinary(), where, spoil)
    if value == np.inf:
        arrays = {name: np.abs(array) + 1 for name, array in arrays.items()}
    with np.errstate(over="raise", invalid="raise"):
        for family, (first, second) in FAMILIES.items():
            if (
                value != np.inf or family == "correlate_input_grad"
            ):  # only there no zero of a padding meets it
                getattr(kernels, family)(arrays[first], arrays[second], WINDOW, 1)


def test_caches_by_shape_are_bounded() -> None:
    caches = [
        member
        for name, module in sys.modules.items()
        if name.startswith("tinygrad_conv.kernels")
        for member in vars(module).values()
        if hasattr(member, "cache_parameters") and member.__module__ == name
    ]
    takes_shapes = [
        cache for cache in caches if cache.__wrapped__.__code__.co_argcount and cache is not transforms
    ]
    assert len(takes_shapes) >= 10
    assert all(0 < (cache.cache_parameters()["maxsize"] or 0) <= 2048 for cache in takes_shapes)


def test_a_thousand_shapes_leave_little_behind() -> None:
    def step(shape: tuple[int, int]) -> None:
        window = make_window(shape, (3, 3), padding=((1, 1), (1, 1)))
        x, w = np.ones((1, 2, *shape)), np.ones((4, 2, 3, 3))
        y = kernels.correlate(x, w, window)
        kernels.correlate_weight_grad(x, y, window)
        kernels.correlate_input_grad(y, w, window)
        kernels.max_pool(y, make_window(shape, (3, 3), (2, 2)))

    step((5, 5))
    tracemalloc.start()
    try:
        for height in range(6, 46):
            for width in range(6, 31):
                step((height, width))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 2.5e6
    finally:
        tracemalloc.stop()


def test_an_inf_between_dilated_taps_does_not_warn() -> None:
    window = make_window((12, 3), (3, 2), dilation=(2, 2))
    x = np.ones((1, 1, 12, 3), np.float32)
    x[:, :, 4:8, 1] = np.inf
    check_family("correlate", (x, np.ones((1, 1, 3, 2), np.float32)), window, 1)
