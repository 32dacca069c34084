"""Values of pixels: as numbers from 0 to 1, normalised, by a function, erased."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import CODES, Array, check_unmasked, get_default_dtype
from ...engine.tensor import Tensor
from ...errors import DtypeError, ShapeError, show_array
from ...options import wrap_constructor
from ...randomness.seeds import Random, random_numbers
from .base import RandomTransform, Transform, for_channels
from .options import TRANSFORM

PLAIN_MODES = {"P": "RGB", "1": "L"}  # of Pillow's, what images of colours by number, and of bits, become
ATTEMPTS = 10  # to draw a rectangle that fits


class ToTensor:
    """A picture as a Tensor [C, H, W]: of an ndarray [H, W] or [H, W, C], or of a Pillow image.

    uint8 becomes float32 (the default dtype) from 0 to 1; other dtypes stay as they are. A Tensor passes
    unchanged, for this package's datasets give [C, H, W] where torchvision's give images of Pillow's.
    """

    is_for_batches = True  # of Tensors

    def __call__(self, pic: Any) -> Tensor:
        """The picture as a Tensor."""
        if isinstance(pic, Tensor):
            return pic
        array = picture_array(pic)
        array = array[:, :, None] if array.ndim == 2 else array
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
        return Tensor(array.astype(get_default_dtype()) / 255 if array.dtype == np.uint8 else array)

    def __repr__(self) -> str:
        return "ToTensor()"


def picture_array(pic: Any) -> Array:
    """The numbers of a picture, [H, W] or [H, W, C]."""
    if isinstance(pic, np.ndarray):
        check_unmasked(pic, "ToTensor")
        array = pic
    elif hasattr(pic, "__array_interface__") and hasattr(pic, "getbands"):
        array = np.asarray(pic.convert(PLAIN_MODES[pic.mode]) if pic.mode in PLAIN_MODES else pic)
    else:
        raise TypeError(f"ToTensor: pic must be an ndarray or a Pillow image, not {type(pic).__name__}")
    if array.ndim not in (2, 3):
        raise ShapeError(f"ToTensor: pic must be [H, W] or [H, W, C], not {show_array(array)}")
    if array.dtype.char not in CODES:
        raise DtypeError(f"ToTensor: pic must be of numbers, not {array.dtype}")
    return array


class Normalize(Transform):
    """(image - mean) / std, each a number or one for each channel. inplace: in the array that was given."""

    def __init__(
        self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False
    ) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace
        if not np.asarray(std, np.float64).all():
            raise ValueError(f"Normalize: std must not be 0, got {std}")

    def center_and_scale(self, images: Array) -> tuple[Array, Array]:
        """mean and std, to broadcast with a batch."""
        if images.dtype.kind != "f":
            raise DtypeError(
                f"Normalize: img must be floating-point, not {show_array(images)}; put ToTensor() before it, "
                "or divide by 255"
            )
        mean = for_channels("Normalize", "mean", self.mean, images)
        return mean, for_channels("Normalize", "std", self.std, images)

    def recorded(self, img: Tensor) -> Tensor:
        images = img.data if img.ndim == 4 else img.data[None]
        mean, std = self.center_and_scale(images)
        mean, std = (mean, std) if img.ndim == 4 else (mean[0], std[0])
        return img.sub_(mean).div_(std) if self.inplace else (img - mean) / std

    def changed(self, images: Array) -> Array:
        mean, std = self.center_and_scale(images)
        target = images if self.inplace else np.empty_like(images)
        np.subtract(images, mean, out=target)
        target /= std
        return target


class Lambda:
    """A function of an image, or of a batch, as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """What the function makes of it."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"Lambda({getattr(self.lambd, '__qualname__', self.lambd)})"


wrap_constructor(Lambda, TRANSFORM)


class RandomErasing(RandomTransform):
    """A rectangle is set to a value, with probability p ("cutout"; Zhong et al. 2017).

    scale: between which shares of the image its area lies; ratio: between which numbers its height by its
    width. value: a number, one for each channel, or "random", normal noise for each pixel. inplace: in the
    array that was given. Where none of ten drawn rectangles is smaller than the image, it stays as it is.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0,
        inplace: bool = False,
        *,
        generator: Random = None,
        seed: Random = None,
    ) -> None:
        super().__init__(generator, seed)
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    def changed(self, images: Array) -> Array:
        target = images if self.inplace else images.copy()
        if self.value == "random":
            if images.dtype.kind != "f":
                raise DtypeError(f"RandomErasing: noise is floating-point, img is {show_array(images)}")
            value = None
        else:
            value = for_channels("RandomErasing", "value", self.value, images)[0]
        for image in target:
            chance, *numbers = self.draw(1, 1 + 4 * ATTEMPTS)[0].tolist()
            rectangle = self.rectangle(numbers, image.shape[1:]) if chance < self.p else None
            if rectangle is not None:
                rows, columns = rectangle
                part = image[:, rows, columns]
                part[...] = self.noise(part.shape) if value is None else value
        return target

    def rectangle(self, numbers: list[float], size: tuple[int, ...]) -> tuple[slice, slice] | None:
        """The first rectangle that is smaller than the image, from four numbers on [0, 1) each."""
        low, high = map(math.log, self.ratio)
        for share, shape, down, right in zip(*(numbers[place::4] for place in range(4))):
            area = size[0] * size[1] * (self.scale[0] + (self.scale[1] - self.scale[0]) * share)
            ratio = math.exp(low + (high - low) * shape)
            height, width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if height < size[0] and width < size[1]:
                top = int(down * (size[0] - height + 1))
                left = int(right * (size[1] - width + 1))
                return slice(top, top + height), slice(left, left + width)
        return None

    def noise(self, shape: tuple[int, ...]) -> Array:
        """Normal numbers."""
        return random_numbers(self.generator).standard_normal(shape)
