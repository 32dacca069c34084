"""`tg.save` and `tg.load`: what is written comes back, in a file that nothing is run from."""

from __future__ import annotations

import io
import json
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn


def net():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def batch():
    return tg.tensor(np.linspace(-1, 1, 32).reshape(2, 1, 4, 4), dtype=tg.float32)


def test_a_state_dict_comes_back_under_the_very_name(tmp_path):
    trained, again, path = net(), net(), tmp_path / "net.pth"
    trained(batch())
    assert tg.save(trained.state_dict(), path) is None
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]
    read = tg.load(path, map_location="cpu", weights_only=True)
    assert list(read) == list(trained.state_dict())
    assert again.load_state_dict(read) == ([], [])
    again.eval(), trained.eval()
    np.testing.assert_array_equal(again(batch()).data, trained(batch()).data)


@pytest.mark.parametrize("optimizer", [tg.optim.SGD, tg.optim.Adam])
def test_a_checkpoint_goes_on_as_if_it_had_not_been_interrupted(tmp_path, optimizer):
    options = {"lr": 0.1} if optimizer is tg.optim.Adam else {"lr": 0.1, "momentum": 0.9}

    def step(model, rule):
        rule.zero_grad()
        loss = nn.functional.cross_entropy(model(batch()), tg.tensor([0, 2]))
        loss.backward()
        rule.step()
        return loss.item()

    model, other = net(), net()
    rule, another = optimizer(model.parameters(), **options), optimizer(other.parameters(), **options)
    loss = step(model, rule)
    checkpoint = {"epoch": 3, "model": model.state_dict(), "optimizer": rule.state_dict(), "loss": loss}
    tg.save(checkpoint, str(tmp_path / "checkpoint.tar"))
    read = tg.load(str(tmp_path / "checkpoint.tar"))
    assert (read["epoch"], read["loss"]) == (3, loss)
    other.load_state_dict(read["model"])
    another.load_state_dict(read["optimizer"])
    assert [step(model, rule) for _ in range(3)] == [step(other, another) for _ in range(3)]


def test_structures_numbers_and_dtypes_come_back_as_they_were():
    value = OrderedDict(
        numbers=[1, -2.5, True, None, float("inf"), 10**30],
        tuples=((), (1, "ü\n")),
        keys={1: "a", (2, 3): "b", None: "c"},
        scalars=np.float64(0.1),
    )
    file = io.BytesIO()
    tg.save(value, file)
    file.seek(0)
    read = tg.load(file)
    assert read == dict(value) and type(read) is dict
    assert type(read["scalars"]) is np.float64 and type(read["tuples"]) is tuple


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (2, 3)])
def test_arrays_and_tensors_of_every_dtype_and_size(dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    file = io.BytesIO()
    tg.save([array, tg.tensor(array), array.T, tg.Tensor(array, requires_grad=array.dtype.kind == "f")], file)
    file.seek(0)
    plain, tensor, transposed, leaf = tg.load(file)
    for read in (plain, tensor.data, transposed.T, leaf.data):
        assert (read.dtype, read.shape) == (array.dtype, shape)
        np.testing.assert_array_equal(read, array)
    assert isinstance(plain, np.ndarray) and isinstance(tensor, tg.Tensor)
    assert (tensor.requires_grad, leaf.requires_grad) == (False, array.dtype.kind == "f")
    if leaf.requires_grad:
        (leaf * leaf).sum().backward()


def test_what_cannot_be_saved_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "old"
    tg.save([1], path)
    for value, said in [
        (net(), r"obj is Sequential, .* save its state_dict\(\)"),
        ({"net": [net()]}, r"obj\['net'\]\[0\] is Sequential"),
        ({"f": len}, r"obj\['f'\] is builtin_function_or_method, .*; save what is in it"),
        ([np.array([None])], r"obj\[0\] is an array of object"),
        ([np.array(["a"])], r"obj\[0\] is an array of <U1"),
        ({frozenset(): 1}, "a key of obj is frozenset"),
    ]:
        with pytest.raises(TypeError, match=f"^save: {said}"):
            tg.save(value, path)
    assert tg.load(path) == [1]
    assert [file.name for file in tmp_path.iterdir()] == ["old"]


def archive(**members):
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        archive(weight=np.zeros(2)),
        archive(structure=np.array('["another", 1]')),
        archive(structure=np.array('["tinygrad_conv 1", {"array": 7}]')),
        archive(structure=np.array('["tinygrad_conv 1", {}]')),
        archive(structure=np.array("[" * 100_000)),
        archive(structure=np.array([None], dtype=object)),
        archive(structure=np.array(json.dumps(["tinygrad_conv 1", {"array": 0}])), array0=np.array([None])),
    ],
)
def test_files_of_others_are_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^load: .*file is no file that tg.save wrote.*np.savez"):
        tg.load(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "file"
    tg.save(net().state_dict(), path)
    whole = path.read_bytes()
    for length in (1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not all of it"):
            tg.load(path)


def test_arguments_that_cannot_be():
    with pytest.raises(
        TypeError, match="save: f must be a path or a file open for writing bytes, not NoneType"
    ):
        tg.save({}, None)
    with pytest.raises(TypeError, match="load: f must be a path or a file open for reading bytes, not int"):
        tg.load(3)
    with pytest.raises(ValueError, match="cpu"):
        tg.load("f", map_location="cuda")
    with pytest.raises(FileNotFoundError):
        tg.load("there is no such file")
