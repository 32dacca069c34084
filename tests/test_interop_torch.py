"""To PyTorch and back: every layer, every optimiser that both have, single tensors."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.errors import DtypeError, GraphError, MutationError

from .helpers import leaf
from .tools import layers, names

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:Lazy modules are a new feature"),
]  # PyTorch's own note
torch = pytest.importorskip("torch")


def test_every_layer_that_both_have_agrees_both_ways():
    names = layers.shared_names(torch)
    assert {*names} == {*layers.SAMPLES}
    for name in names:
        agreed = layers.agreement(torch, name)
        assert max(agreed.to_ours, agreed.to_torch, agreed.gradient) < 1e-5, f"{layers.HEADER}\n{agreed}"


def test_the_table_is_a_line_for_each(monkeypatch):
    monkeypatch.setattr(layers, "shared_names", lambda torch: ["Conv2d", "ReLU"])
    header, conv, relu = layers.table(torch)
    assert header.split()[:2] == ["layer", "keys"] and (conv.split()[:2], relu.split()[:2]) == (
        ["Conv2d", "2"],
        ["ReLU", "0"],
    )


def small_net(nn):
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))


KINDS = {
    "parameters that require grad": lambda t: torch.nn.Parameter(t) if t.is_floating_point() else t,
    "bfloat16": lambda t: t.bfloat16() if t.is_floating_point() else t,
    "float16": lambda t: t.half() if t.is_floating_point() else t,
    "float64": lambda t: t.double() if t.is_floating_point() else t,
    "not contiguous": lambda t: torch.stack([t, t], -1)[..., 0],
    "negated lazily": lambda t: torch._neg_view(-t) if t.is_floating_point() else t,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_dict_of_tensors_of_every_kind(kind):
    ours, theirs = small_net(nn), small_net(torch.nn)
    theirs(torch.randn(4, 2, 4, 4))
    state = {key: KINDS[kind](tensor) for key, tensor in theirs.state_dict().items()}
    assert ours.load_state_dict(state) == ([], [])
    for key, tensor in ours.state_dict().items():
        expected = state[key].detach().resolve_neg().to(theirs.state_dict()[key].dtype)
        np.testing.assert_array_equal(tensor.data, expected.numpy())
    assert ours[1].num_batches_tracked.item() == 1 and ours[1].num_batches_tracked.dtype == np.int64


@pytest.mark.parametrize(
    "tensor",
    [lambda: torch.eye(2).to_sparse(), lambda: torch.empty(2, 2, device="meta")],
    ids=["sparse", "meta"],
)
def test_what_is_no_array_of_numbers_is_refused(tensor):
    net = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="^load_state_dict: weight is Tensor, not an array of numbers: "):
        net.load_state_dict({"weight": tensor(), "bias": torch.zeros(2)})
    with pytest.raises(
        DtypeError, match=r"^from_torch: obj\['w'\]: a tensor is torch.float32\[2, 2\], .*dense"
    ):
        tg.interop.from_torch({"w": tensor()})


def test_weights_go_there_and_back():
    ours, theirs = small_net(nn), small_net(torch.nn)
    ours(tg.randn(4, 2, 4, 4))
    before = {key: tensor.data.copy() for key, tensor in ours.state_dict().items()}
    for state in (ours, ours.state_dict()):
        assert str(theirs.load_state_dict(tg.interop.to_torch(state))) == "<All keys matched successfully>"
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter += 1
    back = tg.interop.from_torch(theirs)
    for key, array in before.items():  # copies: neither has changed the other
        np.testing.assert_array_equal(ours.state_dict()[key].data, array)
        added = 1 if key in dict(theirs.named_parameters()) else 0
        np.testing.assert_array_equal(back[key].data, array + np.array(added, array.dtype))
        assert not np.shares_memory(back[key].data, theirs.state_dict()[key].numpy())


def test_lazy_layers_without_a_shape():
    ours, theirs = nn.LazyBatchNorm1d(), torch.nn.LazyBatchNorm1d()
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(tg.interop.to_torch(ours))
    assert repr(tg.interop.from_torch(theirs)) == repr(ours.state_dict())
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(tg.tensor(x)).data, theirs(torch.tensor(x)).detach(), rtol=1e-5, atol=1e-6
    )


OPTIMIZERS = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.02}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.02, "amsgrad": True, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.3}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {"momentum_decay": 0.1}),
    ("RAdam", {"lr": 0.05}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
]


def test_no_optimiser_is_forgotten():
    shared = [name for name in optim.__all__ if inspect.isclass(getattr(torch.optim, name, None))]
    assert {name for name, _ in OPTIMIZERS} == {*shared} - {"Optimizer"}


class Twins:
    """The same net and optimiser in both libraries; a layer in the middle gets no gradient."""

    def __init__(self, name, options):
        rng = np.random.default_rng(0)
        self.x, self.t = (rng.standard_normal(shape).astype(np.float32) for shape in ((6, 4), (6, 2)))
        self.name = name
        torch.manual_seed(0)
        self.net, self.optimizer = self.made(nn, optim, **options)
        self.other, self.reference = self.made(torch.nn, torch.optim, **options)
        self.net.load_state_dict(self.other.state_dict())

    def made(self, nn, optim, **options):
        net = nn.ModuleList([nn.Linear(4, 5), nn.Linear(3, 3), nn.Linear(5, 2)])
        groups = [{"params": net[0].parameters()}, {"params": [*net[1].parameters(), *net[2].parameters()]}]
        return net, getattr(optim, self.name)(groups, **options)

    def ours(self, steps):
        return [self.step(tg, self.net, self.optimizer, tg.tensor) for _ in range(steps)]

    def theirs(self, steps):
        return [self.step(torch, self.other, self.reference, torch.tensor) for _ in range(steps)]

    def step(self, lib, net, optimizer, tensor):
        optimizer.zero_grad()
        loss = ((net[2](lib.tanh(net[0](tensor(self.x)))) - tensor(self.t)) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()


@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_training_goes_on_in_the_other_library(name, options):
    twins = Twins(name, options)
    np.testing.assert_allclose(twins.ours(4), twins.theirs(4), rtol=1e-5)
    twins.net, twins.optimizer = twins.made(nn, optim, lr=0.7)
    twins.net.load_state_dict(twins.other.state_dict())
    twins.optimizer.load_state_dict(twins.reference.state_dict())
    np.testing.assert_allclose(twins.ours(4), twins.theirs(4), rtol=1e-5)
    twins.other, twins.reference = twins.made(torch.nn, torch.optim, lr=0.7)
    twins.other.load_state_dict(tg.interop.to_torch(twins.net))
    twins.reference.load_state_dict(tg.interop.to_torch(twins.optimizer))
    np.testing.assert_allclose(twins.ours(4), twins.theirs(4), rtol=1e-5)
    counts = [state["step"] for state in twins.optimizer.state_dict()["state"].values() if "step" in state]
    theirs = twins.reference.state_dict()["state"].values()
    assert counts == [int(state["step"]) for state in theirs if "step" in state]
    for p, q in zip(twins.net.parameters(), twins.other.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_an_optimiser_that_has_made_no_step_yet(name, options):
    twins = Twins(name, options)
    twins.other, twins.reference = twins.made(torch.nn, torch.optim, lr=0.7)  # whose options are others
    twins.other.load_state_dict(tg.interop.to_torch(twins.net))
    twins.reference.load_state_dict(tg.interop.to_torch(twins.optimizer))
    np.testing.assert_allclose(twins.ours(3), twins.theirs(3), rtol=1e-5)
    fresh = twins.made(torch.nn, torch.optim, **options)[1]
    twins.optimizer.load_state_dict(fresh.state_dict())
    twins.reference.load_state_dict(fresh.state_dict())
    np.testing.assert_allclose(twins.ours(3), twins.theirs(3), rtol=1e-5)


def test_what_else_pytorchs_groups_have():
    p = torch.nn.Parameter(torch.ones(2))
    reference = torch.optim.Adam(
        [("p", p)], lr=torch.tensor(0.125), betas=(torch.tensor(0.5), torch.tensor(0.75))
    )
    torch.optim.lr_scheduler.StepLR(reference, 3)
    ours = optim.Adam([nn.Parameter(np.ones(2))])
    ours.load_state_dict(reference.state_dict())
    group = ours.param_groups[0]
    assert (group["lr"], group["betas"], group["initial_lr"]) == (0.125, (0.5, 0.75), 0.125)
    reference.load_state_dict(tg.interop.to_torch(ours))
    assert reference.param_groups[0]["param_names"] == ["p"] and reference.param_groups[0]["lr"] == 0.125


def test_a_saved_state_goes_to_pytorch_too(tmp_path):
    twins = Twins("Adam", {})
    twins.ours(3)
    tg.save({"net": twins.net.state_dict(), "optimizer": twins.optimizer.state_dict()}, tmp_path / "x.npz")
    saved = tg.interop.to_torch(tg.load(tmp_path / "x.npz"))
    twins.other.load_state_dict(saved["net"])
    twins.reference.load_state_dict(saved["optimizer"])
    np.testing.assert_allclose(twins.ours(3), twins.theirs(3), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_every_dtype_and_size_out_and_in(dtype, shape):
    there_and_back(np.ones(shape, dtype))


@pytest.mark.parametrize("dtype", ["int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_usual_dtypes_out_and_in(dtype, shape):
    there_and_back(np.ones(shape, dtype))


def there_and_back(array):
    x = tg.from_numpy(array)
    for t in (torch.from_dlpack(x), tg.interop.to_torch(x)):
        assert (str(t.dtype), tuple(t.shape)) == (f"torch.{array.dtype}", array.shape)
        for back in (tg.from_dlpack(t), tg.interop.from_torch(t)):
            assert (back.dtype, back.shape) == (array.dtype, array.shape)
            assert np.shares_memory(back.data, array) == (array.size > 0)


HCWN = np.arange(120, dtype=np.float32).reshape(3, 4, 5, 2).transpose(3, 1, 0, 2)


def test_memory_is_shared_in_whatever_order():
    for array in (HCWN.copy("K"), np.arange(6.0).reshape(2, 3).T, np.arange(12.0)[::2]):
        x = tg.from_numpy(array)
        for t in (torch.from_dlpack(x), tg.interop.to_torch(x), torch.from_dlpack(x.detach())):
            assert t.data_ptr() == array.ctypes.data
            assert [array.itemsize * stride for stride in t.stride()] == list(array.strides)
            t[0] += 1
            assert torch.equal(t, torch.tensor(np.ascontiguousarray(array)))
        for back in (tg.from_dlpack(t), tg.interop.from_torch(t)):
            back += 1
            assert torch.equal(t, torch.tensor(np.ascontiguousarray(array)))


def test_a_result_of_nothing_recorded_is_shared():
    with tg.no_grad():
        y = tg.conv2d(tg.from_numpy(HCWN), leaf(6, 4, 3, 3, dtype=np.float32))
    assert torch.from_dlpack(y).data_ptr() == torch.from_dlpack(y.detach()).data_ptr() == y.data.ctypes.data


@pytest.mark.parametrize("size", [3, 5000])
def test_what_pytorch_writes_is_noticed(size):
    w = leaf(size)
    x = tg.zeros(size, dtype=np.float64)
    kept = [(w * w).sum(), (x * w).sum(), (w.T * x).sum()]
    t, u = torch.from_dlpack(w.detach()), torch.from_dlpack(x)
    t += 1
    u += 1
    for loss in kept:
        with pytest.raises(MutationError, match="through .data or an array that shares its memory"):
            loss.backward()


def test_what_a_rule_reads_is_out_of_pytorchs_reach():
    x = leaf(4)
    y = x.exp()
    expected = y.data.copy()
    for t in (
        torch.from_dlpack(y.detach()),
        tg.interop.to_torch(y.detach()[:]),
        torch.from_dlpack(y.detach().T),
    ):
        t.zero_()  # PyTorch writes to memory that is called read-only
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, expected)


def test_numbers_that_stand_backwards_do_not_end_the_program():
    x = tg.from_numpy(np.arange(6.0).reshape(2, 3)[:, ::-1])
    assert torch.from_dlpack(x).tolist() == tg.interop.to_torch(x).tolist() == [[2, 1, 0], [5, 4, 3]]


def test_copies_and_devices_as_pytorch_asks_for_them():
    x = tg.ones(3)
    assert torch.from_dlpack(x, copy=True).data_ptr() != x.data.ctypes.data
    assert torch.from_dlpack(x, copy=False, device="cpu").data_ptr() == x.data.ctypes.data
    with pytest.raises(BufferError, match="copy=False, but it is the result of a recorded op"):
        torch.from_dlpack((leaf(2) * 2).detach(), copy=False)
    assert torch.from_dlpack(x.__dlpack__()).tolist() == [1, 1, 1]
    capsule = torch.utils.dlpack.to_dlpack(torch.ones(2))
    assert tg.from_dlpack(capsule).tolist() == [1, 1]


def test_what_requires_grad_in_either_library():
    w, v = leaf(3, dtype=np.float32), torch.ones(3, requires_grad=True)
    t, x = tg.interop.to_torch(w), tg.interop.from_torch(v)
    assert t.requires_grad and t.is_leaf and t.data_ptr() == w.data.ctypes.data
    assert x.requires_grad and x.is_leaf and x.data.ctypes.data == v.data_ptr()
    assert isinstance(tg.interop.to_torch(dict(w=w))["w"], torch.Tensor)
    with pytest.raises(BufferError, match="this tensor requires grad"):
        torch.from_dlpack(w)
    with pytest.raises(BufferError, match="require gradient"):
        tg.from_dlpack(v)
    with pytest.raises(GraphError, match=r"^to_torch: obj\[0\]: <mul .* only a leaf can go; pass x\.detach"):
        tg.interop.to_torch([w * 2])
    with pytest.raises(
        GraphError, match=r"^from_torch: MulBackward0 made this .*leaf can go; pass t\.detach"
    ):
        tg.interop.from_torch(v * 2)


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "complex64"])
def test_dtypes_that_are_not_here_are_refused_by_name(dtype):
    t = torch.zeros(3).to(getattr(torch, dtype))
    with pytest.raises(DtypeError, match=f"{dtype}.*float16, float32 or float64|float64, not {dtype}"):
        tg.from_dlpack(t)
    if dtype != "bfloat16":
        with pytest.raises(
            DtypeError, match=rf"^from_torch: a tensor is torch\.{dtype}\[3\].*convert it there"
        ):
            tg.interop.from_torch(t)


def test_bfloat16_is_float32():
    t = torch.tensor([1.0, -2.5, 3e38, 1e-40]).bfloat16()
    x = tg.interop.from_torch(t)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x.data, t.float().numpy())


def test_structures_keep_their_form_and_what_they_share():
    w = tg.ones(2)
    value = {"a": [w, (1, None, "x", True, np.float32(0.5))], ("k", 1): w, "array": np.arange(3), "none": {}}
    there = tg.interop.to_torch(value)
    assert there["a"][0] is there["k", 1] and there["a"][1] == (1, None, "x", True, 0.5)
    assert there["array"].tolist() == [0, 1, 2] and there["none"] == {}
    back = tg.interop.from_torch(there)
    assert back["a"][0] is back["k", 1] and np.shares_memory(back["a"][0].data, w.data)
    with pytest.raises(TypeError, match=r"^to_torch: obj\['a'\]\[0\]: expected a Tensor, .*, not object$"):
        tg.interop.to_torch({"a": [object()]})
    with pytest.raises(TypeError, match="^from_torch: expected a PyTorch tensor, .*, not dtype$"):
        tg.interop.from_torch(torch.float32)
    around: list = []
    around.append(around)
    with pytest.raises(TypeError, match="nested more than 100 deep; is it in itself"):
        tg.interop.to_torch(around)


def test_the_readmes_calls(tmp_path, monkeypatch):
    readme = names.README.read_text(encoding="utf-8")
    paragraph = readme.partition("**Weights go to PyTorch and back**")[2].partition("\n\n")[0]
    calls = [call for call in re.findall("`(.*?)`", paragraph) if "(" in call and "jax" not in call]
    assert len(calls) == 6
    monkeypatch.chdir(tmp_path)
    torch_model, net = small_net(torch.nn), small_net(nn)
    torch.save(torch_model.state_dict(), "model.pt")
    known = {"tg": tg, "torch": torch, "np": np, "net": net, "torch_model": torch_model}
    for call in calls:
        exec(call, {**known, "x": tg.ones(2), "t": torch.ones(2)})
    for key, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.data, torch_model.state_dict()[key])


def test_dicts_of_parameters_are_numbered_alike():
    ours, theirs = (
        lib.nn.ParameterDict({name: lib.nn.Parameter(lib.ones(1)) for name in "zab"}) for lib in (tg, torch)
    )
    assert [key for key, _ in ours.named_parameters()] == [key for key, _ in theirs.named_parameters()]
    assert [*nn.ParameterDict([("z", tg.ones(1)), ("a", tg.ones(1))])] == ["z", "a"]
