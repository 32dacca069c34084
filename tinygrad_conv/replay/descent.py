"""`Descent`: plain gradient descent, w ← w - lr · g, prepared for many steps.

It is three calls of NumPy for each parameter and, in small nets, many times as much Python around them. So
here memory for the new numbers stands ready, and the learning rates as arrays. Whatever is out of the
ordinary, in any step, goes another way: other options than a learning rate, a parameter without a gradient,
one whose memory is read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from ..engine.commit import ALL, WRITE, make_all, mark_changed
from ..engine.memory import Memory
from ..optim.sgd import SGD

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
multiply, subtract = np.multiply, np.subtract
NEVER = object()  # no learning rate
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


class Descent:
    """Steps of SGD that has no options but a learning rate."""

    def __init__(self, optimizer: SGD, otherwise: Callable[[], None]) -> None:
        """otherwise: makes any step that is none of plain descent."""
        self.optimizer, self.params, self.groups = optimizer, optimizer.params(), optimizer.param_groups
        self.owners, self.otherwise = frozenset(self.params), otherwise
        self.place()

    def place(self) -> None:
        """Make memory for the new numbers of the arrays that the parameters have by now."""
        self.arrays = [param._data for param in self.params]
        self.numbers = [np.empty(array.shape, array.dtype) for array in self.arrays]
        self.served = is_separate(self.arrays) and all(array.dtype in DTYPES for array in self.arrays)
        self.followed: list[Any] = [NEVER] * len(self.groups)  # the learning rates of the groups
        self.rows: list[Any] = []  # of each parameter all that a step needs, its rate in its dtype

    def step(self) -> None:
        """One step."""
        # a leaf that an op made may never have had a gradient
        if not self.made([getattr(param, "_grad", None) for param in self.params]):
            self.otherwise()

    def made(self, grads: list[Any], beside: Iterable[Any] = ()) -> bool:
        """Whether a step was made, by gradients in the parameters' order. beside: changes, which are made
        as this iterator is gone through, at the same time.
        """
        memories = self.computed(grads)
        if memories is None:
            return False
        mark_changed(memories)
        make_all(chain(beside, map(WRITE, self.arrays, ALL, self.numbers)))
        return True

    def computed(self, grads: list[Any]) -> list[Memory] | None:
        """Compute the new numbers; what they will be written to, or None where it is no plain descent."""
        if not self.served or not self.optimizer.state.keys() >= self.owners:
            return None
        for group, rate in zip(self.groups, self.followed):
            others = group["momentum"] or group["weight_decay"] or group["maximize"]
            if others or (group["lr"] is not rate and not self.follow()):
                return None
        memories = []
        for (param, array, shape, dtype, rate, numbers), grad in zip(self.rows, grads):
            if param._data is not array:
                self.place()
                return self.computed(grads)
            if type(grad) is not np.ndarray or grad.shape != shape or grad.dtype is not dtype:
                return None
            if not array.flags.writeable:
                return None
            multiply(grad, rate, numbers)
            subtract(array, numbers, numbers)
            memories.append(param._memory or param.memory())
        return memories

    def follow(self) -> bool:
        """Take over the learning rates that the groups have by now, if they are plain numbers."""
        followed = [group["lr"] for group in self.groups]
        if not all(type(rate) in (float, int) and abs(rate) < LARGEST_FLOAT32 for rate in followed):
            return False
        each = [group["lr"] for group in self.groups for _ in group["params"]]
        self.rows = [
            (param, array, array.shape, array.dtype, np.asarray(rate, array.dtype), numbers)
            for param, array, rate, numbers in zip(self.params, self.arrays, each, self.numbers)
        ]
        self.followed = followed
        return True


def is_separate(arrays: list[Any]) -> bool:
    """Whether no two of them share memory."""
    return not any(
        np.may_share_memory(array, other) for place, array in enumerate(arrays) for other in arrays[:place]
    )
