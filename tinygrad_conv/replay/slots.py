"""The slots of a recording, and the lines in it: arrays are known by their identity."""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from weakref import ref

import numpy as np

from ..engine.location import Where, user_where
from ..engine.observed import LAYER
from ..engine.tensor import Tensor
from ..optim.drafts import memory_owner
from .bare import unwatched
from .liveness import parts_of
from .program import Line, Recorded, Slot, form_of
from .values import Argument, ArrayIn, TensorIn

LISTENERS = attrgetter("_listeners")


class Known:
    """Numbers by arrays: by which they are, not by what is in them. They may be gone by now, and are unknown
    then, whoever has their place in memory.
    """

    def __init__(self) -> None:
        self.entries: dict[int, tuple[Any, int]] = {}  # by id: a weak reference, and the number
        self.watched: dict[Any, int] = {}  # by where they are and how they are laid out

    def get(self, array: Any) -> int | None:
        """The number of an array, None if it has none; of anything else too."""
        reference, number = self.entries.get(id(array), (None, None))
        if reference is not None and reference() is array:
            return number
        if not self.watched or type(array) is not np.ndarray:
            return None
        return self.watched.get(memory_shown_by(array))

    def note(self, array: Any, number: int) -> int:
        """Give an array its number."""
        self.entries[id(array)] = ref(array), number
        return number

    def note_watched(self, array: Any, number: int) -> None:
        """Give an array of the step's arguments its number, and all that shows the same of its memory: NumPy
        makes an array of a view that is watched where it would have taken the array itself.
        """
        self.watched[memory_shown_by(array)] = self.note(array, number)


class Slots:
    """What a trace writes to. Each array that is seen gets a slot.

    Of those that the step makes, nothing but their form is kept, so that a recording takes no more memory
    than the step itself.
    """

    def __init__(self, tensors: list[Tensor], arrays: list[Any], keeps: bool = False) -> None:
        """tensors, arrays: those that the step is called with. keeps: what the step makes is kept too."""
        self.recorded = Recorded()
        self.keeps = keeps
        self.slot_of, self.memory = Known(), Known()  # the latter by arrays that own memory
        self.outside: dict[int, int] = {}  # slots of tensors from outside, by id
        self.alive: list[Any] = []
        self.argument_of = {id(tensor): number for number, tensor in enumerate(tensors)}
        self.made: set[int] = set()  # slots of tensors that a function made
        self.born = Known()  # tensors that the step makes around an array that another one has
        self.private: dict[int, Any] = {}  # leaves that the step makes itself: nobody sees their `.grad`
        for array in [*(tensor._data for tensor in tensors), *arrays]:
            self.new("argument", array)
        for number, array in enumerate(arrays, len(tensors)):
            self.slot_of.note_watched(unwatched(array), number)

    def new(self, origin: str, value: Any, array: Any = None) -> int:
        """A slot for a value."""
        number = len(self.recorded.slots)
        shown = value if array is None else array
        self.recorded.slots.append(Slot(origin, value))
        self.recorded.owners.append(number)
        if origin in ("constant", "outside"):
            self.recorded.slots[number].first = shown.copy() if hasattr(shown, "copy") else value
            self.alive.append(shown)
        self.place(number, value if origin == "computed" else shown)
        return number

    def place(self, number: int, value: Any) -> None:
        """What is in a slot is known from now on, and whose memory it is in."""
        slot = self.recorded.slots[number]
        if slot.origin == "computed":
            slot.value = value if self.keeps else form_of(value)
        if isinstance(value, np.ndarray):
            self.slot_of.note(value, number)
        for part in parts_of(value):
            base = memory_owner(part)
            owner = self.memory.get(base)
            owner = self.memory.note(base, number) if owner is None else owner
            self.recorded.owners[number] = min(owner, self.recorded.owners[number])

    def slot(self, value: Any) -> int:
        """The slot of an array, or of a constant."""
        known = self.slot_of.get(value)
        return self.new("constant", value) if known is None else known

    def slot_of_tensor(self, tensor: Tensor) -> int:
        """The slot of a tensor's array; one that nothing in the step made comes from outside."""
        known = self.slot_of.get(tensor._data)
        if known is None:
            if tensor._edge is not None:
                self.refuse("a tensor comes with its tape from outside of the step; pass x.detach()")
            number = self.new("outside", tensor, tensor._data)
            self.outside[id(tensor)] = number
            return number
        if self.is_anothers(known, tensor):
            self.refuse("a tensor from outside has the very array of another one, or of an argument")
        return known

    def is_anothers(self, number: int, tensor: Tensor) -> bool:
        """Whether a slot is another tensor's, and nothing in the step made this one: each may get an array of
        its own some day, and has its own `.grad`.
        """
        of_outside = self.recorded.slots[number].origin in ("outside", "argument")
        return of_outside and not (
            id(tensor) in self.outside or id(tensor) in self.argument_of or self.born.get(tensor) is not None
        )

    def mark(self, value: Any) -> Any:
        """The mark for a tensor or an array that a call was given."""
        if not isinstance(value, Tensor):
            known = self.slot_of.get(value)
            return value if known is None else ArrayIn(known)
        if getattr(value, "is_uninitialized", False):
            return value
        if id(value) in self.private:
            self.refuse("a leaf that the step makes itself has a .grad, and is used further")
        if id(value) in self.argument_of:
            return Argument(self.argument_of[id(value)])
        number = self.slot_of_tensor(value)
        if id(value) in self.outside:
            return value  # itself, for whatever the step has made of its numbers by now
        return TensorIn(number, number in self.made)

    def array_mark(self, value: Any) -> Any:
        """The mark for a tensor or an array among the params of an op, which takes arrays."""
        number = self.slot_of_tensor(value) if isinstance(value, Tensor) else self.slot_of.get(value)
        return value if number is None else ArrayIn(number)

    def write(
        self,
        kind: str,
        name: str,
        target: Any,
        reads: Any,
        writes: Any,
        details: Any = None,
        where: Where | None = None,
        layer: str | None = None,
    ) -> None:
        """One more line."""
        where = user_where() if where is None else where
        layer = LAYER.get() if layer is None else layer
        self.recorded.lines.append(
            Line(kind, name, target, tuple(reads), tuple(writes), details, where, layer)
        )

    def refuse(self, reason: str, where: Where | None = None) -> None:
        """The step cannot be replayed."""
        self.recorded.refuse(reason, user_where() if where is None else where)


def memory_shown_by(array: Any) -> Any:
    """What of which memory an array shows."""
    return array.__array_interface__["data"], array.shape, array.strides, array.dtype


def awaited(listeners: Any) -> bool:
    """Whether hooks wait for the gradient of a leaf."""
    return listeners is not None and (any(listeners.hooks.values()) or bool(listeners.accumulated))
