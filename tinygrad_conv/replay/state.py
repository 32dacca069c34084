"""`State`: what a step may change, noted before it, to be put back: if a program fails, and for checks."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.commit import Changes
from ..engine.tensor import Tensor
from ..optim.lr_scheduler.scheduler import LRScheduler
from ..optim.optimizer import Optimizer


class State:
    """Parameters, buffers, gradients, optimisers, schedules and random numbers as they are now."""

    def __init__(
        self,
        written: Iterable[Tensor] = (),
        with_grads: Iterable[Tensor] = (),
        optimizers: Iterable[Optimizer] = (),
        schedulers: Iterable[LRScheduler] = (),
        generators: Iterable[np.random.Generator] = (),
        copy_grads: bool = False,
    ) -> None:
        self.numbers = [(tensor, tensor._data, tensor._data.copy(), tensor._memory) for tensor in written]
        grads = [(tensor, getattr(tensor, "_grad", None)) for tensor in with_grads]
        self.grads = [
            (tensor, grad, grad.copy() if copy_grads and grad is not None else None) for tensor, grad in grads
        ]
        self.optimizers = [
            (
                optimizer,
                {param: dict(state) for param, state in optimizer.state.items()},
                [dict(group) for group in optimizer.param_groups],
            )
            for optimizer in optimizers
        ]
        self.schedulers = [
            (owner, {name: shallow(value) for name, value in vars(owner).items()})
            for scheduler in schedulers
            for owner in with_parts(scheduler)
        ]
        self.generators = [(random, random.bit_generator.state) for random in generators]

    def restore(self) -> None:
        """Put everything back."""
        changes = Changes()
        for tensor, array, numbers, memory in self.numbers:
            changes.set(tensor, "_data", array)
            changes.set(tensor, "_memory", memory or tensor._memory)
            if not same_numbers(array, numbers):
                own = array.view()
                own.setflags(write=True)
                changes.write_array(own, numbers)
        for tensor, grad, numbers_of_grad in self.grads:
            changes.set(tensor, "_grad", grad)
            if numbers_of_grad is not None:
                changes.write_array(grad, numbers_of_grad)  # type: ignore[arg-type]
        for optimizer, states, groups in self.optimizers:
            changes.refill(optimizer.state, states)
            for group, before in zip(optimizer.param_groups, groups):
                changes.refill(group, before)
        for owner, members in self.schedulers:
            changes.refill(vars(owner), members)
        for random, state in self.generators:
            changes.set(random.bit_generator, "state", state)
        changes.commit()


class Grads:
    """Which arrays are the gradients now, where a step changes nothing else before its end."""

    def __init__(self, leaves: list[Tensor]) -> None:
        self.leaves, self.grads = leaves, [getattr(leaf, "_grad", None) for leaf in leaves]

    def restore(self) -> None:
        """Put them back."""
        for leaf, grad in zip(self.leaves, self.grads):
            leaf._grad = grad


NOTHING = Grads([])


def with_parts(scheduler: Any) -> list[Any]:
    """A schedule, and the schedules that it is made of."""
    return [
        scheduler,
        *(each for part in vars(scheduler).get("_schedulers", ()) for each in with_parts(part)),
    ]


def shallow(value: Any) -> Any:
    """A list or a dict of its own; any other value itself."""
    return copy.copy(value) if isinstance(value, (list, dict)) else value


def same_numbers(array: Any, other: Any) -> bool:
    """Whether two arrays of one shape hold the same bits; but all NaNs are one, for the sign of a sum of two
    depends on how many are added up at once.
    """
    if array.tobytes() == other.tobytes():
        return True
    if array.dtype.kind != "f" or not np.array_equal(missing := np.isnan(array), np.isnan(other)):
        return False
    return bool(array[~missing].tobytes() == other[~missing].tobytes())
