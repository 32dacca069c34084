"""Several rows at once, forward and for weight gradients: whatever is left over, and with an Inf anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels.conv import bands, lowering, mec
from tinygrad_conv.kernels.window import make_window

from .test_kernels import Array, assert_same, random_array


@pytest.fixture(autouse=True)
def packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On any processor, as if BLAS rearranged matrices before it multiplies them."""
    for module in (bands, mec):
        monkeypatch.setattr(module, "blas_multiplies_unpacked", lambda: False)


SETTINGS = {  # C, O, kernel, stride, padding, dilation, and how many rows at once
    "LeNet": ((1, 6, (5, 5), (1, 1), (2, 2), (1, 1)), 4),
    "ten outputs": ((2, 10, (5, 5), (1, 1), (0, 0), (1, 1)), 4),
    "twelve": ((3, 12, (5, 5), (1, 1), (2, 2), (1, 1)), 2),
    "a tile full": ((1, 16, (3, 3), (1, 1), (1, 1), (1, 1)), 2),
    "a tile full, long patches": ((2, 8, (3, 3), (1, 1), (1, 1), (1, 1)), 1),
    "three high": ((2, 6, (3, 5), (1, 1), (1, 2), (1, 1)), 2),
    "four high": ((2, 6, (4, 3), (1, 1), (1, 1), (1, 1)), 2),
    "stride 2 along the rows": ((2, 6, (5, 5), (1, 2), (2, 2), (1, 1)), 4),
    "two high": ((2, 6, (2, 4), (1, 1), (1, 2), (1, 1)), 1),
    "stride 2": ((2, 3, (6, 3), (2, 2), (1, 1), (1, 1)), 2),
    "stride 2, ten high": ((1, 3, (10, 3), (2, 2), (4, 1), (1, 1)), 4),
    "little in common": ((2, 3, (5, 3), (2, 2), (1, 1), (1, 1)), 1),
    "dilated": ((2, 6, (5, 3), (1, 1), (4, 2), (2, 2)), 4),
    "one column": ((1, 6, (3, 1), (1, 1), (0, 0), (1, 1)), 2),
    "one output": ((1, 1, (5, 5), (1, 1), (2, 2), (1, 1)), 1),
}


def sample(name: str, height: int, dtype: Any = np.float32) -> tuple[Array, Array, Any]:
    """x, dY and the window of a setting that has so many output rows."""
    channels, outputs, kernel, stride, padding, dilation = SETTINGS[name][0]
    high = (height - 1) * stride[0] + dilation[0] * (kernel[0] - 1) + 1 - 2 * padding[0]
    window = make_window((high, 12), kernel, stride, tuple((side, side) for side in padding), dilation)  # type: ignore[arg-type]
    rng = np.random.default_rng(height)
    x, dy = (
        random_array(rng, (3, channels, *window.size), dtype),
        random_array(rng, (3, outputs, *window.out), dtype),
    )
    return x, dy, window


def assert_right(x: Array, dy: Array, window: Any, tolerance: float = 2e-5) -> None:
    """What mec makes of them is what the formula says."""
    with kernels.use_kernels("reference"):
        expected = kernels.correlate_weight_grad(x, dy, window)
    with kernels.use_kernels("mec"):
        assert_same(kernels.correlate_weight_grad(x, dy, window), expected, tolerance)


@pytest.mark.parametrize("name", SETTINGS)
def test_weight_gradients_equal_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heights = [height for height in range(1, 15) if sample_is_possible(name, height)]
    for height in heights:
        assert_right(*sample(name, height))
    assert_right(*sample(name, heights[-1], np.float64), tolerance=1e-12)
    assert_right(*sample(name, heights[-1], np.float16), tolerance=2e-3)
    monkeypatch.setattr(lowering, "CACHE_BYTES", 10_000)  # a few rows at a time
    assert_right(*sample(name, 13))


def sample_is_possible(name: str, height: int) -> bool:
    """Whether there are pictures with so few output rows: padding alone makes some."""
    _, _, kernel, stride, padding, dilation = SETTINGS[name][0]
    return (height - 1) * stride[0] + dilation[0] * (kernel[0] - 1) + 1 > 2 * padding[0]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_inf_reaches_what_it_meets_and_nothing_else(name: str) -> None:
    for value in (np.inf, np.nan):
        for spoiled in (0, 1):
            *arrays, window = sample(name, 9)
            arrays[spoiled] = np.array(arrays[spoiled])
            arrays[spoiled][1, 0, 4, 3] = value
            assert_right(arrays[0], arrays[1], window)


@pytest.mark.parametrize("name", SETTINGS)
def test_bands_serve_where_they_are_said_to(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    several_rows = bands.several_rows

    def noted(values: Array, errors: Array, together: int) -> bands.SeveralRows:
        seen.append(together)
        return several_rows(values, errors, together)

    monkeypatch.setattr(bands, "several_rows", noted)
    assert_right(*sample(name, 13))
    together = SETTINGS[name][1]
    assert set(seen) == ({together} if together > 1 else set())
    monkeypatch.setattr(bands, "blas_multiplies_unpacked", lambda: True)
    seen.clear()
    assert_right(*sample(name, 13))
    assert not seen


def test_products_off_the_band_are_no_reason_to_warn() -> None:
    x, dy, window = sample("LeNet", 9)
    x, dy = np.zeros_like(x), np.zeros_like(dy)
    x[:, 0, 0, 5] = dy[:, :, 5] = 1e30  # no window of that row of dY sees that row of x
    with np.errstate(all="raise"):
        assert_right(x, dy, window)


FORWARD = {  # as above; how many rows of y at once
    "two outputs": ((2, 2, (3, 3), (1, 1), (1, 1), (1, 1)), 2),
    "three": ((1, 3, (3, 3), (1, 1), (0, 2), (1, 1)), 4),
    "LeNet": ((1, 6, (5, 5), (1, 1), (2, 2), (1, 1)), 2),
    "seven": ((3, 7, (4, 2), (1, 2), (1, 0), (1, 1)), 4),
    "ten, stride 2": ((2, 10, (6, 3), (2, 2), (1, 1), (1, 1)), 2),
    "four": ((2, 4, (5, 5), (1, 1), (2, 2), (1, 1)), 1),
    "one": ((2, 1, (5, 5), (1, 1), (2, 2), (1, 1)), 1),
    "eleven": ((2, 11, (5, 5), (1, 1), (2, 2), (1, 1)), 1),
    "two high": ((2, 6, (2, 5), (1, 1), (0, 2), (1, 1)), 1),
    "dilated": ((2, 6, (5, 5), (1, 1), (4, 2), (2, 1)), 1),
}


def assert_forward_is_right(x: Array, w: Array, window: Any, tolerance: float) -> None:
    """The same of y."""
    with kernels.use_kernels("reference"):
        expected = kernels.correlate(x, w, window)
    with kernels.use_kernels("mec"):
        assert_same(kernels.correlate(x, w, window), expected, tolerance)


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_correlations_by_bands_equal_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, together = FORWARD[name]
    monkeypatch.setitem(SETTINGS, name, (settings, 1))
    seen: list[int] = []
    multiply_banded = bands.multiply_banded

    def noted(weights: Array, values: Array, out: Array, together: int) -> None:
        seen.append(together)
        multiply_banded(weights, values, out, together)

    monkeypatch.setattr(bands, "multiply_banded", noted)
    rng = np.random.default_rng(3)
    for height in filter(lambda height: sample_is_possible(name, height), range(1, 11)):
        for dtype, tolerance in ((np.float32, 2e-5), (np.float64, 1e-12), (np.float16, 2e-3)):
            x, _, window = sample(name, height, dtype)
            w = random_array(rng, (settings[1], settings[0], *window.kernel), dtype)
            assert_forward_is_right(x, w, window, tolerance)
    assert set(seen) == ({together} if together > 1 else set())
    seen.clear()
    for value in (np.inf, np.nan):
        spoiled = np.array(x.astype(np.float32))
        spoiled[1, 0, 4, 3] = value
        assert_forward_is_right(spoiled, w.astype(np.float32), window, 2e-5)
        assert not seen
    w = w.astype(np.float32)
    w[0, 0, -1, 0] = np.inf
    assert_forward_is_right(x.astype(np.float32), w, window, 2e-5)
