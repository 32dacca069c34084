"""einsum: products summed over indices, of which every matrix product, trace and outer product is a case."""

from __future__ import annotations

import string
from typing import NamedTuple

import numpy as np

from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .precision import wide
from .shape import reshape


@primitive
def einsum(*xs, equation):
    """Σ of products by their indices, as in Y[i,k] = Σ_j A[i,j] B[j,k], which is einsum("ij,jk->ik", a, b).

    A letter names a dimension; those that the output does not name are summed over. Dimensions of size 1
    broadcast, and `...` stands for any number of dimensions that do. Without `->` the output has those, and
    the letters that occur once, in alphabetical order. Raises ShapeError where operands do not fit the
    equation, ValueError for what is no equation.
    """
    terms = parse(equation, tuple(x.shape for x in xs))
    parts = [wide(x).reshape(shape) for x, shape in zip(xs, terms.shapes)]
    y = np.einsum(f"{','.join(terms.inputs)}->{terms.output}", *parts, optimize=len(xs) > 1)
    return y.astype(np.result_type(*xs), copy=False)


@einsum.grad("xs")
def einsum_dxs(dy, xs, equation):
    """The product is linear in each operand: its gradient is dY times all the others, by the same indices."""
    terms = parse(equation, tuple(x.shape for x in xs))
    parts = [reshape(x, shape=shape) for x, shape in zip(xs, terms.shapes)]
    gradients = [derivative(dy, parts, terms, position) for position in range(len(xs))]
    return [reshape(dx, shape=x.shape) for dx, x in zip(gradients, xs)]


def derivative(dy, parts, terms, position):
    """The gradient of one operand, as an einsum of dY, the other operands, and two kinds of constants: ones
    for an index that nobody else has (each place is in the sum once), the identity for a diagonal (i = i', as
    i' has no name elsewhere)."""
    others = parts[:position] + parts[position + 1 :]
    names = [terms.output, *terms.inputs[:position], *terms.inputs[position + 1 :]]
    target = ""
    for letter in terms.inputs[position]:
        size, name = terms.sizes[letter], letter
        if letter in target:
            name = unused("".join(names) + target + terms.inputs[position], 1)
            others, names = [*others, np.eye(size, dtype=dy.dtype)], [*names, letter + name]
        elif not any(letter in one for one in names):
            others, names = [*others, np.ones(size, dy.dtype)], [*names, letter]
        target += name
    return einsum(dy, *others, equation=f"{','.join(names)}->{target}")


class Terms(NamedTuple):
    """An equation for given shapes: every dimension has a letter, and an operand's dimensions that broadcast
    are left out.
    """

    inputs: list[str]
    output: str
    shapes: list[list[int]]  # of the operands, without the dimensions that broadcast
    sizes: dict[str, int]


def parse(equation, shapes):
    """The equation, spelled out. Raises ShapeError where the shapes do not fit it, ValueError where it cannot
    be read.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    if left.count(",") + 1 != len(shapes):
        raise ShapeError(
            f"einsum: {equation!r} names {left.count(',') + 1} operands, but {len(shapes)} are given"
        )
    operands = list(zip(left.split(","), shapes))
    stand_ins = unused(equation, max(len(shape) - len(term.replace("...", "")) for term, shape in operands))
    inputs = [spell_out(term, stand_ins, shape, equation) for term, shape in operands]
    once = "".join(letter for letter in sorted(left.replace(",", "")) if left.count(letter) == 1)
    output = (output if arrow else "..." + once).replace("...", stand_ins)
    sizes = sizes_of(inputs, shapes, equation)
    if len(set(output)) < len(output) or not set(output) <= set(sizes) <= set(string.ascii_letters):
        raise ValueError(
            f"einsum: {equation!r} must be letters with an output that names letters of the operands, each once"
        )
    kept = [
        [(letter, size) for letter, size in zip(*pair) if size == sizes[letter]]
        for pair in zip(inputs, shapes)
    ]
    inputs = ["".join(letter for letter, _ in operand) for operand in kept]
    return Terms(inputs, output, [[size for _, size in operand] for operand in kept], sizes)


def spell_out(term, stand_ins, shape, equation):
    """An operand's letters, with as many stand-ins for `...` as it has dimensions left."""
    count = len(shape) - len(term.replace("...", ""))
    if count < 0 or (count and "..." not in term):
        raise ShapeError(
            f"einsum: {term!r} of {equation!r} does not name the {len(shape)} dimensions of {show_shape(shape)}"
        )
    return term.replace("...", stand_ins[len(stand_ins) - count :])


def sizes_of(inputs, shapes, equation):
    """The size that each letter stands for."""
    sizes = {}
    for letter, size in [pair for operand in zip(inputs, shapes) for pair in zip(*operand)]:
        if size != sizes.setdefault(letter, size) and 1 not in (size, sizes[letter]):
            raise ShapeError(
                f"einsum: {letter!r} of {equation!r} is {sizes[letter]} in one operand and {size} in another"
            )
        sizes[letter] = size if sizes[letter] == 1 else sizes[letter]
    return sizes


def unused(used, count):
    """Letters that stand for nothing yet."""
    return "".join(letter for letter in string.ascii_letters if letter not in used)[:count]
