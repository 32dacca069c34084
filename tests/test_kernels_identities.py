"""What turns a problem into others, counted out by hand: mirrors, phases, classes of a dilated window."""

from __future__ import annotations

import numpy as np

from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.conv import mec
from tinygrad_conv.kernels.conv.identities import flipped, interleaved, mirrored, phases
from tinygrad_conv.kernels.window import Window, make_window

from .test_kernels import random_window
from .test_kernels_window import windows


def test_correlations_by_phase_make_the_input_gradient() -> None:
    for seed in range(300):
        rng = np.random.default_rng(seed)
        window = random_window(rng, largest=14)
        w, dy = rng.standard_normal((4, 3, *window.kernel)), rng.standard_normal((2, 4, *window.out))
        dx, visits = np.zeros((2, 3, *window.size)), np.zeros(window.size, int)
        for (rows, columns), taps, part in phases(window):
            assert part.stride == (1, 1)
            dx[:, :, rows, columns] = mec.correlate(dy, flipped(w[:, :, taps[0], taps[1]], 1), part, 1)
            visits[rows, columns] += 1
        np.testing.assert_allclose(dx, reference.correlate_input_grad(dy, w, window, 1), atol=1e-10)
        assert visits.max(initial=0) <= 1


def test_stride_one_has_a_single_phase_that_is_the_mirror() -> None:
    window = make_window((9, 8), (3, 4), (1, 1), ((1, 2), (0, 3)), (2, 1))
    (phase,) = phases(window)
    mirror = mirrored(window)
    (top, _), (left, _) = mirror.padding
    # what comes after is never looked at
    assert phase.window == mirror._replace(padding=((top, 0), (left, 0)))


def test_a_mirror_makes_the_input_out_of_the_output_and_is_its_own_inverse() -> None:
    for window in windows():
        window = make_window(window.size, window.kernel, (1, 1), window.padding, window.dilation)
        if min(window.out) == 0:
            continue
        back = mirrored(window)
        assert make_window(back.size, back.kernel, (1, 1), back.padding, back.dilation) == back
        assert back.out == window.size
        assert mirrored(back) == window


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
                    read, smaller = place_of(window, row, tap), place_of(part.window, own, tap)
                    assert rows.get(smaller, -1) == (read if 0 <= read < window.size[0] else -1)


def place_of(window: Window, row: int, tap: int) -> int:
    """Which row of the input a tap of a row of windows meets; beyond the input in the padding."""
    return row * window.stride[0] + tap * window.dilation[0] - window.padding[0][0]
