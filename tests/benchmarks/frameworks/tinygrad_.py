"""tinygrad, its steps captured by `TinyJit`, on the processor: whole steps. From its version 0.14 on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tinygrad import Tensor, TinyJit
from tinygrad.helpers import Context
from tinygrad.nn.optim import SGD

from .. import inputs, nets
from ..cases import Training
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


class Tinygrad(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        arrays, images, targets = inputs.for_training(task)
        weights = [Tensor(array).realize() for array in arrays]
        x, target = (Tensor(array).is_param_(False).realize() for array in (images, targets))
        optimizer = SGD(weights, lr=0.01)

        @TinyJit
        def update() -> Any:
            optimizer.zero_grad()
            loss = ((layer_by_layer(apply, task.net, iter(weights), x) - target) ** 2).mean()
            loss.backward()
            return loss.realize(*optimizer.schedule_step())

        def step() -> float:
            with Context(TRAINING=1):
                return float(update().item())

        return step


FRAMEWORK = Tinygrad
