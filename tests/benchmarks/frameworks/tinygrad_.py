"""tinygrad, its steps captured by `TinyJit`, on the processor: steps and epochs. From its version 0.14 on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from tinygrad import Tensor, TinyJit
from tinygrad.helpers import Context
from tinygrad.nn.optim import SGD, Adam

from .. import inputs, nets
from ..cases import Epoch, Training
from .base import Framework, layer_by_layer


def apply(layer: nets.Layer, weights: Iterator[Any], x: Any) -> Any:
    """One layer, which takes its weights from those that are left."""
    match layer:
        case nets.Conv():
            weight, bias = next(weights), next(weights) if layer.bias else None
            return x.conv2d(weight, bias, layer.groups, layer.stride, layer.dilation, layer.padding)
        case nets.Relu():
            return x.relu()
        case nets.MaxPool():
            return x.max_pool2d((layer.kernel,) * 2, layer.stride)
        case nets.AvgPool():
            return x.avg_pool2d((layer.kernel,) * 2)
        case nets.BatchNorm():
            centred = x - x.mean((0, 2, 3), keepdim=True)
            variance = (centred * centred).mean((0, 2, 3), keepdim=True)
            scale, shift = (next(weights).reshape(1, -1, 1, 1) for _ in range(2))
            return centred * (variance + nets.EPS).rsqrt() * scale + shift
        case nets.Flatten():
            return x.flatten(1)
        case nets.Linear():
            return x.linear(next(weights).transpose(), next(weights))
        case nets.Bias():
            return x + next(weights)
        case nets.MeanOfImage():
            return x.mean((2, 3))
        case nets.Residual():
            return x + layer_by_layer(apply, layer.body, weights, x)


def data(array: np.ndarray) -> Tensor:
    """What no gradient is wanted for."""
    return Tensor(array).is_param_(False).realize()


def update_of(net: nets.Net, weights: list[Tensor], optimizer: Any) -> Any:
    """A step on one batch, captured for its shape."""

    @TinyJit
    def update(x: Tensor, target: Tensor) -> Any:
        optimizer.zero_grad()
        loss = ((layer_by_layer(apply, net, iter(weights), x) - target) ** 2).mean()
        loss.backward()
        return loss.realize(*optimizer.schedule_step())

    return update


class Tinygrad(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        arrays, images, targets = inputs.for_training(task)
        weights, x, target = [Tensor(array).realize() for array in arrays], data(images), data(targets)
        update = update_of(task.net, weights, SGD(weights, lr=0.01))

        def step() -> float:
            with Context(TRAINING=1):
                return float(update(x, target).item())

        return step

    def epoch(self, task: Epoch) -> Callable[[], float]:
        """A batch is taken by NumPy, for it has no loader; a capture serves one size of batches."""
        arrays, images, labels = inputs.for_epoch(task)
        weights = [Tensor(array).realize() for array in arrays]
        optimizer = Adam(weights, lr=task.lr)
        order, one_hot = inputs.Shuffled(len(images)), np.eye(task.classes, dtype=np.float32)
        updates: dict[int, Any] = {}

        def step(rows: np.ndarray) -> float:
            update = updates.setdefault(len(rows), update_of(task.net, weights, optimizer))
            return float(update(data(images[rows]), data(one_hot[labels[rows]])).item())

        def epoch() -> float:
            with Context(TRAINING=1):
                return float(np.mean([step(rows) for rows in order.batches(task.batch)]))

        return epoch


FRAMEWORK = Tinygrad
