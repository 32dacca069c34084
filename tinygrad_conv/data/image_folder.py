"""A folder of images by class, read by Pillow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from ..engine.tensor import Tensor
from ..errors import DataError, MissingExtraError
from .labelled import Function, LabelledImages, Root
from .transforms import ToTensor

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
MOST_PIXELS = 2**26  # of an image, whose size is looked at before it is decoded


class ImageFolder(LabelledImages):
    """Images in folders that are named for their classes: `root/cat/1.png`; the names in order are the
    labels.

    Example i is (image, label): the image float32 [3, H, W] from 0 to 1, a Tensor, or what `transform` makes
    of it (`transforms.Resize((32, 32))`, to make them alike); the label an int, or what `target_transform`
    makes of it. loader: a function from a path to an image, in the place of Pillow. is_valid_file: which
    paths are images, by default those with the endings of images.

    Images are read when they are asked for; links are followed, but no folder of a class is read twice.
    Raises FileNotFoundError for no folders, or one without images; DataError for an image that cannot be
    read; MissingExtraError without Pillow.
    """

    def __init__(
        self,
        root: Root,
        transform: Function = None,
        target_transform: Function = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__(transform, target_transform)
        self.root = os.fspath(root)
        self.loader = loader or pillow_loader()
        self.classes = sorted(
            name for name in os.listdir(self.root) if os.path.isdir(os.path.join(self.root, name))
        )
        if not self.classes:
            raise FileNotFoundError(f"ImageFolder: {self.root} has no folders; each class needs one")
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        is_image = is_valid_file or (lambda path: path.lower().endswith(EXTENSIONS))
        self.samples = [
            (path, label)
            for name, label in self.class_to_idx.items()
            for path in images_in(os.path.join(self.root, name), is_image)
        ]
        self.imgs, self.targets = self.samples, [label for _, label in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def image_and_label(self, index: int) -> tuple[Any, int]:
        path, label = self.samples[index]
        return self.loader(path), label


def images_in(folder: str, is_image: Callable[[str], bool]) -> list[str]:
    """The images in a folder and the folders in it, in their order. Raises FileNotFoundError for none."""
    paths = [path for path in files_below(folder) if is_image(path)]
    if not paths:
        raise FileNotFoundError(f"ImageFolder: {folder} has no images ({', '.join(EXTENSIONS)})")
    return paths


def files_below(folder: str) -> Iterator[str]:
    """All files in a folder and those in it, in their order; no folder comes twice, whatever links say."""
    waiting, seen = [folder], set()
    while waiting:
        path = waiting.pop()
        if not os.path.isdir(path):
            if os.path.isfile(path):
                yield path
            continue
        real = os.path.realpath(path)
        if real not in seen:
            seen.add(real)
            waiting += (os.path.join(path, name) for name in sorted(os.listdir(path), reverse=True))


def pillow_loader() -> Callable[[str], Tensor]:
    """A function that reads an image with Pillow. Raises MissingExtraError without it."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError(
            "data.ImageFolder reads images with Pillow: pip install 'tinygrad_conv[examples]'; or pass loader"
        ) from None

    def load(path: str) -> Tensor:
        with open(path, "rb") as file:
            try:
                image = Image.open(file)
                check_size(path, *image.size)
                return ToTensor()(image.convert("RGB"))
            except DataError:
                raise
            except Exception as error:  # Pillow's readers raise nearly anything
                raise DataError(
                    f"ImageFolder: {path}, byte 0 and on: expected an image that Pillow can read, got "
                    f"{type(error).__name__}: {error}"
                ) from error

    return load


def check_size(path: str, width: int, height: int) -> None:
    """Refuse an image that would be too large in memory."""
    if width * height > MOST_PIXELS:
        raise DataError(
            f"ImageFolder: {path}: expected up to {MOST_PIXELS:,} pixels, found {width:,} × {height:,}"
        )
