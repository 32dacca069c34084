"""Module: the tree, its names and paths, state dicts, modes, refusals."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.engine.observed import LAYER
from tinygrad_conv.errors import DtypeError, MutationError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, rng=0)
        self.scale = nn.Parameter(np.ones(2, np.float32))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 3, rng=1))
        self.register_buffer("seen", tg.tensor(0))
        self.register_buffer("cache", tg.zeros(2), persistent=False)

    def forward(self, x):
        return self.head(self.conv1(x) * self.scale.reshape(1, 2, 1, 1))


class Layer(nn.Module):
    """Remembers the path that the tape would print."""

    def forward(self, x):
        self.path = LAYER.get()
        if x is None:
            raise RuntimeError("on purpose")
        return x


def test_members_in_order_own_parameters_first():
    net = Net()
    assert [key for key, _ in net.named_parameters()] == [
        "scale",
        "conv1.weight",
        "conv1.bias",
        "head.1.weight",
        "head.1.bias",
    ]
    assert [key for key, _ in net.named_buffers()] == ["seen", "cache"]
    assert [key for key, _ in net.named_modules()] == ["", "conv1", "head", "head.0", "head.1"]
    assert [name for name, _ in net.named_children()] == ["conv1", "head"]
    assert list(net.state_dict()) == [
        "scale",
        "seen",
        "conv1.weight",
        "conv1.bias",
        "head.1.weight",
        "head.1.bias",
    ]
    assert [key for key, _ in net.named_parameters("net", recurse=False)] == ["net.scale"]
    assert net.get_submodule("head.1") is net.head[1] and net.get_submodule("") is net
    with pytest.raises(AttributeError, match="no module 'head.7'"):
        net.get_submodule("head.7")


def test_parameters_are_named_by_their_key_and_modules_by_their_path():
    net = Net()
    assert all(parameter.name == key for key, parameter in net.named_parameters())
    assert net.seen.name == "seen"
    assert [module._path for module in net.modules()] == [
        "net",
        "net.conv1",
        "net.head",
        "net.head.0",
        "net.head.1",
    ]
    outer = nn.Sequential(net, nn.ReLU())
    assert net.conv1.weight.name == "0.conv1.weight" and net.seen.name == "0.seen"
    assert net.head[1]._path == "sequential.0.head.1"
    outer.append(nn.Linear(3, 1))
    assert outer[2].bias.name == "2.bias"


def test_what_is_shared_counts_once_and_has_its_first_name():
    net = nn.Module()
    net.first = nn.Linear(2, 2)
    net.second = net.first
    net.third = nn.Linear(2, 2)
    net.third.weight = net.first.weight
    assert [key for key, _ in net.named_parameters()] == ["first.weight", "first.bias", "third.bias"]
    assert [key for key, _ in net.named_children()] == ["first", "third"]
    assert set(net.state_dict()) == {
        f"{name}.{key}" for name in ("first", "second", "third") for key in ("weight", "bias")
    }
    assert net.first._path == "module.first"
    holder = nn.Sequential(net)
    assert net.third.weight.name == "0.first.weight"
    assert len(list(holder.parameters())) == 3
    assert len(list(holder.named_parameters(remove_duplicate=False))) == 6


def test_calling_sets_the_layer_for_the_tape_and_resets_it():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Layer()

        def forward(self, x):
            y = self.inner(x)
            self.path_after = LAYER.get()
            return y

    outer = Outer()
    x = tg.ones(1)
    assert outer(x) is x
    assert (outer.inner.path, outer.path_after, LAYER.get()) == ("outer.inner", "outer", "")
    with pytest.raises(RuntimeError, match="on purpose"):
        outer(None)
    assert LAYER.get() == ""


def test_the_tape_says_which_layer():
    net = Net()
    node = net(tg.ones(1, 1, 4, 4)).grad_fn
    assert (node.op.name, node.layer) == ("linear", "net.head.1")
    assert __file__.endswith(node.place.split(":")[0].split("/")[-1])


def test_nothing_outlives_the_graph():
    class Watch(nn.Module):
        def forward(self, x):
            self.seen = weakref.ref(x.data)
            return x * x

    net, alive = nn.Sequential(nn.Conv2d(1, 2, 3), Watch(), nn.Flatten()), gc.isenabled()
    gc.disable()
    try:
        y = net(tg.ones(2, 1, 4, 4))
        assert net[1].seen().shape == (2, 2, 2, 2)
        del y
        assert net[1].seen() is None
        gone = weakref.ref(net[0].weight), weakref.ref(net)
        del net
        assert gone[0]() is None and gone[1]() is None
    finally:
        if alive:
            gc.enable()


def test_state_dict_copies_and_loads_back():
    net, other = Net(), Net()
    state = net.state_dict()
    with tg.no_grad():
        net.conv1.weight += 1
    assert not np.array_equal(state["conv1.weight"].data, net.conv1.weight.data)
    assert not state["conv1.weight"].requires_grad
    weight, place = other.conv1.weight, other.conv1.weight.data
    assert other.load_state_dict(net.state_dict()) == ([], [])
    assert other.conv1.weight is weight and other.conv1.weight.data is place
    np.testing.assert_array_equal(other.conv1.weight.data, net.conv1.weight.data)


def test_load_state_dict_takes_arrays_and_keeps_the_dtype():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": [3]})
    assert layer.weight.dtype == layer.bias.dtype == np.float32
    assert layer.weight.tolist() == [[1.0, 2.0]] and layer.bias.tolist() == [3.0]


def test_buffers_that_an_op_made_are_loaded():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", tg.tril(tg.ones(2, 2)).view(1, 1, 2, 2))

    net = Masked()
    mask, earlier, given = net.mask, net.mask * 1, np.full((1, 1, 2, 2), 3.0, np.float32)
    net.load_state_dict({"mask": given})
    given[...] = 4  # the net has numbers of its own
    assert net.mask is mask and mask.tolist() == [[[[3, 3], [3, 3]]]] and earlier.sum().item() == 3
    mask += 1
    net.load_state_dict(net.state_dict())
    assert mask.sum().item() == 16
    part = mask[0]
    with pytest.raises(tg.errors.MutationError, match="load_state_dict: mask: .* is a view of"):
        net.load_state_dict({"mask": given})
    assert part.sum().item() == mask.sum().item() == 16


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda state: state.pop("scale"), "missing key scale"),
        (lambda state: state.update(extra=tg.ones(1)), "unexpected key extra"),
        (lambda state: state.update({"n" * 5000: tg.ones(1)}), r"unexpected key n{200}…$"),
        (lambda state: state.update({f"{i}": i for i in range(9999)}), r"… and 9799 more$"),
        (
            lambda state: state.update({"scale": tg.ones(3)}),
            r"scale is \[3\] in the state dict but \[2\] here",
        ),
    ],
)
def test_load_state_dict_refuses_and_leaves_the_module_as_it_was(change, words):
    net = Net()
    before = net.state_dict()
    state = {key: tensor + 1 for key, tensor in before.items()}
    change(state)
    with pytest.raises(RuntimeError, match=words):
        net.load_state_dict(state)
    assert all(np.array_equal(before[key].data, tensor.data) for key, tensor in net.state_dict().items())


def test_load_state_dict_not_strict_loads_what_fits_and_reports():
    net = Net()
    keys = net.load_state_dict({"scale": tg.full((2,), 5.0), "extra": tg.ones(1)}, strict=False)
    assert (
        keys.unexpected_keys == ["extra"]
        and "conv1.weight" in keys.missing_keys
        and "scale" not in keys.missing_keys
    )
    assert net.scale.tolist() == [5.0, 5.0]
    with pytest.raises(RuntimeError, match="scale"):
        net.load_state_dict({"scale": tg.ones(3)}, strict=False)
    with pytest.raises(TypeError, match="scale is str"):
        net.load_state_dict({"scale": "many"}, strict=False)
    with pytest.raises(TypeError, match="expected a dict"):
        net.load_state_dict([1])


def test_loading_between_forward_and_backward_is_noticed():
    net = Net()
    loss = (net(tg.ones(1, 1, 4, 4)) ** 2).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(MutationError, match="weight"):
        loss.backward()


def test_train_eval_zero_grad_requires_grad_apply():
    net = Net()
    assert net.eval() is net and not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    with pytest.raises(ValueError, match="True or False"):
        net.train("yes")
    net(tg.ones(1, 1, 4, 4)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(np.all(p.grad == 0) for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(tg.ones(1, 1, 4, 4)).requires_grad
    order = []
    assert net.apply(lambda module: order.append(type(module).__name__)) is net
    assert order == ["Conv2d", "Flatten", "Linear", "Sequential", "Net"]


def test_dtypes():
    net = Net().double()
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert net.seen.dtype == np.int64 and net.cache.dtype == np.float64
    net(tg.ones(1, 1, 4, 4, dtype=np.float64)).sum().backward()
    net.half()
    assert net.scale.grad.dtype == net.scale.dtype == np.float16
    assert net.to("cpu") is net and net.float().scale.dtype == np.float32
    for wrong in ("cuda", np.int64):
        with pytest.raises(DtypeError):
            net.to(wrong)


def test_copies_and_pickles():
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert [p.name for p in twin.parameters()] == [p.name for p in net.parameters()]
        assert all(isinstance(p, nn.Parameter) for p in twin.parameters())
        with tg.no_grad():
            twin.scale += 1
        assert net.scale.tolist() == [1.0, 1.0] and twin.scale.tolist() == [2.0, 2.0]
        assert twin(tg.ones(1, 1, 4, 4)).grad_fn.layer == "net.head.1"
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    twin = copy.deepcopy(tied)
    assert twin[1].weight is twin[0].weight


def test_a_parameter_owns_memory_that_can_change():
    weight = nn.Parameter(tg.ones(3) * 0.5)
    with tg.no_grad():
        weight -= 1
    assert weight.tolist() == [-0.5] * 3 and weight.requires_grad
    array = np.ones(2)
    nn.Parameter(array).data[0] = 7
    assert array[0] == 7
    assert not nn.Parameter(tg.ones(1), requires_grad=False).requires_grad
    with pytest.raises(DtypeError):
        nn.Parameter(np.arange(3))


def test_assigning_what_would_be_lost_is_refused():
    net = Net()
    with pytest.raises(TypeError, match="conv1 is an nn.Module"):
        net.conv1 = 3
    with pytest.raises(TypeError, match="scale is an nn.Parameter"):
        net.scale = tg.ones(2)
    with pytest.raises(TypeError, match="seen is a buffer"):
        net.seen = 4
    net.seen = tg.tensor(4)
    assert net.state_dict()["seen"].item() == 4
    net.scale = None
    assert "scale" not in net.state_dict()
    del net.seen
    assert "seen" not in net.state_dict() and "conv1.weight" in net.state_dict()


def test_registering():
    net = nn.Module()
    net.register_parameter("w", nn.Parameter(tg.ones(1)))
    net.register_parameter("b", None)
    net.add_module("layer", nn.ReLU())
    assert list(net.state_dict()) == ["w"] and isinstance(net.layer, nn.ReLU) and net.b is None
    for name in ("", "a.b", "training", "forward"):
        with pytest.raises(KeyError):
            net.add_module(name, nn.ReLU())
    with pytest.raises(TypeError, match="nn.Module or None"):
        net.add_module("function", abs)
    with pytest.raises(TypeError, match="nn.Parameter or None"):
        net.register_parameter("v", tg.ones(1))
    with pytest.raises(TypeError, match="plain Tensor or None"):
        net.register_buffer("v", np.ones(1))


def test_forgotten_super_and_missing_forward_speak():
    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.ReLU()

    class ForgotToo(nn.Module):
        def __init__(self):
            self.times = 3

        def forward(self, x):
            return x * self.times

    with pytest.raises(AttributeError, match=r"Forgot.layer: call super\(\).__init__\(\)"):
        Forgot()
    with pytest.raises(AttributeError, match=r"its __init__ must begin with super\(\).__init__\(\)"):
        ForgotToo()(tg.ones(1))
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_repr_reads_like_pytorchs():
    assert repr(Net()) == (
        "Net(\n"
        "  (conv1): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n"
        "  (head): Sequential(\n"
        "    (0): Flatten(start_dim=1, end_dim=-1)\n"
        "    (1): Linear(in_features=8, out_features=3, bias=True)\n"
        "  )\n"
        ")"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: nn.Linear(2, 3, **options),
        lambda **options: nn.Conv2d(1, 2, 3, **options),
        lambda **options: nn.LazyConv2d(2, 3, **options),
        lambda **options: nn.BatchNorm2d(2, **options),
        lambda **options: nn.LayerNorm(2, **options),
        lambda **options: nn.Embedding(4, 2, **options),
        lambda **options: nn.PReLU(**options),
    ],
)
def test_layers_with_parameters_take_the_only_device(make):
    for device in (None, "cpu", tg.device("cpu")):
        assert repr(make(device=device, dtype=tg.float64)) == repr(make())
    with pytest.raises((TypeError, ValueError, RuntimeError), match="device must be 'cpu', the only device"):
        make(device="cuda")
