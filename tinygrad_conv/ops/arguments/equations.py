"""The equation of einsum, spelled out for given shapes."""

from __future__ import annotations

import string
from functools import lru_cache
from typing import NamedTuple

from ...errors import ShapeError, show_shape

Shape = tuple[int, ...]


class Terms(NamedTuple):
    """An equation in which every dimension has a letter; those of an operand that broadcast are left out."""

    inputs: list[str]
    output: str
    shapes: list[list[int]]  # of the operands, without the dimensions that broadcast
    sizes: dict[str, int]


@lru_cache(maxsize=512)
def parse(equation: str, shapes: tuple[Shape, ...]) -> Terms:
    """The equation, spelled out, once for the same shapes.

    Raises ShapeError where the shapes do not fit it, ValueError where it cannot be read.
    """
    given, arrow, output = equation.replace(" ", "").partition("->")
    if given.count(",") + 1 != len(shapes):
        raise ShapeError(
            f"einsum: {equation!r} names {given.count(',') + 1} operands, but {len(shapes)} are given"
        )
    operands = list(zip(given.split(","), shapes))
    stand_ins = unused(equation, max(len(shape) - len(term.replace("...", "")) for term, shape in operands))
    inputs = [spell_out(term, stand_ins, shape, equation) for term, shape in operands]
    once = "".join(letter for letter in sorted(given.replace(",", "")) if given.count(letter) == 1)
    output = (output if arrow else "..." + once).replace("...", stand_ins)
    sizes = sizes_of(inputs, shapes, equation)
    if len(set(output)) < len(output) or not set(output) <= set(sizes) <= set(string.ascii_letters):
        wanted = "letters with an output that names letters of the operands, each once"
        raise ValueError(f"einsum: {equation!r} must be {wanted}")
    kept = [
        [(letter, size) for letter, size in zip(term, shape) if size == sizes[letter]]
        for term, shape in zip(inputs, shapes)
    ]
    inputs = ["".join(letter for letter, _ in operand) for operand in kept]
    return Terms(inputs, output, [[size for _, size in operand] for operand in kept], sizes)


def spell_out(term: str, stand_ins: str, shape: Shape, equation: str) -> str:
    """An operand's letters, with as many stand-ins for `...` as it has dimensions left."""
    count = len(shape) - len(term.replace("...", ""))
    if count < 0 or (count and "..." not in term):
        dimensions = f"the {len(shape)} dimensions of {show_shape(shape)}"
        raise ShapeError(f"einsum: {term!r} of {equation!r} does not name {dimensions}")
    return term.replace("...", stand_ins[len(stand_ins) - count :])


def sizes_of(inputs: list[str], shapes: tuple[Shape, ...], equation: str) -> dict[str, int]:
    """The size that each letter stands for."""
    sizes: dict[str, int] = {}
    for letter, size in [named for operand in zip(inputs, shapes) for named in zip(*operand)]:
        if size != sizes.setdefault(letter, size) and 1 not in (size, sizes[letter]):
            raise ShapeError(
                f"einsum: {letter!r} of {equation!r} is {sizes[letter]} in one operand and {size} in another"
            )
        sizes[letter] = size if sizes[letter] == 1 else sizes[letter]
    return sizes


def unused(used: str, count: int) -> str:
    """Letters that stand for nothing yet."""
    return "".join(letter for letter in string.ascii_letters if letter not in used)[:count]
