"""`tg.save` and `tg.load`: what is written comes back, in a file that nothing is run from."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import CheckpointError, ShapeError
from tinygrad_conv.saving import encoding

from .attack.hostile.archives import unpacked


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


def in_itself():
    value = {}
    value["in"] = value
    return value


def test_what_cannot_be_saved_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "old"
    tg.save([1], path)
    for value, said in [
        (net(), r"obj is Sequential, .* save its state_dict\(\)"),
        ({"net": [net()]}, r"obj\['net'\]\[0\] is Sequential"),
        ({"f": len}, r"obj\['f'\] is builtin_function_or_method, .*; save what is in it"),
        ([np.array([None])], r"obj\[0\] is an array of object"),
        ([np.ma.array([1.0, 2.0], mask=[0, 1])], r"obj\[0\] is a masked array, .*; fill it"),
        ([np.array(["a"])], r"obj\[0\] is an array of <U1"),
        ({"a": (np.array(1j),)}, r"obj\['a'\]\[0\] is an array of complex128"),
        (in_itself(), r"obj\['in'\]\['in'\]\['in'\]… is nested more than 100 deep; is it in itself\?"),
        ({frozenset(): 1}, "a key of obj is frozenset"),
    ]:
        with pytest.raises(TypeError, match=f"^save: {said}"):
            tg.save(value, path)
    with pytest.raises(ShapeError, match=r"obj\[0\] is float64\[0,1000000000\], which no file can hold"):
        tg.save([np.zeros((0, 10**9))], path)
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
    with pytest.raises(ValueError, match=r"^load: .*file is no file that tg.save wrote.*load_torch"):
        tg.load(path)


def written(structure, **arrays):
    return archive(structure=np.array(json.dumps(["tinygrad_conv 1", structure])), **arrays)


SEVENS = 12 * b"7"
NUMBERS = {"array0": np.frombuffer(SEVENS, np.float32)}


def edited(old, new):
    """A file whose array has other bytes, and the checksum of those."""
    contents = unpacked(written({"array": 0}, **NUMBERS))
    name, content = contents.members[1]
    contents.members[1] = name, content.replace(old, new, 1)
    return contents.packed()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (written({"array": 0}), r"obj is array0, which is not there"),
        (written(3, **NUMBERS), r"array0 is used nowhere"),
        (written([{"array": 0}, {"array": 0}], **NUMBERS), r"obj\[1\] is array0, which is .* used already"),
        (written({"array": float("nan")}, **NUMBERS), r"obj is nan, which is not there"),
        (written({"array": True}, **NUMBERS), r"obj is True, which is not there"),
        (written({"array": 0, "more": 1}, **NUMBERS), r"which tg\.save never writes"),
        (written({"module": 0}), r"obj is \{'module': 0\}, which tg\.save never writes"),
        (written({"number": 0}, **NUMBERS), r"obj is array0, float32\[3\]; it must be one number"),
        (written({"tensor": 0, "requires_grad": 1}, **NUMBERS), r"float32\[3\] with requires_grad 1"),
        (written({"tensor": 0, "requires_grad": True}, array0=np.arange(2)), r"int64\[2\] with requires"),
        (written({"dict": [["b", {"dict": [["c", 1], ["c", 2]]}]]}), r"obj\['b'\] has the key 'c' twice"),
        (written({"dict": [["a"]]}), r"obj has \['a'\] in it; it must be a key and a value"),
        (written({"dict": 3}), r"obj has 3 in it"),
        (written({"dict": [[[1], 2]]}), r"obj has a list as a key"),
        (written({"dict": [[{"array": 0}, 2]]}, **NUMBERS), r"obj has a ndarray as a key"),
        (written({"tuple": {}}), r"obj is of \{\}; it must be of a list"),
        (written(json.loads("[" * 150 + "]" * 150)), r"is nested more than 100 deep"),
        (archive(structure=np.array('["tinygrad_conv 1", {"a": 1, "a": 2}]')), r"an object has a key twice"),
        (archive(structure=np.array("9" * 5000)), r"structure cannot be read"),
        (archive(structure=np.array('["tinygrad_conv 2", 1]')), r"its format is 'tinygrad_conv 2'"),
        (archive(structure=np.array(3)), r"'structure\.npy' is int64\[\]; it must be one text"),
        (written(1, array1=np.zeros(2)), r"'array0\.npy' is missing from the archive.*'array1\.npy'"),
        (written({"array": 0}, array0=np.zeros(2, complex)), r"'array0\.npy' has a header that is not"),
        (written({"array": 0}, array0=np.array("a")), r"'array0\.npy' is a text; it must be numbers"),
        (edited(b"(3,)", b"(9,)"), r"'array0\.npy' is float32\[9\], but has 12"),
        (edited(b"(3,), }" + 12 * b" ", b"(1099511627776,), }"), r"is float32\[1099511627776\], but has"),
        (edited(b"(3,)", b"(-3)"), r"'array0\.npy' has a header that is not one of an array of numbers"),
        (edited(b"'<f4'", b"'|O' "), r"'array0\.npy' has a header that is not one of an array of numbers"),
        (edited(b"\x93NUMPY\x01", b"\x93NUMPY\x02"), r"'array0\.npy' is no array of NumPy's format 1\.0"),
        (edited(b"\x93NUMPY", b""), r"'array0\.npy' is no array of NumPy's format 1\.0"),
        (written({"array": 0}, **NUMBERS).replace(SEVENS, 12 * b"8"), r"array0\.npy cannot.*CRC"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_by_member(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"^load: {path} is no file that tg\.save wrote.*{message}"):
        tg.load(path)
    with pytest.raises(CheckpointError, match=message):
        tg.load(io.BytesIO(content))


@pytest.mark.exhaustive
def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    file = io.BytesIO()
    np.savez_compressed(
        file, structure=np.array('["tinygrad_conv 1", {"array": 0}]'), array0=np.zeros(9 * 2**20)
    )
    tracemalloc.start()
    try:
        with pytest.raises(
            CheckpointError, match=r"members have 75,\d+,\d+ bytes; from a file of this size up to"
        ):
            tg.load(file)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_what_is_nested_as_deep_as_may_be_comes_back():
    value = []
    for _ in range(encoding.DEEPEST - 1):
        value = [{"in": value}["in"]]
    file = io.BytesIO()
    tg.save(value, file)
    assert tg.load(file) == value


def test_ctrl_c_in_the_midst_of_a_member_is_ctrl_c(monkeypatch):
    """Python's archive cannot be closed then, and would raise that it cannot."""

    def interrupted(archive, *arguments, **options):
        archive._writing = True
        raise KeyboardInterrupt

    monkeypatch.setattr("zipfile.ZipFile.open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tg.save({}, io.BytesIO())


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


class InPieces(io.RawIOBase):
    """An unbuffered file, which takes and gives a few bytes at once, as the system may."""

    def __init__(self, content=b""):
        self.file = io.BytesIO(content)

    def writable(self):
        return True

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, *place):
        return self.file.seek(*place)

    def write(self, content):
        return self.file.write(bytes(content)[:7])

    def readinto(self, content):
        piece = self.file.read(min(5, len(content)))
        content[: len(piece)] = piece
        return len(piece)


def test_an_unbuffered_file_gets_all_of_it():
    file = InPieces()
    tg.save({"x": np.arange(100)}, file)
    assert not file.closed
    for whole in (io.BytesIO(file.file.getvalue()), InPieces(file.file.getvalue())):
        np.testing.assert_array_equal(tg.load(whole)["x"], np.arange(100))


def test_of_two_in_a_file_the_first_is_not_taken_for_the_last():
    file = io.BytesIO()
    file.write(b"a header of somebody's")
    first = file.tell()
    tg.save([1], file)
    second = file.tell()
    tg.save([2], file)
    file.seek(first)
    with pytest.raises(CheckpointError, match=f"begins at byte {second}, .* from byte {first} on"):
        tg.load(file)
    file.seek(second)
    assert tg.load(file) == [2]


def test_files_that_are_not_open_for_it(tmp_path):
    path = tmp_path / "file"
    tg.save([1], path)
    closed = io.BytesIO()
    closed.close()
    with path.open("rb") as reading, path.open("r+", encoding="utf-8") as text, path.open("ab") as appending:
        for file in (reading, text, closed):
            with pytest.raises(TypeError, match="^save: f must be a path or a file open for writing bytes"):
                tg.save([2], file)
        for file in (appending, text, closed):
            with pytest.raises(TypeError, match="^load: f must be a path or a file open for reading bytes"):
                tg.load(file)
    with pytest.raises(TypeError, match=r"^load: f cannot be gone .*; pass io.BytesIO\(f.read\(\)\)"):
        tg.load(OneWay())
    assert tg.load(path) == [1]


class OneWay(io.BytesIO):
    """What comes out of a pipe."""

    def seekable(self):
        return False
