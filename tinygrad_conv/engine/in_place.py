"""`x += y`, `x[0] = y`, `x.relu_()`: changes in place.

Rules read the arrays of earlier results, so these never change. Instead the Tensor object becomes the new
result: it takes over its array and its place on the tape, and whoever else holds the object sees the change,
while what was computed from it before keeps the old array. The memory of a leaf (a parameter under no_grad,
data, a buffer) is written to, and its version counter tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import DtypeError, MutationError, ShapeError, show_array, show_tensor
from .commit import Changes
from .instructions import stores_back_an_item
from .location import show_where, user_where
from .memory import is_expanded, overlap
from .modes import GRAD
from .observed import observable, unobserved
from .registry import OPS


def change(tensor: Any, symbol: str, compute: Callable[..., Any], *operands: Any, part: Any = None) -> Any:
    """Change a tensor in place: into what `compute` makes of it and the operands, out of place.

    symbol: what messages call the change. part: the index of what alone changes, where that is so. Raises
    MutationError where another tensor would have to change too, ShapeError and DtypeError where the result
    does not fit in; everything is as it was then.
    """
    recorded = GRAD.get() and any(getattr(value, "requires_grad", False) for value in (tensor, *operands))
    if recorded and tensor._requires_grad and tensor._edge is None:
        raise leaf_error(tensor, symbol)
    if not recorded and is_a_leafs(tensor):
        check_not_expanded(tensor)
        check_no_stand_ins(tensor, symbol)
    elif stores_back_an_item(tensor, user_where()):
        return compute(tensor, *operands)  # x[0] += 1: the change of x itself is what follows
    else:
        check_alone(tensor, symbol, operands, part)
    if recorded:
        take_over(tensor, fitted(tensor, symbol, compute(tensor, *operands)))
        return tensor
    change_off_the_tape(tensor, symbol, compute, operands)
    return tensor


@observable
def change_off_the_tape(
    tensor: Any, symbol: str, compute: Callable[..., Any], operands: tuple[Any, ...]
) -> None:
    """Change a tensor of which nothing is recorded."""
    with unobserved():
        result = fitted(tensor, symbol, compute(*map(off_the_tape, (tensor, *operands))))
    put(tensor, result._data)


def off_the_tape(operand: Any) -> Any:
    """An operand that nothing is recorded of: Ctrl-C could leave a block of no_grad without its end."""
    return operand.detach() if hasattr(operand, "_edge") else operand


def is_a_leafs(tensor: Any) -> bool:
    """Whether the memory is a leaf's, to be written to; that of a result never is."""
    if tensor._memory is None:
        return bool(tensor._data.flags.writeable)
    return bool(tensor._memory.changeable and not tensor._memory.member(tensor).has_own_array)


def fitted(tensor: Any, symbol: str, result: Any) -> Any:
    """A result as it takes the tensor's place: of the same shape and dtype, in memory of its own."""
    if result.shape != tensor.shape:
        raise ShapeError(
            f"{symbol}: the result would be {show_array(result._data)}, but x is {show_tensor(tensor)}, "
            "and a change in place keeps the shape; write x = x … for a new tensor"
        )
    if not np.can_cast(result.dtype, tensor.dtype, "same_kind"):
        raise DtypeError(
            f"{symbol}: the result would be {result.dtype}, but x is {show_tensor(tensor)}, and a change "
            "in place keeps the dtype; write x = x … for a new tensor"
        )
    if result.dtype != tensor.dtype:
        return OPS["to"](result, dtype=tensor.dtype)
    return result if result._memory is None else OPS["clone"](result)


def take_over(tensor: Any, result: Any) -> None:
    """Become a result: its array and its node. Hooks stay with the old node; retain_grad moves along."""
    changes = Changes()
    old, new = tensor._edge, result._edge
    retained = old.node._listeners.retained if old is not None and old.node._listeners is not None else {}
    if old is not None and old.slot in retained and retained[old.slot]() is tensor:
        others = {slot: other for slot, other in retained.items() if slot != old.slot}
        changes.refill(retained, others)
        if new is not None:
            changes.update(new.node.listeners().retained, {new.slot: retained[old.slot]})
    give_own_array(changes, tensor, result._data)
    changes.set(tensor, "_edge", new)
    changes.set(tensor, "_requires_grad", result._requires_grad)
    changes.commit()


def leave_tape(tensor: Any) -> None:
    """Forget what a tensor was made by: it becomes a leaf that needs no gradient, with the same numbers.

    Raises MutationError for a view, or what has one: the others would stay on the tape.
    """
    if tensor._edge is not None:
        check_alone(tensor, "x.detach_()", (), None)
        tensor.memory()  # which knows that it was recorded
    changes = Changes()
    changes.set(tensor, "_edge", None)
    changes.set(tensor, "_requires_grad", False)
    changes.commit()


def put(tensor: Any, numbers: Array) -> None:
    """Other numbers: in the memory of a leaf, through a view of it as well; a result keeps its node."""
    changes = Changes()
    if is_a_leafs(tensor):
        changes.write(tensor, numbers)
    else:
        numbers.setflags(write=False)
        give_own_array(changes, tensor, numbers)
    changes.commit()


def give_own_array(changes: Changes, tensor: Any, array: Array) -> None:
    """A result gets an array of its own; where views of the old one are alive, it is known to them still."""
    memory = tensor._memory
    if memory is not None and memory.beside(tensor):
        memory.leave(tensor, tensor._data)
    else:
        changes.set(tensor, "_memory", None)
    changes.set(tensor, "_data", array)


def overwrite(tensor: Any, values: Any) -> None:
    """Other numbers, whatever the old ones were."""
    if is_a_leafs(tensor):
        check_not_expanded(tensor)
    else:
        check_alone(tensor, "x[…] = …", (), None)
    numbers = np.empty_like(tensor._data)
    numbers[...] = values
    put(tensor, numbers)


def check_not_expanded(tensor: Any) -> None:
    """Refuse a change of what shows one number in several places."""
    if is_expanded(tensor._data):
        raise MutationError(
            f"x is {show_tensor(tensor)}, an expanded view: several of its numbers are one in memory. "
            "Change its .clone(), or the tensor that was expanded"
        )


def check_no_stand_ins(tensor: Any, symbol: str) -> None:
    """Refuse a change of a leaf that a copy in the place of a view would not show."""
    if tensor._memory is None:
        return
    for member in tensor._memory.members:
        copy = member.tensor() if member.stands_in else None
        if copy is not None:
            raise MutationError(
                f"{symbol}: {show_tensor(copy)}, made at {show_where(member.where)}, stands for a view of "
                f"{show_tensor(tensor)}, but is a copy, which would not change with it. Write x = x … for a "
                "new tensor, or .clone() where the view is made"
            )


def check_alone(tensor: Any, symbol: str, operands: tuple[Any, ...], part: Any) -> None:
    """Refuse a change that other tensors would have to show: views of this one, or what it is a view of."""
    memory = tensor._memory
    if memory is None:
        return
    for other in memory.beside(tensor):
        read_alone = part is not None and any(other is operand for operand in operands)
        if read_alone and not reaches(tensor, part, other):
            continue  # x[0] = x[1]
        view, base = (other, tensor) if memory.member(other).where is not None else (tensor, other)
        made_at = show_where(memory.member(view).where)
        raise MutationError(
            f"{symbol}: {show_tensor(view)}, made at {made_at}, is a view of {show_tensor(base)}, and the "
            "other would have to change too. Write x = x … for a new tensor, or make the view a copy where "
            "it is made (.clone()); to change the base through an index, write base[…] = …"
        )


def reaches(tensor: Any, part: Any, other: Any) -> bool:
    """Whether a part of one tensor is shown by another of its family, or was before one of them left."""
    then = overlap(region(tensor._memory.shown_by(tensor), part), tensor._memory.shown_by(other))
    return then or overlap(region(tensor._data, part), other._data)


def region(array: Array, index: Any) -> Array:
    """The part of the memory that an index reaches; of an index by arrays, all of it."""
    parts = index if isinstance(index, tuple) else (index,)
    whole = parts if any(part is Ellipsis for part in parts) else (*parts, ...)  # a number is an array too
    reached = array[whole]
    return reached if np.may_share_memory(reached, array) else array


def leaf_error(tensor: Any, symbol: str) -> MutationError:
    """What to do instead of changing a leaf that requires a gradient behind the tape."""
    return MutationError(
        f"{symbol} would change {show_tensor(tensor)}, a leaf that requires a gradient, behind the tape. "
        "To update it, do it under `with tg.no_grad():`; to compute with it, make a new tensor (x = x + …)"
    )
