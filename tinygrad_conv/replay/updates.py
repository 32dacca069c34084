"""An optimiser's update of all its parameters, prepared for many steps.

In small nets the Python around a formula takes many times as long as its arithmetic, and that again for each
parameter. So where each number follows from those in its place alone (`elementwise`), the optimiser's own
formula is called with the numbers of many small parameters in one vector: to the bit what it makes of them
one by one.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from ..engine.commit import Changes
from ..optim.drafts import share_memory
from ..optim.optimizer import ELEMENTWISE, Group, Optimizer
from ..optim.sgd import SGD
from .bundle import Bundle, kind_of, same_objects
from .descent import Descent

SMALL = 1 << 13  # numbers in a parameter; joining larger ones takes longer than calling the formula for each
LARGEST_BUNDLE = 1 << 15  # numbers in a bundle: what is computed with them stays in the cache
GENERAL = ("update", "updated_in_dtype", "updated_wide", "compute", "computed_step")


class AsItself:
    """The steps of an optimiser, whatever it computes."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def step(self) -> None:
        """One step."""
        self.optimizer.computed_step().commit()


def update_of(optimizer: Optimizer) -> AsItself | Updates | Descent:
    """What makes the steps of an optimiser: each wholly or, where anything is raised, not at all."""
    if not is_elementwise(optimizer):
        return AsItself(optimizer)
    several = sum(map(is_small, arrays_of(optimizer.params()))) > 1
    update = Updates(optimizer) if several else AsItself(optimizer)
    return Descent(optimizer, update.step) if type(optimizer) is SGD else update


def is_elementwise(optimizer: Optimizer) -> bool:
    """Whether its formula is declared so, and is called as `Optimizer` does."""
    kind, own = type(optimizer), vars(optimizer).keys()
    return (
        kind.updated in ELEMENTWISE
        and all(getattr(kind, name) is getattr(Optimizer, name) for name in GENERAL)
        and own.isdisjoint({*GENERAL, "updated"})
    )


class Updates:
    """The steps of an optimiser, by a plan that is made anew where it does not hold."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.plan: Plan | None = None

    def step(self) -> None:
        """One step."""
        changes = None if self.plan is None else self.plan.computed()
        if changes is None:
            self.plan = Plan(self.optimizer)
            changes = self.plan.computed() or self.optimizer.computed_step()
        changes.commit()


class Plan:
    """Which parameters are updated together, and which one by one, as long as they have the same arrays."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.groups, self.arrays = [*optimizer.param_groups], arrays_of(optimizer.params())
        self.waiting: list[Any] = []  # small ones that a bundle cannot take now: without a gradient, perhaps
        self.bundles: list[Bundle] = []
        if not share_memory([array for array in self.arrays if array is not None]):
            self.bundle()
        bundled = {id(param) for bundle in self.bundles for param in bundle.params}
        self.alone = [(param, group) for param, group in self.pairs() if id(param) not in bundled]

    def pairs(self) -> list[tuple[Any, Group]]:
        """The parameters with their groups."""
        return [(param, group) for group in self.groups for param in group["params"]]

    def bundle(self) -> None:
        """Put together the small ones of which the same is known."""
        alike: dict[Any, list[Any]] = {}
        for (param, group), array in zip(self.pairs(), self.arrays):
            if not is_small(array):
                continue
            kind = kind_of(param, self.optimizer.state.get(param))
            if kind is None:
                self.waiting.append(param)
            else:
                alike.setdefault((id(group), kind), []).append((param, group))
        for pairs in chain.from_iterable(map(portions, alike.values())):
            self.bundles.append(Bundle(self.optimizer, [param for param, _ in pairs], pairs[0][1]))

    def computed(self) -> Changes | None:
        """What a step changes; None where things are not as they were planned for."""
        optimizer, changes = self.optimizer, Changes()
        if not self.holds():
            return None
        if not self.bundles:
            return optimizer.computed_step()
        for bundle in self.bundles:
            if not bundle.compute(changes):
                return None
        for param, group in self.alone:
            grad = getattr(param, "_grad", None)
            if grad is not None:
                optimizer.compute(param, grad, group, changes)
        return changes

    def holds(self) -> bool:
        """Whether the parameters have the same arrays, in the same groups, and none can be bundled that could
        not before.
        """
        optimizer = self.optimizer
        return (
            same_objects(arrays_of(optimizer.params()), self.arrays)
            and same_objects(optimizer.param_groups, self.groups)
            and not any([kind_of(param, optimizer.state.get(param)) for param in self.waiting])
        )


def is_small(array: Any) -> bool:
    """Whether a parameter with this array should be bundled; one of no dimensions is computed otherwise."""
    return array is not None and array.ndim > 0 and array.size <= SMALL


def arrays_of(params: list[Any]) -> list[Any]:
    """Their arrays; None of one that has no shape yet."""
    return [getattr(param, "_data", None) for param in params]


def portions(pairs: list[Any]) -> list[list[Any]]:
    """Parameters, each with its group, in portions for a bundle; those that would be alone in theirs are left
    out.
    """
    parts: list[list[Any]] = [[]]
    size = 0
    for pair in pairs:
        size += pair[0]._data.size
        if size > LARGEST_BUNDLE:
            parts.append([])
            size = pair[0]._data.size
        parts[-1].append(pair)
    return [part for part in parts if len(part) > 1]
