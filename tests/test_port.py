"""`python -m tinygrad_conv port`: each line of a PyTorch script that must be written otherwise, and how."""

from __future__ import annotations

import ast

import pytest

import tinygrad_conv as tg
from tinygrad_conv.port.reader import read

from .test_nn_tutorial import OURS, PYTORCHS, SCRIPT

IMPORTS = "import numpy as np\nimport tinygrad_conv as torch\nimport tinygrad_conv.nn as nn\n"
W = "w = torch.randn(3, 4, requires_grad=True)\n"


def found(script, imports=IMPORTS + W):
    """(kind, what to write) for each finding in a script whose imports are changed already."""
    return [
        (finding.kind, finding.instead.removeprefix("write "))
        for finding in read(ast.parse(imports + script))
    ]


def only(script, imports=IMPORTS + W):
    (finding,) = found(script, imports)
    return finding


# What runs unchanged is not named


def test_a_tutorial_needs_nothing_but_its_imports():
    kinds = [finding.kind for finding in read(ast.parse(PYTORCHS + SCRIPT))]
    assert kinds == ["import"] * 6
    assert found(OURS + SCRIPT, "") == []


@pytest.mark.parametrize(
    "line",
    [
        "w.data.sum(1); w.grad.mean(0); w.data.max(); w.data.min(); w.data.argmax(1)",
        "w.data.reshape(2, 6); w.data.flatten(); w.data.T; w.data.shape; w.data.tolist()",
        "w.data.transpose(1, 0); w.data.cumsum(0); w.data.squeeze(0); w.data.argsort(1); w.data.any()",
        "w.data -= 0.1 * w.grad; w.grad = None; w.data[0] = 1; len(w.grad); float(w.data.sum())",
        "w.data.max(axis=1); w.data.sum(axis=1, keepdims=True); w.data.sum(dtype=torch.float64)",
        "np.std(w.data); np.asarray(w.grad).std(); w.data.copy()",
        "w.max(1)[1]; w.std(); w.transpose(0, 1); w.detach().repeat(2, 1); w.clone().zero_()",
        "out = nn.Linear(4, 2)(w); out.max(1)[1]; out.var(); torch.std(w.data); torch.max(w.data, 1)[1]",
        "x = w.detach().numpy(); x.std(); x.max(1); x.transpose(0, 1); x.repeat(2, 1)",
        "import pandas as pd\nframe = pd.read_csv('x'); frame.std(); frame.max(1); frame.where(3)",
        "names = ['b', 'a']; names.sort(); max(names); {}.copy(); 'a'.split()",
        "if not torch.zeros(1).requires_grad: w.grad is None",
        "import json; json.loads('1'); w.data[0].item(); w.data.round()",
    ],
)
def test_what_means_the_same_is_not_named(line):
    assert found(line) == []


def test_an_attribute_of_the_script_s_own_is_not_a_tensor_s():
    script = """
class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def __add__(self, other):
        return Value(self.data.max(1) + other.data.std(0))
class Cache(dict):
    def normal_(self, mean):
        return self
v = Value(np.ones((2, 2)))
(v + v).data.repeat(2, 1)
Cache().normal_(0)
"""
    assert found(script) == []
    assert found(script + "w.data.std()") == [("silent", "w.data.std(ddof=1)")]


@pytest.mark.parametrize(
    "line, instead",
    [
        ("torch.Tensor([1, 2, 3])", "torch.FloatTensor([1, 2, 3])"),
        ("torch.Tensor(2, 3)", "torch.FloatTensor(2, 3)"),
        ("torch.Tensor(5)", "torch.FloatTensor(5)"),
    ],
)
def test_the_class_of_tensors_as_a_function(line, instead):
    assert found(line) == [("name", instead)]
    assert eval(instead, {"torch": tg}).dtype == tg.float32


def test_the_class_of_tensors_around_an_array_is_not_named():
    assert found("torch.Tensor(np.ones(3)); isinstance(w, torch.Tensor); torch.Tensor()") == []


def test_a_layer_s_parameter_is_a_tensor_s_beside_a_data_set_with_data_of_its_own():
    script = """
class Pairs(torch.utils.data.Dataset):
    def __init__(self, numbers):
        self.data = numbers
def start(layer):
    if isinstance(layer, nn.Linear):
        layer.bias.data.fill_(0.01)
"""
    assert found(script) == [("array", "layer.bias.data[...] = 0.01")]


def test_what_never_runs_without_a_gpu_is_not_named():
    guarded = """
use_cuda = not args.no_cuda and torch.cuda.is_available()
args.cuda = use_cuda
device = "cuda" if args.cuda else "cpu"
if use_cuda:
    net.cuda()
    torch.cuda.manual_seed(1)
if torch.cuda.is_available():
    w = w.cuda()
else:
    w = w.cpu()
while torch.cuda.is_available():
    w.cuda()
w.to(device)
w.cuda() if use_cuda else w
"""
    assert [instead for kind, instead in found(guarded) if kind == "device"] == []


# What does not is


@pytest.mark.parametrize(
    "line, instead",
    [
        ("out = nn.Linear(4, 2)(w)\npred = out.data.max(1)[1]", "pred = out.data.argmax(1)"),
        ("_, pred = w.data.max(1)", "_, pred = (w.data.max(1), w.data.argmax(1))"),
        ("w.data.std()", "w.data.std(ddof=1)"),
        ("w.grad.var(0)", "w.grad.var(0, ddof=1)"),
        ("w.data.transpose(0, 1)", "w.data.swapaxes(0, 1)"),
        ("w.data.transpose(-2, -1)", "w.data.swapaxes(-2, -1)"),
        ("w.data.repeat(2, 1)", "np.tile(w.data, (2, 1))"),
        ("w.data.repeat(3)", "np.tile(w.data, 3)"),
        ("w.data.nonzero()", "np.argwhere(w.data)"),
        ("g = w.grad.data", "g = w.grad"),
        ("w.data -= 0.1 * w.grad.data", "w.data -= 0.1 * w.grad"),
        ("w.grad.data[0] = 1", "w.grad[0] = 1"),
        ("for p in net.parameters():\n    d_p = p.grad.data", "d_p = p.grad"),
        ("d = w.data\nif d.std() > 1: pass", "d.std(ddof=1) > 1"),
        ("f'{w.data.std():.3f}'", "f'{w.data.std(ddof=1):.3f}'"),
        (
            "stds = [p.data.std() for p in net.parameters()]",
            "stds = [p.data.std(ddof=1) for p in net.parameters()]",
        ),
        ("lambda p: p.grad.std()", "lambda p: p.grad.std(ddof=1)"),
        ("print(w.data.max(1)[0],\n      w.data.sum())", "print(w.data.max(1), w.data.sum())"),
    ],
)
def test_other_numbers_in_silence_are_named_and_marked(line, instead):
    kind, written = only(line)
    assert kind == "silent" and ast.dump(ast.parse(written)) == ast.dump(ast.parse(instead))


@pytest.mark.parametrize(
    "line, instead",
    [
        ("w.grad.zero_()", "w.grad[...] = 0"),
        ("w.data.normal_(0, .02)", "w.data[...] = np.random.normal(loc=0, scale=0.02, size=w.data.shape)"),
        ("w.data.uniform_(-1, 1)", "w.data[...] = np.random.uniform(low=-1, high=1, size=w.data.shape)"),
        ("w.grad.norm()", "np.linalg.norm(w.grad)"),
        ("w.data.clone()", "w.data.copy()"),
        ("w.data.add_(-lr, w.grad)", "w.data += -lr * w.grad"),
        ("w.data.add_(w.grad, alpha=-lr)", "w.data += -lr * w.grad"),
        ("w.data.mul_(0.9).add_(w.grad)", "w.data *= 0.9; w.data += w.grad"),
        ("g = w.grad\ng.zero_()", "g[...] = 0"),
        ("for p in net.parameters():\n    d_p = p.grad\n    d_p.add_(0.1, p.data)", "d_p += 0.1 * p.data"),
        ("for g in [p.grad for p in ps]:\n    g.mul_(2)", "g *= 2"),
        ("def zero(g):\n    g.zero_()\nzero(w.grad)", "g[...] = 0"),
        ("def grad_of(p):\n    return p.grad\ngrad_of(w).zero_()", "grad_of(w)[...] = 0"),
        ("state = {}\nstate['g'] = w.grad\nstate['g'].zero_()", "state['g'][...] = 0"),
        (
            "class A:\n    def __init__(s):\n        s.g = w.grad\n    def f(s):\n        s.g.zero_()",
            "s.g[...] = 0",
        ),
        ("w.data.cpu().numpy()", "nothing: leave it out"),
        ("x = w.data.cpu().numpy()", "x = w.data"),
        ("w.data.size(0)", "w.data.shape[0]"),
        ("n = w.data.sum(dim=1, keepdim=True)", "n = w.data.sum(1, keepdims=True)"),
        ("w.data.max(dim=1, keepdim=True)[1]", "w.data.argmax(1, keepdims=True)"),
        ("w.data.view(-1)", "w.data.reshape(-1)"),
        ("w.data.to(torch.float64)", "w.data.astype(torch.float64)"),
        ("x = w.data.to('cpu')", "x = w.data"),
        ("w.grad = torch.zeros_like(w)", "w.grad = torch.zeros_like(w).data"),
        ("w.grad *= torch.ones(4)", "w.grad *= torch.ones(4).data"),
        ("w.data.log_softmax(1)", "torch.from_numpy(w.data).log_softmax(1)"),
    ],
)
def test_what_an_array_has_not_is_named(line, instead):
    if "log_softmax" in line and not hasattr(tg.Tensor, "log_softmax"):
        assert only(line)[0] == "name"
    else:
        assert only(line) == ("array", instead)


@pytest.mark.parametrize(
    "line, instead",
    [
        ("import torch", "import tinygrad_conv as torch"),
        ("import torch as t", "import tinygrad_conv as t"),
        ("import torch.nn as nn", "import tinygrad_conv.nn as nn"),
        ("import torch.nn.functional as F", "import tinygrad_conv.nn.functional as F"),
        ("import torch.nn", "import tinygrad_conv as torch"),
        ("from torch import nn, optim", "from tinygrad_conv import nn, optim"),
        ("from torch.nn import Linear as L", "from tinygrad_conv.nn import Linear as L"),
        ("from torch.nn.parameter import Parameter", "from tinygrad_conv.nn.parameter import Parameter"),
        (
            "from torch.utils.data.sampler import RandomSampler",
            "from tinygrad_conv.utils.data.sampler import RandomSampler",
        ),
        (
            "from torch.optim.lr_scheduler import StepLR",
            "from tinygrad_conv.optim.lr_scheduler import StepLR",
        ),
        ("import torchinfo", "print(net.summary((N, C, H, W)))"),
        (
            "from torch.nn import LSTM",
            "no recurrent layers: write the cell with nn.Linear, and a loop over x[:, t]",
        ),
        ("from torch.utils.tensorboard import SummaryWriter", "keep the numbers in a list, and plot it"),
        (
            "from tinygrad_conv.nn import GRU",
            "no recurrent layers: write the cell with nn.Linear, and a loop over x[:, t]",
        ),
    ],
)
def test_imports(line, instead):
    assert only(line, "") == ("import", instead)


def test_the_data_of_pytorch_is_where_this_package_has_it():
    kind, instead = only("from torch.utils.data import DataLoader, TensorDataset", "")
    assert kind == "import"
    names = {}
    exec(instead, names)
    assert names["DataLoader"] is tg.data.DataLoader


def test_the_transforms_of_torchvision_are_where_this_package_has_them():
    code = "import torchvision.transforms as T\nT.Compose([T.ToTensor(), T.Pad(1)])\nT.ColorJitter()"
    (kind, instead), (other_kind, other) = found(code, "")
    assert (kind, instead) == ("import", "import tinygrad_conv.data.transforms as T")
    assert other_kind == "name" and "as a function of the array" in other


def test_a_name_is_named_with_what_to_write():
    assert only("torch.cdist(w, w)") == ("name", "torch.norm(x[:, None] - y[None], dim=-1)")
    assert only("torch.hypot(w, w)") == ("name", "torch.sqrt(x * x + y * y)")
    assert only("self.rnn = nn.GRU(3, 4)")[0] == "name"
    assert only("w.new(3)")[1] == "torch.tensor(…, dtype=x.dtype)"
    assert only("def f(x):\n    return x.index_copy_(0, w, x)") == ("name", "x[index] = value")
    assert found("import torchvision.models as M\nm = M.resnet18()", "")[1][0] == "name"
    anomaly = found("from torch.autograd import detect_anomaly\nwith detect_anomaly():\n    pass", "")
    assert anomaly[1] == ("name", "with torch.detect_anomaly():")


@pytest.mark.parametrize(
    "line, instead",
    [
        ("net.cuda()", "nothing: leave it out"),
        ("x = w.cuda()", "x = w"),
        ("w.to('cuda:0')", "w.to('cpu')"),
        ("x = torch.zeros(3, device='cuda')", "x = torch.zeros(3, device='cpu')"),
        ("d = 'cuda'\nw.to(d)", "w.to('cpu')"),
        ("torch.load('x', map_location='mps')", None),
    ],
)
def test_devices(line, instead):
    devices = [text for kind, text in found(line) if kind == "device"]
    assert devices == [instead] if instead else len(devices) == 1


def test_every_kind_of_statement_is_read():
    script = """
from __future__ import annotations
import os, sys
from . import near
global x
x: int = 3
del x
async def f(a, /, b=w.data.std(), *c, d: torch.Tensor = None, **e):
    nonlocal_ = yield
    async with a as b:
        await b
    async for q in c:
        pass
    return w.grad.zero_()
try:
    assert w.data.std(), "message"
except (ValueError, KeyError) as error:
    raise error from None
else:
    pass
finally:
    pass
match w:
    case [1, *rest]:
        w.data.std()
    case {"a": 1}:
        pass
with open("x") as file, file:
    (y := w.data.std())
for (a, b), *c in zip([1], [2]):
    continue
while False:
    w.data.std()
print(*[w.data.std()], **{"a": w.data.std()}, sep=w.data[w.data.std():])
lambda *a, **k: {1: w.data.std(), **{}}
class C(nn.Module, metaclass=type):
    x = w.data.std()
    @staticmethod
    def g(v): return v.grad.zero_()
    @property
    def h(self): return not -w.data.std()
@torch.no_grad()
def last(): ...
"""
    lines = [finding.line for finding in read(ast.parse(IMPORTS + W + script))]
    assert lines == [12, 18, 20, 29, 33, 38, 39, 41, 43, 45]
