"""`inplace=True` of functions and layers: the input becomes what is returned, training goes on as ever."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv import errors, nn
from tinygrad_conv.nn import functional as F

FUNCTIONS = {
    "relu": (),
    "relu6": (),
    "leaky_relu": (0.3,),
    "elu": (0.7,),
    "selu": (),
    "silu": (),
    "hardtanh": (-0.4, 0.6),
    "dropout": (0.5, True),
    "dropout2d": (0.5, True),
}
UNDERSCORED = ["relu", "leaky_relu", "elu", "selu", "hardtanh"]
LAYERS = {
    "ReLU": (),
    "ReLU6": (),
    "LeakyReLU": (0.3,),
    "ELU": (0.7,),
    "SELU": (),
    "SiLU": (),
    "Hardtanh": (-0.4, 0.6),
    "Dropout": (0.4,),
    "Dropout2d": (0.4,),
}


def result_and_gradient(function, in_place):
    """What a function makes of a result of 2w, and w's gradient; the input must be the result if in place."""
    tg.manual_seed(0)
    w = leaf(2, 3, 4, 4)
    x = w * 2
    before = x.data.copy()
    y = function(x)
    assert (y is x) == in_place
    np.testing.assert_array_equal(x.data, y.data if in_place else before)
    (y * y).sum().backward()
    return y.data, w.grad


def same_in_place_as_out_of_place(in_place, out_of_place):
    for ours, expected in zip(
        result_and_gradient(in_place, True), result_and_gradient(out_of_place, False), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)
        assert ours.any()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function(name):
    function, options = getattr(F, name), FUNCTIONS[name]
    same_in_place_as_out_of_place(
        lambda x: function(x, *options, inplace=True), lambda x: function(x, *options)
    )
    same_in_place_as_out_of_place(
        lambda x: function(x, *options, True), lambda x: function(x, *options, False)
    )


@pytest.mark.parametrize("name", UNDERSCORED)
def test_a_function_with_an_underscore(name):
    in_place, options = getattr(F, f"{name}_"), FUNCTIONS[name]
    same_in_place_as_out_of_place(lambda x: in_place(x, *options), lambda x: getattr(F, name)(x, *options))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name):
    layer, options = getattr(nn, name), LAYERS[name]
    same_in_place_as_out_of_place(layer(*options, inplace=True), layer(*options))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_data_is_written_to(name):
    array = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    function, options = getattr(F, name), FUNCTIONS[name]
    tg.manual_seed(0)
    expected = function(array, *options)
    x, plain = tg.from_numpy(array.copy()), array.copy()
    view = x[1]
    for given in (x, plain):
        tg.manual_seed(0)
        assert function(given, *options, inplace=True) is given
        np.testing.assert_array_equal(given, expected)
    np.testing.assert_array_equal(view, expected[1])
    assert not np.array_equal(array, expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_leaf_that_requires_grad_is_refused(name):
    w = leaf(2, 3, 4, 4)
    before = w.data.copy()
    with pytest.raises(errors.MutationError, match=rf"^{name}\(…, inplace=True\) would change .* a leaf"):
        getattr(F, name)(w, inplace=True)
    np.testing.assert_array_equal(w.data, before)


def test_a_view_of_a_result_is_refused():
    x = leaf(2, 3) * 2
    row = x[0]
    with pytest.raises(errors.MutationError, match=r"relu\(…, inplace=True\): .* is a view"):
        F.relu(row, inplace=True)


@pytest.mark.parametrize("dropout", [F.dropout, F.dropout2d])
def test_dropout_that_drops_nothing_changes_nothing(dropout):
    w = leaf(2, 3, 4)
    assert dropout(w, 0.5, False, True) is w
    assert dropout(w, 0.0, True, True) is w
    for p in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="p must be a probability"):
            dropout(w * 1, p, inplace=True)


def test_the_tape_names_the_op_and_its_layer():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(inplace=True))
    node = net(tg.ones(1, 3)).grad_fn
    assert (node.op.name, node.layer) == ("relu", "sequential.1")


class Residual(nn.Module):
    """A block of a ResNet."""

    def __init__(self, inplace):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=inplace)

    def forward(self, x):
        y = self.conv2(self.relu(self.norm(self.conv1(x))))
        y += x
        return self.relu(y)


class Dense(nn.Module):
    """A layer of a DenseNet: what came before is normed, and passed on as well."""

    def __init__(self, inplace):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3, padding=1)
        self.relu, self.dropout = nn.LeakyReLU(0.1, inplace=inplace), nn.Dropout(0.2, inplace=inplace)

    def forward(self, x):
        return tg.cat([x, self.dropout(self.conv(self.relu(self.norm(x))))], 1)


@pytest.mark.parametrize("block", [Residual, Dense])
def test_a_net_trains_to_the_same_numbers(block):
    def course(inplace):
        tg.manual_seed(0)
        channels = 2 if block is Residual else 5
        net = nn.Sequential(
            nn.Conv2d(1, 2, 3),
            nn.ELU(inplace=inplace),
            block(inplace),
            nn.Flatten(),
            nn.Linear(channels * 16, 3),
            nn.SiLU(inplace=inplace),
        )
        optimizer = tg.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        x, target, losses = tg.randn(4, 1, 6, 6), tg.randn(4, 3), []
        for _ in range(8):
            optimizer.zero_grad()
            loss = F.mse_loss(net(x), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses, {key: tensor.data for key, tensor in net.state_dict().items()}

    (losses, state), (expected_losses, expected) = course(True), course(False)
    assert losses == expected_losses and losses[-1] < losses[0]
    for key, numbers in expected.items():
        np.testing.assert_array_equal(state[key], numbers)


def test_a_layer_keeps_its_option_when_copied():
    layer = copy.deepcopy(nn.Sequential(nn.ReLU(inplace=True)))
    x = tg.tensor([-1.0, 1.0])
    assert layer(x) is x and x.tolist() == [0, 1]


@pytest.mark.torch
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("inplace", [True, False])
def test_a_layer_is_printed_as_pytorchs(name, inplace):
    torch = pytest.importorskip("torch")
    ours, theirs = (getattr(place, name)(*LAYERS[name], inplace=inplace) for place in (nn, torch.nn))
    assert repr(ours) == repr(theirs)
