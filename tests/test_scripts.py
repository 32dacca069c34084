"""Programs written for PyTorch run here with their imports changed, and compute what they compute there."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.__main__ import main

from .scripts import SCRIPTS

OURS = "tinygrad_conv"


def numbers(*shape):
    """Numbers between -1 and 1 that look drawn, the same on every machine."""
    return np.sin(np.arange(1, np.prod(shape) + 1) * 7.3).reshape(shape).astype(np.float32)


def filled(net):
    """A net with such numbers for parameters, as large as an initialisation makes them."""
    for parameter in net.parameters():
        values = numbers(*parameter.shape)
        fan = max(1, values[0].size)
        parameter.data[...] = as_data(parameter, values / np.sqrt(fan))
    return net


def as_data(parameter, values):
    """Values as `parameter.data` takes them: an array here, a tensor in PyTorch."""
    if isinstance(parameter.data, np.ndarray):
        return values
    return parameter.new_tensor(values)


def run(name, package, path):
    """What a script leaves in `results`, its imports those of a package."""
    source = SCRIPTS[name].replace("import torch\n", f"import {package} as torch\n")
    source = re.sub(r"^(import|from) torch\b", rf"\1 {package}", source, flags=re.MULTILINE)
    names = {
        "__name__": "__main__",
        "path": path / f"{package}.pt",
        "fill": filled,
        "noise": numbers,
        "images": lambda count, channels, size: numbers(count, channels, size, size) + 0.5,
        "labels": lambda count: np.arange(count) * 7 % 10,
    }
    exec(compile(source, name, "exec"), names)
    return names["results"]


def same(ours, theirs):
    """Whether two results are equal: texts and shapes exactly, numbers to 1e-4."""
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for own, other in zip(ours, theirs):
            same(own, other)
    elif isinstance(theirs, (str, bool, type(None))):
        assert ours == theirs
    else:
        ours, theirs = (
            np.asarray(value.detach() if hasattr(value, "detach") else value) for value in (ours, theirs)
        )
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Lazy modules")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_and_its_net_learns(name, tmp_path):
    results = run(name, OURS, tmp_path)
    losses, grads = results["losses"], results["grads"]
    half = len(losses) // 2
    assert np.isfinite(losses).all()
    assert half == 0 or sum(losses[-half:]) < sum(losses[:half])
    assert all(isinstance(grad, np.ndarray) and np.isfinite(grad).all() for grad in grads)
    assert any(grad.any() for grad in grads)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Lazy modules")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_computes_what_it_computes_in_pytorch(name, tmp_path):
    torch = pytest.importorskip("torch")
    # Some scripts set flags of backends; PyTorch's own test helpers freeze them in the whole process.
    with torch.backends.__allow_nonbracketed_mutation():
        theirs = run(name, "torch", tmp_path)
    ours = run(name, OURS, tmp_path)
    assert list(ours) == list(theirs)
    for key in theirs:
        same(ours[key], theirs[key])


@pytest.mark.parametrize("name", SCRIPTS)
def test_port_lists_the_imports_of_a_script_and_nothing_else(name, tmp_path, capsys):
    path = tmp_path / "script.py"
    path.write_text(SCRIPTS[name], encoding="utf-8")
    assert main(["port", str(path)]) == 1
    listed = [line for line in capsys.readouterr().out.splitlines() if re.match(r".*script\.py:\d+:", line)]
    said = {int(re.search(r"script\.py:(\d+):", line)[1]) for line in listed}
    imports = re.compile(r"(import|from) torch\b")
    assert [line for line in listed if " import: " not in line] == []
    assert said == {n for n, line in enumerate(SCRIPTS[name].split("\n"), 1) if imports.match(line)}


def test_the_gradients_of_a_script_are_the_formulas(tmp_path):
    dw, db, corner, dp, dq, dv = run("autograd", OURS, tmp_path)["grads"]
    z = numbers(5, 3).sum(0) + numbers(3)
    sigmoid = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(db, sigmoid / 3, rtol=1e-6)
    np.testing.assert_allclose(dw, np.tile(sigmoid / 3, (5, 1)), rtol=1e-6)
    np.testing.assert_array_equal(corner, 4 * (np.eye(4, 5) + 1))
    np.testing.assert_array_equal(dp, [36, 40.5])
    np.testing.assert_array_equal(dq, [-12, -4])
    np.testing.assert_allclose(dv, dv[1] * np.array([0.1, 1, 0.0001]), rtol=1e-6)


def test_a_weight_that_is_set_to_a_result_can_still_be_updated():
    kernel, layer = tg.tensor([[0.0, 1.0], [2.0, 3.0]]).reshape(1, 1, 2, 2), tg.nn.Conv2d(1, 1, 2, bias=False)
    layer.weight.data = kernel
    layer(tg.ones(1, 1, 3, 3)).sum().backward()
    tg.optim.SGD(layer.parameters(), lr=0.5).step()
    np.testing.assert_array_equal(layer.weight.data.ravel(), [-2, -1, 0, 1])
    np.testing.assert_array_equal(kernel.data.ravel(), [0, 1, 2, 3])


def test_a_module_says_what_it_lacks():
    class ByName(tg.nn.Sequential):
        def named(self, names):
            return [self.__getattr__(name) for name in names]

    net = tg.nn.Sequential(tg.nn.Linear(2, 3))
    assert ByName(net).named(["training", "0"]) == [True, net]
    with pytest.raises(AttributeError, match="^'ByName' object has no attribute 'fc'$"):
        ByName().named(["fc"])
    assert not hasattr(net, "__getattr__")  # it makes every attribute slower
    with pytest.raises(AttributeError, match="^'Sequential' object has no attribute 'fc'$"):
        net.fc  # noqa: B018
    assert not hasattr(net, "fc") and getattr(net, "fc", None) is None


@pytest.mark.exhaustive
def test_port_says_the_same_whatever_has_been_imported_before(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPTS["adversaries"], encoding="utf-8")
    command = [sys.executable, "-m", "tinygrad_conv", "port", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "import tinygrad_conv.backends.cudnn as cudnn" in said and "leave it out" not in said


def test_port_names_what_is_filled_with_a_result(tmp_path, capsys):
    path = tmp_path / "script.py"
    path.write_text(
        "import torch\nx, y = torch.ones(2), torch.empty(2)\ntorch.add(x, 1, out=y)\ndict(out=x)\n"
    )
    assert main(["port", str(path)]) == 1
    said = capsys.readouterr().out
    assert "script.py:3: name: torch.add(x, 1, out=y)   write: y = torch.add(x, 1)\n" in said
    assert "2 lines to write otherwise: 1 import, 1 name" in said
