"""Sequential, ModuleList and ModuleDict: layers in order, or by name."""

from __future__ import annotations

import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn


def test_a_slice_of_layers_has_the_same_names():
    layers = nn.Sequential(nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    part = layers[1:]
    assert list(part.state_dict()) == ["1.weight", "1.bias", "3.weight", "3.bias"] and part[0] is layers[1]
    part.append(nn.Linear(1, 1))
    assert len(part) == 4 and list(part.state_dict())[-2:] == ["4.weight", "4.bias"]
    listed = nn.ModuleList(layers)[1:]
    assert list(listed.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *layers: nn.ModuleList(layers)])
def test_lists_of_layers_are_joined(kind):
    first, second = kind(nn.Linear(1, 2)), [nn.ReLU()]
    both = first + second
    assert [type(layer).__name__ for layer in both] == ["Linear", "ReLU"] and len(first) == 1
    same = first
    first += second
    assert same is first and len(first) == 2
    with pytest.raises(TypeError, match="must be an nn.Module or None, not int"):
        first += [3]
    assert len(first) == 2


def test_sequential_is_a_list_of_layers():
    layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    layers.append(nn.Linear(3, 1))
    assert len(layers) == 3 and [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Linear"]
    assert layers[-1] is layers[2] and len(layers[:2]) == 2 and isinstance(layers[:2], nn.Sequential)
    layers[1] = nn.Tanh()
    layers.insert(0, nn.Flatten())
    assert [type(layer).__name__ for layer in layers] == ["Flatten", "Linear", "Tanh", "Linear"]
    assert list(layers.state_dict())[0] == "1.weight"
    del layers[0]
    assert isinstance(layers.pop(), nn.Linear) and len(layers) == 2
    with pytest.raises(IndexError):
        layers[2]
    named = nn.Sequential({"first": nn.Linear(2, 2), "second": nn.ReLU()})
    assert list(named.state_dict()) == ["first.weight", "first.bias"] and named.second is named[1]
    relu = nn.ReLU()
    assert len(nn.Sequential(relu, relu)) == 2
    x = tg.ones(1, 2)
    assert nn.Sequential()(x) is x
    with pytest.raises(TypeError, match="nn.Module or None, not"):
        nn.Sequential(abs)


def test_module_list_and_module_dict():
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
            self.heads = nn.ModuleDict({"small": nn.Linear(2, 1), "large": nn.Linear(2, 4)})

    net = Several()
    assert [key for key, _ in net.named_parameters()][:2] == ["layers.0.weight", "layers.0.bias"]
    assert (
        net.heads["large"].bias.name == "heads.large.bias"
        and net.heads["large"]._path == "several.heads.large"
    )
    assert len(net.layers) == 3 and len(net.layers[1:]) == 2
    assert list(net.heads) == list(net.heads.keys()) == ["small", "large"] and "small" in net.heads
    net.heads["extra"] = nn.ReLU()
    assert [name for name, _ in net.heads.items()] == ["small", "large", "extra"] and len(
        net.heads.values()
    ) == 3
    assert isinstance(net.heads.pop("extra"), nn.ReLU) and len(net.heads) == 2
    del net.heads["small"]
    with pytest.raises(KeyError):
        net.heads["keys"] = nn.ReLU()
    with pytest.raises(KeyError):
        net.heads["small"]


def test_none_keeps_its_place_in_a_list():
    layers = nn.ModuleList([None, nn.Linear(1, 1), None])
    assert len(layers) == 3 and layers[0] is None and list(layers)[2] is None
    assert list(layers.state_dict()) == ["1.weight", "1.bias"] and len(list(layers.children())) == 1
    assert "(0): None" in repr(layers)
    layers.append(nn.ReLU())
    assert layers[3] is layers[-1] and layers.pop(2) is None and len(layers) == 3
    layers.insert(1, None)
    assert [layer is None for layer in layers] == [True, True, False, False]
    assert list(layers.state_dict()) == ["2.weight", "2.bias"]
    layers[0] = nn.Tanh()
    del layers[1]
    assert [type(layer) for layer in layers[:2] + [None]] == [nn.Tanh, nn.Linear, type(None)]


def test_none_keeps_its_place_in_a_dict_and_a_sequential_has_no_place_for_it():
    named = nn.ModuleDict({"shortcut": None, "body": nn.Linear(1, 1)})
    assert list(named) == ["shortcut", "body"] and len(named) == 2 and named["shortcut"] is None
    named["shortcut"] = nn.Identity()
    assert type(named.pop("shortcut")) is nn.Identity and "shortcut" not in named
    with pytest.raises(TypeError, match=r"layer 1 is None; leave it out, or write nn.Identity\(\)"):
        nn.Sequential(nn.ReLU(), None)
    layers = nn.Sequential(nn.ReLU())
    with pytest.raises(TypeError, match="layer 0 is None"):
        layers[0] = None
    assert len(layers) == 1
