"""Members of a module reached by other ways than attributes, and what classes change of a module."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn


class Net(nn.Module):
    """A layer, a parameter, layers in a row and two buffers, of which the state has one."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3)
        self.scale = nn.Parameter(np.ones(2, np.float32))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 3))
        self.register_buffer("seen", tg.tensor(0))
        self.register_buffer("cache", tg.zeros(2), persistent=False)


def test_a_module_takes_the_place_of_one_at_a_path():
    net = Net()
    tanh, extra = nn.Tanh(), nn.Linear(2, 2)
    net.set_submodule("head.0", tanh)
    net.set_submodule("extra", extra)
    assert net.head[0] is tanh and net.extra is extra and extra.weight.name == "extra.weight"
    with pytest.raises(AttributeError, match="Net has no module 'head.7'"):
        net.set_submodule("head.7", nn.ReLU(), strict=True)
    with pytest.raises(AttributeError, match="Net has no module 'other'"):
        net.set_submodule("other.layer", nn.ReLU())
    with pytest.raises(ValueError, match="set_submodule: target must name a module below this one"):
        net.set_submodule("", nn.ReLU())
    with pytest.raises(TypeError, match="must be an nn.Module or None"):
        net.set_submodule("head.0", 3)
    layers = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 1)})
    layers.clear()
    assert len(layers) == 0 and layers.state_dict() == {}


def test_members_by_pytorchs_private_names_can_be_read():
    net = Net()
    assert list(net._modules) == ["conv1", "head"] and net._modules["head"]._modules["1"] is net.head[1]
    assert (
        dict(net._parameters) == {"scale": net.scale} and net.conv1._parameters["weight"] is net.conv1.weight
    )
    assert list(net._buffers.values()) == [net.seen, net.cache]
    for members, change in itertools.product(
        (net._modules, net._parameters, net._buffers),
        (
            lambda members: members.__setitem__("head", nn.ReLU()),
            lambda members: members.pop("scale"),
            lambda members: members.update(seen=tg.ones(1)),
            lambda members: members.clear(),
        ),
    ):
        with pytest.raises(TypeError, match="are copies to be read; write setattr"):
            change(members)
    assert list(net.state_dict()) == list(Net().state_dict())


def test_a_train_of_a_layers_own_is_called_in_its_place():
    class Frozen(nn.BatchNorm2d):
        def train(self, mode=True):
            self.asked = mode
            return super().train(False)

    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(Frozen(2), nn.Dropout(0.5)))
    frozen = net[1][0]
    assert net.train() is net and net.training and net[1][1].training
    assert frozen.asked is True and not frozen.training
    before = frozen.running_mean.data.copy()
    net(tg.ones(2, 1, 4, 4))
    np.testing.assert_array_equal(frozen.running_mean.data, before)
    assert not net.eval().training and frozen.asked is False


def test_plain_values_may_be_assigned_before_the_module_has_begun():
    class Early(nn.Module):
        def __init__(self):
            self.times, self.sizes = 3, [1, 2]
            super().__init__()
            self.weight = nn.Parameter(tg.ones(1))

    net = Early()
    assert (net.times, net.sizes, list(net.state_dict())) == (3, [1, 2], ["weight"])


class Renamed(nn.Module):
    """A layer whose weight was called `old` once."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tg.ones(2))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, *lists):
        if state_dict.get(f"{prefix}old") is not None:
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}old")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, *lists)
        if prefix + "broken" in state_dict:
            lists[-1].append(f"{prefix}broken cannot be read")


def test_a_layer_may_change_what_is_loaded_into_it():
    net, given = nn.Sequential(Renamed(), Renamed()), {"0.old": np.full(2, 3.0), "1.weight": np.full(2, 4.0)}
    net.load_state_dict(given)
    assert (net[0].weight.tolist(), net[1].weight.tolist()) == ([3.0, 3.0], [4.0, 4.0])
    assert list(given) == ["0.old", "1.weight"]
    with pytest.raises(RuntimeError, match="nothing was loaded into Sequential: .*1.broken cannot be read"):
        net.load_state_dict({"0.weight": np.zeros(2), "1.broken": np.zeros(2)})
    assert net[0].weight.tolist() == [3.0, 3.0]


def test_what_would_be_left_out_of_a_state_is_told():
    class Counted(nn.Module):
        def get_extra_state(self):
            return 1

        def set_extra_state(self, state):
            pass

        def _apply(self, fn):
            return self

    net = nn.Sequential(nn.ReLU(), Counted())
    with pytest.raises(TypeError, match=r"state_dict: Counted.get_extra_state \(of 1\) would not be called"):
        net.state_dict()
    with pytest.raises(TypeError, match="load_state_dict: Counted.set_extra_state .* register_buffer"):
        net.load_state_dict({})
    with pytest.raises(TypeError, match="to: Counted._apply .* would not be called; make what it converts"):
        net.double()


def test_a_layer_may_change_what_is_saved_of_it():
    class Halved(nn.Linear):
        """Keeps its weight twice as large as it is saved."""

        def state_dict(self, *args, **kwargs):
            state = super().state_dict(*args, **kwargs)
            key = kwargs.get("prefix", "") + "weight"
            state[key] = state[key] / 2
            return state

    layer = Halved(2, 2)
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), layer), layer)
    for _ in range(2):  # what is saved is a copy
        state = net.state_dict()
        assert [*state] == [f"{path}.{name}" for path in ("0.0", "0.1", "1") for name in ("weight", "bias")]
        for path in ("0.1", "1"):  # shared, and saved by both names
            np.testing.assert_array_equal(state[f"{path}.weight"].data, layer.weight.data / 2)
    destination = {"other": 1}
    assert net.state_dict(destination=destination, prefix="net.") is destination
    assert [*destination] == ["other", *(f"net.{key}" for key in state)]
