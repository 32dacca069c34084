"""The two readings of a convolution's input gradient: what is gathered or stamped adds up to it."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.readings import gathered_by, stamps_onto

from .random_windows import leaf, paired, random_convolution

X = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
K = np.array([[1.0, 2.0], [3.0, 4.0]])
DY = np.array([[1.0, 2.0], [-1.0, 1.0]])


def recorded(x, w, dy, **geometry):
    x = tg.tensor(x, requires_grad=True, name="x")
    return (tg.conv2d(x, tg.tensor(w), **geometry) * dy).sum().record()


def test_the_kernel_that_is_not_its_own_flip():
    explanation = recorded(X[None, None], K[None, None], DY[None, None]).explain("x", (0, 0, 1, 1))
    assert explanation.readings == [
        "dx[0, 0, 1, 1] gathers, w turned by 180° over dy with zeros around it: 1·4 + 2·3 + (-1)·2 + 1·1 = 9",
        "dx[0, 0, 1, 1] is stamped by, each with w as it is: "
        "dy[0, 0, 0, 0]·w[0, 0, 1, 1] + dy[0, 0, 0, 1]·w[0, 0, 1, 0] + "
        "dy[0, 0, 1, 0]·w[0, 0, 0, 1] + dy[0, 0, 1, 1]·w[0, 0, 0, 0] = 9",
    ]
    assert all(line in repr(explanation) for line in explanation.readings)


def test_in_a_corner_the_window_meets_zeros():
    explanation = recorded(X[None, None], K[None, None], DY[None, None]).explain("x", (0, 0, 0, 2))
    gathers, stamped = explanation.readings
    assert gathers.endswith(": 0·4 + 0·3 + 2·2 + 0·1 = 4")
    assert stamped.endswith(": dy[0, 0, 0, 1]·w[0, 0, 0, 1] = 4")


def test_what_a_stride_leaves_over_is_reached_by_no_stamp():
    recording = recorded(np.ones((1, 1, 4, 3)), np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), stride=2)
    (only,) = recording.explain("x", (0, 0, 1, 0)).readings
    assert only.startswith("no window lies over it") and recording.grads["x"][0, 0, 1, 0] == 0


def test_long_sums_are_shortened():
    rng = np.random.default_rng(0)
    recording = paired(rng, tg.conv2d(leaf(rng, 1, 2, 9, 9), leaf(rng, 8, 2, 3, 3))).record()
    explanation = recording.explain(recording[0].sources["x"], (0, 1, 4, 4))
    assert [line.count("·") for line in explanation.readings] == [12, 12]
    assert all(f"+ 60 more = {explanation.gradient:g}" in line for line in explanation.readings)


def test_a_weight_s_gradient_has_no_readings():
    rng = np.random.default_rng(0)
    recording = paired(rng, tg.conv2d(leaf(rng, 1, 1, 3, 3), leaf(rng, 1, 1, 2, 2))).record()
    assert recording.explain(recording[0].sources["w"], (0, 0, 0, 0)).readings == []


@pytest.mark.parametrize("seed", range(30))
def test_both_readings_are_the_recorded_gradient(seed):
    rng = np.random.default_rng(seed)
    y, *_ = random_convolution(rng)
    step = paired(rng, y).record()[0]
    dx = step.grad_inputs["x"]
    for index in np.ndindex(*dx.shape):
        stamps = stamps_onto(index, step)
        assert sum(stamp.dy * stamp.w for stamp in stamps) == dx[index]
        assert sum(dy * w for dy, w in gathered_by(index, step)) == dx[index]
        assert [stamp.at for stamp in stamps] == sorted(stamp.at for stamp in stamps)
