"""What a model makes of one sample, layer by layer: looked at without changing anything."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.modes import no_grad
from ...engine.observe import Call, Observation, Observer
from ...engine.observed import observed_by
from ...engine.tensor import Tensor
from ...nn import Module
from ...nn.uninitialized import is_uninitialized
from ...randomness.default import GENERATOR
from .observer import name_of_call

CHANNELS, SIDE, FEATURES = 8, 24, 64  # at most, of a map: its channels, its rows and columns; of a vector


class Maps(Observer):
    """Keeps what each layer makes, of the first of a batch, as small arrays."""

    def __init__(self, model: Module) -> None:
        self.model, self.maps = model, dict[str, Array]()
        self._calls: Counter[str] = Counter()

    def after_op(self, call: Call) -> None:
        layer, own = call.layer, self.model._path
        if layer == own or layer.startswith(f"{own}."):
            name = name_of_call(self.model, layer, call.op, self._calls)
            self.maps[name] = small(call.outputs[0].data)


def small(array: Array) -> Array:
    """The first sample [C, H, W] or [features], thinned to what can be seen at a glance, as a copy."""
    if array.ndim in (2, 4):
        array = array[:1].reshape(array.shape[1:]) if array.shape[0] else array[:0]
    if array.ndim >= 2:
        steps = [max(1, -(-size // SIDE)) for size in array.shape[-2:]]
        array = array[..., :: steps[0], :: steps[1]]
        leading = array.reshape(-1, *array.shape[-2:]) if array.size else array
        return leading[:CHANNELS].astype(np.float32)
    return np.ravel(array)[:FEATURES].astype(np.float32)


def planes(array: Array, most: int) -> Array:
    """The leading planes of an array, with at most so many numbers; one plane at least."""
    if array.size <= most:
        return array
    if array.ndim < 2:
        return array[:most]
    if array.ndim == 2:
        return array[: max(1, most // array.shape[1])]
    room = max(1, most // math.prod(array.shape[-2:]))
    if array.ndim > 3 and room >= math.prod(array.shape[1:-2]):
        return array[: room // math.prod(array.shape[1:-2])]
    return array[:room] if array.ndim == 3 else array[:1, :room]


def within(maps: dict[str, Array], room: int) -> dict[str, Array]:
    """The maps with so many planes that all have room, in bytes; where one of each is too much, the first."""
    most = max((array.size for array in maps.values()), default=0)
    thinned = maps
    while most > 1 and sum(array.nbytes for array in thinned.values()) > room:
        most //= 2
        thinned = {name: planes(array, most).copy() for name, array in maps.items()}
    kept, size = dict[str, Array](), 0
    for name, array in thinned.items():
        size += array.nbytes
        if size <= room:
            kept[name] = array
    return kept


def maps_of(model: Module, sample: Any) -> dict[str, Array]:
    """What each layer makes of a sample: of what the model is called with, a Tensor or a tuple of them.

    It is called in eval mode and off the tape, and modes, buffers and random numbers are afterwards what they
    were. A model whose lazy layers have no shape yet makes nothing.
    """
    if any(is_uninitialized(tensor) for tensor in [*model.parameters(), *model.buffers()]):
        return {}
    maps = Maps(model)
    inputs = sample if isinstance(sample, tuple) else (sample,)
    for place, given in enumerate(inputs):
        maps.maps["input" if len(inputs) == 1 else f"input {place}"] = small(given.data)
    with as_it_was(model), no_grad(), observed_by(Observation((maps,))):
        model(*inputs)
    return {name: array for name, array in maps.maps.items() if array.size}


def checked_sample(sample: Any) -> Any:
    """A sample with arrays as Tensors, and as it is now. Raises TypeError for anything else."""
    if isinstance(sample, tuple):
        return tuple(checked_sample(part) for part in sample)
    if not isinstance(sample, (Tensor, np.ndarray)):
        wanted = "a Tensor, as the model is called with it: tg.debug.film(net, sample=images[:1])"
        raise TypeError(f"film: sample must be {wanted}; not {type(sample).__name__}")
    return Tensor(np.array(sample.data if isinstance(sample, Tensor) else sample))


@contextmanager
def as_it_was(model: Module) -> Iterator[None]:
    """In eval mode inside; modes, buffers and random numbers are afterwards what they were."""
    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.data.copy()) for buffer in model.buffers()]
    drawn = GENERATOR.get()
    state = drawn.get_state() if drawn is not None else {}
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        for module in modes:
            vars(module)["training"] = False
        yield
    finally:
        for module, training in modes.items():
            vars(module)["training"] = training
        for buffer, numbers in buffers:
            if not np.array_equal(buffer.data, numbers, equal_nan=numbers.dtype.kind == "f"):
                buffer.data = numbers
        GENERATOR.set(drawn)
        if drawn is not None:
            drawn.set_state(state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
