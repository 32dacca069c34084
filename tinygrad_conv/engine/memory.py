"""`Memory`: who shows the same numbers, and when they were last changed.

A view (`x[0]`, `x.T`, `x.detach()`) shows the memory of the tensor it was made of. The tensors of such a
family share one `Memory`: a rule that would read a leaf which has changed since is refused by its version,
and a tensor is changed in place only where no other one would have to change with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any, NamedTuple, TypeAlias
from weakref import ref

import numpy as np

from ..dtypes import Array
from ..errors import show_tensor
from .location import Where

WHOLE = 4096  # bytes, up to which the contents of an array are kept as a whole to compare with later
SAMPLES = 64  # numbers kept of a larger one
MANY = 16  # members, beyond which those that are gone are taken out
_LOCK = RLock()  # guards the lists of members, for threads that make views of the same tensor


class Member(NamedTuple):
    """A tensor that shows the memory."""

    tensor: ref[Any]
    where: Where | None  # the line that made it, a view of another; None: the others are views of it
    copied: bool  # it stands for a view, but it, or what it is a view of, had to be laid out anew
    left: Array | None = None  # what it showed of the memory, before it got an array of its own
    stands_in: bool = False  # it is a copy where PyTorch has a view, which would follow every change

    @property
    def has_own_array(self) -> bool:
        """Whether it, and so a view of it, has numbers apart from the memory."""
        return self.copied or self.left is not None


member_of: Callable[[tuple[Any, ...]], Member] = partial(tuple.__new__, Member)
"""A Member of all its fields, in half the time: each view makes two."""


class Memory:
    """The memory that a family of tensors shows."""

    __slots__ = ("changeable", "members", "recorded", "version")

    def __init__(self, owner: Any, changeable: bool) -> None:
        self.changeable = changeable  # a leaf's, which may change in place; a result's array never does
        self.recorded = owner._edge is not None  # rules may read it, with nothing to compare it with
        self.version = 0  # when it last changed in place
        self.members = [member_of((ref(owner), None, False, None, False))]

    def add(self, view: Any, where: Where, copied: bool, stands_in: bool = False) -> None:
        """One more tensor shows it."""
        with _LOCK:
            if len(self.members) >= MANY:
                self.members = [member for member in self.members if member.tensor() is not None]
            self.members.append(member_of((ref(view), where, copied, None, stands_in)))

    def beside(self, tensor: Any) -> list[Any]:
        """The other tensors alive that show it."""
        alive = [member.tensor() for member in self.members]
        return [other for other in alive if other is not None and other is not tensor]

    def leave(self, tensor: Any, shown: Array) -> None:
        """One of its tensors has an array of its own now. It stays while others are alive: they are views of
        it still, and would have to change with it.
        """
        with _LOCK:
            self.members = [
                member._replace(left=shown) if member.tensor() is tensor and member.left is None else member
                for member in self.members
            ]

    def may_be_shared_by(self, tensor: Any) -> bool:
        """Whether one of its tensors may hand its array to somebody who might write to it: a change would be
        noticed before a rule reads it.
        """
        return not self.member(tensor).has_own_array and (self.changeable or not self.recorded)

    def shown_by(self, tensor: Any) -> Array:
        """What one of its tensors shows of the memory, or did before it left."""
        left = self.member(tensor).left
        return tensor._data if left is None else left

    def show(self) -> str:
        """One of its tensors, for messages: the one that the others are views of, where it lives."""
        alive = [member.tensor() for member in self.members]
        return next((show_tensor(tensor) for tensor in alive if tensor is not None), "a tensor")

    def member(self, tensor: Any) -> Member:
        """What is known of one of its tensors."""
        for member in self.members:  # faster than next() of a generator: each view of a view is looked up
            if member.tensor() is tensor:
                return member
        raise LookupError(f"{show_tensor(tensor)} does not show this memory")


Contents: TypeAlias = "tuple[Memory, Array, bytes]"
"""What an op read that may change: a leaf's memory, an array that shows it, and the numbers that were in it:
all of a small one (`array.tobytes()`), a sample of one that has more than WHOLE bytes.
"""


def sample(array: Array) -> bytes:
    """A few numbers of a large array, evenly spaced."""
    step = array.size // SAMPLES | 1  # odd, so that it does not stay in one column
    return (array.reshape(-1) if array.flags.c_contiguous else array.flat)[::step].tobytes()


def read_only(array: Any) -> Any:
    """An array as rules and users' forwards get to see it: somebody else holds the same numbers."""
    view = array.view()
    view.setflags(False)  # read-only; `write=` by keyword would take twice as long
    return view


def is_expanded(array: Array) -> bool:
    """Whether one number in memory stands in several places of an array."""
    return bool(array.size) and any(
        stride == 0 < size - 1 for stride, size in zip(array.strides, array.shape)
    )


def overlap(array: Array, other: Array) -> bool:
    """Whether two arrays have a number in common; where that is hard to tell, yes."""
    enough: Any = 10_000  # slices, transposes and diagonals need far fewer steps
    try:
        return np.shares_memory(array, other, max_work=enough)
    except np.exceptions.TooHardError:
        return True
