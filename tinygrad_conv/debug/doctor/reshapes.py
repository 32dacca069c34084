"""Reshapes that scramble: a view that swaps sizes only cuts the same numbers into other rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, product
from math import prod
from operator import mul

from ...errors import show_shape
from .axes import order_in_source
from .finding import Finding
from .seen import History, OpSeen

MOST_AXES = 6  # of which groups are tried


def examine(history: History) -> Iterator[Finding]:
    """Reshapes in the place of transposes."""
    told, known = set[object](), set[object]()
    for op in history.ops:
        if op.op != "reshape" or op.where in told or not op.readers or is_filled_up(op.before()):
            continue
        before, after = op.inputs[0].shape, op.shape
        if (op.where, before, after) in known:
            continue
        known.add((op.where, before, after))
        order = order_in_source(op.place, before, after)
        if scrambles(op) or order is not None and moves(order, before):
            told.add(op.where)
            yield Finding(
                "scrambled_axes",
                f"view or reshape takes the sizes of axes in another order, which scrambles the numbers: "
                f"{show_shape(before)} to {show_shape(after)}",
                "it only cuts the same numbers into other rows, in the same order: what belonged to one "
                "sample and place is mixed with what belonged to others",
                advice_for(before, after, order),
                op.place,
                weight=80,
            )


def moves(order: list[int], sizes: tuple[int, ...]) -> bool:
    """Whether axes are asked for in another order than they have; those of one number may stand anywhere."""
    wide = [axis for axis in order if sizes[axis] != 1]
    return wide != sorted(wide)


def scrambles(op: OpSeen) -> bool:
    """Whether a reshape gives axes the sizes of each other, joins some that are not neighbours, or splits one
    and puts a part before another.
    """
    before = tuple(size for size in op.inputs[0].shape if size != 1)
    after = tuple(size for size in op.shape if size != 1)
    if len(before) < 2:
        return False
    if len(before) == len(after):
        return before != after and Counter(before) == Counter(after) and len(before) >= 3
    return splits_the_wrong_axis(before, after) or joins_across(before, after)


def joins_across(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether [T, N, C] becomes [N, T·C], or the other way round: as if axes had been moved.

    Only where no reading is left that moves nothing: [4, 6, 8] may become [8, 24] by cutting 6 into 2·3.
    """
    return not keeps_order(before, after) and grouped(before, after) is not None


def keeps_order(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether neighbouring axes are joined and single ones cut, and no more: each end of an axis, counted in
    numbers, is then a multiple of the one before, whichever of the shapes it is of.
    """
    ends = sorted({*accumulate(before, mul), *accumulate(after, mul)})
    return all(later % earlier == 0 for earlier, later in zip(ends, ends[1:]))


def grouped(before: tuple[int, ...], after: tuple[int, ...]) -> list[int] | None:
    """The axes of the longer shape in the order in which they make up those of the shorter; None if they
    cannot.
    """
    longer, shorter = sorted((before, after), key=len, reverse=True)
    if not len(shorter) < len(longer) <= MOST_AXES:
        return None
    for owners in product(range(len(shorter)), repeat=len(longer)):
        sizes = [
            prod(size for size, its in zip(longer, owners) if its == owner) for owner in range(len(shorter))
        ]
        if tuple(sizes) == shorter:
            return sorted(range(len(longer)), key=lambda axis: owners[axis])
    return None


def is_filled_up(maker: OpSeen | None) -> bool:
    """Whether rows were made longer by a constant: a view shifts them then, as relative positions do."""
    if maker is None or maker.op == "pad":
        return maker is not None
    return maker.op == "cat" and any(given.producer is None and not given.wanted for given in maker.inputs)


def splits_the_wrong_axis(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether [N, T, H·D] becomes [N, H, T, D]: an inner axis is split, and a part of it put before T."""
    if len(after) != len(before) + 1 or len(before) < 3 or before[0] != after[0]:
        return False
    kept = set(accumulate(before, mul))
    split = [axis for axis in range(1, len(after) - 1) if after[axis + 1] == before[axis]]
    return any(
        after[axis] * after[axis + 2] == before[axis + 1]
        and list(accumulate(after, mul))[axis + 1] not in kept | {0}
        and after[axis] != before[axis]
        for axis in split
        if axis + 2 < len(after) and axis + 1 < len(before)
    ) and not set(accumulate(before, mul)) <= set(accumulate(after, mul))


def advice_for(before: tuple[int, ...], after: tuple[int, ...], order: list[int] | None) -> str:
    """What to write; order: the axes as the source asks for them, where it says so."""
    if order is not None and len(before) > len(after):
        return f"move the axes first: x.permute({as_arguments(order)}).reshape({as_arguments(after)})"
    if order is not None and len(before) == len(after):
        return f"move the axes: x.permute({as_arguments(order)})"
    if len(before) == len(after):
        return f"swap the axes with {swapped(before, after)}"
    order = grouped(before, after)
    if order is None:
        return "move the axes with x.permute(…), before they are joined or after they are cut"
    if len(before) > len(after):
        return f"move the axes first: x.permute({as_arguments(order)}).reshape({as_arguments(after)})"
    cut = [after[axis] for axis in order]
    back = [order.index(axis) for axis in range(len(order))]
    advice = "cut the axes in their order, and move them then"
    return f"{advice}: x.reshape({as_arguments(cut)}).permute({as_arguments(back)})"


def as_arguments(numbers: Iterable[int]) -> str:
    """Sizes, or axes, as arguments."""
    return ", ".join(map(str, numbers))


def swapped(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """The op that gives axes the sizes of each other."""
    moved = [axis for axis, (old, new) in enumerate(zip(before, after)) if old != new]
    if len(moved) == 2:
        return f"x.transpose({moved[0]}, {moved[1]})"
    return f"x.permute({as_arguments(order_of(before, after))})"


def order_of(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """The axis that each size comes from."""
    left = list(range(len(before)))
    order = []
    for size in after:
        axis = next(axis for axis in left if before[axis] == size)
        left.remove(axis)
        order.append(axis)
    return order
