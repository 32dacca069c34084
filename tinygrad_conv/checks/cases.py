"""Sample inputs for the checks: what each op is checked on.

    case("matmul", normal("n k"), normal("k m"))
    case("conv2d", normal("N C H+2 W+1"), normal("O C 3 2"), normal("O"), stride=2, padding=1)

The inputs of a case are draws, made anew in every run. A size is a number, or a letter, with a factor and a
summand if need be: `4`, `n`, `2n`, `H+2`. A letter is the same size throughout a case, and may be anything
from 0: `H+2` says that the op needs at least 2. So each case covers random shapes, sizes of 1 (every letter
1) and empty arrays (each letter 0 in turn).

Cases of a user's op stand in the op's own file, below its rules, and are found by `python -m tinygrad_conv
check my_op.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..engine.op import Op
from ..errors import show_shape

Sizes = dict[str, int]  # letter → size
Shape = str | tuple[int, ...]

SIZE = re.compile(r"(?P<factor>\d*)(?P<letter>[A-Za-z]?)(?:\+(?P<summand>\d+))?")


class NothingToDraw(Exception):
    """An index into nothing: there is none."""


@dataclass(frozen=True)
class Draw:
    """A value to be drawn: `make` takes the generator and the shape."""

    shape: Shape
    make: Callable[[np.random.Generator, tuple[int, ...], Sizes], Any]

    def __call__(self, rng: np.random.Generator, letters: Sizes) -> Any:
        return self.make(rng, measure(self.shape, letters), letters)

    def letters(self) -> list[str]:
        """The letters among its sizes."""
        if isinstance(self.shape, tuple):
            return []
        return [size["letter"] for size in map(parse, self.shape.split()) if size["letter"]]


def parse(size: str) -> re.Match[str]:
    """A size in its parts: factor, letter, summand. Raises ValueError for what is none."""
    parts = SIZE.fullmatch(size)
    if not parts or not (parts["factor"] or parts["letter"]):
        raise ValueError(f"a size is a number or a letter, as in '4', 'n', '2n' or 'H+2', not {size!r}")
    return parts


def measure(shape: Shape, letters: Sizes) -> tuple[int, ...]:
    """A shape in numbers."""
    if isinstance(shape, tuple):
        return shape
    return tuple(
        int(size["factor"] or 1) * letters.get(size["letter"], 1) + int(size["summand"] or 0)
        for size in map(parse, shape.split())
    )


def normal(shape: Shape) -> Draw:
    """Normally distributed numbers."""
    return Draw(shape, lambda rng, sizes, _: rng.standard_normal(sizes))


def uniform(shape: Shape, low: float, high: float) -> Draw:
    """Numbers between low and high."""
    return Draw(shape, lambda rng, sizes, _: rng.uniform(low, high, sizes))


def positive(shape: Shape) -> Draw:
    """Numbers between ½ and 2: for logarithms, roots and denominators."""
    return uniform(shape, 0.5, 2.0)


def apart(shape: Shape) -> Draw:
    """Numbers of both signs, no two equal or opposite, none near 0: no kink and no tie is near."""

    def make(rng: np.random.Generator, sizes: tuple[int, ...], _: Sizes) -> Any:
        count = int(np.prod(sizes))
        ranks = rng.permutation(count) - count // 2 + 0.3
        return (ranks * min(0.2, 4 / max(count, 1))).reshape(sizes)

    return Draw(shape, make)


def integers(shape: Shape, below: Shape | int) -> Draw:
    """Integers from 0 up to `below`, which may be a size: labels and indices."""

    def make(rng: np.random.Generator, sizes: tuple[int, ...], letters: Sizes) -> Any:
        (end,) = measure(below, letters) if isinstance(below, str) else (below,)
        if end == 0 and np.prod(sizes):
            raise NothingToDraw
        return rng.integers(0, max(end, 1), sizes)

    return Draw(shape, make)


def mask(shape: Shape) -> Draw:
    """Bools, as often True as False."""
    return Draw(shape, lambda rng, sizes, _: rng.random(sizes) < 0.5)


def sizes(shape: str) -> Draw:
    """The sizes themselves, as a tuple: for a param that is a shape."""
    return Draw(shape, lambda rng, numbers, _: numbers)


class Sample(NamedTuple):
    """A run of a case: the inputs (float64, integers, or None) and the params."""

    label: str
    inputs: tuple[Any, ...]
    params: dict[str, Any]

    def __str__(self) -> str:
        shapes = ", ".join("None" if value is None else show_shape(np.shape(value)) for value in self.inputs)
        return f"{self.label}: {shapes}"


@dataclass(frozen=True)
class Case:
    """What to check an op on: see `case`. linear is None where nobody said."""

    op: str
    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    linear: bool | None = None
    casts: bool = False

    def __str__(self) -> str:
        shapes = ["None" if value is None else show_sizes(value) for value in self.inputs]
        params = [
            f"{name}={'…' if isinstance(value, Draw) else value!r}" for name, value in self.params.items()
        ]
        return f"{self.op}({', '.join(shapes + params)})"

    def letters(self) -> list[str]:
        """The letters among its sizes, each once."""
        draws = [value for value in (*self.inputs, *self.params.values()) if isinstance(value, Draw)]
        return list(dict.fromkeys(letter for draw in draws for letter in draw.letters()))

    def sample(self, label: str, rng: np.random.Generator, letters: Sizes) -> Sample:
        """Its inputs and params for these sizes."""

        def drawn(value: Any) -> Any:
            return value(rng, letters) if isinstance(value, Draw) else value

        inputs = tuple(map(drawn, self.inputs))
        return Sample(label, inputs, {name: drawn(value) for name, value in self.params.items()})

    def random(self, rng: np.random.Generator) -> Sample:
        """A sample of random sizes, all different where they are few: equal ones hide exchanged axes."""
        letters = self.letters()
        drawn = rng.permutation([2, 3, 4]) if len(letters) <= 3 else rng.integers(2, 4, len(letters))
        return self.sample("random sizes", rng, dict(zip(letters, map(int, drawn))))

    def samples(self, seed: int = 0) -> Iterator[Sample]:
        """The runs of the case: random sizes, sizes of 1, and each letter empty in turn."""
        rng = np.random.default_rng(seed)
        usual = self.random(rng)
        yield usual
        letters = self.letters()
        if letters:
            yield self.sample("sizes of 1", rng, dict.fromkeys(letters, 1))
        for empty in letters:
            with suppress(NothingToDraw):
                sizes_of_letters = {letter: 0 if letter == empty else 2 for letter in letters}
                yield self.sample(f"{empty} = 0", rng, sizes_of_letters)


def show_sizes(value: Any) -> str:
    """The shape of a draw or an array, as it was declared: `[n m]`, `[2,3]`."""
    shape = getattr(value, "shape", np.shape(value))
    return f"[{shape}]" if isinstance(shape, str) else show_shape(shape)


CASES: dict[str, list[Case]] = {}
"""The cases by op."""


def case(op: str | Op, *inputs: Any, linear: bool = False, casts: bool = False, **params: Any) -> Case:
    """Declare what an op is checked on: its inputs and params, as draws (`normal("n m")`) or plain values.

    linear: the second derivative with respect to the inputs is 0, as for sums, and for relu where it has one;
    the check asserts that it is, and that it isn't otherwise. casts: the dtype of the output is not that of
    the inputs, but what a param says.
    """
    name = op if isinstance(op, str) else op.name
    made = Case(name, inputs, params, linear, casts)
    made.letters()  # a size that says nothing is noticed here, where it stands
    CASES.setdefault(name, []).append(made)
    return made
