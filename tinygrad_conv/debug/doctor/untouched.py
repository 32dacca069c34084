"""A block after which models, optimisers, data and random numbers are as they were before it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...nn.uninitialized import is_uninitialized
from ...randomness.default import generator


class TensorState:
    """A tensor as it is: its array with the numbers in it, its gradient, and its version."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.of_class = tensor, type(tensor)
        self.waits = is_uninitialized(tensor)
        self.array = None if self.waits else tensor._data
        self.numbers = None if self.array is None else self.array.copy()
        self.grad, self.requires_grad = tensor.grad, tensor._requires_grad
        self.grad_numbers = self.grad.copy() if isinstance(self.grad, np.ndarray) else None
        self.memory, self.version = tensor._memory, tensor._version
        self.edge, self.listeners, self.name = tensor._edge, tensor._listeners, tensor.name
        self.empty = None if not self.waits else tensor.empty_twin()  # type: ignore[attr-defined]

    def restore(self) -> None:
        """Make it that again."""
        tensor, array = self.tensor, self.array
        if self.empty is not None:
            if not is_uninitialized(tensor):
                tensor.__class__ = self.of_class
                tensor._data = np.empty(0, self.empty.dtype)
        elif array is not None and self.numbers is not None:
            if not np.array_equal(array, self.numbers, equal_nan=array.dtype.kind == "f"):
                writable = array.view()
                writable.setflags(write=True)
                writable[...] = self.numbers
            tensor._data = array
        if self.grad_numbers is not None and not np.array_equal(self.grad, self.grad_numbers, equal_nan=True):
            self.grad[...] = self.grad_numbers
        tensor.grad, tensor._requires_grad, tensor.name = self.grad, self.requires_grad, self.name
        tensor._edge, tensor._listeners = self.edge, self.listeners
        tensor._memory = self.memory
        if self.memory is not None:
            self.memory.version = self.version


@contextmanager
def untouched(modules: Sequence[Any], optimizers: Sequence[Any], values: Sequence[Any]) -> Iterator[None]:
    """Whatever happens inside to these modules, optimisers and values has not happened afterwards; nor have
    random numbers been drawn.
    """
    every = [module for root in modules for module in root.modules()]
    attributes = [(module, type(module), copied(vars(module))) for module in every]
    tensors = {
        id(tensor): tensor for module in every for tensor in vars(module).values() if is_tensor(tensor)
    }
    tensors |= {id(param): param for optimizer in optimizers for param in optimizer.params()}
    tensors |= {id(value): value for value in values if is_tensor(value)}
    states = [TensorState(tensor) for tensor in tensors.values()]
    arrays = [(value, value.copy()) for value in values if isinstance(value, np.ndarray)]
    numbers = generator(), random.getstate(), np.random.get_state()
    place = numbers[0].bit_generator.state
    try:
        yield
    finally:
        for module, of_class, before in attributes:
            module.__class__ = of_class
            vars(module).clear()
            vars(module).update(before)
        for state in states:
            state.restore()
        for array, before_it in arrays:
            if array.flags.writeable:
                array[...] = before_it
        numbers[0].bit_generator.state = place
        random.setstate(numbers[1])
        np.random.set_state(numbers[2])


def is_tensor(value: Any) -> bool:
    """Whether it is a Tensor that no op made: others never change."""
    return isinstance(value, Tensor) and value._edge is None


def copied(attributes: dict[str, Any]) -> dict[str, Any]:
    """A module's attributes, with the lists and dicts among them copied."""
    return {
        name: value.copy() if type(value) in (list, dict, set) and not name.endswith("hooks") else value
        for name, value in attributes.items()
    }
