"""Other dtypes, devices, and numbers off the tape, as scripts for PyTorch write them."""

from __future__ import annotations

import configparser
import importlib
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors

NAMES = ("float", "double", "half", "long", "int", "short", "bool")
DTYPES = (np.float32, np.float64, np.float16, np.int64, np.int32, np.int16, np.bool_)
OTHERS = [("int8", np.int8), ("uint8", np.uint8), ("float32", np.float32), ("int64", np.int64)]


# Formats


@pytest.mark.parametrize("spec", [".4f", "8.3f", ".2e", "+.1f", ">12", "", ".3", "%"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_a_number_is_formatted_as_pythons(spec, dtype):
    if np.dtype(dtype).kind == "i" and spec == ".3":
        spec = "d"
    x = tg.tensor(np.array(3.25).astype(dtype))
    assert format(x, spec) == format(x.item(), spec)
    if spec:
        assert format(x.reshape(1, 1), spec) == format(x.item(), spec)


def test_a_loss_that_requires_grad_is_formatted_without_a_warning(recwarn):
    loss = (tg.ones(2, requires_grad=True) * 1.5).sum()
    assert f"{loss:.4f} {loss}" == "3.0000 3.0"
    assert not recwarn.list


@pytest.mark.parametrize("shape", [(2,), (0,), (2, 3)])
def test_several_numbers_are_formatted_as_a_whole_alone(shape):
    x = tg.zeros(*shape)
    assert f"{x}" == str(x)
    with pytest.raises(TypeError, match=r"format: float32.* has not one number, so '.4f' .*x.mean"):
        f"{x:.4f}"


# Dtypes


@pytest.mark.parametrize("name, dtype", [*zip(NAMES, DTYPES, strict=True), *OTHERS])
def test_names_of_dtypes(name, dtype):
    assert getattr(tg, name) is dtype
    x = tg.tensor([0.0, 1.0, 2.0], dtype=getattr(tg, name))
    assert x.dtype == getattr(tg, name) == dtype


@pytest.mark.parametrize(
    "name, dtype", [*zip(NAMES, DTYPES, strict=True), ("char", np.int8), ("byte", np.uint8)]
)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3)])
def test_methods_named_as_dtypes(name, dtype, shape):
    x = tg.tensor(np.full(shape, 1.7))
    expected = x.data.astype(dtype)
    for y in (getattr(x, name)(), x.type(dtype), x.to(dtype), x.to(dtype=dtype), x.to("cpu", dtype)):
        assert y.dtype == dtype
        np.testing.assert_array_equal(y.data, expected)
    assert x.type_as(y).dtype == x.to(y).dtype == dtype
    assert getattr(y, name)() is y


def test_a_gradient_comes_back_through_a_change_of_dtype():
    x = tg.ones(3, dtype=tg.double, requires_grad=True)
    (x.to("cpu", tg.float) * 2).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [2, 2, 2])


def test_old_names_of_types():
    assert tg.ones(1).type() == "torch.FloatTensor" and tg.ones(1).long().type() == "torch.LongTensor"
    assert tg.ones(1).type("torch.DoubleTensor").dtype == np.float64
    with pytest.raises(errors.DtypeError, match="to: 'torch.FancyTensor' is no dtype"):
        tg.ones(1).type("torch.FancyTensor")


def test_what_is_asked_of_bools():
    mask = tg.tensor([1.0, -2.0, 3.0]) > 0
    assert mask.dtype == tg.bool
    assert (~mask).tolist() == [False, True, False]
    assert mask.sum().dtype == np.int64 and mask.sum().item() == 2
    assert mask.float().mean().item() == pytest.approx(2 / 3)
    assert tg.arange(3)[mask].tolist() == [0, 2]
    assert (mask & ~mask).tolist() == [False] * 3 and (mask | ~mask).tolist() == [True] * 3
    assert mask.long().dtype == np.int64 and (mask * 2).dtype == np.int64


# Devices


def test_there_is_one_device():
    x = tg.zeros(2)
    device = "cuda" if tg.cuda.is_available() else "mps" if tg.backends.mps.is_available() else "cpu"
    assert device == "cpu" and x.to(device) is x and x.to(tg.device(device)) is x
    assert x.to(device=tg.device("cpu"), non_blocking=True) is x and x.to("cpu", non_blocking=True) is x
    assert x.device == tg.device("cpu") and x.cpu() is x and not x.is_cuda
    assert x.get_device() == -1 and not x.is_sparse and x.nbytes == x.numel() * x.itemsize and +x is x
    assert x.to("cpu", copy=True) is not x
    assert str(x.device) == x.device.type == "cpu" and repr(x.device) == "device(type='cpu')"
    assert not tg.accelerator.is_available() and tg.cuda.device_count() == 0
    tg.backends.cudnn.deterministic = True
    tg.cuda.manual_seed_all(0)


def test_devices_that_are_not_here_can_be_named():
    device = tg.device("cuda:1")
    assert device == tg.device("cuda", 1) == tg.device(device) != tg.device("cuda") != tg.device("cpu")
    assert {device, tg.device("cuda:1")} == {device} and (device.type, device.index) == ("cuda", 1)
    assert str(device) == "cuda:1" and tg.device(0) == tg.device("cuda:0")
    for wrong in ("gpu", "cuda:x", "", None):
        with pytest.raises(ValueError, match="device: .* is no device"):
            tg.device(wrong)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", tg.device("cuda")])
def test_what_needs_a_gpu_says_so(device):
    net = tg.nn.Linear(2, 1)
    for move in (tg.zeros(2).to, net.to):
        with pytest.raises(errors.DtypeError, match="to: .* no other device than the CPU"):
            move(device)
    with pytest.raises(errors.DtypeError, match="to: .* no other device than the CPU"):
        tg.zeros(2).to(tg.float64, device=device)
    for move in (tg.zeros(2).cuda, net.cuda):
        with pytest.raises(RuntimeError, match="cuda: there is no GPU"):
            move()
    for module in ("cuda", "mps", "accelerator", "backends"):
        with pytest.raises(AttributeError, match="there is no GPU"):
            importlib.import_module(f"tinygrad_conv.{module}").amp  # noqa: B018


def test_a_module_goes_to_a_device_and_a_dtype():
    net = tg.nn.Linear(2, 1)
    assert net.to("cpu") is net and net.to(tg.device("cpu")) is net and net.to(device="cpu") is net
    assert net.cpu() is net and net.to("cpu", tg.float64).weight.dtype == np.float64
    assert net.to(tg.zeros(1)).weight.dtype == np.float32
    assert net.to(device="cpu", dtype=tg.half, non_blocking=True).bias.dtype == np.float16


# Constants


def test_constants():
    assert (tg.pi, tg.e, tg.inf) == (np.pi, np.e, np.inf) and np.isnan(tg.nan)
    assert tg.ones(2)[:, tg.newaxis].shape == (2, 1)


def test_the_version_is_said_once():
    settings = configparser.ConfigParser()
    settings.read(Path(__file__).parent.parent / "setup.cfg")
    assert settings["metadata"]["version"] == "attr: tinygrad_conv.__version__"
    assert all(part.isdecimal() for part in tg.__version__.split("."))


PLAIN = {  # what is asked for, of what, and what is said
    "bool": (bool, [1.0, 2.0], ValueError, r"float32\[2\] holds 2 numbers, not one; write x.any\(\)"),
    "bool of none": (bool, [], ValueError, r"float32\[0\] holds 0 numbers, not one"),
    "item": (
        tg.Tensor.item,
        [1.0, 2.0],
        ValueError,
        r"float32\[2\] holds 2 numbers, not one; reduce it",
    ),
    "float": (float, [1.0, 2.0], ValueError, r"float32\[2\] holds 2 numbers, not one"),
    "index": ("abc".__getitem__, 1.0, TypeError, r"float32\[\] is not one integer; write int\(x\)"),
    "len": (len, 1.0, TypeError, r"a tensor without dimensions, float32\[\], has no length"),
    "iter": (list, 1.0, TypeError, r"a tensor without dimensions, float32\[\], has no length"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_no_plain_number_is_said_in_words(name):
    convert, numbers, error, words = PLAIN[name]
    with pytest.raises(error, match=words):
        convert(tg.tensor(numbers))
