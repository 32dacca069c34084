"""Whether numbers are near enough to one another in size for sums that mix them.

Winograd's transforms add up rows that belong to different outputs, and take away again what is not theirs.
What stays is the rounding of the largest of them: beside a value of 1e10 an output that never sees it would
be off by thousands. So here energies are compared, sums of squares. `V` is that of a window, all channels,
and `T` that of the six rows which make a tile:

    T ≤ 64 V      for every window: what is mixed in is at most 8 times as large as the window's own numbers

A window of nothing but zeros beside other numbers does not pass, either: its output stays an exact 0. Of the
weights of an output neither a row of taps nor few channels may have nearly all energy, for there are windows
that do not see that row, at a border, or nothing in those channels. And in a weight gradient, which adds up
everything, no single row of a channel may have most of it, unless that is little beside the other channels.

Inf and NaN never pass, nor do numbers whose products might overflow. It is one pass over memory, before
anything is computed: nothing is computed in vain.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

import numpy as np

from ..memory_order import Rows
from ..threads import share
from ..window import Array, Window, overlap
from .identities import interleaved

LARGEST_RATIO = 64.0  # of energies, of a tile and of a window in it
MOST_OF_TAPS = 15 / 16  # of the energy of an output's weights, in a single row of taps
FEWEST_CHANNELS = 1 / 8  # of all, to have the energy of an output's weights
MOST_OF_ALL = 0.75  # of the energy of an array, in a single row
MOST_OF_A_CHANNEL = 0.5
GROWTH = 1000.0  # more than transforms make of a sum of products
TILE_ROWS = 4  # of output
TILE_PLACES = 6  # of input that a tile mixes, for each column of the kernel
LONG_ROWS = 256  # numbers: BLAS adds up their squares faster than einsum
NANOSECONDS = 0.25  # for each number


def even_windows(x: Rows, window: Window) -> float | None:
    """The largest energy of a tile of x [H, C, W, N], if all windows have their part in their tile's."""
    energies = place_energies(x)
    largest = float(np.maximum.reduce(energies, axis=None)) * TILE_PLACES * window.kernel[1]
    least = float(np.minimum.reduce(energies, axis=None)) * fewest_places(window)
    if not isfinite(largest):
        return None  # even if no window sees the Inf, as between dilated taps: sums would warn of it
    if largest <= LARGEST_RATIO * least:  # no need to look closer
        return largest
    largest = 0.0
    for part in interleaved(window):
        seen = energies[part.inputs]
        tile_energy = _even_columns(seen, part.window) or _even_part(seen, part.window)
        if tile_energy is None:
            return None
        largest = max(largest, tile_energy)
    return largest


@lru_cache(maxsize=256)
def fewest_places(window: Window) -> int:
    """In how many places a window meets the input at the least."""
    counts = np.zeros(window.out[0], int), np.zeros(window.out[1], int)
    for axis in (0, 1):
        for tap in range(window.kernel[axis]):
            counts[axis][overlap(window, axis, tap).windows] += 1
    return int(counts[0].min() * counts[1].min())


def _even_columns(energies: Array, window: Window) -> float | None:
    """A bound on the energy of a tile of one class of rows, if windows one column wide have their part.

    Then wider ones have it, too; so it is, nearly always.
    """
    rows = row_sums(window, energies.dtype)
    sums = np.matmul(rows, energies.reshape(len(energies), -1)).reshape(-1, 1 + TILE_ROWS, energies[0].size)
    of_tile, of_window = sums[:, 0], np.minimum.reduce(sums[:, 1:], 1)
    of_window *= LARGEST_RATIO
    if not (of_tile <= of_window).all():
        return None
    return float(np.maximum.reduce(of_tile, axis=None)) * window.kernel[1]


@lru_cache(maxsize=256)
def row_sums(window: Window, dtype: np.dtype[Any]) -> Array:
    """The matrix that adds up rows [H] of a class: those of each tile, and of each window in it.

    Five for each tile; in one that is cut short the last window stands for those that are missing.
    """
    tiles = -(-window.out[0] // TILE_ROWS)
    sums = np.zeros((tiles * TILE_ROWS, window.size[0]), dtype)
    for tap in range(window.kernel[0]):
        place = overlap(window._replace(out=(tiles * TILE_ROWS, window.out[1])), 0, tap)
        sums[range(place.first, place.last), range(place.start, place.stop)] = 1
    by_tile = sums.reshape(tiles, TILE_ROWS, -1)
    of_tile = by_tile[:, :1] + by_tile[:, -1:]  # three rows and three
    by_tile[-1, window.out[0] - tiles * TILE_ROWS + TILE_ROWS :] = sums[window.out[0] - 1]
    return np.concatenate([of_tile, by_tile], 1).reshape(-1, window.size[0])


def _even_part(energies: Array, window: Window) -> float | None:
    """The same of one class of rows: energies [H, W, N]."""
    count, columns = window.out
    tiles = -(-count // TILE_ROWS)
    in_row = np.zeros((len(energies), columns, energies.shape[2]), energies.dtype)
    for j in range(window.kernel[1]):
        place = overlap(window, 1, j)
        in_row[:, place.windows] += energies[:, place.inputs]
    whole_tiles = window._replace(out=(tiles * TILE_ROWS, columns))
    of_window = np.zeros((tiles * TILE_ROWS, *in_row.shape[1:]), energies.dtype)
    for i in range(window.kernel[0]):
        place = overlap(whole_tiles, 0, i)
        of_window[place.windows] += in_row[place.inputs]
    by_tile = of_window.reshape(tiles, TILE_ROWS, -1)
    of_tile = by_tile[:, 0] + by_tile[:, -1]  # three rows and three
    largest = float(of_tile.max())
    of_tile /= LARGEST_RATIO
    least = np.minimum.reduce(by_tile, 1)
    rest = count % TILE_ROWS
    if rest:
        least[-1] = np.minimum.reduce(by_tile[-1, :rest], 0)
    return largest if isfinite(largest) and bool((of_tile <= least).all()) else None


def even_weights(by_row: Array, channels: int) -> float | None:
    """The largest energy of an output of weights by_row [3, O, kw * C], if it is that of many.

    Not of a single row of taps: at a border there are outputs that do not see it. Nor of few channels: x may
    be zero there, as a ReLU leaves it. How many they are says (Σ e)² / Σ e², of the energies e of each.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # then they do not pass
        squares = np.square(by_row)
        of_row = np.add.reduce(squares, 2)
        of_column = np.add.reduce(squares, 0).reshape(by_row.shape[1], -1, channels)
    of_channel = np.add.reduce(of_column, 1, dtype=np.float64)
    total = np.add.reduce(of_channel, 1)
    largest = float(total.max())
    if not isfinite(largest) or (np.maximum.reduce(of_row, 0) > total * MOST_OF_TAPS).any():
        return None
    least_channels = 1 + (channels - 1) * FEWEST_CHANNELS
    even = total * total >= least_channels * np.add.reduce(of_channel * of_channel, 1)
    return largest if bool(even.all()) else None


def even_channels(x: Rows) -> float | None:
    """The energy of a channel of x [H, C, W, N] at most, if no channel has most of it in a single row."""
    energies = channel_energies(x)
    of_row, of_channel = energies.sum(1, dtype=np.float64), energies.sum(0, dtype=np.float64)
    total = float(of_row.sum())
    if not isfinite(total) or of_row.max() > MOST_OF_ALL * total:
        return None
    allowed = of_channel * MOST_OF_A_CHANNEL + total / len(of_channel)
    return float(of_channel.max()) if bool((np.maximum.reduce(energies, 0) <= allowed).all()) else None


def mixable(energy: float | None, other: float | None, dtype: np.dtype[Any]) -> bool:
    """Whether both arrays passed, with these energies, and no sum of their products can overflow."""
    if energy is None or other is None:
        return False
    return sqrt(energy) * sqrt(other) * GROWTH < float(np.finfo(dtype).max)


def place_energies(x: Rows) -> Array:
    """[H, W, N]: the sum over channels of the squares of x [H, C, W, N]."""
    height, channels, width, samples = x.shape
    lines = x.reshape(height, channels, width * samples)
    energies = np.empty((height, width * samples), x.dtype)

    def work(first: int, last: int) -> None:
        np.einsum("hck,hck->hk", lines[first:last], lines[first:last], out=energies[first:last])

    with np.errstate(over="ignore", invalid="ignore"):  # then they do not pass
        share(work, height, x.size * NANOSECONDS / 1000)
    return energies.reshape(height, width, samples)


def channel_energies(x: Rows) -> Array:
    """[H, C]: the same over columns and samples."""
    lines = x.reshape(*x.shape[:2], -1)
    with np.errstate(over="ignore", invalid="ignore"):  # then they do not pass
        if lines.shape[2] >= LONG_ROWS:
            return np.matmul(lines[:, :, None], lines[..., None])[..., 0, 0]
        return np.einsum("hck,hck->hc", lines, lines)
