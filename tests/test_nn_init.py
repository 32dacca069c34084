"""Initialisations: their distributions, their seeds, their refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import MutationError, ShapeError
from tinygrad_conv.nn import init


def weight(*shape, dtype=np.float64):
    return nn.Parameter(np.empty(shape, dtype))


FAN_IN, FAN_OUT = 20 * 6, 300 * 6
DRAWN = [
    (lambda w, g: init.uniform_(w, -1, 3, g), 1, 2 / math.sqrt(3), 2),
    (lambda w, g: init.normal_(w, 1, 2, g), 1, 2, None),
    (lambda w, g: init.xavier_uniform_(w, 2, g), 0, 2 * math.sqrt(2 / (FAN_IN + FAN_OUT)), "√3 std"),
    (lambda w, g: init.xavier_normal_(w, 2, g), 0, 2 * math.sqrt(2 / (FAN_IN + FAN_OUT)), None),
    (lambda w, g: init.kaiming_uniform_(w, generator=g), 0, math.sqrt(2 / FAN_IN), "√3 std"),
    (
        lambda w, g: init.kaiming_uniform_(w, math.sqrt(5), generator=g),
        0,
        math.sqrt(1 / 3 / FAN_IN),
        "√3 std",
    ),
    (
        lambda w, g: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=g),
        0,
        math.sqrt(2 / FAN_OUT),
        None,
    ),
    (
        lambda w, g: init.kaiming_normal_(w, nonlinearity="tanh", generator=g),
        0,
        5 / 3 / math.sqrt(FAN_IN),
        None,
    ),
]


@pytest.mark.parametrize("draw, mean, std, bound", DRAWN)
def test_drawn_numbers_have_the_right_distribution(draw, mean, std, bound):
    w = weight(300, 20, 3, 2)
    assert draw(w, 0) is w
    assert w.data.mean() == pytest.approx(mean, abs=5 * std / math.sqrt(w.numel()))
    assert w.data.std() == pytest.approx(std, rel=0.02)
    if bound is not None:
        bound = math.sqrt(3) * std if bound == "√3 std" else bound
        assert 0.99 * bound < np.abs(w.data - mean).max() <= bound * (1 + 1e-12)


@pytest.mark.parametrize("draw", [case[0] for case in DRAWN] + [lambda w, g: init.orthogonal_(w, 1, g)])
def test_seeds_dtypes_and_empty_tensors(draw):
    first, narrow = draw(weight(4, 3), 5).data, draw(weight(4, 3, dtype=np.float32), 5)
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(narrow.data, first.astype(np.float32))
    np.testing.assert_array_equal(draw(weight(4, 3), np.random.default_rng(5)).data, first)
    assert not np.array_equal(draw(weight(4, 3), 6).data, first)
    tg.manual_seed(5)
    np.testing.assert_array_equal(draw(weight(4, 3), None).data, first)
    assert draw(weight(0, 3), 0).shape == (0, 3)
    assert draw(weight(3, 0), 0).shape == (3, 0)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3, 3), (20, 2, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(weight(*shape), 2.0, 0).data.reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_is_uniform():
    signs = [np.sign(np.linalg.det(init.orthogonal_(weight(2, 2), 1, seed).data)) for seed in range(40)]
    assert 5 < sum(sign > 0 for sign in signs) < 35


def test_constants():
    assert init.constant_(weight(2), 3).tolist() == [3, 3]
    assert init.zeros_(weight(2)).tolist() == [0, 0]
    assert init.ones_(weight(2, dtype=np.float16)).tolist() == [1, 1]


@pytest.mark.parametrize(
    "name, param, gain",
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / 1.0001)),
        ("leaky_relu", 0.5, math.sqrt(1.6)),
        ("selu", None, 0.75),
    ],
)
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-15)


def test_what_cannot_be_is_refused():
    for draw in (
        init.xavier_uniform_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.kaiming_normal_,
        init.orthogonal_,
    ):
        with pytest.raises(ShapeError, match=draw.__name__):
            draw(weight(3))
    with pytest.raises(ValueError, match="mode"):
        init.kaiming_normal_(weight(2, 2), mode="fan")
    with pytest.raises(ValueError, match="nonlinearity"):
        init.calculate_gain("mish")


def test_a_result_can_be_initialised_too():
    result = weight(2) * 2
    assert init.zeros_(result) is result and not result.data.any()


def test_initialising_between_forward_and_backward_is_noticed():
    w = nn.Parameter(np.ones(2))
    loss = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(MutationError):
        loss.backward()


def test_truncated_normal_numbers():
    w = init.trunc_normal_(weight(200, 100), 0.5, 1.0, -0.5, 1.0, 0).data
    assert w.min() >= -0.5 and w.max() <= 1.0 and abs(w.mean() - 0.2942) < 0.01
    np.testing.assert_array_equal(init.trunc_normal_(weight(200, 100), 0.5, 1.0, -0.5, 1.0, 0).data, w)
    assert (init.trunc_normal_(weight(2, 2), 1.0, 0.0).data == 1).all()
    for bounds in ((2.0, 1.0), (50.0, 60.0)):
        with pytest.raises(ValueError, match="^trunc_normal_: "):
            init.trunc_normal_(weight(2, 2), 0.0, 1.0, *bounds)


def test_identities():
    assert init.eye_(weight(2, 3)).data.tolist() == [[1, 0, 0], [0, 1, 0]]
    x = np.random.default_rng(0).standard_normal((1, 4, 5, 5)).astype(np.float32)
    kernel = init.dirac_(weight(4, 4, 3, 3))
    np.testing.assert_array_equal(tg.conv2d(x, kernel, padding=1).data, x)
    halves = init.dirac_(weight(4, 2, 3, 3), groups=2)
    np.testing.assert_array_equal(tg.conv2d(x, halves, padding=1, groups=2).data, x)
    for refused in (lambda: init.eye_(weight(2)), lambda: init.dirac_(weight(2, 2))):
        with pytest.raises(ValueError, match="needs"):
            refused()
    with pytest.raises(ValueError, match="^dirac_: groups=3 must divide the 4"):
        init.dirac_(weight(4, 2, 3), 3)


def test_sparse_columns():
    tg.manual_seed(0)
    for sparsity, zeros in ((0.0, 0), (0.3, 2), (0.5, 3), (1.0, 6)):
        numbers = init.sparse_(weight(6, 5), sparsity, std=2.0).data
        np.testing.assert_array_equal((numbers == 0).sum(0), [zeros] * 5)
    spread = init.sparse_(weight(2000, 3), 0.1, std=2.0).data
    assert abs(spread[spread != 0].std() - 2) < 0.1
    assert len({tuple(column) for column in (spread == 0).T}) == 3
    assert init.sparse_(weight(0, 3), 0.5).shape == (0, 3)
    with pytest.raises(ValueError, match=r"^sparse_: sparsity must lie in \[0, 1\]"):
        init.sparse_(weight(2, 2), 1.5)
    with pytest.raises(ValueError, match="^sparse_: needs 2 dimensions"):
        init.sparse_(weight(2, 2, 2), 0.5)


def test_of_no_inputs_the_bias_begins_at_0():
    for layer in (nn.Linear(0, 3), nn.Linear(0, 0)):
        assert not layer.bias.data.any()
    assert nn.Linear(0, 3)(tg.ones(2, 0)).tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("draw", [case[0] for case in DRAWN])
def test_the_array_of_a_parameter_is_filled_in_its_place(draw):
    layer, other = nn.Linear(3, 4), nn.Linear(3, 4)
    array = layer.weight.data
    assert draw(array, 5) is array is layer.weight.data
    np.testing.assert_array_equal(array, draw(other.weight, 5).data)
    loss = (layer.weight * layer.weight).sum()
    init.ones_(array)
    with pytest.raises(tg.errors.MutationError, match="weight were changed after the forward"):
        loss.backward()


def test_arrays_that_cannot_be_filled_are_refused():
    with pytest.raises(ValueError, match="^normal_: .* is to be changed in place, but it is read-only"):
        init.normal_((weight(2, 2) * 2).data)
    for given in (np.array(["text"]), [1.0]):
        with pytest.raises(TypeError, match="^normal_: tensor must be a Tensor or its .data, not"):
            init.normal_(given)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "draw",
    [
        lambda x: init.uniform_(x, 0, 1e5),
        lambda x: init.uniform_(x, -1e5, 0),
        lambda x: init.constant_(x, 1e5),
        lambda x: x.uniform_(0, 1e5),
    ],
)
def test_what_a_dtype_cannot_hold_is_not_drawn(draw):
    x = tg.zeros(3, dtype=tg.float16)
    with pytest.raises(
        OverflowError, match="(uniform|constant)_: float16 holds numbers up to 65504, not -?1"
    ):
        draw(x)
    assert not x.data.any()
    assert init.constant_(x, math.inf).isinf().all()
