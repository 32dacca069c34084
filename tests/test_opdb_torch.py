"""Our functions on PyTorch's own sample inputs: values, gradients, gradients of gradients; and its error
inputs refused.

What is compared, and what is left out with which reason, stands in the tables of tests/opdb.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional

from .opdb import LEFT_OUT, TABLE

torch = pytest.importorskip("torch")
torch.set_num_threads(1)  # the samples are tiny: waking threads takes longer than computing
pytest.importorskip("expecttest", reason="torch.testing._internal imports it")

pytestmark = pytest.mark.torch

TOLERANCE = {"rtol": 1e-7, "atol": 1e-7}


@pytest.fixture(scope="module")
def infos():
    """PyTorch's OpInfos by full name."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {info.full_name: info for info in op_db}


@pytest.mark.parametrize("name", TABLE)
def test_samples(infos, name):
    """Values, gradients and second gradients on every sample input, in float64, or int64 where floats mean
    nothing.
    """
    entry, count = TABLE[name], 0
    for sample in samples_of(infos[name]):
        if not any(applies(sample) for applies in entry.left_out.values()):
            with told(name, sample):
                compare(infos[name], entry, sample)
            count += 1
    assert count, f"{name}: every sample is left out; then the entry belongs into LEFT_OUT"


@pytest.mark.parametrize("name", TABLE)
def test_error_inputs(infos, name):
    """What PyTorch refuses we refuse, and the message names the op."""
    entry = TABLE[name]
    for error in error_inputs_of(infos[name]):
        sample = error.sample_input
        if any(applies(sample) for applies in entry.left_out.values()):
            continue
        args, kwargs = adapted(entry, sample, Converter())
        with told(name, sample), pytest.raises((ValueError, TypeError, RuntimeError, IndexError)) as refusal:
            entry.function(*args, **kwargs)
        names = {plain(name), getattr(entry.function, "__name__", plain(name))}
        assert any(name in str(refusal.value) for name in names), (
            f"{name}: the message names no op: {refusal.value}"
        )


@pytest.mark.parametrize("name", [name for name, entry in TABLE.items() if entry.left_out])
def test_every_reason_still_has_its_sample(infos, name):
    """A reason for leaving something out goes once nothing is left out for it."""
    samples = samples_of(infos[name]) + [error.sample_input for error in error_inputs_of(infos[name])]
    idle = [reason for reason, applies in TABLE[name].left_out.items() if not any(map(applies, samples))]
    assert not idle


def test_nothing_is_missing(infos):
    """Each OpInfo of a function that we have is compared, or left out by name."""
    ours = {name for name in infos if plain(name) in functional.__all__}
    forgotten = ", ".join(sorted(ours - TABLE.keys() - LEFT_OUT.keys()))
    assert not forgotten, f"{forgotten}: compare it with PyTorch's samples, by an Entry in tests/opdb/"
    assert sorted((TABLE.keys() | LEFT_OUT.keys()) - infos.keys()) == [], "no such OpInfo"


def plain(name):
    """The name of the function: that of the OpInfo without its module and variant."""
    return name.removeprefix("nn.functional.").split(".")[0]


def samples_of(info):
    """The sample inputs of an OpInfo; the same in every run."""
    floats = torch.float64 in info.dtypes
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dtype = torch.float64 if floats else torch.int64
        return list(info.sample_inputs("cpu", dtype, requires_grad=floats and info.supports_autograd))


def error_inputs_of(info):
    """The error inputs of an OpInfo, if it has any."""
    torch.manual_seed(0)
    return list(info.error_inputs("cpu")) if info.error_inputs_func is not None else []


class told:
    """Adds to an exception from inside which sample it came from."""

    def __init__(self, name, sample):
        self.text = f"{name}({show(sample.input)}, *{show(sample.args)}, **{show(sample.kwargs)})"

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, traceback):
        if error is not None and isinstance(error, Exception):
            raise AssertionError(f"{self.text}: {error}") from error


def show(value):
    """A sample's tensors as dtype and shape; everything else as it is."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, dict):
        return str({name: show(part) for name, part in value.items()})
    return str([show(part) for part in value]) if isinstance(value, (list, tuple)) else repr(value)


class Converter:
    """PyTorch's values as ours: each tensor once, with its strides, in memory of its own; `pairs` holds
    both.
    """

    def __init__(self):
        self.pairs = {}

    def __call__(self, value):
        if isinstance(value, torch.Tensor):
            if id(value) not in self.pairs:
                array = strided_copy(value.detach())
                self.pairs[id(value)] = value, tg.Tensor(array, requires_grad=value.requires_grad)
            return self.pairs[id(value)][1]
        if isinstance(value, torch.dtype):
            return np.dtype(str(value).removeprefix("torch."))
        if isinstance(value, torch.Size):
            return tuple(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self(part) for part in value)
        return value


def strided_copy(tensor):
    """A copy of a tensor as an array with the same strides."""
    size = tensor.untyped_storage().nbytes() // tensor.element_size()
    memory = torch.as_strided(tensor, (size,), (1,), 0).numpy().copy()
    strides = [step * memory.itemsize for step in tensor.stride()]
    return np.lib.stride_tricks.as_strided(memory[tensor.storage_offset() :], tensor.shape, strides)


def adapted(entry, sample, convert):
    """A sample's arguments as our function takes them."""
    args = convert((sample.input, *sample.args))
    kwargs = {name: convert(value) for name, value in sample.kwargs.items()}
    return entry.adapt(args, kwargs) if entry.adapt else (args, kwargs)


def compare(info, entry, sample):
    """One sample: our results, what was changed in place, and both orders of gradients against PyTorch's."""
    convert = Converter()
    args, kwargs = adapted(entry, sample, convert)
    ours = entry.function(*args, **kwargs)
    if entry.random:
        return entry.random(ours, args, kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = (entry.theirs or info)(sample.input, *sample.args, **sample.kwargs)
    ours, theirs = as_list(ours), as_list(theirs)
    assert len(ours) == len(theirs), "another number of outputs"
    for position, (mine, other) in enumerate(zip(ours, theirs)):
        same(mine, other, f"output {position}")
    for other, mine in convert.pairs.values():
        same(mine, other, "an input afterwards")
    inputs = [(mine, other) for other, mine in convert.pairs.values() if other.requires_grad]
    outputs = [(mine, other) for mine, other in zip(ours, theirs) if wants_grad(other)]
    assert list(map(wants_grad, ours)) == list(map(wants_grad, theirs)), "which outputs require grad"
    if inputs and outputs:
        compare_gradients(inputs, outputs, min(entry.orders, 2 if info.supports_gradgrad else 1))


def wants_grad(output):
    """Whether an output requires a gradient; a bool does not."""
    return getattr(output, "requires_grad", False)


def compare_gradients(inputs, outputs, orders):
    """Gradients for a random dY; then those of a random combination of them, with respect to the inputs and
    to dY.
    """
    random = np.random.default_rng(0)
    for order in range(1, orders + 1):
        seeds = [pair_of(random.standard_normal(mine.shape)) for mine, _ in outputs]
        (ours, theirs), (x, z), (dy, dz) = map(halves, (outputs, inputs, seeds))
        options = {"create_graph": order < orders, "allow_unused": True}
        grads = list(zip(tg.grad(ours, x, dy, **options), torch.autograd.grad(theirs, z, dz, **options)))
        outputs = []
        for position, (mine, other) in enumerate(grads):
            mine = tg.zeros_like(x[position]) if mine is None else mine
            other = torch.zeros_like(z[position]) if other is None else other
            same(mine, other, f"gradient of order {order} for input {position}")
            if order < orders and other.requires_grad:
                assert mine.requires_grad, f"gradient {position} cannot be differentiated"
                outputs.append((mine, other))
        inputs = inputs + seeds
        if not outputs:
            return


def halves(pairs):
    """Our tensors, and PyTorch's, of a list of pairs."""
    return [mine for mine, _ in pairs], [other for _, other in pairs]


def pair_of(array):
    """A leaf of ours and one of PyTorch's, with the same numbers."""
    return tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def as_list(result):
    """One output or several, as a list of tensors."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def same(mine, other, what):
    """Shape, dtype and numbers agree."""
    if not isinstance(other, torch.Tensor):
        assert mine == other, what
        return
    assert str(mine.dtype) == str(other.dtype).removeprefix("torch."), what
    assert tuple(mine.shape) == tuple(other.shape), what
    np.testing.assert_allclose(mine.data, other.detach().numpy(force=True), **TOLERANCE, err_msg=what)
