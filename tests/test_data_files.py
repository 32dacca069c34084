"""Readers of data files, against files packed by hand; and what is damaged, foreign or hostile."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tests.data_files import as_python_2_wrote, cifar_batch, cifar_binary, cifar_pickled, idx, mnist
from tinygrad_conv import data
from tinygrad_conv.errors import DataError, DtypeError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


@pytest.fixture
def little_memory():
    """Whatever a file says, not much is allocated for it."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160 * 2**20


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (4, 0, 7), (2, 1, 3, 2)])
@pytest.mark.parametrize("compressed", [False, True])
def test_idx(dtype, shape, compressed, path):
    array = (np.random.default_rng(0).standard_normal(shape) * 50).astype(dtype)
    path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    for given in (path, str(path)):
        read = data.read_idx(given)
        assert read.dtype == np.dtype(dtype) and read.dtype.isnative and read.flags.writeable
        np.testing.assert_array_equal(read, array)


HEADER = struct.pack(">BBBBII", 0, 0, 8, 2, 2, 3)


@pytest.mark.parametrize(
    "content, offset, words",
    [
        (b"", 0, "expected IDX's magic number, 4 bytes"),
        (b"\0\0\x08", 0, "expected IDX's magic number, 4 bytes"),
        (b"\0\1\x08\1\0\0\0\0", 0, "expected IDX's magic number, 00 00 and one of 08.*found 00 01 08"),
        (b"\x89PNG\r\n\x1a\n", 0, "found 89 50 4e"),
        (b"\0\0\x0a\1\0\0\0\0", 0, "found 00 00 0a"),
        (b"\0\0\x08\xff" + bytes(1100), 3, "expected up to 32 dimensions, found 255"),
        (HEADER[:7], 4, "expected the sizes of 2 dimensions, 8 bytes"),
        (HEADER + b"12345", 12, r"expected the numbers of uint8\[2,3\], 6 bytes"),
        (HEADER + b"1234567", 18, "expected the end of the file"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**30, 2**10, 1), 4, "expected sizes that the file can have"),
        (struct.pack(">BBBB2I", 0, 0, 14, 2, 2**20, 2**9), 12, "a file of this size can have 0"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 0, 2**32 - 1, 2**32 - 1), 4, "expected sizes"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_idx(content, offset, words, compressed, path):
    path.write_bytes(gzip.compress(content) if compressed else content)
    if compressed:
        words = words.replace("a file of this size can have 0", "")
    with pytest.raises(DataError, match=f"^read_idx: .*file, byte {offset}: .*{words}") as raised:
        data.read_idx(path)
    assert str(path) in str(raised.value)


@pytest.mark.exhaustive
def test_compressed_files_are_bounded_and_read_to_their_end(path, little_memory):
    whole = gzip.compress(idx(np.arange(1000, dtype="i4")))
    for content in (
        whole[:-1],
        whole[:-9],
        whole[:50],
        whole[:-8] + b"12345678",
        b"\x1f\x8b",
        whole[:2] + b"x",
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"^read_idx: .*, byte \d+: "):
            data.read_idx(path)
    size = 2**27
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, size))
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    path.write_bytes(bomb.getvalue())
    with pytest.raises(
        DataError, match="byte 8: expected the numbers of uint8.*a file of this size can have"
    ):
        data.read_idx(path)
    with pytest.raises(DataError, match="compressed too well"):
        data.read_cifar(path)


@pytest.mark.parametrize("classes", [10, 100])
@pytest.mark.parametrize("count", [1, 7])
def test_both_versions_of_cifar(classes, count, path):
    rows, labels = cifar_batch(count, classes)
    contents = [cifar_binary(rows, labels, classes)]
    contents += [
        cifar_pickled(rows, labels, classes, protocol, text)
        for protocol, text in itertools.product(range(6), (bytes, str))
    ]
    contents += [as_python_2_wrote(rows, labels)] if classes == 10 else []
    contents += [gzip.compress(contents[0])]
    for content in contents:
        path.write_bytes(content)
        for given in (None, classes):
            images, read = data.read_cifar(path, given)
            assert images.shape == (count, 3, 32, 32) and images.dtype == np.uint8
            np.testing.assert_array_equal(images.reshape(count, -1), rows)
            assert read.tolist() == labels and read.dtype == np.int64
        if classes == 100:
            assert data.read_cifar(path, coarse=True)[1].tolist() == [label // 5 for label in labels]
        else:
            with pytest.raises(DataError, match="expected coarse labels, which CIFAR-10 has not"):
                data.read_cifar(path, coarse=True)


def test_arrays_of_labels_and_of_another_order_are_read(path):
    rows, labels = cifar_batch(4)
    for members in (
        {"data": np.asfortranarray(rows), "labels": np.array(labels, ">i4")},
        {"data": rows, "labels": np.array(labels, np.uint8)},
    ):
        for protocol in range(6):
            path.write_bytes(pickle.dumps(members, protocol))
            images, read = data.read_cifar(path)
            np.testing.assert_array_equal(images.reshape(4, -1), rows)
            assert read.tolist() == labels


@pytest.mark.parametrize(
    "change, offset, words",
    [
        (lambda whole: b"", 0, "found nothing"),
        (lambda whole: whole[:-1], 3 * 3073, "ends after 3,072 bytes of one"),
        (lambda whole: whole + b"x", 4 * 3073, "ends after 1 bytes of one"),
        (lambda whole: whole[:3073] + b"\x0a" + whole[3074:], 3073, "expected a label below 10, found 10"),
        (lambda whole: whole[:6146] + b"\xff" + whole[6147:], 6146, "expected a label below 10, found 255"),
    ],
)
def test_damaged_binary_cifar(change, offset, words, path):
    path.write_bytes(change(cifar_binary(*cifar_batch(4))))
    with pytest.raises(DataError, match=f"^read_cifar: .*file, byte {offset}: .*{words}"):
        data.read_cifar(path, 10 if offset else None)


def pickled(**members):
    rows, labels = cifar_batch(3)
    return pickle.dumps({"data": rows, "labels": labels, **members}, 4)


@pytest.mark.parametrize(
    "content, words",
    [
        (pickle.dumps([1]), "expected a dict of CIFAR's, found a list"),
        (pickle.dumps({}), "expected 'data' to be uint8"),
        (pickled(data=[1]), r"expected 'data' to be uint8 \[N, 3072\], found list"),
        (pickled(data=np.zeros((3, 3072))), "found float64"),
        (pickled(data=np.zeros((3, 3071), np.uint8)), "found uint8"),
        (pickled(labels=[1, 2]), "expected one of 'labels' for each of 3 images, found 2"),
        (pickled(labels=[1, 2, 10]), "expected 'labels' to be below 10, found 10 for image 2"),
        (pickled(labels=[1, 2, -1]), "found -1 for image 2"),
        (pickled(labels=[1, 2, 10**300]), "found a int for image 2"),
        (pickled(labels=[1, 2, 1.5]), "found a float for image 2"),
        (pickled(labels=[1, 2, True]), "found a bool for image 2"),
        (pickled(labels=None), "expected 'labels' to be a list of classes, found a NoneType"),
        (pickled(labels=np.zeros((3, 1))), "found a ndarray"),
        (pickled(x=print), r"a pickle of data does not call|no dict|expected|'data'|no instruction"),
        (pickled()[:-1], "the pickle is damaged"),
        (pickled() + b"x", "expected the end of the file"),
        (pickled(data=np.array([None])), "dtype|does not call|instruction"),
        (pickled(fine_labels=[1, 2, 3]), "expected the labels of CIFAR-10, found those of CIFAR-100"),
    ],
)
def test_pickles_of_something_else(content, words, path):
    if words.startswith("a pickle of data does not call|"):  # a function that is not called is a name alone
        path.write_bytes(content)
        assert len(data.read_cifar(path)[1]) == 3
        return
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^read_cifar: .*file, byte \d+: .*({words})"):
        data.read_cifar(path, 10)


class Runs:
    """Would make a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("it_has_run",)


HOSTILE = {
    "a call": pickle.dumps({"data": Runs()}),
    "a call in protocol 0": b"cos\nmkdir\n(S'it_has_run'\ntR.",
    "a class": b"(S'it_has_run'\nios\nmkdir\n.",
    "a new object": b"\x80\x02cos\nPathLike\n)\x81.",
    "a persistent one": b"\x80\x02K\x01Q.",
    "an extension": b"\x80\x02\x82\x01.",
    "a memory of a billion": b"\x80\x02K\x01r\xff\xff\xff\x7f.",
    "a text of 2^62 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.",
    "bytes of 2^62": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"a.",
    "a bytearray of 2^62": b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b"a.",
    "a negative length": b"\x80\x02T\xff\xff\xff\xffa.",
    "an array of 2^40": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\0\0\0\x7f\x85U\x01b\x87R."
    ),
    "a shape of 2^60": pickled().replace(b"K\x03M\x00\x0c\x86", b"\x8a\x08\0\0\0\0\0\0\0\x10M\x00\x0c\x86"),
    "a key that is a tuple": b"\x80\x02}()K\x01u.",
    "no mark": b"\x80\x02K\x01t.",
    "an empty stack": b"\x80\x02R.",
    "a pop through a mark": b"\x80\x02K\x01(a.",
    "something left over": b"\x80\x02K\x01K\x02.",
    "many digits": b"I" + b"9" * 100_000 + b"\n.",
    "marks without end": b"\x80\x02" + b"(" * 50_000 + b".",
    "tuples without end": b"\x80\x02)" + b"\x85" * 50_000 + b".",
    "no memory of it": b"\x80\x02h\x07.",
    "texts copied again and again": (
        b"\x80\x02c_codecs\nencode\nq\0X"
        + struct.pack("<I", 2**20)
        + b"a" * 2**20
        + b"X\x06\0\0\0latin1\x86q\x01"
        + b"h\0h\x01R" * 1000
        + b"."
    ),
    "nested for a hash": b"\x80\x02}(K\x01\x85q\0" + b"h\0h\0\x86q\0" * 100 + b"K\x01u.",
    "nested for a name": b"\x80\x04K\x01\x85q\0" + b"h\0h\0\x86q\0" * 100 + b"h\0\x93.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_run_nothing_and_cost_nothing(name, path, monkeypatch, tmp_path, little_memory):
    monkeypatch.chdir(tmp_path)
    path.write_bytes(HOSTILE[name])
    with pytest.raises(DataError, match=r"^read_cifar: .*file, byte \d+: ") as raised:
        data.read_cifar(path)
    assert not (tmp_path / "it_has_run").exists() and len(str(raised.value)) < 600 + len(str(path))


def test_npz(path):
    arrays = {
        "x": np.arange(6.0).reshape(2, 3),
        "a/b": np.asfortranarray(np.ones((2, 3), np.uint8)),
        "big": np.arange(3, dtype=">i2"),
        "flag": np.array([True, False]),
        "none": np.zeros((0, 4), np.float32),
        "number": np.float16(1.5),
    }
    for save in (np.savez, np.savez_compressed):
        with open(path, "wb") as file:
            save(file, **arrays)
        read = data.read_npz(path)
        assert list(read) == list(arrays)
        for name, array in read.items():
            assert array.dtype.isnative and array.shape == np.shape(arrays[name])
            np.testing.assert_array_equal(array, arrays[name])


def zipped(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


@pytest.mark.exhaustive
def test_damaged_npz(path, little_memory):
    good = npy(np.arange(100.0))
    cases = []
    for cut in (0, 5, 50, 400):
        zipped(path, x=good)
        cases.append(path.read_bytes()[:cut])
    for members in (
        {"x": good[:-1]},
        {"x": good + b"y"},
        {"x": npy(np.array([None, 1], object))},
        {"x": npy(np.array(["a"]))},
        {"x": good.replace(b"(100,)", b"(2**9)")},
        {"x": good.replace(b"'<f8'", b"'|O'  "[:6])},
        {"x": b""},
    ):
        zipped(path, **members)
        cases.append(path.read_bytes())
    zipped(path, x=good)
    cases.append(path.read_bytes().replace(b"\0\0\0\0\0\0\xf0\x3f", b"\0\0\0\0\0\0\xf0\x4f"))  # its checksum
    bomb = npy(np.zeros(2**27, np.uint8)[:0]).replace(b"(0,), ", b"(%d,), " % (2**27))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(bomb)
        for _ in range(2**7):
            member.write(bytes(2**20))
    cases.append(path.read_bytes())
    for content in cases:
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"^read_npz: .*file, byte \d+: "):
            data.read_npz(path)


def test_paths_that_are_none(tmp_path):
    for read in (data.read_idx, data.read_cifar, data.read_npz):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nothing")
        with pytest.raises(OSError):
            read(tmp_path)
        for wrong in (3, None, b"x", [], True):
            with pytest.raises(TypeError, match=f"^{read.__name__}: path must be a path, not"):
                read(wrong)
        with pytest.raises((TypeError, DtypeError), match="path must be"):
            read(np.zeros(3))
    for wrong in (3, "10", 10.0):
        with pytest.raises((TypeError, ValueError), match="^read_cifar: classes must"):
            data.read_cifar(tmp_path / "nothing", wrong)


@pytest.mark.parametrize("kind", ["idx", "idx.gz", "binary", "pickled", "npz"])
def test_no_byte_of_a_file_can_break_a_reader(kind, path):
    """Each byte changed, and each length cut: read as something, or refused as it should be."""
    random = np.random.default_rng(7)
    read = data.read_npz if kind == "npz" else data.read_idx if kind.startswith("idx") else data.read_cifar
    if kind == "npz":
        with path.open("wb") as file:
            np.savez(file, x=np.arange(3), y=np.ones((2, 2)))
        content = path.read_bytes()
    elif kind.startswith("idx"):
        content = idx(np.arange(30, dtype="i2").reshape(5, 6))
        content = gzip.compress(content) if kind == "idx.gz" else content
    else:
        rows, labels = cifar_batch(1)
        content = (cifar_binary if kind == "binary" else cifar_pickled)(rows, labels)
    places = range(len(content)) if len(content) < 200 else [*range(0, 60, 2), *range(-60, 0, 2)]
    for place in places:
        for changed in (
            content[:place] + bytes([random.integers(256)]) + content[place:][1:],
            content[:place] + bytes([content[place] ^ 1 << random.integers(8)]) + content[place:][1:],
            content[:place],
            content[:place] + content[place:][1:],
        ):
            path.write_bytes(changed)
            try:
                read(path)
            except DataError as error:
                assert str(path) in str(error) and ", byte " in str(error)


def test_mnist_files_fit_each_other(tmp_path):
    mnist(tmp_path)
    images = idx(np.zeros((12, 28, 28), np.uint8))
    labels = idx(np.zeros(12, np.uint8))
    first, second = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    for contents, words in (
        ((images, idx(np.zeros(11, np.uint8))), "byte 4: expected a label for each of the 12 images"),
        ((images, idx(np.full(12, 10, np.uint8))), "byte 8: expected a label below 10, found 10"),
        ((images, images), r"expected labels uint8 \[N\], found uint8\[12,28,28\]"),
        ((labels, labels), r"expected images uint8 \[N, H, W\], found uint8\[12\]"),
        ((idx(np.zeros((12, 2, 2), "f4")), labels), "found float32"),
    ):
        for file, content in zip((first, second), contents):
            file.write_bytes(content)
        with pytest.raises(DataError, match=f"^MNIST: .*{words}"):
            data.MNIST(tmp_path)
