"""Normalisations and dropout: what they refuse, what they keep, and what chance decides."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import DtypeError, ShapeError

from .helpers import leaf


def test_refusals_of_the_norms():
    x, pair = leaf(2, 4, 3), np.ones(2)
    with pytest.raises(
        ShapeError, match=r"batch_norm: weight must be \[4\], one for each channel; it is \[2\]"
    ):
        tg.batch_norm(x, None, None, pair, training=True)
    with pytest.raises(
        ShapeError, match=r"batch_norm: running_mean must be \[4\], one for each channel; it is \[2\]"
    ):
        tg.batch_norm(x, pair, pair)
    with pytest.raises(ValueError, match="batch_norm: running_mean must be given unless training=True"):
        tg.batch_norm(x, None, None)
    with pytest.raises(
        ShapeError, match=r"batch_norm: training needs more than one value .*; input is \[1,4,1\]"
    ):
        tg.batch_norm(leaf(1, 4, 1), None, None, training=True)
    with pytest.raises(ShapeError, match=r"batch_norm: input must be \[N, C, ...\], not \[4\]"):
        tg.batch_norm(leaf(4), None, None, training=True)
    with pytest.raises(DtypeError, match="batch_norm: input must be floating-point"):
        tg.batch_norm(tg.tensor(np.ones((2, 4), int)), None, None, training=True)
    with pytest.raises(ShapeError, match=r"layer_norm: input \[2,4,3\] must end in normalized_shape \[4\]"):
        tg.layer_norm(x, (4,))
    with pytest.raises(
        ShapeError, match=r"layer_norm: bias must be \[3\], in the shape normalized_shape; it is \[2\]"
    ):
        tg.layer_norm(x, (3,), None, pair)
    with pytest.raises(
        ShapeError, match=r"group_norm: num_groups=3 must divide the channels of input \[2,4,3\]"
    ):
        tg.group_norm(x, 3)
    with pytest.raises(
        ShapeError, match=r"group_norm: a group needs more than one value; .*\[1,4\], num_groups=4"
    ):
        tg.group_norm(leaf(1, 4), 4)
    with pytest.raises(
        ShapeError, match=r"instance_norm: a channel needs more than one element; input is \[2,4,1\]"
    ):
        tg.instance_norm(leaf(2, 4, 1))
    with pytest.raises(ShapeError, match=r"instance_norm: weight must be \[4\]"):
        tg.instance_norm(x, weight=pair)
    with pytest.raises(ShapeError, match=r"instance_norm: running_mean must be \[4\]"):
        tg.instance_norm(x, pair, pair)
    with pytest.raises(ValueError, match="instance_norm: running_mean must be given"):
        tg.instance_norm(x, use_input_stats=False)


def test_a_norm_is_one_step_and_keeps_its_input_and_two_numbers_a_group():
    x, w, b = leaf(2, 4, 3), leaf(4), leaf(4)
    y = tg.batch_norm(x, None, None, w, b, training=True)
    assert y.grad_fn.op.name == "batch_norm"
    kept = [array for array in y.grad_fn.saved.values() if isinstance(array, np.ndarray)]
    assert sorted(array.size for array in kept) == [4, 4, 4, 24]
    assert sum(np.shares_memory(array, x.data) for array in kept) == 1


def test_running_statistics_may_move_on_before_the_backward():
    x, mean, variance = leaf(4, 2), tg.zeros(2), tg.ones(2)
    y = tg.batch_norm(x, mean, variance)
    mean.data += 5
    variance.data *= 100
    y.sum().backward()
    np.testing.assert_allclose(x.grad, np.full((4, 2), 1 / np.sqrt(1 + 1e-5)))


@pytest.mark.filterwarnings("error")
def test_nothing_to_normalise_is_no_reason_to_warn():
    for shape in ((0, 4, 3), (3, 4, 0)):
        for norm in (lambda x: tg.group_norm(x, 2), lambda x: tg.layer_norm(x, x.shape[1:]), batch_norm):
            x = leaf(*shape)
            norm(x).sum().backward()
            assert x.grad.shape == shape


@pytest.mark.filterwarnings("error")
def test_an_inf_makes_its_group_nan_without_a_warning():
    for size in (2, 100):
        x = np.ones((size, 4, 5, 20), np.float32)
        x[1, 2, 3, 4] = np.inf
        for norm in (batch_norm, lambda x: tg.group_norm(x, 4), lambda x: tg.layer_norm(x, x.shape[1:])):
            y = norm(tg.tensor(x)).data
            assert np.isnan(y[1, 2]).all() and not np.isnan(y[0, 1]).any()


def batch_norm(x):
    return tg.batch_norm(x, None, None, training=True)


def test_dropout_is_repeatable_and_keeps_the_expectation():
    x = tg.ones(1000, 10, requires_grad=True)
    tg.manual_seed(3)
    first = tg.dropout(x, 0.25)
    tg.manual_seed(3)
    second = tg.dropout(x, 0.25)
    np.testing.assert_array_equal(first.data, second.data)
    assert set(np.unique(first.data)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(first.data.mean() - 1) < 0.02
    assert not np.array_equal(first.data, tg.dropout(x, 0.25).data)
    first.sum().backward()
    np.testing.assert_array_equal(x.grad, first.data)


def test_dropout2d_drops_whole_channels():
    y = tg.dropout2d(tg.ones(40, 5, 3, 2), 0.5).data
    channels = y.reshape(200, 6)
    assert np.all(channels == channels[:, :1])
    assert 0 < np.count_nonzero(channels[:, 0]) < 200


@pytest.mark.parametrize("function", [tg.dropout, tg.dropout2d])
def test_when_nothing_is_left_to_chance(function):
    x = leaf(2, 3, 4)
    assert function(x, training=False) is x
    assert function(x, 0.0) is x
    np.testing.assert_array_equal(function(x, 1.0).data, np.zeros((2, 3, 4)))
    name = function.__name__
    for p in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"{name}: p must be a probability, from 0 to 1, not"):
            function(x, p)
    with pytest.raises(DtypeError, match="dropout: input must be floating-point"):
        function(tg.tensor(np.ones((2, 3, 4), int)))


def test_dropout2d_refuses_other_shapes():
    with pytest.raises(
        ShapeError, match=r"dropout2d: input must be \[N, C, H, W\] or \[N, C, L\], not \[3\]"
    ):
        tg.dropout2d(leaf(3))


def test_dropout2d_without_images_is_dropout():
    x = leaf(30, 40)
    with pytest.warns(UserWarning, match="dropout2d: of .* as dropout does; write nn.Dropout") as warned:
        tg.manual_seed(0)
        y = tg.dropout2d(x)
    assert warned[0].filename == __file__
    tg.manual_seed(0)
    np.testing.assert_array_equal(y.data, tg.dropout(x).data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dropout_keeps_the_dtype(dtype):
    assert tg.dropout(tg.ones(4, dtype=dtype)).dtype == dtype
    assert tg.dropout(tg.tensor(np.array(1.0, dtype))).dtype == dtype


def test_a_batch_that_cannot_be_normalised_is_not_counted():
    norm = nn.BatchNorm1d(3)
    before = {key: value.data.tolist() for key, value in norm.state_dict().items()}
    for x in (tg.ones(1, 3), tg.ones(2, 3, dtype=np.int64)):
        with pytest.raises((ValueError, TypeError)):
            norm(x)
        assert {key: value.data.tolist() for key, value in norm.state_dict().items()} == before


def test_statistics_that_are_views_or_results_follow():
    x = np.arange(24.0).reshape(4, 3, 2)
    expected = tg.zeros(3, dtype=np.float64)
    tg.batch_norm(x, expected, None, training=True)
    whole = tg.zeros(2, 3, dtype=np.float64)
    tg.batch_norm(x, whole[0], None, training=True)
    assert whole.data[0].tolist() == expected.data.tolist() and not whole.data[1].any()
    result = tg.zeros(3, dtype=np.float64) * 2
    tg.batch_norm(x, result, None, training=True)
    assert result.data.tolist() == expected.data.tolist()


@pytest.mark.parametrize("layout", ["NCHW", "channels last", "HCWN"])
def test_a_large_batch_of_float16_is_normalised_in_float32(layout):
    """Neither its sums fit into float16, nor the 80,000 numbers that a channel has."""
    numbers = (np.random.default_rng(0).standard_normal((32, 2, 50, 50)) + 10).astype(np.float16)
    axes = {"NCHW": (0, 1, 2, 3), "channels last": (0, 2, 3, 1), "HCWN": (2, 1, 3, 0)}[layout]
    numbers = np.ascontiguousarray(numbers.transpose(axes)).transpose(np.argsort(axes))
    results = {}
    for dtype in (np.float16, np.float64):
        x = tg.tensor(numbers.astype(dtype), requires_grad=True)
        w, b = (tg.tensor(np.array(each, dtype), requires_grad=True) for each in ([1.5, 2], [0.5, -1]))
        mean, variance = tg.zeros(2, dtype=dtype), tg.ones(2, dtype=dtype)
        y = tg.batch_norm(x, mean, variance, w, b, training=True)
        (y * y).mean().backward()
        results[dtype] = [
            y.data,
            mean.data,
            variance.data,
            w.grad,
            b.grad,
            x.grad * len(numbers[0, 0, 0]) ** 2,
        ]
    for half, right in zip(results[np.float16], results[np.float64]):
        np.testing.assert_allclose(half.astype(np.float64), right, rtol=2e-3, atol=4e-3)


def test_a_replay_of_a_large_float16_batch_norm_is_eagers():
    net = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()).half()
    x = tg.tensor((np.random.default_rng(0).standard_normal((32, 2, 50, 50)) + 10).astype(np.float16))
    step = tg.replay(lambda x: net(x).mean().detach())
    eager = net(x).mean().item()
    assert 0.3 < eager < 0.5
    assert [step(x).item() for _ in range(4)] == [eager] * 4 and step.replays
