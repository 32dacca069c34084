"""Layers: their numbers, their beginnings, their refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim
from tinygrad_conv import functional as F
from tinygrad_conv.errors import DtypeError, ShapeError


def test_the_articles_convolution():
    layer = nn.Conv2d(1, 1, 2, bias=False, dtype=np.float64)
    nn.init.zeros_(layer.weight)
    with tg.no_grad():
        layer.weight[0, 0] = np.eye(2)
    x = tg.tensor([[[[1, 2, 0], [0, 1, 1], [1, 0, 1]]]], dtype=np.float64)
    y = layer(x)
    assert y.tolist() == [[[[2, 3], [0, 2]]]]
    loss = ((y - 1) ** 2).sum() * 0.5
    loss.backward()
    assert layer.weight.grad.tolist() == [[[[6, 2], [1, 4]]]]


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: nn.Conv2d(2, 4, 3), (2, 4, 4, 3)),
        (lambda: nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=1), (2, 4, 3, 6)),
        (lambda: nn.Conv2d(2, 4, 3, padding="same", stride=2), (2, 4, 3, 3)),
        (lambda: nn.Conv2d(2, 4, 3, padding="valid", dilation=2), (2, 4, 2, 1)),
        (lambda: nn.Conv2d(2, 4, 2, padding=((1, 0), (0, 2)), groups=2), (2, 4, 6, 6)),
        (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1), (2, 4, 12, 10)),
        (lambda: nn.ConvTranspose2d(2, 6, 2, groups=2, dilation=2, bias=False), (2, 6, 8, 7)),
        (lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(2, 4, 3, 2, padding=1, groups=2)), (2, 4, 15)),
        (lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(2, 4, 3, 2, padding="same")), (2, 4, 15)),
        (lambda: nn.Sequential(nn.Flatten(2), nn.ConvTranspose1d(2, 4, 3, 2, 1, 1)), (2, 4, 60)),
        (lambda: nn.MaxPool2d(2), (2, 2, 3, 2)),
        (lambda: nn.MaxPool2d((2, 3), 1, padding=1, ceil_mode=True), (2, 2, 7, 5)),
        (lambda: nn.AvgPool2d(2, ceil_mode=True), (2, 2, 3, 3)),
        (lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False), (2, 2, 6, 5)),
        (lambda: nn.Flatten(), (2, 60)),
        (lambda: nn.Flatten(0, 1), (4, 6, 5)),
        (lambda: nn.Linear(5, 3), (2, 2, 6, 3)),
        (lambda: nn.ReLU(), (2, 2, 6, 5)),
        (lambda: nn.Sigmoid(), (2, 2, 6, 5)),
        *[
            (make, (2, 2, 6, 5))
            for make in (
                nn.Tanh,
                nn.Identity,
                nn.ReLU6,
                nn.LeakyReLU,
                nn.PReLU,
                nn.ELU,
                nn.SELU,
                nn.GELU,
                nn.SiLU,
                nn.Softplus,
                nn.Hardtanh,
                nn.LogSigmoid,
                nn.Dropout,
                nn.Dropout2d,
            )
        ],
        (lambda: nn.Conv2d(2, 4, 3, 2, padding="same", padding_mode="reflect"), (2, 4, 3, 3)),
        (lambda: nn.Conv2d(2, 4, 3, padding=((1, 0), (0, 2)), padding_mode="replicate"), (2, 4, 5, 5)),
        (lambda: nn.Sequential(nn.Flatten(2), nn.MaxPool1d(2)), (2, 2, 15)),
        (lambda: nn.Sequential(nn.Flatten(2), nn.AvgPool1d(2, 3)), (2, 2, 10)),
        (lambda: nn.AdaptiveAvgPool2d((None, 2)), (2, 2, 6, 2)),
        (lambda: nn.AdaptiveMaxPool2d(2), (2, 2, 2, 2)),
        (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (2, 2, 12, 10)),
        (lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.PixelShuffle(2)), (2, 1, 12, 10)),
        (lambda: nn.Unfold(2), (2, 8, 20)),
        (lambda: nn.Sequential(nn.Unfold(2), nn.Fold((6, 5), 2)), (2, 2, 6, 5)),
        (lambda: nn.ZeroPad2d((1, 2, 3, 4)), (2, 2, 13, 8)),
        (lambda: nn.ReflectionPad2d(1), (2, 2, 8, 7)),
        (lambda: nn.ReplicationPad2d(1), (2, 2, 8, 7)),
        (lambda: nn.CircularPad2d(1), (2, 2, 8, 7)),
        (lambda: nn.Softmax(1), (2, 2, 6, 5)),
        (lambda: nn.LogSoftmax(-1), (2, 2, 6, 5)),
        (lambda: nn.BatchNorm2d(2), (2, 2, 6, 5)),
        (lambda: nn.BatchNorm2d(2, affine=False, track_running_stats=False), (2, 2, 6, 5)),
        (lambda: nn.InstanceNorm2d(2, affine=True, track_running_stats=True), (2, 2, 6, 5)),
        (lambda: nn.GroupNorm(1, 2), (2, 2, 6, 5)),
        (lambda: nn.LayerNorm((6, 5)), (2, 2, 6, 5)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_shapes_dtypes_and_a_gradient_for_every_parameter(make, shape, dtype):
    layer = make().to(dtype)
    x = tg.randn(2, 2, 6, 5, dtype=dtype, requires_grad=True)
    y = layer(x)
    assert y.shape == shape and y.dtype == dtype
    (y * y).sum().backward()
    for tensor in (x, *layer.parameters()):
        assert tensor.grad.shape == tensor.shape and tensor.grad.dtype == dtype
    assert all(buffer.dtype in (dtype, np.int64) for buffer in layer.buffers())
    if not isinstance(layer, nn.Flatten):
        assert layer.eval()(tg.zeros(0, 2, 6, 5, dtype=dtype)).shape[1:] == shape[1:]


def test_layers_compute_their_functions():
    x = tg.randn(2, 2, 5, 5)
    conv = nn.Conv2d(2, 4, 3, 2, 1, 1, 2, rng=3)
    np.testing.assert_array_equal(conv(x).data, F.conv2d(x, conv.weight, conv.bias, 2, 1, 1, 2).data)
    up = nn.ConvTranspose2d(2, 3, 3, 2, 1, 1, rng=3)
    np.testing.assert_array_equal(up(x).data, F.conv_transpose2d(x, up.weight, up.bias, 2, 1, 1).data)
    linear = nn.Linear(5, 2, rng=3)
    np.testing.assert_allclose(linear(x).data, x.data @ linear.weight.data.T + linear.bias.data, rtol=1e-6)
    loss = nn.MSELoss(reduction="sum")
    assert loss(x, tg.zeros(2, 2, 5, 5)).item() == pytest.approx(float((x.data**2).sum()), rel=1e-6)
    with pytest.raises(ShapeError, match="mse_loss"):
        nn.MSELoss()(x, tg.zeros(2, 2, 5, 1))


@pytest.mark.parametrize(
    "layer, fan_in",
    [
        (lambda rng: nn.Linear(50, 400, rng=rng), 50),
        (lambda rng: nn.Conv2d(8, 64, (3, 2), groups=2, rng=rng), 24),
        (lambda rng: nn.ConvTranspose2d(64, 8, (3, 2), groups=2, rng=rng), 24),
    ],
)
def test_the_default_initialisation_is_uniform_on_one_over_root_fan_in(layer, fan_in):
    made, bound = layer(0), 1 / math.sqrt(fan_in)
    for values in (made.weight.data, made.bias.data):
        assert np.abs(values).max() <= bound
    weight = made.weight.data.ravel()
    assert np.abs(weight).max() > 0.98 * bound
    assert weight.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert abs(weight.mean()) < 0.1 * bound


def test_seeds():
    def weights(layer):
        return np.concatenate([layer.weight.data.ravel(), layer.bias.data])

    tg.manual_seed(5)
    first = weights(nn.Conv2d(1, 2, 3))
    second = weights(nn.Conv2d(1, 2, 3))
    tg.manual_seed(5)
    np.testing.assert_array_equal(first, weights(nn.Conv2d(1, 2, 3)))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(
        weights(nn.Linear(2, 2, rng=7)), weights(nn.Linear(2, 2, rng=np.random.default_rng(7)))
    )
    wide = weights(nn.Linear(2, 2, rng=7, dtype=np.float64))
    np.testing.assert_array_equal(wide.astype(np.float32), weights(nn.Linear(2, 2, rng=7)))
    layer = nn.Linear(2, 2, rng=7)
    layer.reset_parameters(8)
    np.testing.assert_array_equal(weights(layer), weights(nn.Linear(2, 2, rng=8)))


RESETTABLE = {
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "BatchNorm2d": lambda: nn.BatchNorm2d(4, momentum=None, dtype=np.float64),
    "InstanceNorm1d": lambda: nn.InstanceNorm1d(4, affine=True, track_running_stats=True),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4),
    "without a bias": lambda: nn.BatchNorm2d(4, bias=False),
    "LayerNorm": lambda: nn.LayerNorm((4, 2)),
    "GroupNorm": lambda: nn.GroupNorm(2, 4, dtype=np.float16),
    "PReLU": lambda: nn.PReLU(4, init=0.3),
}


@pytest.mark.parametrize("name", RESETTABLE)
def test_what_begins_with_known_numbers_is_reset_in_place(name):
    layer, fresh = RESETTABLE[name](), RESETTABLE[name]()
    tensors = [*layer.parameters(), *layer.buffers()]
    arrays = [tensor.data for tensor in tensors]
    for array in arrays:
        array[...] = 7
    layer.reset_parameters()
    for tensor, array, first in zip(tensors, arrays, [*fresh.parameters(), *fresh.buffers()], strict=True):
        assert tensor.data is array
        np.testing.assert_array_equal(array, first.data, strict=True)


def test_running_statistics_are_reset_alone():
    layer = nn.BatchNorm2d(3)
    layer(tg.randn(4, 3, 2, 2))
    layer.weight.data[...] = 7
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0, 0] and layer.running_var.tolist() == [1, 1, 1]
    assert layer.num_batches_tracked.item() == 0 and layer.weight.tolist() == [7, 7, 7]


def test_max_pools_tell_where_the_maxima_lie():
    x = tg.tensor([[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 9.0, 8.0]]]])
    y, indices = nn.MaxPool2d(2, return_indices=True)(x)
    assert y.tolist() == [[[[5, 9]]]] and indices.tolist() == [[[[1, 6]]]] and indices.dtype == np.int64
    y, indices = nn.AdaptiveMaxPool2d(1, return_indices=True)(x)
    assert y.item() == 9 and indices.item() == 6
    y, indices = nn.MaxPool1d(2, return_indices=True)(x[0, 0])
    assert y.tolist() == [[5, 2], [4, 9]] and indices.tolist() == [[1, 2], [1, 2]]


def test_empty_layers():
    layer = nn.Linear(0, 3)
    assert layer.weight.shape == (3, 0) and np.abs(layer.bias.data).max() <= 1
    np.testing.assert_array_equal(layer(tg.zeros(2, 0)).data, np.tile(layer.bias.data, (2, 1)))
    assert nn.Linear(3, 0)(tg.zeros(2, 3)).shape == (2, 0)


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: nn.Conv2d(3, 4, 3, groups=2),
            "Conv2d: in_channels=3 and out_channels=4 must be multiples of groups=2",
        ),
        (
            lambda: nn.Conv2d(1, 1, 0),
            "Conv2d: kernel_size must be an int or a pair of ints, at least 1, not 0",
        ),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), "kernel_size"),
        (lambda: nn.Conv2d(1, 1, 2.5), "kernel_size"),
        (lambda: nn.Conv2d(1, 1, 3, stride=0), "stride"),
        (lambda: nn.Conv2d(1, 1, 3, dilation=(1, 0)), "dilation"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "padding"),
        (lambda: nn.Conv2d(1, 1, 3, padding=((1, 1),)), "padding"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "padding_mode"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, output_padding=-1), "output_padding"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding="same"), "padding"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="circular"), "padding_mode"),
        (lambda: nn.Conv1d(1, 1, (3, 3)), "Conv1d: kernel_size must be an int, at least 1"),
        (lambda: nn.Linear(-1, 2), "Linear: in_features=-1"),
        (lambda: nn.ZeroPad2d((1, 2)), "ZeroPad2d: padding must be an int or"),
    ],
)
def test_impossible_layers_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_wrong_inputs_name_the_op():
    with pytest.raises(ShapeError, match="conv2d"):
        nn.Conv2d(3, 1, 3)(tg.zeros(1, 2, 5, 5))
    with pytest.raises(ShapeError, match="linear"):
        nn.Linear(3, 1)(tg.zeros(1, 2))
    with pytest.raises(DtypeError, match="conv2d"):
        nn.Conv2d(1, 1, 3)(tg.zeros(1, 1, 5, 5, dtype=np.int64))


def test_bars_are_learned():
    images, labels = data.bars(256, noise=0.1, seed=0)
    test_images, test_labels = data.bars(200, noise=0.1, seed=1)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, rng=0),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 2, rng=1),
    )
    optimizer, loss_of = optim.Adam(net.parameters(), lr=0.01), nn.MSELoss()
    targets = np.eye(2, dtype=np.float32)[labels.data]
    for x, t in [
        batch
        for _ in range(20)
        for batch in data.DataLoader(data.TensorDataset(images, targets), 32, True, seed=0)
    ]:
        optimizer.zero_grad()
        loss_of(net(x), t).backward()
        optimizer.step()
    with tg.no_grad():
        right = net(test_images).data.argmax(1) == test_labels.data
    assert right.mean() > 0.9
