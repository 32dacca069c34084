"""The gradient, times a constant: a number, or a param, or a size, by its name.

By what a number is meant is told at other params, signs and sizes: the name must fit there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ..fault import Finding
from ..function import input_names
from .evidence import Evidence
from .named import POWERS, raised, times

EXACT = 3e-6  # how near, in proportion, a factor must be to be called by a name

Seen = list[tuple[float, Evidence]]
"""The factor at each point, the first of which is the call's own."""
Counted = tuple[str, "int | str"]
"""What a size is of: an input or y, and an axis of it; "elements" of it; "slots" of a variadic input."""


def a_factor(evidence: Evidence) -> Iterator[Finding]:
    """The gradient, times a constant."""
    factor = constant_factor(evidence)
    if factor is None:
        return
    if abs(factor) < 1e-9:
        yield Finding("zero", f"the gradient of {evidence.name} is 0 everywhere: it is lost on the way")
        return
    variants = [(constant_factor(variant), variant) for variant in evidence.variants]
    seen = [(factor, evidence), *((other, variant) for other, variant in variants if other is not None)]
    by_name = name_of_number(seen)
    shown = f"{by_name} (here {factor:.5g})" if by_name else show_factor(factor, meanings_of_sizes(seen))
    text = f"a constant factor: {shown} times the right gradient of {evidence.name}, everywhere"
    yield Finding("factor", text)


def constant_factor(evidence: Evidence) -> float | None:
    """The number by which the whole gradient is multiplied; None where there is no such."""
    right, given = evidence.right, evidence.given
    large = (np.abs(right) > 1e-3 * np.max(np.abs(right), initial=0.0)) & evidence.sure
    if not large.any():
        return None
    factor = float(np.median(given[large] / right[large]))
    return factor if evidence.explained_by(factor * right) else None


def is_exact(number: float, factor: float) -> bool:
    """Whether a factor is this number."""
    return abs(number - factor) <= EXACT * abs(factor)


def name_of_number(seen: Seen) -> str:
    """A factor that is a power of a number which the rule can read, or its sign, by its name; else ""."""
    for name in seen[0][1].readable:
        if any(np.ndim(evidence.readable.get(name, [0])) for _, evidence in seen):
            continue
        numbers = [float(evidence.readable[name]) for _, evidence in seen]
        if not all(numbers) or (numbers[0] in (1.0, -1.0, 2.0, 0.5) and len(set(numbers)) == 1):
            continue
        if len({factor for factor, _ in seen}) > 1 or numbers[0] not in (1.0, -1.0, 2.0, 0.5):
            text = power_or_sign(name, numbers, [factor for factor, _ in seen])
            if text:
                return text
    return ""


def power_or_sign(name: str, numbers: list[float], factors: list[float]) -> str:
    """The factors as a power of these numbers, or as their signs."""
    powers = [power for power in POWERS if min(numbers) > 0 or power == int(power)]
    constants = [sign * size for sign in (1, -1) for size in (1, 2, 0.5)]
    for power in powers:
        for constant in constants:
            if all(is_exact(constant * n**power, factor) for n, factor in zip(numbers, factors)):
                return times(constant, raised(name, power))
    for constant in constants if len({*np.sign(numbers)}) > 1 else ():
        for text, made in (("sign({})", np.sign), ("abs({})", np.abs)):
            if all(is_exact(constant * made(n), factor) for n, factor in zip(numbers, factors)):
                return times(constant, text.format(name))
    return ""


def meanings_of_sizes(seen: Seen) -> dict[int, str]:
    """What the size counts that a gradient was divided or multiplied by, if inputs of other sizes tell that.

    What several axes count at all sizes is not named as if it were known.
    """
    factor = abs(seen[0][0])
    power = 1 if factor > 1 else -1
    number = round(factor**power)
    if not is_exact(float(number) ** power, factor):
        return {}
    sizes = [(abs(other), sizes_of(evidence)) for other, evidence in seen]
    fitting = [
        counted
        for counted in sizes[0][1]
        if all(is_exact(float(at.get(counted, 0) or np.nan) ** power, other) for other, at in sizes)
    ]
    changing = [counted for counted in fitting if len({at[counted] for _, at in sizes}) > 1]
    if not changing:
        if is_the_same(seen) or len(fitting) < 2:
            return {}  # it may be no size at all
        return {number: "what several axes count: other sizes would tell which"}
    first = changing[0]
    if [name for name, _ in changing].count(first[0]) > 1:
        return {number: "what several axes count: other sizes would tell which"}
    return {number: show_counted(first)}


def is_the_same(seen: Seen) -> bool:
    """Whether the factor is one number at other points, too, and there are some."""
    return len(seen) > 1 and all(is_exact(factor, seen[0][0]) for factor, _ in seen)


def sizes_of(evidence: Evidence) -> dict[Counted, int]:
    """All sizes that there are, those of the input itself and of the output first."""
    names = input_names(evidence.call.op, len(evidence.arrays))
    shapes = {evidence.name: evidence.shape}
    if evidence.shape != evidence.output_shape:
        shapes["y"] = evidence.output_shape
    for name, array in zip(names, evidence.arrays):
        shapes.setdefault(name, np.shape(array))
    sizes: dict[Counted, int] = {}
    for name, shape in shapes.items():
        if len(shape) > 1:
            sizes[name, "elements"] = int(np.prod(shape))
        sizes.update({(name, axis): size for axis, size in enumerate(shape)})
    variadic = evidence.call.op.variadic
    if variadic:
        sizes[variadic, "slots"] = len(evidence.arrays)
    return sizes


def show_counted(counted: Counted) -> str:
    """What a size counts, in words."""
    name, what = counted
    if what == "slots":
        return f"the number of inputs {name}"
    if what == "elements":
        return f"the number of elements of {name}"
    return f"the size of dimension {what} of {name}"


def show_factor(factor: float, meanings: dict[int, str]) -> str:
    """A factor by its name: 2, ½, -1, 1/12 (12 is the number of elements of x)."""
    fraction = Fraction(factor).limit_denominator(100_000)
    if not is_exact(float(fraction), factor) or min(abs(fraction.numerator), fraction.denominator) != 1:
        rounded = f"{factor:.5g}"
        return rounded if "." in rounded else f"{factor:.7g}"
    if fraction == -1:
        return "-1 (the sign)"
    size = max(abs(fraction.numerator), fraction.denominator)
    note = f" ({size} is {meanings[size]})" if size > 2 and size in meanings else ""
    return {Fraction(1, 2): "½", Fraction(-1, 2): "-½"}.get(fraction, str(fraction)) + note
