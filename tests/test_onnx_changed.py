"""Models changed at random: refused with an OnnxError, or modules that work. Their bytes are changed, and the
attributes and inputs of ONNX's own node cases.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import OnnxError

from .helpers import more

onnx = pytest.importorskip("onnx")

from .onnx_models import small_net  # noqa: E402
from .tools.onnx_cases import FUNCTIONS, cases, foreign_types  # noqa: E402

pytestmark = pytest.mark.onnx

MISTAKES = (AttributeError, KeyError, NameError, AssertionError)  # of ours, and none of the file
INTEGERS = (0, 1, -1, 2, 3, -2, 7, 100, 2**31, 2**40, -(2**40), 2**62, -(2**63), 2**63 - 1)
FLOATS = (0.0, -1.0, 0.5, 2.0, 1e30, -1e30, 1e-30, math.nan, math.inf, -math.inf)


@pytest.fixture(autouse=True)
def small_memory(monkeypatch):
    """What is beyond 128 MB is beyond all memory."""
    monkeypatch.setattr("tinygrad_conv.allocation.memory_size", lambda: 2**27)


def works(model, inputs=None):
    """Whether a model is loaded, called and gone back through; else it must have been refused well."""
    try:
        net = tg.onnx.load(model)
        with np.errstate(all="ignore"):
            return use(net, inputs_of(net) if inputs is None else inputs)
    except OnnxError as error:
        assert not isinstance(root_of(error), MISTAKES), error
        return False


def inputs_of(net):
    """Ones in the shapes that a module says it takes; nothing where they are large."""
    shapes = [[2 if size is None else size for size in given.shape or ()] for given in net.graph_inputs]
    if any(math.prod(shape) > 10**6 for shape in shapes):
        return None
    return [np.ones(shape, given.dtype) for shape, given in zip(shapes, net.graph_inputs)]


def use(net, inputs):
    """Call a module, and go back through it."""
    outputs = () if inputs is None else net(*inputs)
    for y in outputs if isinstance(outputs, tuple) else (outputs,):
        if y.requires_grad:
            y.sum().backward(retain_graph=True)
    return True


def root_of(error):
    """What an error began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@pytest.mark.parametrize("seed", [0, *more(*range(1, 5))])
def test_bytes_that_were_changed(seed):
    """A few bytes of a small model, changed, left out or put in."""
    rng = np.random.default_rng(seed)
    content = small_net().SerializeToString()
    worked = 0
    for _ in range(300):
        mutated = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(mutated)))
            choice = rng.integers(3)
            if choice == 0:
                mutated[place] = rng.integers(256)
            elif choice == 1:
                del mutated[place : place + int(rng.integers(1, 4))]
            else:
                mutated[place:place] = bytes(rng.integers(256, size=2).tolist())
        worked += works(bytes(mutated))
    assert 0 < worked < 300


@pytest.mark.parametrize("seed", [0, *more(*range(1, 5))])
def test_attributes_and_inputs_that_were_changed(seed):
    rng = np.random.default_rng(seed)
    pool = [
        case
        for op_type, its in cases().items()
        for case in its.values()
        if op_type != FUNCTIONS and not foreign_types(case.model) and has_arrays(case)
    ]
    worked = 0
    for number in rng.integers(len(pool), size=400):
        model = onnx.ModelProto()
        model.CopyFrom(pool[number].model)
        inputs = [np.array(array) for array in pool[number].data_sets[0][0]]
        for _ in range(rng.integers(1, 3)):
            change_attribute(rng, model.graph.node[0])
            inputs = [changed(rng, array) if rng.random() < 0.3 else array for array in inputs]
        declare(model, inputs)
        worked += works(model, inputs)
    assert 50 < worked < 350


def has_arrays(case):
    return all(isinstance(array, (np.ndarray, np.generic)) for array in case.data_sets[0][0])


def change_attribute(rng, node):
    """Another number in one of the attributes, if there are some."""
    if not node.attribute:
        return
    attribute = node.attribute[rng.integers(len(node.attribute))]
    if attribute.type == onnx.AttributeProto.INT:
        attribute.i = int(rng.choice(INTEGERS))
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = float(rng.choice(FLOATS))
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = b"ij,->..."
    elif attribute.ints and rng.random() < 0.8:
        attribute.ints[rng.integers(len(attribute.ints))] = int(rng.choice(INTEGERS))
    elif attribute.type == onnx.AttributeProto.INTS:
        attribute.ints.append(int(rng.choice(INTEGERS)))


def changed(rng, array):
    """An array in another shape, or with another number in it."""
    choice = rng.integers(5)
    if choice == 0 or not array.size:
        return array.reshape(-1)
    if choice == 1:
        return array[None]
    if choice == 2 and array.ndim:
        return array[: len(array) // 2]
    if array.dtype.kind in "fi":
        numbers = FLOATS if array.dtype.kind == "f" else INTEGERS
        limits = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
        number = rng.choice(numbers)
        array.reshape(-1)[rng.integers(array.size)] = np.clip(number, limits.min, limits.max)
    return array


def declare(model, inputs):
    """Let a graph say that it takes these inputs."""
    for value, array in zip(model.graph.input, inputs):
        value.type.tensor_type.ClearField("shape")
        value.type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
