"""Sets of labelled images from files on disk: MNIST and CIFAR, with torchvision's names. Nothing is
downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..dtypes import Array
from ..engine.tensor import Tensor
from ..errors import DataError, show_array
from .files.cifar import read_cifar
from .files.idx import read_idx
from .labelled import Function, LabelledImages, Root
from .transforms.base import takes_batches

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class ImageSet(LabelledImages):
    """Labelled images in memory. Example i is (image, label): the image float32 [C, H, W] from 0 to 1, a
    Tensor, or what `transform` makes of it; the label an int, or what `target_transform` makes of it.

    images: uint8 [N, C, H, W]; labels: int64 [N].
    """

    def __init__(
        self, images: Array, labels: Array, transform: Function = None, target_transform: Function = None
    ) -> None:
        super().__init__(transform, target_transform)
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def image_and_label(self, index: int) -> tuple[Tensor, int]:
        return Tensor(scaled(self.images[index])), int(self.labels[index])

    def stacked_at(self, places: Sequence[int]) -> list[Tensor] | None:
        """The examples at these places as a batch; None where a transform takes them one by one."""
        if self.target_transform is not None or not takes_batches(self.transform):
            return None
        chosen = np.asarray(places, np.intp)
        images = Tensor(scaled(self.images[chosen]))
        return [images if self.transform is None else self.transform(images), Tensor(self.labels[chosen])]

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class."""
        return {name: label for label, name in enumerate(self.classes)}

    def tensors(self) -> tuple[Tensor, Tensor]:
        """(images float32 [N, C, H, W] from 0 to 1, labels int64 [N]) of all, without the transforms."""
        return Tensor(scaled(self.images)), Tensor(self.labels)


class MNIST(ImageSet):
    """MNIST, 60,000 images of digits to train on and 10,000 to test, 1×28×28, out of the four IDX files.

    root: the folder with them, or one that has `MNIST/raw` in it, as torchvision leaves them; plain or .gz.
    transform, target_transform: functions of an image and of a label. Nothing is downloaded.

    Raises FileNotFoundError where a file is missing, DataError where one is damaged or does not fit.
    """

    classes = [f"{digit} - {name}" for digit, name in enumerate(DIGITS)]

    def __init__(
        self,
        root: Root,
        train: bool = True,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ) -> None:
        owner, part = type(self).__name__, "train" if train else "t10k"
        refuse_download(owner, download)
        folders = [Path(root), Path(root) / owner / "raw", Path(root) / "raw"]
        paths = [
            existing(owner, folders, [f"{part}-{name}{suffix}" for name in names for suffix in ("", ".gz")])
            for names in (
                ("images-idx3-ubyte", "images.idx3-ubyte"),
                ("labels-idx1-ubyte", "labels.idx1-ubyte"),
            )
        ]
        images, labels = map(read_idx, paths)
        check_idx(owner, paths, images, labels, len(self.classes))
        self.train = train
        super().__init__(images[:, None], labels.astype(np.int64), transform, target_transform)

    @property
    def data(self) -> Tensor:
        """The images, uint8 [N, 28, 28]."""
        return Tensor(self.images[:, 0])

    @property
    def targets(self) -> Tensor:
        """The labels, int64 [N]."""
        return Tensor(self.labels)


class FashionMNIST(MNIST):
    """Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): as MNIST, of clothes; with `FashionMNIST/raw`."""

    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Kuzushiji-MNIST (Clanuwat et al. 2018): as MNIST, of cursive Japanese; with `KMNIST/raw`."""

    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class CIFAR10(ImageSet):
    """CIFAR-10, 50,000 colour images to train on and 10,000 to test, 3×32×32, of either version of its files.

    root: the folder with the batches, or one that has `cifar-10-batches-py` or `cifar-10-batches-bin` in it.
    transform, target_transform: functions of an image and of a label. Nothing is downloaded, and of the
    pickled files nothing is run.

    Raises FileNotFoundError where a file is missing, DataError where one is damaged.
    """

    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    folders: Sequence[str] = ("cifar-10-batches-py", "cifar-10-batches-bin")
    parts = {True: [f"data_batch_{number}" for number in range(1, 6)], False: ["test_batch"]}

    def __init__(
        self,
        root: Root,
        train: bool = True,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = False,
    ) -> None:
        owner = type(self).__name__
        refuse_download(owner, download)
        folders = [Path(root), *(Path(root) / folder for folder in self.folders)]
        paths = [existing(owner, folders, [part, f"{part}.bin"]) for part in self.parts[bool(train)]]
        batches = [read_cifar(path, len(self.classes)) for path in paths]
        images, labels = (np.concatenate(members) for members in zip(*batches))
        self.train = train
        super().__init__(images, labels, transform, target_transform)

    @property
    def data(self) -> Array:
        """The images, uint8 [N, 32, 32, 3]."""
        return self.images.transpose(0, 2, 3, 1)

    @property
    def targets(self) -> list[int]:
        """The labels."""
        return self.labels.tolist()


class CIFAR100(CIFAR10):
    """CIFAR-100: as CIFAR-10, with 100 classes; with `cifar-100-python` or `cifar-100-binary`."""

    classes = (
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly "
        "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile "
        "cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp "
        "lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom "
        "oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine "
        "possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake "
        "spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor "
        "train trout tulip turtle wardrobe whale willow_tree wolf woman worm "
    ).split()
    folders = ("cifar-100-python", "cifar-100-binary")
    parts = {True: ["train"], False: ["test"]}


def scaled(images: Array) -> Array:
    """uint8 as float32 from 0 to 1."""
    return images / np.float32(255)


def refuse_download(owner: str, download: bool) -> None:
    """Say that files must be there already."""
    if download:
        raise ValueError(f"{owner}: download must be False; put the files into root, nothing is downloaded")


def existing(owner: str, folders: Iterable[Path], names: Sequence[str]) -> Path:
    """The first of these files that there is."""
    paths = [folder / name for folder in folders for name in names]
    for path in paths:
        if path.is_file():
            return path
    places = ", ".join(dict.fromkeys(str(path.parent) for path in paths))
    raise FileNotFoundError(f"{owner}: found none of {', '.join(names)} in {places}; nothing is downloaded")


def check_idx(owner: str, paths: Sequence[Path], images: Array, labels: Array, classes: int) -> None:
    """Refuse files that are no images, no labels, or not of each other."""
    if images.dtype != np.uint8 or images.ndim != 3:
        raise DataError(
            f"{owner}: {paths[0]}, byte 0: expected images uint8 [N, H, W], found {show_array(images)}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataError(f"{owner}: {paths[1]}, byte 0: expected labels uint8 [N], found {show_array(labels)}")
    if len(images) != len(labels):
        raise DataError(
            f"{owner}: {paths[1]}, byte 4: expected a label for each of the {len(images):,} images in "
            f"{paths[0]}, found {len(labels):,}"
        )
    wrong = np.flatnonzero(labels >= classes)
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{owner}: {paths[1]}, byte {8 + place}: expected a label below {classes}, found {labels[place]}"
        )
