"""PyDyNet: whole steps, for its backward begins at a scalar. Its kernels are square, without dilation or
groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pydynet
import pydynet.nn.functional as F

from .. import inputs, nets
from ..cases import Training
from .base import Framework, NotOffered, layer_by_layer


def apply(layer: nets.Layer, weights: Iterator[Any], x: Any) -> Any:
    """One layer, which takes its weights from those that are left."""
    match layer:
        case nets.Conv(dilation=1, groups=1):
            y = F.conv2d(x, next(weights), padding=layer.padding[0], stride=layer.stride)
            return y + next(weights).reshape(1, -1, 1, 1) if layer.bias else y
        case nets.Relu():
            return F.relu(x)
        case nets.MaxPool():
            return F.max_pool2d(x, layer.kernel, layer.stride)
        case nets.BatchNorm():
            mean = pydynet.mean(x, (0, 2, 3), keepdims=True)
            centred = x - mean
            variance = pydynet.mean(pydynet.square(centred), (0, 2, 3), keepdims=True)
            scale, shift = next(weights).reshape(1, -1, 1, 1), next(weights).reshape(1, -1, 1, 1)
            return centred / pydynet.sqrt(variance + nets.EPS) * scale + shift
        case nets.Flatten():
            return x.reshape(len(x), -1)
        case nets.Linear():
            return x @ next(weights).T + next(weights)
        case nets.MeanOfImage():
            return pydynet.mean(x, (2, 3))
        case nets.Residual():
            return x + layer_by_layer(apply, layer.body, weights, x)
    raise NotOffered


class PyDyNet(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        arrays, images, targets = inputs.for_training(task)
        weights = [pydynet.Tensor(array, dtype=np.float32, requires_grad=True) for array in arrays]
        x, target = pydynet.Tensor(images, dtype=np.float32), pydynet.Tensor(targets, dtype=np.float32)

        def step() -> float:
            for weight in weights:
                weight.zero_grad()
            loss = pydynet.mean(pydynet.square(layer_by_layer(apply, task.net, iter(weights), x) - target))
            loss.backward()
            for weight in weights:
                weight.data -= np.float32(0.01) * weight.grad
            return float(loss.data)

        return step


FRAMEWORK = PyDyNet
