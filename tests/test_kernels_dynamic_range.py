"""Whether numbers may be mixed: energies of windows and tiles, added up one place after another.

What `even_windows` and its kin answer decides which kernel serves. An answer that is wrong by a row shows in
no result, as long as the numbers are ordinary ones.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_conv.kernels.conv import dynamic_range, winograd
from tinygrad_conv.kernels.conv.problem import makes_tiles
from tinygrad_conv.kernels.window import make_window

from .helpers import more

FLOAT = np.dtype(np.float32)


def random_tiled_window(rng):
    """A window of three rows that Winograd's tiles serve: dilated, padded, with a stride to go with it."""
    while True:
        rows, columns = int(rng.integers(6, 24)), int(rng.integers(1, 7))
        dilation = int(rng.integers(1, 4))
        stride = int(rng.choice([1, dilation]))
        window = make_window(
            (rows, columns),
            (3, int(rng.integers(1, 4))),
            stride=(stride, 1),
            padding=tuple(tuple(rng.integers(0, 4, 2).tolist()) for _ in range(2)),
            dilation=(dilation, int(rng.integers(1, 3))),
        )
        if min(window.out) > 0 and makes_tiles(window):
            return window


def places(window, axis, first):
    """The rows or columns of the input that the window beginning at `first` sees."""
    seen = (first + tap * window.dilation[axis] for tap in range(window.kernel[axis]))
    return [place for place in seen if 0 <= place < window.size[axis]]


def energy(energies, rows, columns):
    """[N]: of the places in these rows and columns."""
    return sum((energies[row, column] for row in rows for column in columns), np.zeros(energies.shape[2]))


def tile_rows(window, p):
    """The input rows of the six that the tile sees in which output row p lies.

    Output rows whose inputs interleave make tiles of their own: p, p + step, p + 2 step …
    """
    stride, dilation = window.stride[0], window.dilation[0]
    step = dilation // math.gcd(dilation, stride)
    number = p // step
    top = (p - (number % winograd.TILE_ROWS) * step) * stride - window.padding[0][0]
    seen = (top + tap * dilation for tap in range(winograd.SEEN))
    return [row for row in seen if 0 <= row < window.size[0]]


def by_hand(x, window):
    """(the largest energy of a tile, whether every window has its part of its tile's, fewest places)."""
    energies = np.square(x).sum(1)
    largest, even, fewest = 0.0, True, math.inf
    for p in range(window.out[0]):
        rows = places(window, 0, p * window.stride[0] - window.padding[0][0])
        for q in range(window.out[1]):
            columns = places(window, 1, q * window.stride[1] - window.padding[1][0])
            tile = energy(energies, tile_rows(window, p), columns)
            largest = max(largest, tile.max())
            even &= bool((tile <= 64 * energy(energies, rows, columns)).all())
            fewest = min(fewest, len(rows) * len(columns))
    return largest, even, fewest


def spoiled(x, rng):
    """With a number, a row, a column or a sample that is larger or smaller than the others, or none."""
    at = tuple(int(rng.integers(size)) for size in x.shape)
    which = int(rng.integers(6))
    where = [at, at[:1], (slice(None), slice(None), at[2]), (..., at[3]), (slice(at[0]),), (slice(0),)][which]
    x[where] *= 10 ** rng.uniform(-1.5, 1.5)
    return x


@pytest.mark.parametrize("seed", [0, *more(1, 2, 3)])
def test_windows_have_their_part_of_the_tiles_energy(seed):
    rng = np.random.default_rng(seed)
    answers = {"fast": 0, "by column": 0, "close": 0, None: 0}
    for _ in range(150):
        window = random_tiled_window(rng)
        height, width = window.size
        x = spoiled(
            rng.uniform(0.6, 1, (height, int(rng.integers(1, 3)), width, int(rng.integers(1, 3)))), rng
        )
        largest, even, fewest = by_hand(x, window)
        energies = np.square(x).sum(1)
        bound = energies.max() * 6 * window.kernel[1]
        given = dynamic_range.even_windows(x, window)
        if bound <= 64 * energies.min() * fewest:
            assert even and given == pytest.approx(bound)
            answers["fast"] += 1
        elif even:
            assert largest * (1 - 1e-9) <= given <= bound * (1 + 1e-9)
            answers["close" if given == pytest.approx(largest) else "by column"] += 1
        else:
            assert given is None
            answers[None] += 1
    assert min(answers.values()) > 10, answers


def weights_by_hand(w):
    """The largest energy of an output of w [O, C, 3, kw], if neither a row nor few channels have it all."""
    channels, largest = w.shape[1], 0.0
    for output in np.square(w):
        total = output.sum()
        of_channel = output.sum((1, 2))
        if output.sum((0, 2)).max() > total * 15 / 16:
            return None
        if total**2 < (1 + (channels - 1) / 8) * (of_channel**2).sum():
            return None
        largest = max(largest, total)
    return largest


def spoiled_weights(shape, rng):
    """Weights of which a row of taps, or a few channels, or nothing, are larger than the others."""
    w = rng.uniform(0.6, 1, shape)
    some = int(rng.integers(1, 2 + shape[1] // 4))
    where = [np.s_[:, :, int(rng.integers(3))], np.s_[:, :some], np.s_[1], np.s_[1, :some], np.s_[:0]]
    w[where[int(rng.integers(len(where)))]] *= 10 ** rng.uniform(-0.5, 1.5)
    return w


def test_weights_are_those_of_many_rows_and_channels():
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        w = spoiled_weights((2, int(rng.integers(1, 17)), 3, int(rng.integers(1, 4))), rng)
        by_row = w.transpose(2, 0, 3, 1).reshape(3, 2, -1)
        expected = weights_by_hand(w)
        assert dynamic_range.even_weights(by_row, w.shape[1]) == pytest.approx(expected)
        refused += expected is None
    assert 40 < refused < 260


def channels_by_hand(x):
    """The largest energy of a channel of x [H, C, W, N], if no row has most of it."""
    energies = np.square(x).sum((2, 3))
    total, of_channel = energies.sum(), energies.sum(0)
    if energies.sum(1).max() > 0.75 * total:
        return None
    if (energies.max(0) > of_channel / 2 + total / x.shape[1]).any():
        return None
    return of_channel.max()


def test_no_row_has_most_of_a_channel():
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        shape = (int(rng.integers(2, 7)), int(rng.integers(1, 6)), int(rng.integers(1, 5)), 2)
        x = rng.uniform(0.6, 1, shape)
        row, channel = int(rng.integers(shape[0])), int(rng.integers(shape[1]))
        where = [np.s_[row], np.s_[row, channel], np.s_[:, channel], np.s_[:0]]
        x[where[int(rng.integers(len(where)))]] *= 10 ** rng.uniform(-1, 1)
        expected = channels_by_hand(x)
        assert dynamic_range.even_channels(x) == pytest.approx(expected)
        refused += expected is None
    assert 40 < refused < 260


@pytest.mark.parametrize("shape", [(5, 3, 4, 2), (3, 2, 16, 16), (3, 2, 5, 51), (3, 1, 257, 1)])
def test_energies_are_sums_of_squares(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(dynamic_range.channel_energies(x), np.square(x).sum((2, 3)))
    np.testing.assert_allclose(dynamic_range.place_energies(x), np.square(x).sum(1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 1e30])
def test_what_is_not_finite_or_overflows_never_passes(number):
    window = make_window((9, 4), (3, 3))
    x, by_row = np.ones((9, 2, 4, 1), np.float32), np.ones((3, 2, 6), np.float32)
    assert dynamic_range.even_windows(x, window) and dynamic_range.even_weights(by_row, 2)
    assert dynamic_range.even_channels(x)
    x[2, 1, 3, 0] = by_row[1, 0, 2] = number
    assert dynamic_range.even_windows(x, window) is None
    assert dynamic_range.even_weights(by_row, 2) is None
    assert dynamic_range.even_channels(x) is None
    x[...] = by_row[...] = number  # all alike, so nothing stands out
    assert dynamic_range.even_windows(x, window) is None
    assert dynamic_range.even_weights(by_row, 2) is None
    assert dynamic_range.even_channels(x) is None


def test_sums_of_energies_may_go_beyond_float32():
    by_row = np.full((3, 2, 4), 0.8e19, np.float32)  # of an output 12 · 6.4e37
    assert dynamic_range.even_weights(by_row, 2) == pytest.approx(12 * 0.64e38, rel=1e-6)
    x = np.full((2, 3, 1, 1), 1.3e19, np.float32)  # of a row 3 · 1.69e38, of a channel 2 · 1.69e38
    assert dynamic_range.even_channels(x) == pytest.approx(2 * 1.69e38, rel=1e-6)
    x = np.full((3, 2, 1, 1), 1.3e19, np.float32)
    assert dynamic_range.even_channels(x) == pytest.approx(3 * 1.69e38, rel=1e-6)


def test_bounds_themselves_are_within():
    by_row = np.zeros((3, 1, 4), np.float32)
    by_row[0], by_row[1] = [3, 2, 1, 1], [1, 0, 0, 0]  # 15 of 16
    assert dynamic_range.even_weights(by_row, 1) == 16
    assert dynamic_range.even_weights(by_row / 8, 1) == 0.25  # less than 1
    rows = np.zeros((2, 1, 3, 1))
    rows[0, 0, :, 0], rows[1, 0, 0, 0] = 1, 1  # 3 of 4 in the first
    assert dynamic_range.even_channels(rows) == 4
    x = np.zeros((2, 4, 4, 1))
    x[0, 0, :, 0], x[1, 0, 0, 0] = [2, 1, 1, 1], 1  # 7 of 8 in a row, and 12 / 4 beside half of the 8
    x[0, 1, 0, 0], x[1, 1, :3, 0] = 1, 1
    assert dynamic_range.even_channels(x) == 8
    x[0, 0, 0, 0] += 0.01
    assert dynamic_range.even_channels(x) is None


def test_an_inf_that_no_window_sees_does_not_pass():
    window = make_window((9, 9), (3, 1), stride=(1, 1), dilation=(2, 1), padding=((0, 0), (0, -4)))
    x = np.ones((9, 1, 9, 1))
    x[0, 0, 8, 0] = np.inf
    assert dynamic_range.even_windows(x, window) is None


def test_products_that_may_overflow_are_not_mixed():
    largest = float(np.finfo(np.float32).max)
    bound = (largest / dynamic_range.GROWTH) ** 0.5  # of the square root of each energy
    assert dynamic_range.mixable((bound * 0.99) ** 2, bound**2, FLOAT)
    assert dynamic_range.mixable(bound**4 * 0.98, 1.0, FLOAT)
    assert not dynamic_range.mixable((bound * 1.01) ** 2, bound**2, FLOAT)
    assert not dynamic_range.mixable(1.0, bound**4 * 1.02, FLOAT)
    assert dynamic_range.mixable(bound**4, 2.0, np.dtype(np.float64))
    assert dynamic_range.mixable(0.0, 0.0, FLOAT)
    energy = (largest / dynamic_range.GROWTH) ** 2
    assert energy**0.5 * dynamic_range.GROWTH == largest  # the bound itself, to the last digit
    assert not dynamic_range.mixable(energy, 1.0, FLOAT)
    assert not dynamic_range.mixable(None, 1.0, FLOAT)
    assert not dynamic_range.mixable(1.0, None, FLOAT)
