"""MyGrad. Its convolutions know no groups, and its sizes must come out even."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mygrad
import numpy as np
from mygrad.nnet.activations import relu
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool

from .. import inputs, nets
from ..cases import Convolution, LayerRun, Training
from .base import Framework, NotOffered, Part, layer_by_layer


def apply(layer: nets.Layer, weights: Iterator[Any], x: Any) -> Any:
    """One layer, which takes its weights from those that are left."""
    match layer:
        case nets.Conv():
            y = convolve(layer, x, next(weights))
            return y + next(weights).reshape(1, -1, 1, 1) if layer.bias else y
        case nets.Relu():
            return relu(x)
        case nets.MaxPool():
            return max_pool(x, (layer.kernel, layer.kernel), layer.stride)
        case nets.BatchNorm():
            return batchnorm(x, gamma=next(weights), beta=next(weights), eps=nets.EPS)
        case nets.Flatten():
            return x.reshape(len(x), -1)
        case nets.Linear():
            return mygrad.matmul(x, next(weights).T) + next(weights)
        case nets.Bias():
            return x + next(weights)
        case nets.MeanOfImage():
            return x.mean((2, 3))
        case nets.Residual():
            return x + layer_by_layer(apply, layer.body, weights, x)
    raise NotOffered


def convolve(conv: nets.Conv, x: Any, w: Any) -> Any:
    """x [N, C, H, W] ⋆ w [O, C, kh, kw]."""
    if conv.groups > 1:
        raise NotOffered
    return conv_nd(x, w, stride=conv.stride, padding=conv.padding, dilation=conv.dilation)


class MyGrad(Framework):
    def array(self, result: Any) -> np.ndarray:
        return np.asarray(result.data if isinstance(result, mygrad.Tensor) else result)

    def training(self, task: Training) -> Callable[[], float]:
        arrays, x, target = inputs.for_training(task)
        weights = [mygrad.tensor(array) for array in arrays]

        def step() -> float:
            for weight in weights:
                weight.null_grad()
            loss = ((layer_by_layer(apply, task.net, iter(weights), x) - target) ** 2).mean()
            loss.backward()
            for weight in weights:
                weight.data -= np.float32(0.01) * weight.grad
            return float(loss.data)

        return step

    def convolution(self, task: Convolution) -> dict[str, Part]:
        """Through its tape, with one of the two a constant."""
        x, w, dy = inputs.for_convolution(task)
        conv = task.conv
        sizes = zip((task.height, task.width), conv.padding, conv.kernel)
        if any((size + 2 * pad - conv.dilation * (taps - 1) - 1) % conv.stride for size, pad, taps in sizes):
            raise NotOffered

        def gradient_of(array: np.ndarray, y_of: Callable[[Any], Any]) -> Part:
            leaf = mygrad.tensor(array)

            def backward(y: Any) -> Any:
                y.backward(dy)
                return leaf.grad

            return Part(backward, lambda: (y_of(leaf),))

        return {
            "forward": Part(mygrad.no_autodiff(lambda: convolve(conv, x, w))),
            "dw": gradient_of(w, lambda leaf: convolve(conv, x, leaf)),
            "dx": gradient_of(x, lambda leaf: convolve(conv, leaf, w)),
        }

    def layer(self, task: LayerRun) -> dict[str, Part]:
        arrays, images = inputs.for_layer(task)
        weights, x = [mygrad.tensor(array) for array in arrays], mygrad.tensor(images)
        leaves = [x, *weights]
        dy = inputs.gradient_for(apply(task.layer, iter(weights), x).data)

        def backward(y: Any) -> list[Any]:
            y.backward(dy)
            return [leaf.grad for leaf in leaves]

        return {
            "forward": Part(mygrad.no_autodiff(lambda: apply(task.layer, iter(weights), x))),
            "backward": Part(backward, lambda: (apply(task.layer, iter(weights), x),)),
        }


FRAMEWORK = MyGrad
