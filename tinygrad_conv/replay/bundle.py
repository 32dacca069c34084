"""`Bundle`: parameters that one call of an optimiser's formula updates, all their numbers in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from operator import attrgetter, is_
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.commit import ALL, WRITE, Changes, make_all
from ..optim.drafts import State
from ..optim.optimizer import Group, Optimizer

PLAIN = (int, float, bool, str, type(None))
GRAD, FORM, WRITEABLE = attrgetter("_grad"), attrgetter("shape", "dtype"), attrgetter("flags.writeable")


class Bundle:
    """Parameters of one dtype and group, whose states are of one kind."""

    def __init__(self, optimizer: Optimizer, params: list[Any], group: Group) -> None:
        self.optimizer, self.params, self.group = optimizer, params, group
        self.arrays: list[Any] = [param._data for param in params]
        self.forms = [*map(FORM, self.arrays)]
        ends = accumulate(array.size for array in self.arrays)
        self.cuts = [(slice(end - array.size, end), array.shape) for end, array in zip(ends, self.arrays)]
        size, dtype = sum(array.size for array in self.arrays), self.arrays[0].dtype
        self.data, self.grad, self.numbers = (np.empty(size, dtype) for _ in range(3))
        self.places = self.cut(self.data), self.cut(self.grad), self.cut(self.numbers)
        self.left: tuple[list[Any], State] = [], {}  # the values in all states, and the same as vectors

    def compute(self, changes: Changes) -> bool:
        """What a step changes of them goes to `changes`; False if their gradients or states do not fit."""
        grads = [*map(GRAD, self.params)]
        states: list[Any] = [*map(self.optimizer.state.get, self.params)]
        state = self.joined(states)
        if state is None or not self.fit(grads):
            return False
        data, grad, numbers = self.places
        make_all(map(WRITE, data, ALL, self.arrays))
        make_all(map(WRITE, grad, ALL, grads))
        self.numbers[...], new = self.optimizer.updated_in_dtype(self.data, self.grad, state, self.group)
        changes.write_leaves(self.params, numbers)
        self.change_states(states, state, new, changes)
        return True

    def change_states(self, states: list[Any], state: State, new: State, changes: Changes) -> None:
        """What is new in their states goes to `changes`. state, new: as those of one vector."""
        columns = {name: [state[name] for state in states] for name in state if name not in new}
        for name, value in new.items():
            columns[name] = self.cut(value) if isinstance(value, np.ndarray) else [value] * len(states)
            changes.set_items(states, name, columns[name])
        after = {**state, **new}
        self.left = [*chain.from_iterable(zip(*[columns[name] for name in after]))], after

    def fit(self, grads: list[Any]) -> bool:
        """Whether their gradients are arrays like them, and they may be written to."""
        plain = set(map(type, grads)) == {np.ndarray} and [*map(FORM, grads)] == self.forms
        return plain and all(map(WRITEABLE, self.arrays))

    def joined(self, states: list[Any]) -> State | None:
        """Their states as that of one vector, the one of the last step if nobody has changed them since. None
        where they do not go together.
        """
        if None in states:
            return None
        values, state = self.left
        if same_objects([*chain.from_iterable(map(dict.values, states))], values):
            return state
        kinds = [kind_of(param, state) for param, state in zip(self.params, states)]
        if kinds[0] is None or any(kind != kinds[0] for kind in kinds):
            return None
        return {
            name: np.concatenate([state[name] for state in states], axis=None)
            if isinstance(value, np.ndarray)
            else value
            for name, value in states[0].items()
        }

    def cut(self, vector: Array) -> list[Array]:
        """The parts of a vector, in the shapes of the parameters."""
        return [vector[place].reshape(shape) for place, shape in self.cuts]


def kind_of(param: Any, state: Any) -> Any:
    """What parameters in a bundle have in common. None where it is no plain case: no gradient, no state yet,
    or one with arrays of other shapes.
    """
    if type(getattr(param, "_grad", None)) is not np.ndarray or type(state) is not dict:
        return None
    data = param._data
    arrays = [value for value in state.values() if type(value) is np.ndarray]
    others = [value for value in state.values() if type(value) is not np.ndarray]
    plain = all(type(value) in PLAIN for value in others)
    if not plain or any(array.shape != data.shape for array in arrays):
        return None
    return data.dtype, tuple(state), tuple(array.dtype for array in arrays), tuple(others)


def same_objects(values: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether two lists have the same members, each in its place."""
    return len(values) == len(others) and all(map(is_, values, others))
