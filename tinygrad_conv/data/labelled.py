"""What datasets of labelled images share: transforms, numbers of examples, state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, Union

from ..options import is_integer, show_given
from .datasets import Dataset

Function: TypeAlias = Callable[[Any], Any] | None
Root: TypeAlias = Union[str, "os.PathLike[str]"]


class LabelledImages(Dataset[tuple[Any, Any]]):
    """The base of datasets of images and labels: a subclass defines `__len__` and `image_and_label`.

    transform, target_transform: functions of an image and of a label, as an example is asked for.
    """

    classes: list[str]

    def __init__(self, transform: Function = None, target_transform: Function = None) -> None:
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no length: define `def __len__(self)`")

    def image_and_label(self, index: int) -> tuple[Any, int]:
        """An image and its label, as they are."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no images: define `def image_and_label(self, index)`")

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        if not is_integer(index):
            raise TypeError(f"{type(self).__name__}: index must be an int, not {show_given(index)}")
        if not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__}: there is no example {index} of {len(self)}")
        image, label = self.image_and_label(index)
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def state_dict(self) -> dict[str, Any]:
        """Where its transforms' own generators are, for a loader that goes on in mid-epoch."""
        return {name: member.state_dict() for name, member in self.stateful()}

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on from where `state_dict` was called. Raises ValueError for the state of another."""
        members = dict(self.stateful())
        if not isinstance(state_dict, dict) or set(state_dict) != set(members):
            wanted = " and ".join(members) or "nothing"
            given = show_given(state_dict)
            raise ValueError(f"{type(self).__name__}: the state must be of {wanted}, not {given}")
        for name, member in members.items():
            member.load_state_dict(state_dict[name])

    def stateful(self) -> Iterator[tuple[str, Any]]:
        """Its transforms that have a state."""
        for name in ("transform", "target_transform"):
            member = getattr(self, name)
            if hasattr(member, "state_dict") and hasattr(member, "load_state_dict"):
                yield name, member

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} images, {len(self.classes)} classes)"
