"""All parameters of a net: as a vector, clipped, by their keys, in lists and dicts."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def test_parameters_as_one_vector():
    net = nn.Linear(2, 3, rng=0)
    row = nn.utils.parameters_to_vector(net.parameters())
    assert row.shape == (9,) and row.requires_grad
    np.testing.assert_array_equal(row.data, np.concatenate([net.weight.data.ravel(), net.bias.data]))
    nn.utils.vector_to_parameters(tg.arange(9), net.parameters())
    assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and net.bias.tolist() == [6, 7, 8]
    with pytest.raises(ValueError, match=r"^vector_to_parameters: vec must be \[9\], .* not \[8\]"):
        nn.utils.vector_to_parameters(tg.arange(8), net.parameters())
    with pytest.raises(ValueError, match="^parameters_to_vector: needs at least one"):
        nn.utils.parameters_to_vector([])


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e-310])
def test_clipping_by_a_norm_whose_square_no_number_holds(size):
    a, b, unused = (tg.zeros(length, dtype=tg.float64, requires_grad=True) for length in (2, 1, 0))
    a.grad, b.grad, unused.grad = np.array([2.0, -1.0]) * size, np.array([2.0]) * size, np.zeros(0)
    norm = nn.utils.clip_grad_norm_([a, b, unused], 1.0)
    np.testing.assert_allclose(norm.item(), 3 * size, rtol=1e-14)
    factor = 1 / (3 * size + 1e-6) if size > 1 else 1.0  # what is short stays as it is
    np.testing.assert_allclose(a.grad, np.array([2.0, -1.0]) * size * factor, rtol=1e-14)
    np.testing.assert_allclose(b.grad, [2.0 * size * factor], rtol=1e-14)


def test_clipping_by_value():
    a, b = nn.Parameter(np.zeros(3)), nn.Parameter(np.zeros(1))
    a.grad = array = np.array([-3.0, 0.2, 5.0])
    nn.utils.clip_grad_value_([a, b], 0.5)
    assert a.grad is array and array.tolist() == [-0.5, 0.2, 0.5] and b.grad is None
    with pytest.raises(ValueError, match="^clip_grad_value_: clip_value must be a finite number from 0"):
        nn.utils.clip_grad_value_(a, -1.0)


def test_parameters_and_buffers_by_key():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert net.get_parameter("0.bias") is net[0].bias
    assert net.get_buffer("1.running_mean") is net[1].running_mean
    with pytest.raises(
        AttributeError, match=r"Sequential has no parameter '1.running_mean'; it has \['0.weight'"
    ):
        net.get_parameter("1.running_mean")


def test_lists_and_dicts_of_parameters():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scales = nn.ParameterList([nn.Parameter(np.ones(2)), tg.zeros(3)])
            self.heads = nn.ParameterDict({"a": nn.Parameter(np.ones(1))})

    net = Net()
    net.scales.append(tg.ones(1))
    net.heads["b"] = tg.ones(4)
    assert list(net.state_dict()) == ["scales.0", "scales.1", "scales.2", "heads.a", "heads.b"]
    assert all(isinstance(parameter, nn.Parameter) for parameter in net.parameters())
    assert len(net.scales) == 3 and net.scales[-1].shape == (1,) and len(net.scales[:2]) == 2
    assert list(net.heads) == ["a", "b"] and "a" in net.heads and net.heads["b"].name == "heads.b"
    del net.heads["a"]
    net.scales[0] = nn.Parameter(np.zeros(2))
    assert list(net.heads.keys()) == ["b"] and not net.scales[0].data.any()
    assert "(1): Parameter containing: [float32[3]]" in repr(net.scales)
    with pytest.raises(TypeError, match="must be an nn.Parameter"):
        net.scales.append(3)
    net.scales += [tg.ones(5)]
    assert list(net.state_dict()) == ["scales.0", "scales.1", "scales.2", "scales.3", "heads.b"]


def test_a_dict_of_parameters_is_used_like_a_dict():
    heads = nn.ParameterDict([("a", tg.ones(1)), ("b", tg.ones(2)), ("c", tg.ones(3))])
    a, c = heads["a"], heads["c"]
    assert heads.get("a") is a and heads.get("z") is None and heads.get("z", 7) == 7
    assert heads.setdefault("a", tg.zeros(9)) is a and heads.setdefault("d", tg.ones(4)) is heads["d"]
    assert heads.popitem()[0] == "d" and heads.popitem() == ("c", c) and heads.pop("a") is a
    assert list(heads.state_dict()) == ["b"] and len(list(heads.parameters())) == 1
    heads.clear()
    assert len(heads) == 0 and list(heads.parameters()) == [] and heads.training
    with pytest.raises(KeyError):
        heads.pop("a")
    with pytest.raises(KeyError, match="it is empty"):
        heads.popitem()


@pytest.mark.parametrize(
    "change, error",
    [
        (lambda net: net.scales.extend([tg.ones(1), "x"]), TypeError),
        (lambda net: net.heads.update([("b", tg.ones(1)), ("c", 3)]), TypeError),
        (lambda net: net.heads.update({"b": tg.ones(1), "c.d": tg.ones(1)}), KeyError),
        (lambda net: net.heads.update([("a", tg.zeros(1)), ("keys", tg.ones(1))]), KeyError),
    ],
)
def test_of_several_parameters_all_are_taken_or_none(change, error):
    net = nn.Module()
    net.scales, net.heads = nn.ParameterList([tg.ones(2)]), nn.ParameterDict({"a": tg.ones(1)})
    with pytest.raises(error):
        change(net)
    assert list(net.state_dict()) == ["scales.0", "heads.a"] and net.heads["a"].item() == 1


@pytest.mark.parametrize(
    "change",
    [
        nn.init.ones_,
        lambda p: p.fill_(1),
        lambda p: p.copy_(tg.ones(3)),
        lambda p: p.sub_(1),
    ],
)
def test_a_parameter_of_a_result_is_a_leaf_with_numbers_of_its_own(change):
    made = tg.ones(3) * 2
    p = nn.Parameter(made)
    with tg.no_grad():
        change(p)
    assert p.tolist() == [1, 1, 1] and made.tolist() == [2, 2, 2]
    (p * p).sum().backward()
    optim.SGD([p], lr=0.25).step()
    assert p.tolist() == [0.5, 0.5, 0.5]


def test_a_parameter_of_a_result_is_loaded_in_its_place():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.made = tg.ones(3) * 2
            self.bias = nn.Parameter(self.made)

    net = Net()
    array = net.bias.data
    net.load_state_dict({"bias": [1.0, 2.0, 3.0]})
    assert net.bias.data is array and net.bias.tolist() == [1, 2, 3] and net.made.tolist() == [2, 2, 2]
