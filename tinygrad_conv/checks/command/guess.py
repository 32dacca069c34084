"""Inputs for an op that has no case: from its example, from its docstring, or guessed.

A forward may take shapes by accident, for which no rule was made; and one shape alone may be the one at which
a wrong rule is right. So several are taken that differ as much as the forward lets them: matrices, images,
inputs of one shape and such that broadcast. What to make of them, judge.py says.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, product
from time import monotonic
from typing import Any

import numpy as np

from ...engine.op import Op
from ...errors import show_shape
from ...members import grouped, members_of
from ..cases import CASES, Case, Draw, Sample, apart, integers, mask, measure, positive, uniform
from ..function import input_names
from ..introspection import as_array, rules_of
from .docstring_shapes import Shape, documented_shapes, measured, proposals

SIZES = {"n": 2, "m": 3, "k": 4, "N": 2, "C": 3, "O": 4, "H": 5, "W": 6}
SHAPES = tuple(
    measure(shape, SIZES)
    for shape in ("n m", "m", "n", "n m k", "N C H W", "O C 3 2", "O", "C", "C H W", "H W", "3 2", "N H W 2")
    + ("m k", "k m", "4 4", "n k m", "1 m", "n 1", "")
)
MOST_TRIES = 2500
MOST_SECONDS = 5.0  # for which shapes are tried
MOST_CHECKED = 6  # combinations of shapes
MOST_TOLD = 3  # of those that were refused
PARAMS = (0.5, 2, 1, 0, (2, 2), True)  # for a param without a default

Make = Callable[[Shape], Draw]

INTEGERS = re.compile(r"(\w*_)?(labels?|targets?|index|indices|idx|ids?|classes|tokens?|lengths?|positions?)")
MASKS = re.compile(r"(\w*_)?mask")


@dataclass
class Guess:
    """Inputs to check an op on: samples, how they were come by, and what the forward refused.

    declared: they are what it is made for, by its example or its docstring.
    """

    how: str
    declared: bool = False
    samples: list[Sample] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # shapes → the error

    def refusals(self) -> str:
        """What was refused, in brief."""
        if not self.refused:
            return ""
        some = "; ".join(list(self.refused)[:MOST_TOLD])
        return (
            f"the forward refused {len(self.refused)}: {some}{'; …' if len(self.refused) > MOST_TOLD else ''}"
        )


def cases_of(op: Op) -> list[Case]:
    """The cases that were declared for an op."""
    return CASES.get(op.name, [])


def guess(op: Any) -> Guess:
    """Inputs for an op: of its examples, and of shapes in its docstring; else such as its forward takes."""
    examples = [sample_of_example(op, example) for example in op.examples]
    documented = from_docstring(op)
    if documented is not None and documented.samples:
        how = f"its example, {documented.how}" if examples else documented.how
        return replace(documented, how=how, samples=examples + documented.samples)
    if examples:
        return Guess("its example", True, examples)
    guessed = Guess("guessed", refused={} if documented is None else documented.refused)
    end = monotonic() + 2 * MOST_SECONDS
    for params in proposed_params(op):
        for count in counts(op):
            for make in fillings(op, count):
                taken = search(op, make, combined(count), params, guessed.refused)
                guessed.samples += diverse(taken)
                if taken or monotonic() > end:
                    break
        if guessed.samples or monotonic() > end:
            break
    guessed.samples = guessed.samples[:MOST_CHECKED]
    return guessed


def sample_of_example(op: Op, example: Callable[[], Any]) -> Sample:
    """The inputs and params that an example returns, floats in float64."""
    returned = example()
    given = returned if isinstance(returned, dict) else {}
    inputs = [] if given else list(returned) if isinstance(returned, (tuple, list)) else [returned]
    named = {op.aliases.get(name, name): value for name, value in given.items()}
    unknown: list[Any] = [name for name in named if name not in op.inputs + op.params]
    if unknown:
        known = ", ".join(op.inputs + op.params)
        raise ValueError(f"{op.name}: its example names {', '.join(map(repr, unknown))}; it takes {known}")
    if op.variadic and op.variadic in named:
        inputs = list(named[op.variadic])
    elif given:
        inputs = [named.get(name) for name in op.inputs]
    while inputs and inputs[-1] is None:  # optional ones that were left out
        inputs.pop()
    params = {name: value for name, value in named.items() if name in op.params}
    return Sample("example", tuple(map(in_float64, inputs)), params)


def in_float64(value: Any) -> Any:
    """An input of an example as an array, floats in float64; None as it is."""
    if value is None:
        return None
    array = np.asarray(as_array(value))
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def from_docstring(op: Op) -> Guess | None:
    """Inputs of the shapes that the docstring gives; None unless it gives one for each required input."""
    shapes = documented_shapes(op)
    names = [name for name in op.inputs if name in shapes]
    required = op.inputs[: op.required] if not op.variadic else op.inputs
    if not names or set(required) - set(shapes) or list(op.inputs[: len(names)]) != names:
        return None
    documented = Guess("shapes from the docstring", True)
    names = names * 3 if op.variadic else names
    wholes = [tuple(measured(shapes[name], values) for name in names) for values in proposals(shapes)]
    for params in proposed_params(op):
        for make in fillings(op, len(names)):
            documented.samples = search(op, make, iter(dict.fromkeys(wholes)), params, documented.refused)[
                :MOST_TOLD
            ]
            if documented.samples:
                documented.samples = [sample._replace(label="docstring") for sample in documented.samples]
                return documented
    return documented


def counts(op: Op) -> list[int]:
    """How many inputs it may be given: all, and those that it needs."""
    return [3] if op.variadic else list(dict.fromkeys([len(op.inputs), op.required]))


def proposed_params(op: Op) -> list[dict[str, Any]]:
    """Values for the params that have no default."""
    missing = [name for name in op.params if name not in op.defaults]
    return [dict.fromkeys(missing, value) for value in PARAMS] if missing else [{}]


def combined(count: int) -> Iterator[tuple[Shape, ...]]:
    """Shapes for so many inputs, all of them in a mixed order; where they are too many, few different ones
    first.
    """
    if count <= 2:
        yield from product(SHAPES, repeat=count)
        return
    for different in range(1, count + 1):
        shapes = (
            [
                whole
                for chosen in combinations(SHAPES, different)
                for whole in islice(product(chosen, repeat=count), 4 * MOST_TRIES)
                if len({*whole}) == different
            ]
            if different <= 3
            else []
        )
        random.Random(0).shuffle(shapes)
        yield from shapes


def fillings(op: Op, count: int) -> Iterator[list[Make]]:
    """What inputs may be filled with: numbers of both signs; positive ones, where those give NaN; integers
    and bools for inputs that have no rule, where floats are refused or a name asks for them.
    """
    names, rules = input_names(op, count), rules_of(op, count)
    free = [at for at in range(count) if rules[at] is None]
    hinted: dict[int, Make] = {at: zero_or_one for at in free if INTEGERS.fullmatch(names[at])}
    hinted |= {at: mask for at in free if MASKS.fullmatch(names[at])}
    numbers: list[Make] = [apart, positive, fractions, above_one]
    others: list[dict[int, Make]] = [hinted] if hinted else []
    others.append({})
    for make in (zero_or_one, mask):
        others += [{at: make} for at in free]
        others.append(dict.fromkeys(free, make))
    for other in others:
        for number in numbers:
            yield [other.get(at, apart_from_others(at) if number is apart else number) for at in range(count)]


def apart_from_others(at: int) -> Make:
    """`apart`, times a factor that is another for each input: no two inputs hold equal numbers."""

    def make(shape: Shape) -> Draw:
        numbers = apart(shape)
        return Draw(shape, lambda rng, sizes, letters: numbers.make(rng, sizes, letters) * (1 + at / 7))

    return make


def zero_or_one(shape: Shape) -> Draw:
    """0 and 1: labels and indices, whatever they count."""
    return integers(shape, 2)


def fractions(shape: Shape) -> Draw:
    """Numbers between 0 and 1: probabilities."""
    return uniform(shape, 0.1, 0.9)


def above_one(shape: Shape) -> Draw:
    """Numbers above 1."""
    return uniform(shape, 1.1, 3.0)


def search(
    op: Op,
    makes: list[Make],
    wholes: Iterator[tuple[Shape, ...]],
    params: dict[str, Any],
    refused: dict[str, str],
) -> list[Sample]:
    """Samples of those shapes that the forward takes, with these params; refused: what it doesn't is added.

    Where all are single numbers, which tell little, only if it takes nothing else.
    """
    taken: list[Sample] = []
    end = monotonic() + MOST_SECONDS
    for shapes in islice(wholes, MOST_TRIES):
        draws = tuple(make(shape) for make, shape in zip(makes, shapes))
        sample = Case(op.name, draws, params).sample("guessed", np.random.default_rng(0), {})
        error = refusal(op, sample)
        if not error:
            taken.append(sample)
            refused.pop(show_inputs(op, sample), None)
        else:
            refused.setdefault(show_inputs(op, sample), error)
        if monotonic() > end:
            break
    return [sample for sample in taken if max(map(np.size, sample.inputs)) > 1]


def refusal(op: Op, sample: Sample) -> str:
    """Why the forward does not take a sample: its error, or an output that is not finite; or nothing."""
    try:
        with np.errstate(all="ignore"):
            y = op(*sample.inputs, **{**op.defaults, **sample.params})
    except Exception as error:  # whatever it says, it doesn't want these
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    outputs = [np.asarray(output) for output in members_of(y)]
    if not all(output.dtype.kind in "fiub" and np.isfinite(output).all() for output in outputs):
        return "the output is not finite"
    return "" if all(output.size for output in outputs) else "the output is empty"


def diverse(samples: list[Sample]) -> list[Sample]:
    """A few samples, as different from one another as they come: by how their shapes lie to each other first,
    then by their axes.
    """
    groups = list(map(distinct_axes, grouped((relation(sample), sample) for sample in samples).values()))
    chosen: list[Sample] = []
    for rank in range(MOST_CHECKED):
        chosen += [group[rank] for group in groups if len(group) > rank]
    return chosen[:MOST_CHECKED]


def distinct_axes(samples: list[Sample]) -> list[Sample]:
    """The first sample for each number of axes, matrices first."""
    by_axes: dict[Any, Sample] = {}
    for sample in samples:
        by_axes.setdefault(tuple(map(np.ndim, sample.inputs)), sample)
    return sorted(
        by_axes.values(), key=lambda sample: sum(abs(np.ndim(value) - 2) for value in sample.inputs)
    )


def relation(sample: Sample) -> tuple[str, ...]:
    """How the shapes of the further inputs lie to that of the first."""
    first, *others = map(np.shape, sample.inputs)
    return tuple(lie(shape, first) for shape in others)


def lie(shape: Shape, first: Shape) -> str:
    """How a shape lies to another: equal to it, stretched to it, stretching it, or otherwise."""
    if shape == first:
        return "equal"
    try:
        return "stretched" if np.broadcast_shapes(shape, first) == first else "stretching"
    except ValueError:
        return "other"


def show_inputs(op: Op, sample: Sample) -> str:
    """A sample as messages write it: `x [2,3], b [3], scale=0.5`."""
    names = input_names(op, len(sample.inputs))
    shapes = [
        f"{name} {show_shape(np.shape(value))}"
        for name, value in zip(names, sample.inputs)
        if value is not None
    ]
    return ", ".join([*shapes, *(f"{name}={value!r}" for name, value in sample.params.items())])
