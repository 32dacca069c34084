"""Damaged and hostile models: refused with an OnnxError, or modules that work; nothing outside of the model's
folder is read.
"""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import OnnxError

onnx = pytest.importorskip("onnx")

from .onnx_models import model_of, node, small_net  # noqa: E402

pytestmark = pytest.mark.onnx

X = {"x": ["n", 1, 6, 6]}
EXTERNAL = onnx.TensorProto.EXTERNAL


def refuse(model, message):
    """Loading says so, within a few megabytes."""
    tracemalloc.start()
    try:
        with pytest.raises(OnnxError) as caught:
            tg.onnx.load(model)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message in str(caught.value), str(caught.value)
    assert len(str(caught.value)) < 4000 and peak < 20e6


def changed(change, model=None):
    """A model after something was done to its graph."""
    model = small_net() if model is None else model
    change(model.graph)
    return model


def tensor(name="w", dims=(2,), data_type=1, **fields):
    return onnx.TensorProto(name=name, dims=dims, data_type=data_type, **fields)


def with_tensor(proto):
    model = model_of([node("Mul", "x w")], X)
    model.graph.initializer.append(proto)
    return model


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "there is no graph in it"),
        (b"\x08\x07", "there is no graph in it"),
        (b"onnx", "the model cannot be read: DecodeError"),
        (b"\x00" * 100, "the model cannot be read: DecodeError"),
        (bytes(range(256)), "the model cannot be read: DecodeError"),
        (b"PK\x03\x04", "the model cannot be read: DecodeError"),
    ],
)
def test_bytes_that_are_no_model(content, message):
    refuse(content, message)


def test_a_model_that_is_cut_off_anywhere():
    content = small_net().SerializeToString()
    for length in range(0, len(content), 7):
        try:
            tg.onnx.load(content[:length])
        except OnnxError:
            continue
        raise AssertionError(length)


def reads(number, name):
    return lambda graph: graph.node[number].input.__setitem__(0, name)


def makes(number, name):
    return lambda graph: graph.node[number].output.__setitem__(0, name)


def twice(field, number=0):
    return lambda graph: getattr(graph, field).append(getattr(graph, field)[number])


def renamed(field, name):
    return lambda graph: setattr(getattr(graph, field)[0], "name", name)


def of_kernel(change):
    return lambda graph: change(graph.node[0].attribute[0])


def of_input(change):
    return lambda graph: change(graph.input[0].type)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            reads(0, "y"),
            "node 'conv' (Conv) reads 'y', but node 'fc' (Gemm) makes it later: a loop, or nodes",
        ),
        (reads(0, "a"), "node 'conv' (Conv) reads 'a', but node 'conv' (Conv) makes it later: a loop"),
        (reads(2, "gone"), "node 'relu' (Relu) reads 'gone', but nothing makes it"),
        (makes(2, "a"), "node 'relu' (Relu) makes 'a', which is there already"),
        (makes(2, "x"), "node 'relu' (Relu) makes 'x', which is there already"),
        (makes(2, "shape"), "node 'relu' (Relu) makes 'shape', which is there already"),
        (makes(2, ""), "node 'relu' (Relu) has 1 outputs; it makes 1 to 1"),
        (twice("initializer"), "initialiser 'conv.weight' is there twice"),
        (twice("input"), "input 'x' is there twice"),
        (twice("output"), "output 'y' is there twice"),
        (renamed("output", "no"), "nothing makes the output 'no' of the graph"),
        (renamed("initializer", ""), "initialiser '' is there twice, or has no name"),
        (lambda graph: graph.ClearField("output"), "the graph has no outputs"),
        (lambda graph: graph.sparse_initializer.add(), "the graph has sparse initialisers"),
        (of_input(lambda given: given.sequence_type.SetInParent()), "input 'x' is no dense tensor"),
        (of_input(lambda given: setattr(given.tensor_type.shape.dim[1], "dim_value", -1)), "a negative size"),
        (of_input(lambda given: setattr(given.tensor_type, "elem_type", 16)), "input 'x' is bfloat16"),
        (of_kernel(lambda kernel: setattr(kernel, "ref_attr_name", "k")), "must be of the type INTS"),
        (of_kernel(lambda kernel: setattr(kernel, "type", 1)), "must be of the type INTS"),
        (of_kernel(lambda kernel: kernel.ints.append(-1)), "integers of at least 1"),
        (of_kernel(lambda kernel: kernel.ints.extend([3] * 9)), "it has 11 spatial axes"),
    ],
)
def test_graphs_that_do_not_hold_together(change, message):
    refuse(changed(change), message)


def test_messages_are_short_however_long_names_are():
    long = "n" * 10**6
    for given in (
        node(long, long, long, long),
        node("Relu", long, name=long),
        node("Relu", name=long, **{long: 1}),
        node("Relu", "x", "x", name=long),
        node("Relu", name=long, domain=long),
        node("Pad", name=long, mode=long),
    ):
        refuse(model_of([given], X), "n" * 10)


def test_parts_of_a_model_that_are_not_supported():
    for part, message in (("functions", "functions of its own"), ("training_info", "training_info")):
        model = small_net()
        getattr(model, part).add()
        refuse(model, message)
    model = small_net()
    model.opset_import.add(domain="ai.onnx", version=11)
    refuse(model, "the model imports opsets [11, 17] of ai.onnx; it must import one")
    model.ClearField("opset_import")
    refuse(model, "the model imports opsets [] of ai.onnx")


@pytest.mark.parametrize("op_type", ["If", "Loop", "Scan"])
def test_graphs_inside_nodes_are_refused_by_name(op_type):
    inner = onnx.helper.make_graph([node("Relu")], "inner", [], [])
    for _ in range(20):
        inner = onnx.helper.make_graph(
            [node("If", "x", "y", then_branch=inner, else_branch=inner)] if inner.ByteSize() < 10**5 else [],
            "outer",
            [],
            [],
        )
    model = model_of([node(op_type, name="deep", body=inner)], X)
    refuse(model, f"node 'deep' ({op_type}): the operator {op_type} is not supported")
    refuse(model_of([node("Relu", name="deep", body=inner)], X), "attribute 'body' is not one of its own")


@pytest.mark.parametrize(
    "proto, message",
    [
        (tensor(dims=(2**40,), raw_data=b"1234"), "but has 4 bytes"),
        (tensor(dims=(10**6,), raw_data=b"1234"), "tensor 'w' is float32[1000000], but has 4 bytes"),
        (tensor(dims=(2**62, 2**62), float_data=[1]), "but has 1 numbers in float_data"),
        (tensor(dims=(0, 2**62), raw_data=b""), "which no tensor can have"),
        (tensor(dims=(-1, -2), raw_data=b"12345678"), "which no tensor can have"),
        (tensor(dims=(1,) * 40, raw_data=b"1234"), "which no tensor can have"),
        (tensor(dims=(3,), float_data=[1, 2]), "tensor 'w' is float32[3], but has 2 numbers in float_data"),
        (tensor(dims=(2,)), "tensor 'w' is float32[2], but has 0 numbers in float_data"),
        (
            tensor(data_type=2, int32_data=[1, 256]),
            "tensor 'w' is uint8, and a number in its int32_data is not",
        ),
        (tensor(data_type=9, int32_data=[1, 2]), "tensor 'w' is bool, and a number in its int32_data is not"),
        (tensor(data_type=9, raw_data=b"\x01\x02"), "tensor 'w' is bool, and has a byte other than 0 and 1"),
        (tensor(data_type=8, string_data=[b"a", b"b"]), "tensor 'w' is string, which no tensor here can be"),
        (tensor(data_type=16, raw_data=b"1234"), "tensor 'w' is bfloat16, which no tensor here can be"),
        (tensor(data_type=0), "tensor 'w' is of an unknown element type, 0"),
        (tensor(segment=onnx.TensorProto.Segment(begin=0, end=1)), "tensor 'w' is a segment of a tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tensors_that_are_not_what_they_say(proto, message):
    refuse(with_tensor(proto), message)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("ConstantOfShape", "big"), node("Relu", "x", "z")],
        [node("Expand", "x sizes")],
        [node("Tile", "x sizes")],
        [node("Pad", "x pads")],
        [node("Resize", "x _ scales")],
        [node("Resize", "x _ _ sizes")],
        [node("Range", "zero end one", "y")],
        [node("OneHot", "where end values")],
        [node("CenterCropPad", "x sizes")],
        [node("MaxPool", kernel_shape=[2**40, 2**40], pads=[2**39 + 9] * 4)],
        [node("MaxPool", kernel_shape=[2**40, 2**40], pads=[2**10] * 4)],
        [node("AveragePool", kernel_shape=[2**40, 1], pads=[2**39 + 9, 0, 2**39, 0])],
        [node("ConvTranspose", "x w", strides=[2**40, 2**40])],
        [node("ConvTranspose", "x w", output_shape=[2**40, 2**40])],
        [node("Conv", "x w", pads=[2**45] * 4)],
        [node("ConstantOfShape", "negative")],
        [node("Expand", "x negative")],
        [node("Tile", "x negative")],
        [node("Reshape", "x negative")],
        [node("Pad", "x negatives")],
        [node("Slice", "x negative zero_row zero_row zero_row")],
        [node("Gather", "x big")],
        [node("GatherND", "x row")],
        [node("ScatterND", "x row x")],
        [node("TopK", "x one_row", "y z")],
        [node("Trilu", "x end"), node("Expand", "x sizes", "z")],
        [node("Einsum", "x", equation="...ij->...ijk")],
        [node("Transpose", perm=[5, 6, 7, 8])],
        [node("DepthToSpace", blocksize=2**40)],
        [node("Split", "x", "y z", axis=9)],
        [node("ReduceSum", "x big")],
        [node("LayerNormalization", "x w", axis=99)],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_sizes_that_no_memory_holds_and_places_that_there_are_not(nodes):
    tensors = {
        "big": np.array([2**40, 2**20]),
        "sizes": np.array([2**20, 2**20, 2**20, 2**20]),
        "pads": np.array([0, 0, 2**40, 2**40, 0, 0, 2**40, 2**40]),
        "negatives": np.array([0, 0, -9, -9, 0, 0, 0, 0]),
        "scales": np.array([1, 1, 1e12, 1e12], "f"),
        "zero": np.array(0),
        "end": np.array(2**60),
        "one": np.array(1),
        "where": np.array([1]),
        "values": np.array([0, 1], "f"),
        "w": np.ones((1, 1, 3, 3), "f"),
        "negative": np.array([-3, -3, -3, -3]),
        "zero_row": np.array([0, 0, 0, 0]),
        "row": np.array([[9, 9]]),
        "one_row": np.array([99]),
    }
    used = {name for each in nodes for name in each.input}
    chosen = {name: array for name, array in tensors.items() if name in used}
    with pytest.raises(OnnxError):
        tg.onnx.load(model_of(nodes, X, chosen, opset=18))(np.ones((1, 1, 6, 6), "f"))


def external(**entries):
    proto = tensor(data_location=EXTERNAL)
    for key, value in entries.items():
        proto.external_data.add(key=key, value=value)
    return with_tensor(proto)


@pytest.fixture
def folder(tmp_path):
    """A folder with numbers in and beside it."""
    inside = tmp_path / "inside"
    (inside / "deeper").mkdir(parents=True)
    for path in (tmp_path / "secret", inside / "numbers", inside / "deeper" / "numbers"):
        path.write_bytes(np.array([3, 4, 5], "<f4").tobytes())
    return inside


def saved(folder, model):
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


@pytest.mark.parametrize("location", ["numbers", "deeper/numbers", "./numbers"])
def test_tensors_in_files_inside_the_folder_are_read(folder, location, monkeypatch):
    net = tg.onnx.load(saved(folder, external(location=location, offset="4", length="8")))
    assert net.get_parameter("w").tolist() == [4, 5]
    monkeypatch.chdir(folder)
    assert tg.onnx.load("model.onnx").get_parameter("w").tolist() == [4, 5]
    os.symlink(folder / "deeper" / "numbers", folder / "link")
    assert tg.onnx.load(saved(folder, external(location="link"))).get_parameter("w").tolist() == [3, 4]


def test_files_outside_of_the_folder_are_not(folder):
    os.symlink(folder.parent / "secret", folder / "link")
    os.symlink(folder.parent, folder / "up")
    locations = ["../secret", str(folder.parent / "secret"), "link", "up/secret", "deeper/../../secret"]
    locations += ["C:\\secret", "\\secret", "..\\secret", "//secret", "numbers\0"]
    for location in locations:
        refuse(saved(folder, external(location=location)), "leads out of the model's folder")
    refuse(saved(folder, external(location="up/inside/../secret")), "leads out of the model's folder")
    refuse(external(location="numbers"), "in the file 'numbers' beside the model: pass the path of the model")


def test_external_data_that_are_not_what_they_say(folder):
    os.mkfifo(folder / "pipe")
    for message, entries in (
        ("needs bytes 8 to 16 of numbers, which has 12", {"location": "numbers", "offset": "8"}),
        ("needs 8 bytes, but its external data are 12", {"location": "numbers", "length": "12"}),
        ("needs bytes", {"location": "numbers", "offset": str(2**62)}),
        ("offset of its external data is '-4'", {"location": "numbers", "offset": "-4"}),
        ("offset of its external data is '1e3'", {"location": "numbers", "offset": "1e3"}),
        ("must have a location", {"offset": "0"}),
        ("must have a location", {"location": "numbers", "other": "1"}),
        ("cannot be read", {"location": "gone"}),
        ("no regular file", {"location": "deeper"}),
        ("no regular file", {"location": "pipe"}),
        ("no regular file", {"location": ""}),
    ):
        refuse(saved(folder, external(**entries)), message)


def test_many_tensors_cannot_read_one_file_until_memory_is_full(folder, monkeypatch):
    monkeypatch.setattr("tinygrad_conv.allocation.memory_size", lambda: 20)
    model = external(location="numbers")
    for number in range(2):
        model.graph.initializer.append(model.graph.initializer[0])
        model.graph.initializer[-1].name = f"w{number}"
    refuse(saved(folder, model), "tensor 'w1': external_data")


def test_a_path_that_is_not_there_and_what_is_no_model():
    with pytest.raises(FileNotFoundError):
        tg.onnx.load("nowhere.onnx")
    with pytest.raises(TypeError, match="load: model must be a path, bytes or a ModelProto, not list"):
        tg.onnx.load([])


def test_a_model_with_very_many_names_takes_no_longer_than_it_must():
    count = 3000
    tensors = {f"{'a' * (number % 2)}.w.{number}": np.ones(1, "f") for number in range(count)}
    sums = node("Sum", "x", "y")
    sums.input.extend(tensors)
    net = tg.onnx.load(model_of([sums], X, tensors))
    assert len([*net.parameters()]) == count
