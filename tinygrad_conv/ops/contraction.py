"""einsum: products summed over indices, of which every matrix product, trace and outer product is a case."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from ..kernels.blas import blas_held
from ..kernels.sums import sum_in_halves
from .arguments.equations import parse, unused
from .conversion import alike, wide
from .shape import reshape

# Numbers that np.einsum may add up at once: where it makes no matrix product, it may do so one after another.
LONGEST = 1024


@primitive
def einsum(*xs, equation):
    """Σ of products by their indices, as in Y[i,k] = Σ_j A[i,j] B[j,k], which is einsum("ij,jk->ik", a, b).

    A letter names a dimension; those that the output does not name are summed over. Dimensions of size 1
    broadcast, and `...` stands for any number of dimensions that do. Without `->` the output has those, and
    the letters that occur once, in alphabetical order. Integers that are summed by themselves, not as
    products, add up to int64. Raises ShapeError where operands do not fit the equation, ValueError for what
    is no equation.
    """
    terms, xs = parse(equation, tuple(x.shape for x in xs)), alike(*xs)
    parts = [wide(x).reshape(shape) for x, shape in zip(xs, terms.shapes)]
    needed = [terms.output + "".join(terms.inputs[:at] + terms.inputs[at + 1 :]) for at in range(len(xs))]
    factors = [summed_alone(*factor) for factor in zip(parts, terms.inputs, needed)]
    y = contracted([x for x, _ in factors], [letters for _, letters in factors], terms)
    return np.asarray(y, xs[0].dtype if xs[0].dtype.kind == "f" else None)


def summed_alone(x, letters, needed):
    """x summed over the letters that are not needed, with a diagonal for a letter twice; the letters left.

    No other operand has those, so no product is made for each of their places.
    """
    names = "".join(dict.fromkeys(letters))
    x = x if names == letters else np.einsum(f"{letters}->{names}", x)  # a view
    alone = tuple(axis for axis, letter in enumerate(names) if letter not in needed)
    left = "".join(letter for letter in names if letter in needed)
    return (np.asarray(kernels.sum_over(x, alone)) if alone else x), left


def contracted(parts, inputs, terms):
    """The sum of products over the letters that several operands have, in pieces along the longest."""
    equation = f"{','.join(inputs)}->{terms.output}"
    lengths = {letter: terms.sizes[letter] for letter in "".join(inputs) if letter not in terms.output}
    longest = max(lengths, key=lengths.get, default="")

    def of_places(first, last):
        pieces = [
            x[(slice(None),) * letters.index(longest) + (slice(first, last),)] if longest in letters else x
            for x, letters in zip(parts, inputs)
        ]
        return np.einsum(equation, *pieces, optimize=len(pieces) > 1)

    with blas_held():  # of whose products these are made
        if lengths.get(longest, 0) <= LONGEST:
            return np.einsum(equation, *parts, optimize=len(parts) > 1)
        return sum_in_halves(of_places, 0, lengths[longest], LONGEST)


@einsum.grad("xs")
def einsum_dxs(dy, xs, equation):
    """The product is linear in each operand: its gradient is dY times all the others, by the same indices."""
    terms = parse(equation, tuple(x.shape for x in xs))
    parts = [reshape(x, shape=shape) for x, shape in zip(xs, terms.shapes)]
    gradients = [derivative(dy, parts, terms, position) for position in range(len(xs))]
    return [reshape(dx, shape=x.shape) for dx, x in zip(gradients, xs)]


def derivative(dy, parts, terms, position):
    """The gradient of one operand, as an einsum of dY, the other operands, and two kinds of constants.

    Ones for an index that nobody else has (each place is in the sum once); the identity for a diagonal
    (i = i', as i' has no name elsewhere).
    """
    others = parts[:position] + parts[position + 1 :]
    names = [terms.output, *terms.inputs[:position], *terms.inputs[position + 1 :]]
    target = ""
    for letter in terms.inputs[position]:
        size, index = terms.sizes[letter], letter
        if letter in target:
            index = unused("".join(names) + target + terms.inputs[position], 1)
            others, names = [*others, np.eye(size, dtype=dy.dtype)], [*names, letter + index]
        elif not any(letter in name for name in names):
            others, names = [*others, np.ones(size, dy.dtype)], [*names, letter]
        target += index
    return einsum(dy, *others, equation=f"{','.join(names)}->{target}")
