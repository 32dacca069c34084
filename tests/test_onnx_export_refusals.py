"""What cannot be written as ONNX: the message names the op and the line, and there is no file."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import ExportError, MissingExtraError

F = nn.functional
pytestmark = pytest.mark.onnx


def branch(x):
    return x if x.sum() > 0 else -x


def caught(x):
    try:
        return x * float(x.max())
    except ExportError:
        return x


def hidden(x):
    return x * tg.tensor(np.sign(x._data))


def by_size(x):
    for _ in range(len(x)):
        x = x + 1
    return x


def half(x):
    return x[: len(x) // 2]


def unbatched(x):
    return x.reshape(4, 3)


READS = "Python reads numbers that depend on the input"
LINES = {
    "a branch": (branch, rf"{READS} \(bool\(\) of bool\[\]\).*tg.where"),
    "a number": (lambda x: x * x.max().item(), rf"{READS} \(\.item of float32\[\]\)"),
    "data": (lambda x: x * tg.tensor(x.data.copy()), rf"{READS} \(\.data of float32\[2,3\]\)"),
    "an array": (lambda x: x * np.asarray(x), READS),
    "an error that is caught": (caught, rf"{READS} \(\.item of"),
    "numbers behind our back": (hidden, r"mul reads float32\[2,3\] that no op made .* batches of 2, 3, 5"),
    "ops by the size": (by_size, r"run other ops here \(add or no more\)"),
    "half of a batch": (half, r"getitem: index follows from the input, and not as a·N \+ b: 1, 2 for"),
    "numbers at a mask": (lambda x: x[x > 0], "getitem: the shape of its output follows from the numbers"),
    "random numbers": (lambda x: x * tg.rand(3), "rand draws random numbers"),
    "dropout": (lambda x: F.dropout(x), "draws random numbers"),
    "an op without words": (
        lambda x: tg.cummax(x, 1),
        r"op running_argmax \(node /running_argmax, of float32\[batch,3\]\) is not written as ONNX",
    ),
    "a squeezed batch": (lambda x: x.squeeze(), r"op squeeze .* name the dimensions"),
    "a moved batch": (lambda x: x.roll(1, 0), r"op roll .* dynamic_batch=False"),
    "a border by the batch": (lambda x: F.pad(x, (0, len(x))), r"op pad .* dynamic_batch=False"),
    "an item of the batch": (lambda x: put_first(x * 1), r"op setitem .* reaches into the batch"),
    "integers bit by bit": (lambda x: x.to(int) & 1, "op bitwise_and .* opset_version=18"),
    "classes by the labels": (
        lambda x: F.one_hot((x * 0).to(int)),
        "op one_hot .* pass num_classes",
    ),
    "what ONNX refuses itself": (
        lambda x: tg.einsum("...ij,...k->ijk", x[None], x[0]),
        "ONNX refuses the model, and nothing was written: .*Ellipsis",
    ),
    "a batch norm in training": (lambda x: NORM(x), r"call .eval\(\)"),
}


NORM = nn.BatchNorm1d(3)


def put_first(y):
    y[0] = 0.0
    return y


@pytest.mark.parametrize("name", LINES)
def test_lines_are_named(name, tmp_path):
    pytest.importorskip("onnx")
    model, message = LINES[name]
    with pytest.raises(ExportError) as error:
        tg.onnx.export(model, tg.tensor([[1.0, 2, 3], [-4, 5, 6]]), tmp_path / "model.onnx")
    said = str(error.value)
    assert re.search(message, said), said
    assert said.startswith("onnx.export: ")
    assert re.search(r"at .*test_onnx_export_refusals\.py:\d+", said), said
    assert not list(tmp_path.iterdir())


class Counter(nn.Module):
    """Changes its buffer in each call."""

    def __init__(self, by_data):
        super().__init__()
        self.by_data = by_data
        self.register_buffer("count", tg.zeros(1))

    def forward(self, x):
        if self.by_data:
            self.count.data = self.count.data + 1
        else:
            self.count += 1
        return x * 2


@pytest.mark.parametrize(
    ("by_data", "message"), [(False, r"x \+= … changes count"), (True, "calling the model changes count")]
)
def test_a_model_that_changes_itself_is_refused_and_put_back(by_data, message, tmp_path):
    pytest.importorskip("onnx")
    model = Counter(by_data).train()
    with pytest.raises(ExportError, match=message):
        tg.onnx.export(model, tg.ones(2, 3), tmp_path / "model.onnx")
    assert model.count.item() == 0 and model.training
    assert not list(tmp_path.iterdir())


def test_an_op_of_one_s_own_has_no_words_in_onnx(scratch_ops, tmp_path):
    pytest.importorskip("onnx")

    @tg.primitive
    def cubed(x):
        """x³."""
        return x**3

    with pytest.raises(ExportError, match=r"op cubed \(node /0/cubed, of float32\[batch,2\]\)"):

        class Cube(nn.Module):
            def forward(self, x):
                return cubed(x)

        tg.onnx.export(nn.Sequential(Cube()), tg.ones(2, 2), tmp_path / "model.onnx")


CALLS = {
    "no tensor": (lambda x: {"y": x, "n": 3}, {}, r"returns int \(n\)"),
    "nothing": (lambda x: (), {}, "returns no tensor"),
    "too few names": (tg.relu, {"input_names": ["a", "b"]}, "input_names must give each of"),
    "no text": (tg.relu, {"input_names": [1]}, "input_names must give each of"),
    "a name twice": (lambda x: x + 1, {"output_names": ["x"]}, "must have different names"),
    "another batch": (unbatched, {}, r"does not run on 2 samples \(ShapeError: .*dynamic_batch=False"),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_refused(name, tmp_path):
    pytest.importorskip("onnx")
    model, options, message = CALLS[name]
    with pytest.raises(ExportError, match=message):
        tg.onnx.export(model, tg.ones(4, 3), tmp_path / "model.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_inputs_are_tensors_with_a_batch(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(ExportError, match="args must be a tensor, or a tuple of one for each"):
        tg.onnx.export(tg.relu, "x", tmp_path / "model.onnx")
    with pytest.raises(ExportError, match=r"the first input float32\[\] has no batch"):
        tg.onnx.export(tg.relu, tg.tensor(1.0), tmp_path / "model.onnx")
    with pytest.raises(ExportError, match="weight has no numbers yet; call the model once"):
        tg.onnx.export(nn.LazyLinear(3), tg.ones(2, 3), tmp_path / "model.onnx")


def test_a_model_that_does_not_run_says_it_in_its_own_words(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match=r"reshape: x \[4,3\] has 12 elements, which do not fill \[5,5\]"):
        tg.onnx.export(lambda x: x.reshape(5, 5), tg.ones(4, 3), tmp_path / "model.onnx")


def test_what_no_file_can_hold_is_refused(monkeypatch, tmp_path):
    pytest.importorskip("onnx")
    from tinygrad_conv.interop.onnx.writing import model_file

    monkeypatch.setattr(model_file, "LARGEST", 100)
    with pytest.raises(
        ExportError, match=r"parameters and constants have .* of weight\), and an ONNX file holds 2"
    ):
        tg.onnx.export(nn.Linear(30, 2), tg.ones(2, 30), tmp_path / "model.onnx")


def test_an_older_file_stays_where_nothing_is_written(tmp_path):
    pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"older")
    with pytest.raises(ExportError):
        tg.onnx.export(branch, tg.ones(2, 3), path)
    assert path.read_bytes() == b"older" and [*tmp_path.iterdir()] == [path]


def test_the_extra_is_named_where_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnx.numpy_helper", None)
    with pytest.raises(MissingExtraError, match=r'pip install "tinygrad_conv\[onnx\]"'):
        tg.onnx.export(tg.relu, tg.ones(2, 3), tmp_path / "model.onnx")
