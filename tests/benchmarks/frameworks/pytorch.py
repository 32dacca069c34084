"""PyTorch, eager, with its default threads."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from .. import inputs, nets
from ..cases import CALLS, Chain, Convolution, Epoch, LayerRun, Training
from .base import Framework, Part
from .loops import binary_chain, unary_chain


class Bias(torch.nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.bias


class MeanOfImage(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class Residual(torch.nn.Module):
    def __init__(self, body: torch.nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def module(layer: nets.Layer) -> torch.nn.Module:
    """One layer as a module."""
    match layer:
        case nets.Conv():
            return torch.nn.Conv2d(*layer)
        case nets.Relu():
            return torch.nn.ReLU()
        case nets.MaxPool():
            return torch.nn.MaxPool2d(*layer)
        case nets.AvgPool():
            return torch.nn.AvgPool2d(*layer)
        case nets.BatchNorm():
            return torch.nn.BatchNorm2d(*layer)
        case nets.Flatten():
            return torch.nn.Flatten()
        case nets.Linear():
            return torch.nn.Linear(*layer)
        case nets.Bias():
            return Bias(*layer)
        case nets.MeanOfImage():
            return MeanOfImage()
        case nets.Residual():
            return Residual(torch.nn.Sequential(*map(module, layer.body)))


def model_of(net: nets.Net, weights: list[np.ndarray]) -> torch.nn.Module:
    """The net with these weights."""
    model = torch.nn.Sequential(*map(module, net))
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight))
    return model


class PyTorch(Framework):
    has_optimizers = True

    def array(self, result: Any) -> np.ndarray:
        return result.detach().numpy() if isinstance(result, torch.Tensor) else np.asarray(result)

    def training(self, task: Training) -> Callable[[], float]:
        weights, images, targets = inputs.for_training(task)
        model, x, target = model_of(task.net, weights), torch.from_numpy(images), torch.from_numpy(targets)
        optimizer = getattr(torch.optim, task.update.name)(model.parameters(), **task.update.options)
        update = self.update(model, optimizer)
        return lambda: update(x, target)

    def update(self, model: torch.nn.Module, optimizer: Any) -> Callable[[Any, Any], float]:
        """A step on one batch."""
        loss_of = self.loss_of(model)

        def step(x: torch.Tensor, target: torch.Tensor) -> float:
            optimizer.zero_grad()
            loss = loss_of(x, target)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    def loss_of(self, model: torch.nn.Module) -> Callable[[Any, Any], Any]:
        """Forward and loss."""
        criterion = torch.nn.MSELoss()
        return lambda x, target: criterion(model(x), target)

    def epoch(self, task: Epoch) -> Callable[[], float]:
        weights, images, labels = inputs.for_epoch(task)
        model = model_of(task.net, weights)
        update = self.update(model, torch.optim.Adam(model.parameters(), lr=task.lr))
        dataset = TensorDataset(torch.from_numpy(images), torch.from_numpy(labels))
        loader = DataLoader(dataset, batch_size=task.batch, sampler=inputs.Shuffled(len(images)))
        one_hot = torch.eye(task.classes)
        return lambda: float(np.mean([update(x, one_hot[label]) for x, label in loader]))

    def convolution(self, task: Convolution) -> dict[str, Part]:
        """The functions that autograd calls, without autograd."""
        x, w, dy = map(torch.from_numpy, inputs.for_convolution(task))
        conv = task.conv
        stride, padding, dilation = [conv.stride] * 2, list(conv.padding), [conv.dilation] * 2

        def gradients(*wanted: bool) -> Any:
            return torch.ops.aten.convolution_backward(
                dy, x, w, None, stride, padding, dilation, False, [0, 0], conv.groups, [*wanted, False]
            )

        def forward() -> torch.Tensor:
            with torch.no_grad():
                return torch.conv2d(x, w, None, stride, padding, dilation, conv.groups)

        return {
            "forward": Part(forward),
            "dw": Part(lambda: gradients(False, True)[1]),
            "dx": Part(lambda: gradients(True, False)[0]),
        }

    def layer(self, task: LayerRun) -> dict[str, Part]:
        weights, array = inputs.for_layer(task)
        model, x = model_of((task.layer,), weights), torch.from_numpy(array).requires_grad_()
        dy = torch.from_numpy(inputs.gradient_for(self.array(model(x))))
        leaves = [x, *model.parameters()]

        def forward() -> torch.Tensor:
            with torch.no_grad():
                return model(x)

        def prepare() -> tuple[torch.Tensor]:
            for leaf in leaves:
                leaf.grad = None
            return (model(x),)

        def backward(y: torch.Tensor) -> list[Any]:
            y.backward(dy)
            return [leaf.grad for leaf in leaves]

        return {"forward": Part(forward), "backward": Part(backward, prepare)}

    def chain(self, task: Chain) -> dict[str, Part]:
        x, w, dy = map(torch.from_numpy, inputs.for_chain(task))
        op = {"relu": torch.relu, "add": operator.add, "matmul": operator.matmul}[task.op]
        x.requires_grad_()
        w.requires_grad_()

        def forward() -> torch.Tensor:
            return unary_chain(op, x) if task.op == "relu" else binary_chain(op, x, w)

        def untracked() -> torch.Tensor:
            with torch.no_grad():
                return forward()

        def prepare() -> tuple[torch.Tensor]:
            x.grad = w.grad = None
            return (forward(),)

        def backward(y: torch.Tensor) -> Any:
            y.backward(dy)
            return x.grad

        return {
            "forward": Part(forward, calls=CALLS),
            "untracked": Part(untracked, calls=CALLS),
            "backward": Part(backward, prepare, calls=CALLS),
        }


FRAMEWORK = PyTorch
