"""What transforms share: images and batches of them, draws for each image, and the state of what draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...dtypes import CODES, Array, numbers_in
from ...engine.modes import is_grad_enabled
from ...engine.tensor import Tensor
from ...errors import DtypeError, GraphError, ShapeError, show_array
from ...options import show_given, wrap_constructor
from ...randomness.seeds import Random, random_numbers
from ...randomness.state import generator_state, set_generator_state
from .options import BY_CLASS, TRANSFORM


class Transform:
    """The base of transforms: a subclass defines `changed`, from a batch [N, C, H, W] to a new one."""

    is_for_batches = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        wrap_constructor(cls, TRANSFORM, BY_CLASS)

    def __call__(self, img: Any) -> Any:
        """The image, or the batch, changed."""
        name = type(self).__name__
        array = image_array(name, img)
        if is_grad_enabled() and getattr(img, "requires_grad", False):
            return self.recorded(img)
        changed = self.changed(array if array.ndim == 4 else array[None])
        result = changed if array.ndim == 4 else changed[0]
        return Tensor(result) if isinstance(img, Tensor) else result

    def changed(self, images: Array) -> Array:
        """A batch [N, C, H, W], changed."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} changes nothing: define `def changed(self, images)`")

    def recorded(self, img: Tensor) -> Tensor:
        """The same on the tape, where a transform can do that."""
        raise GraphError(
            f"{type(self).__name__}: img requires a gradient, which would be lost, as transforms compute "
            "with NumPy; pass img.detach() if that is meant"
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name != "generator")
        return f"{type(self).__name__}({shown})"


class RandomTransform(Transform):
    """The base of transforms that draw: for each image as many numbers as for every other.

    generator, seed: a numpy Generator or a seed of its own; by default it draws from the generator that
    `tg.manual_seed` resets.
    """

    def __init__(self, generator: Random = None, seed: Random = None) -> None:
        if generator is not None and seed is not None:
            raise ValueError(f"{type(self).__name__}: pass one of generator and seed")
        given = seed if generator is None else generator
        self.generator = None if given is None else random_numbers(given)

    def draw(self, count: int, numbers: int) -> Array:
        """float64 [count, numbers], uniform on [0, 1): a row for each image."""
        return random_numbers(self.generator).random((count, numbers))

    def state_dict(self) -> dict[str, Any]:
        """Where its own generator is; {} where it has none. For `load_state_dict`, and `tg.save`."""
        return {} if self.generator is None else {"generator": generator_state(self.generator)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on drawing from where `state_dict` was called. Raises ValueError for the state of another."""
        name = type(self).__name__
        expected = set() if self.generator is None else {"generator"}
        if not isinstance(state_dict, Mapping) or set(state_dict) != expected:
            has = "a generator of its own" if expected else "no generator of its own"
            raise ValueError(f"{name}: the state {show_given(state_dict)} is not this one's, which has {has}")
        if self.generator is not None:
            set_generator_state(name, self.generator, state_dict["generator"])


class Compose:
    """One transform after the other: any functions of an image, or of a batch, that those beside take."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, img: Any) -> Any:
        """The image, or the batch, changed by each."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        lines = "".join(f"    {transform!r},\n" for transform in self.transforms)
        return f"Compose([\n{lines}])" if lines else "Compose([])"

    def state_dict(self) -> dict[str, Any]:
        """The states of those that have one, by their places."""
        return {
            str(place): transform.state_dict()
            for place, transform in enumerate(self.transforms)
            if hasattr(transform, "state_dict")
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called. Raises ValueError for the state of others; then none of
        these has changed.
        """
        before = self.state_dict()
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(before):
            places = ", ".join(before) or "none"
            raise ValueError(f"Compose: {show_given(state_dict)} must have a state for each of {places}")
        try:
            self.load_members(state_dict)
        except Exception:
            self.load_members(before)
            raise

    def load_members(self, states: Mapping[str, Any]) -> None:
        """The states by place."""
        for place, state in states.items():
            member: Any = self.transforms[int(place)]
            member.load_state_dict(state)


wrap_constructor(Compose, TRANSFORM)


def takes_batches(transform: Any) -> bool:
    """Whether it is known to change a batch as it changes each image: it is of this package, to its end."""
    if isinstance(transform, Compose):
        return all(map(takes_batches, transform.transforms))
    return transform is None or getattr(transform, "is_for_batches", False) is True


def image_array(owner: str, img: Any) -> Array:
    """The numbers of an image [C, H, W] or a batch [N, C, H, W]."""
    if not isinstance(img, (Tensor, np.ndarray)) or isinstance(img, np.ma.MaskedArray):
        raise TypeError(
            f"{owner}: img must be a Tensor or an ndarray, not {type(img).__name__}; for a Pillow image, "
            "ToTensor() makes one"
        )
    array: Array = img.data if isinstance(img, Tensor) else img
    if array.dtype.char not in CODES:
        raise DtypeError(f"{owner}: img must be of numbers, not {array.dtype}")
    if array.ndim not in (3, 4):
        raise ShapeError(f"{owner}: img must be [C, H, W] or a batch [N, C, H, W], not {show_array(array)}")
    return array


def for_channels(owner: str, name: str, value: Any, images: Array) -> Array:
    """A number, or one for each channel, as an array that broadcasts with a batch."""
    numbers = np.asarray(value, np.float64).reshape(-1)
    if len(numbers) not in (1, images.shape[1]):
        raise ShapeError(
            f"{owner}: {name} has {len(numbers)} numbers for the {images.shape[1]} channels of "
            f"{show_array(images)}; give one, or as many"
        )
    try:
        return numbers_in(numbers, images.dtype).reshape(1, -1, 1, 1)
    except OverflowError as error:
        raise OverflowError(f"{owner}: {name}: {error}") from None


def pair_of(size: Any) -> tuple[int, int]:
    """(height, width) of a size that may be one number for both."""
    height, width = (
        (size, size) if isinstance(size, int) or not hasattr(size, "__len__") else (size[0], size[-1])
    )
    return int(height), int(width)
