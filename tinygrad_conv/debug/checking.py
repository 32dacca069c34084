"""Is every step of a recorded backward right? Beside it: numerical derivatives, and the literal formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..engine.registry import OPS, if_open
from ..engine.rule import Rule, show_name
from ..errors import show_table
from ..kernels import use_kernels
from ..members import members_of
from .recorded import Recorded
from .rerun import node_of, placeholders_of
from .step import Step
from .stepping import contributions

TOLERANCE = {"float16": 3e-2, "float32": 1e-3, "float64": 1e-5}


class Check(NamedTuple):
    """One argument's gradient along a random direction v: ⟨dx, v⟩ as the rule has it, and as it should be."""

    step: Step
    argument: str
    rule: float
    numerical: float | None  # None: could not be computed
    reference: float  # of the rule with the literal kernels
    scale: float  # the sizes of all that is added up: what a deviation is measured by
    tolerance: float
    remark: str  # why there is no numerical derivative, or of what it is one

    @property
    def agrees(self) -> bool:
        """Whether the rule is right, as far as could be checked."""
        others = [derivative for derivative in (self.numerical, self.reference) if derivative is not None]
        return all(abs(self.rule - derivative) <= self.tolerance * self.scale for derivative in others)

    def columns(self) -> tuple[str, ...]:
        """The line of the table."""
        numerical = "" if self.numerical is None else f"{self.numerical:.6g} "
        numerical += self.remark
        mark = "" if self.agrees else "<-- disagrees"
        name = f"%{self.step.number} {self.step.op}, {self.argument}"
        place = self.step.where.at
        rule, reference = f"{self.rule:.6g}", f"{self.reference:.6g}"
        return name, rule, numerical, reference, place, self.step.where.layer, mark


HEAD = ("gradient along a random direction", "rule", "numerical", "literal kernels", "", "", "")


class Report(Sequence[Check]):
    """The checks of a recording, in the order of the backward."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = list(checks)

    def __len__(self) -> int:
        return len(self._checks)

    def __getitem__(self, position: Any) -> Any:
        return self._checks[position]

    @property
    def first(self) -> Check | None:
        """The first one that disagrees."""
        return next((check for check in self if not check.agrees), None)

    def __repr__(self) -> str:
        lines = show_table([HEAD, *(check.columns() for check in self)], "<" * len(HEAD))
        return "\n".join([*lines, self.verdict()])

    def _repr_html_(self) -> str | None:
        return if_open("report_html", self)

    def verdict(self) -> str:
        """The first that disagrees, or that none does."""
        if self.first is None:
            return "all agree"
        return f"the first that disagrees: {' '.join(self.first.columns()[0].split())}"


def check(recording: Recorded, seed: int = 0) -> Report:
    """Check each step: its rules' results beside two others.

    These are one-sided differences of its forward in float64, and the same rules with the literal kernels.
    At a kink any number between the two one-sided derivatives is right. A step whose inputs are not all
    known, or whose forward gives another result when it is run again, has no numerical derivative, and a
    remark that says so.
    """
    rng = np.random.default_rng(seed)
    return Report([checked for step in reversed(recording) for checked in checks_of(step, rng)])


def checks_of(step: Step, rng: np.random.Generator) -> Iterator[Check]:
    """The checks of one step, one for each argument (and each place of a variadic one)."""
    node = node_of(step, placeholders_of(step))
    with use_kernels("reference"), np.errstate(all="ignore"):
        literal = [part for _, part in contributions(node, step.grad_output)]
    gradients = (each for each in step.one_by_one(step.grad_inputs) if each[2] is not None)
    for (name, place, dx), reference in zip(gradients, literal):
        v = np.asarray(rng.standard_normal(dx.shape))
        along = float(np.sum(dx * v))
        numerical, summands, remark = difference_along(step, name, place, v, along)
        scale = max(float(np.sum(np.abs(dx * v))), summands)
        yield Check(
            step,
            argument=name if place is None else f"{name}[{place}]",
            rule=along,
            numerical=numerical,
            reference=float(np.sum(reference * v)),
            scale=scale,
            tolerance=TOLERANCE[dx.dtype.name],
            remark=remark,
        )


def difference_along(
    step: Step, name: str, place: int | None, v: Array, claimed: float
) -> tuple[float | None, float, str]:
    """The change of ⟨dy, y⟩ when an input moves along v, and Σ |dy dy/dv|; or a remark.

    At kinks it is the change nearest to the rule's own, `claimed`.
    """
    values = list(flat(step.inputs))
    position = place if place is not None else [*step.inputs].index(name)
    unknown = any(value is None for value in values)
    if unknown and not OPS[step.op].broadcasting:
        return None, 0.0, "(an input is not known)"
    anything = np.zeros(step.shapes[0][0])  # no rule reads what is not known: any value will do
    values = [anything if value is None else value for value in values]
    values = [value.astype(np.float64) if value.dtype.kind == "f" else value for value in values]
    with np.errstate(all="ignore"):
        if not unknown and not repeated(forward(step, values), members_of(step.output)):
            return None, 0.0, "(the forward gives another result now)"
        rule = rule_of(step, name)
        function = forward if rule.of is None else partial(surrogate, rule)
        y = function(step, values)
        h = float(np.finfo(y[0].dtype).eps) ** (1 / 3) * magnitude(values[position])
        after, before = (function(step, moved(values, position, by * v)) for by in (h, -h))
        low, high, summands = one_sided(step, [after, y, before], h)
    if not np.isfinite([low, high]).all():
        return None, 0.0, "(not finite nearby)"
    remark = "" if rule.of is None else f"(of {show_name(rule.of)})"
    return min(max(claimed, low), high), summands, remark


def moved(values: Sequence[Array], position: int, change: Array) -> list[Array]:
    """The values, of which one has changed."""
    return [*values[:position], values[position] + change, *values[position + 1 :]]


def one_sided(step: Step, outputs: Sequence[Sequence[Array]], h: float) -> tuple[float, float, float]:
    """The least and the largest change of ⟨dy, y⟩ by one-sided differences of each number, and Σ |dy dy/dv|.

    outputs: a step h ahead, at the point itself, and a step h behind.
    """
    low = high = summands = 0.0
    for dy, upper, at_point, lower in zip(members_of(step.grad_output), *outputs):
        if dy is not None:
            slopes = dy * (upper - at_point) / h, dy * (at_point - lower) / h
            low += float(np.minimum(*slopes).sum())
            high += float(np.maximum(*slopes).sum())
            summands += float(np.maximum(*np.abs(slopes)).sum())
    return low, high, summands


def rule_of(step: Step, name: str) -> Any:
    """The rule for one of a step's inputs."""
    op = OPS[step.op]
    return op.rules[op.inputs.index(name)]


def surrogate(rule: Rule, step: Step, values: Sequence[Array]) -> tuple[Array, ...]:
    """What a step's rule is the gradient of, on other inputs."""
    y = rule.surrogate({**step.params, **dict(zip(step.inputs, values))})
    return tuple(map(np.asarray, members_of(y)))


def forward(step: Step, values: Sequence[Array]) -> tuple[Array, ...]:
    """A step's forward on other inputs."""
    op = OPS[step.op]
    given, params = dict(zip(step.inputs, values)), deepcopy(step.params)
    y = op(*values, **params) if op.variadic else op(*(given.get(name) for name in op.inputs), **params)
    return tuple(map(np.asarray, members_of(y)))


def repeated(y: Sequence[Array], recorded: Iterable[Any]) -> bool:
    """Whether a forward in float64 gave what was recorded, as far as that is known."""
    pairs = [(value, old) for value, old in zip(y, recorded) if old is not None]
    return all(value.shape == old.shape and nearly_equal(value, old) for value, old in pairs)


def nearly_equal(value: Array, old: Array) -> bool:
    """Whether a result is another within what a lower precision loses."""
    return np.allclose(value, old, rtol=5e-2, atol=5e-2 * magnitude(old), equal_nan=True)


def flat(values: dict[str, Any]) -> Iterator[Any]:
    """The arrays of a dict whose values may be tuples."""
    for value in values.values():
        yield from members_of(value)


def magnitude(array: Array) -> float:
    """The size of an array's largest number, as a scale: not below 10⁻³, and 1 where one is not finite."""
    return max(float(np.abs(array).max(initial=0.0)), 1e-3) if np.isfinite(array).all() else 1.0
