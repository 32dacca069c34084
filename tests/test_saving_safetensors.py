"""`tg.save` and `tg.load` of files in the safetensors format, which others write and read too."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import CheckpointError, MissingExtraError

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64") + (
    "float16", "float32", "float64",
)  # fmt: skip


@pytest.fixture
def others():
    """The library's own functions for NumPy."""
    return pytest.importorskip("safetensors.numpy")


@pytest.mark.extras
def test_others_read_the_tensors_by_name(others, tmp_path):
    net, path = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), tmp_path / "net.safetensors"
    tg.save(net.state_dict(), path)
    read = others.load_file(path)
    assert sorted(read) == sorted(net.state_dict())
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(read[name], tensor.data)
    assert net.load_state_dict(tg.load(path)) == ([], [])
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.extras
def test_structures_come_back_as_they_were(others, tmp_path):
    value = {
        "model": {"w": tg.tensor([[1.0, 2.0]], requires_grad=True)},
        "model.w": np.float32(3),
        (1, "a"): [np.arange(3), (True, None, float("inf"), 2**70, "ü")],
        "__metadata__": np.ones(1),
        "a": {"b": {0: np.zeros(1)}},
        "a.b": [np.ones(1)],
        "a.b.0": np.full(1, 2),
        "empty": {},
    }
    tg.save(value, tmp_path / "x.safetensors")
    read = tg.load(tmp_path / "x.safetensors")
    assert repr(read) == repr(value) and read["model"]["w"].requires_grad
    for alone in (np.zeros(()), tg.ones(2), [], 3):
        tg.save(alone, tmp_path / "x.safetensors")
        assert repr(tg.load(str(tmp_path / "x.safetensors"))) == repr(alone)


@pytest.mark.extras
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (2, 3)])
def test_every_dtype_size_and_order(others, dtype, shape, tmp_path):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    swapped = array.astype(array.dtype.newbyteorder(">"))
    tg.save([array, array.T, swapped, np.repeat(array[None], 3, 0)[::2]], tmp_path / "x.safetensors")
    plain, transposed, back, stepped = tg.load(tmp_path / "x.safetensors")
    for read, expected in ((plain, array), (transposed.T, array), (back, array), (stepped[1], array)):
        assert (read.dtype, read.shape) == (array.dtype, shape)
        np.testing.assert_array_equal(read, expected)
    assert all(read.flags.writeable for read in (plain, transposed, back, stepped))
    others.save_file({"x": array}, tmp_path / "others.safetensors")
    assert tg.load(tmp_path / "others.safetensors")["x"].dtype == array.dtype


@pytest.mark.extras
def test_a_plain_file_of_tensors_is_a_dict_with_metadata(others, tmp_path):
    path = tmp_path / "plain.safetensors"
    others.save_file({"a": np.ones((2, 3)), "b": np.arange(2)}, path, {"format": "np", "by": "ü"})
    read = tg.load(path)
    assert isinstance(read, dict) and sorted(read) == ["a", "b"] and isinstance(read["a"], tg.Tensor)
    assert read.metadata == {"format": "np", "by": "ü"}
    others.save_file({}, path)
    assert tg.load(path) == {} and tg.load(path).metadata == {}


@pytest.mark.extras
def test_texts_stand_beside_the_tensors(others, tmp_path):
    path, again = tmp_path / "x.safetensors", tmp_path / "again.safetensors"
    tg.save({"w": tg.ones(2), "step": 3}, path, metadata={"format": "pt", "by": "ü"})
    read = tg.load(path)
    assert repr(read) == repr({"w": tg.ones(2), "step": 3}) and read.metadata == {"format": "pt", "by": "ü"}
    tg.save(read, again)
    assert tg.load(again).metadata == read.metadata
    tg.save(read, again, metadata={})
    assert type(tg.load(again)) is dict
    with pytest.importorskip("safetensors").safe_open(path, "np") as file:
        assert file.metadata()["by"] == "ü" and list(file.keys()) == ["w"]


@pytest.mark.parametrize("metadata", [{"a": 1}, {1: "a"}, "text", {"tinygrad_conv": "x"}, [("a", "b")]])
def test_metadata_is_texts_by_name(metadata, tmp_path):
    with pytest.raises(TypeError, match="^save: metadata must be a dict of texts, without 'tinygrad_conv'"):
        tg.save({}, tmp_path / "x.safetensors", metadata=metadata)
    assert not [*tmp_path.iterdir()]


def test_metadata_has_a_place_in_files_of_dicts_alone(tmp_path):
    for obj, name in (({}, "x.npz"), ([], "x.safetensors"), (tg.ones(1), "x.safetensors")):
        with pytest.raises(TypeError, match="^save: metadata goes with a dict, to a path that ends in"):
            tg.save(obj, tmp_path / name, metadata={"a": "b"})


def file_of(header, content=b""):
    """A file with a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def tensor(dtype, shape, *offsets):
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


@pytest.mark.extras
@pytest.mark.torch
def test_pytorchs_side_reads_and_writes_the_same_files(tmp_path):
    theirs = pytest.importorskip("safetensors.torch")
    torch = pytest.importorskip("torch")
    path = tmp_path / "x.safetensors"
    source = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    theirs.save_file(source.state_dict(), path, {"format": "pt"})
    ours = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    read = tg.load(path)
    assert ours.load_state_dict(read) == ([], []) and read.metadata == {"format": "pt"}
    tg.save(ours.state_dict(), path, metadata={"format": "pt"})
    target = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    target.load_state_dict(theirs.load_file(path))
    for key, tensor in source.state_dict().items():
        loaded = target.state_dict()[key]
        assert torch.equal(loaded, tensor) and loaded.dtype == tensor.dtype


@pytest.mark.extras
@pytest.mark.torch
def test_bfloat16_is_read_as_float32(tmp_path):
    pytest.importorskip("safetensors")
    torch = pytest.importorskip("torch")
    numbers = torch.tensor([1.0, -2.5, 3e38, float("inf"), 1e-40]).bfloat16()
    content = numbers.view(torch.int16).numpy().tobytes()
    (tmp_path / "x.safetensors").write_bytes(file_of({"x": tensor("BF16", [5], 0, 10)}, content))
    read = tg.load(tmp_path / "x.safetensors")["x"]
    np.testing.assert_array_equal(read.data, numbers.float().numpy())
    assert read.dtype == np.float32


STRUCTURE = ["tinygrad_conv 1", {"dict": [["x", {"tensor": "x", "requires_grad": False}]]}]
X = tensor("F32", [1], 0, 4)


def structured(structure, **tensors):
    return file_of(
        {"__metadata__": {"tinygrad_conv": json.dumps(structure)}, **tensors}, bytes(4 * bool(tensors))
    )


@pytest.mark.extras
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file cannot be read"),
        (b"hello", "the file cannot be read"),
        (file_of(b"{"), "the file cannot be read"),
        (file_of(b"[" * 100_000), "the file cannot be read"),
        ((2**60).to_bytes(8, "little") + b"{}", "the file cannot be read"),
        (file_of({"x": tensor("F32", [2**40], 0, 2**42)}, bytes(4)), "the file cannot be read"),
        (file_of({"x": tensor("F32", [2], 0, 4)}, bytes(4)), "the file cannot be read"),
        (file_of({"x": tensor("F32", [1], 4, 8)}, bytes(8)), "the file cannot be read"),
        (file_of({"x": X, "y": X}, bytes(4)), "the file cannot be read"),
        (file_of({"x": X}, bytes(3)), "the file cannot be read"),
        (file_of({"x": X}, bytes(5)), "the file cannot be read"),
        (file_of({"x": tensor("F8_E4M3", [4], 0, 4)}, bytes(4)), "tensor 'x' is of F8_E4M3, which no tensor"),
        (file_of({"x": tensor("BOOL", [4], 0, 4)}, b"\0\1\2\1"), "tensor 'x' is of BOOL, and has a byte"),
        (file_of(b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                 b'"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)), "twice|cannot be read"),
        (structured(STRUCTURE), r"obj\['x'\] is 'x', which is not there"),
        (structured(STRUCTURE, x=X, y=tensor("F32", [0], 4, 4)), "'y' is used nowhere"),
        (structured(["tinygrad_conv 9", 1], x=X), "its format is 'tinygrad_conv 9'"),
        (structured(STRUCTURE[1], x=X), "structure: its format is"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(others, content, message, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"^load: {path} is no file that tg\.save wrote.*({message})"):
        tg.load(path)


@pytest.mark.extras
def test_a_file_that_is_cut_off_is_refused(others, tmp_path):
    path = tmp_path / "x.safetensors"
    tg.save({"a": tg.ones(3), "b": [1]}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            tg.load(path)


def test_without_the_extra_it_says_which_one_it_is(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    old = tmp_path / "old.safetensors"
    old.write_bytes(b"old")
    for call in (lambda: tg.save({}, old), lambda: tg.load(old)):
        with pytest.raises(MissingExtraError, match=r'pip install "tinygrad_conv\[safetensors\]"; any other'):
            call()
    assert old.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1
