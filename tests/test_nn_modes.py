"""Layers that behave differently in training and in evaluation, and losses with their weights."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import ShapeError


def test_dropout_drops_in_training_only_and_repeats_with_the_seed():
    layer, x = nn.Dropout(0.25), tg.ones(100, 100)
    tg.manual_seed(0)
    first = layer(x).data
    assert set(np.unique(first)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert (first == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert not np.array_equal(first, layer(x).data)
    tg.manual_seed(0)
    np.testing.assert_array_equal(first, layer(x).data)
    np.testing.assert_array_equal(layer.eval()(x).data, x.data)
    assert np.all(nn.Dropout(1.0)(x).data == 0)
    channels = nn.Dropout2d(0.5)(tg.ones(8, 8, 3, 3)).data.reshape(64, 9)
    assert np.all(channels == channels[:, :1]) and 0 < (channels[:, 0] == 0).mean() < 1
    assert repr(layer) == "Dropout(p=0.25, inplace=False)"
    with pytest.raises(ValueError, match="Dropout: p must be a probability, from 0 to 1"):
        nn.Dropout(1.5)


def test_batch_norm_normalises_its_batch_and_remembers():
    layer = nn.BatchNorm2d(3, momentum=0.5, dtype=np.float64)
    x = np.random.default_rng(0).normal(5, 2, (4, 3, 6, 6))
    y = layer(tg.tensor(x)).data
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(layer.running_mean.data, 0.5 * x.mean((0, 2, 3)))
    np.testing.assert_allclose(layer.running_var.data, 0.5 + 0.5 * x.var((0, 2, 3), ddof=1))
    assert layer.num_batches_tracked.item() == 1
    before = layer.state_dict()
    mean, var = (before[key].data[:, None, None] for key in ("running_mean", "running_var"))
    np.testing.assert_allclose(layer.eval()(tg.tensor(x)).data, (x - mean) / np.sqrt(var + 1e-5))
    assert all(np.array_equal(before[key].data, tensor.data) for key, tensor in layer.state_dict().items())


def test_batch_norm_without_momentum_averages_over_all_batches():
    layer, batches = (
        nn.BatchNorm1d(2, momentum=None, dtype=np.float64),
        np.random.default_rng(0).normal(size=(3, 5, 2)),
    )
    for batch in batches:
        layer(tg.tensor(batch))
    np.testing.assert_allclose(layer.running_mean.data, batches.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, batches.var(1, ddof=1).mean(0), rtol=1e-12)


def test_statistics_are_not_touched_by_copies_or_in_evaluation():
    layer = nn.BatchNorm1d(2)
    twin = copy.deepcopy(layer)
    twin(tg.randn(4, 2))
    assert layer.num_batches_tracked.item() == 0 and twin.num_batches_tracked.item() == 1
    layer.eval()(tg.randn(4, 2))
    assert layer.num_batches_tracked.item() == 0 and layer.running_mean.tolist() == [0, 0]
    untracked = nn.BatchNorm1d(2, track_running_stats=False).eval()
    assert list(untracked.state_dict()) == ["weight", "bias"]
    np.testing.assert_allclose(untracked(tg.randn(50, 2)).data.mean(0), 0, atol=1e-6)


def test_two_forwards_of_a_batch_norm_before_one_backward():
    layer = nn.BatchNorm1d(2)
    loss = layer(tg.randn(4, 2)).sum() + layer(tg.randn(4, 2)).sum()
    loss.backward()
    np.testing.assert_allclose(layer.bias.grad, [8, 8])


def test_instance_group_and_layer_norm_agree_where_they_are_the_same():
    x = tg.randn(2, 4, 5, 5)
    single = nn.InstanceNorm2d(4)(x).data
    np.testing.assert_allclose(nn.GroupNorm(4, 4)(x).data, single, atol=1e-6)
    np.testing.assert_allclose(nn.LayerNorm((5, 5))(x).data, single, atol=1e-6)
    np.testing.assert_allclose(nn.InstanceNorm2d(4)(x[1]).data, single[1], atol=1e-6)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: nn.BatchNorm2d(3)(tg.zeros(2, 4, 5, 5)), r"BatchNorm2d: .* 3 channels .* \[2,4,5,5\]"),
        (lambda: nn.BatchNorm2d(3)(tg.zeros(2, 3)), "BatchNorm2d: x must have 4 dimensions"),
        (lambda: nn.BatchNorm1d(3)(tg.zeros(2, 3, 4, 4)), "BatchNorm1d: x must have 2 or 3 dimensions"),
        (lambda: nn.InstanceNorm2d(3)(tg.zeros(1, 2, 3, 3)), "InstanceNorm2d"),
        (lambda: nn.InstanceNorm2d(3)(tg.zeros(3)), "InstanceNorm2d"),
    ],
)
def test_norms_refuse_other_shapes(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


def test_impossible_groups():
    with pytest.raises(ValueError, match="multiple of num_groups=3"):
        nn.GroupNorm(3, 4)


def test_losses_keep_their_weights_as_buffers():
    loss = nn.CrossEntropyLoss([1.0, 2.0])
    assert list(loss.state_dict()) == ["weight"] and not list(loss.parameters())
    x = tg.tensor([[2.0, 1.0], [0.5, 3.0]], requires_grad=True)
    logs = x.data - np.log(np.exp(x.data).sum(1, keepdims=True))
    value = loss(x, np.array([0, 1]))
    assert value.item() == pytest.approx(-(logs[0, 0] + 2 * logs[1, 1]) / 3, rel=1e-6)
    assert nn.NLLLoss([1.0, 2.0])(tg.tensor(logs), np.array([0, 1])).item() == pytest.approx(
        value.item(), rel=1e-6
    )
    with pytest.raises(ValueError, match="MSELoss: reduction"):
        nn.MSELoss(reduction="average")


def test_hardtanh_needs_an_interval():
    with pytest.raises(ValueError, match="Hardtanh: max_val=-1"):
        nn.Hardtanh(1, -1)
