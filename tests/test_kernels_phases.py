"""The phases of an input gradient: they divide dX among them, and their windows are what the formula says."""

from __future__ import annotations

import numpy as np

from tinygrad_conv.kernels import mec, reference
from tinygrad_conv.kernels.mirror import flipped, mirrored
from tinygrad_conv.kernels.phases import phases
from tinygrad_conv.kernels.window import make_window

from .test_kernels import random_window


def test_correlations_by_phase_make_the_input_gradient() -> None:
    for seed in range(300):
        rng = np.random.default_rng(seed)
        window = random_window(rng, largest=14)
        w, dy = rng.standard_normal((4, 3, *window.kernel)), rng.standard_normal((2, 4, *window.out))
        dx, visits = np.zeros((2, 3, *window.size)), np.zeros(window.size, int)
        for (rows, columns), taps, part in phases(window):
            assert part.stride == (1, 1)
            found = mec.correlate(dy, flipped(w[:, :, taps[0], taps[1]], 1), part, 1)
            dx[:, :, rows, columns] = found
            visits[rows, columns] += 1
        np.testing.assert_allclose(dx, reference.correlate_input_grad(dy, w, window, 1), atol=1e-10)
        assert visits.max(initial=0) <= 1


def test_stride_one_has_a_single_phase_that_is_the_mirror() -> None:
    window = make_window((9, 8), (3, 4), (1, 1), ((1, 2), (0, 3)), (2, 1))
    (phase,) = phases(window)
    mirror = mirrored(window)
    (top, _), (left, _) = mirror.padding
    assert phase.window == mirror._replace(
        padding=((top, 0), (left, 0))
    )  # what comes after is never looked at
