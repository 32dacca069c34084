"""This project."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import inputs, nets
from ..cases import CALLS, Chain, Convolution, Epoch, LayerRun, Training, Update
from .bare import bare_numpy
from .base import Framework, Part, Settings
from .loops import binary_chain, unary_chain


class Ours(Framework):
    has_optimizers = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        import tinygrad_conv as tg
        from tinygrad_conv import kernels
        from tinygrad_conv.kernels import blas

        if settings.without_fast:
            blas.libraries = lambda: ()  # type: ignore[assignment]
        self.tg, self.kernels = tg, kernels
        if settings.threads is not None:
            kernels.set_num_threads(settings.threads)

    def served(self) -> str | None:
        return self.kernels.served()

    def array(self, result: Any) -> np.ndarray:
        return np.asarray(result.data if isinstance(result, self.tg.Tensor) else result)

    def model(self, net: nets.Net, weights: list[np.ndarray]) -> Any:
        """The net as a user would write it, with these weights."""
        model = self.tg.nn.Sequential(*[self.module(layer) for layer in net])
        with self.tg.no_grad():
            for parameter, weight in zip(model.parameters(), weights, strict=True):
                parameter.data = weight.copy()
        return model

    def ordered(self, array: np.ndarray) -> np.ndarray:
        """[N, C, H, W] in the memory order H, C, W, N, in which our own layers hand their results on."""
        if self.settings.plain_order or array.ndim != 4:
            return array
        return np.ascontiguousarray(array.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)

    def module(self, layer: nets.Layer) -> Any:
        """One layer as a module."""
        nn = self.tg.nn
        match layer:
            case nets.Conv():
                return nn.Conv2d(*layer)
            case nets.Relu():
                return nn.ReLU()
            case nets.MaxPool():
                return nn.MaxPool2d(*layer)
            case nets.AvgPool():
                return nn.AvgPool2d(*layer)
            case nets.BatchNorm():
                return nn.BatchNorm2d(*layer)
            case nets.Flatten():
                return nn.Flatten()
            case nets.Linear():
                return nn.Linear(*layer)
            case nets.Bias():
                bias = nn.Parameter(np.zeros((layer.channels, 1, 1), np.float32))
                return self.custom(lambda self, x: x + self.bias, bias=bias)
            case nets.MeanOfImage():
                return self.custom(lambda self, x: x.mean((2, 3)))
            case nets.Residual():
                body = nn.Sequential(*[self.module(inner) for inner in layer.body])
                return self.custom(lambda self, x: x + self.body(x), body=body)

    def custom(self, forward: Callable[[Any, Any], Any], **members: Any) -> Any:
        """A module of one's own."""
        module = type("Custom", (self.tg.nn.Module,), {"forward": forward})()
        for name, member in members.items():
            setattr(module, name, member)
        return module

    def training(self, task: Training) -> Callable[[], float]:
        weights, images, targets = inputs.for_training(task)
        model, x, target = self.model(task.net, weights), self.tg.tensor(images), self.tg.tensor(targets)
        update = self.update(model, self.optimizer(model, task.update))
        return self.made_fast(lambda: update(x, target).item())

    def optimizer(self, model: Any, update: Update) -> Any:
        """An optimiser of all its parameters."""
        return getattr(self.tg.optim, update.name)(model.parameters(), **update.options)

    def update(self, model: Any, optimizer: Any) -> Callable[[Any, Any], Any]:
        """A step on one batch, which returns its loss."""
        criterion = self.tg.nn.MSELoss()

        def step(x: Any, target: Any) -> Any:
            optimizer.zero_grad()
            loss = criterion(model(x), target)
            loss.backward()
            optimizer.step()
            return loss

        return step

    def made_fast(self, step: Callable[..., float]) -> Callable[..., float]:
        """Replayed, if the command line says so."""
        replayed: Callable[..., float] = self.tg.replay(step) if self.settings.replay else step
        return replayed

    def epoch(self, task: Epoch) -> Callable[[], float]:
        weights, images, labels = inputs.for_epoch(task)
        model = self.model(task.net, weights)
        update = self.update(model, self.tg.optim.Adam(model.parameters(), lr=task.lr))
        step = self.made_fast(lambda x, target: update(x, target).item())
        dataset = self.tg.data.TensorDataset(self.tg.tensor(images), self.tg.tensor(labels))
        order = inputs.Shuffled(len(images))
        loader = self.tg.data.DataLoader(dataset, batch_size=task.batch, sampler=order)
        one_hot = self.tg.eye(task.classes)
        return lambda: float(np.mean([step(x, one_hot[label]) for x, label in loader]))

    def convolution(self, task: Convolution) -> dict[str, Part]:
        """The three ops on arrays, as the rules call them."""
        from tinygrad_conv.ops.conv import conv2d, conv2d_input_grad, conv2d_weight_grad

        x, w, dy = inputs.for_convolution(task)
        x, dy = self.ordered(x), self.ordered(dy)
        conv = task.conv
        where = {
            "stride": conv.stride,
            "padding": conv.padding,
            "dilation": conv.dilation,
            "groups": conv.groups,
        }
        size = (task.height, task.width)
        return {
            "forward": Part(lambda: conv2d(x, w, **where)),
            "dw": Part(lambda: conv2d_weight_grad(x, dy, kernel_size=conv.kernel, **where)),
            "dx": Part(lambda: conv2d_input_grad(dy, w, input_size=size, **where)),
        }

    def layer(self, task: LayerRun) -> dict[str, Part]:
        from .arrival import arrival

        weights, array = inputs.for_layer(task)
        model, images = self.model((task.layer,), weights), self.ordered(array)
        x, start = self.tg.tensor(images), self.tg.ones((1,) * images.ndim, requires_grad=True)
        dy = self.ordered(inputs.gradient_for(model(x).data))
        caught: dict[str, np.ndarray] = {}

        def forward() -> Any:
            with self.tg.no_grad():
                return model(x)

        def prepare() -> tuple[Any]:
            model.zero_grad()
            recorded = arrival(start, images=images)
            recorded.register_hook(lambda dx: caught.update(dx=dx))
            return (model(recorded),)

        def backward(y: Any) -> list[Any]:
            y.backward(dy)
            return [caught["dx"], *(parameter.grad for parameter in model.parameters())]

        return {"forward": Part(forward), "backward": Part(backward, prepare)}

    def chain(self, task: Chain) -> dict[str, Part]:
        """Beside every framework's parts: `recorded`, the op itself, where `forward` is what a user writes;
        relu as a layer; and the arithmetic alone."""
        from tinygrad_conv.engine.registry import OPS

        tg, op = self.tg, OPS[task.op]
        x_array, w_array, dy = inputs.for_chain(task)
        x, w = (tg.Tensor(array, requires_grad=True) for array in (x_array, w_array))

        def chain_of(function: Callable[..., Any]) -> Any:
            return unary_chain(function, x) if task.op == "relu" else binary_chain(function, x, w)

        def untracked() -> Any:
            with tg.no_grad():
                return chain_of(op)

        def prepare() -> tuple[Any]:
            x.grad = w.grad = None
            return (chain_of(op),)

        def backward(y: Any) -> Any:
            y.backward(dy)
            return x.grad

        written = {"relu": tg.relu, "add": operator.add, "matmul": operator.matmul}[task.op]
        functions = {
            "recorded": op,
            "forward": written,
            **({"layer": tg.nn.ReLU()} if task.op == "relu" else {}),
        }
        return {
            **{name: Part(partial(chain_of, function), calls=CALLS) for name, function in functions.items()},
            "untracked": Part(untracked, calls=CALLS),
            "backward": Part(backward, prepare, calls=CALLS),
            **bare_numpy(task.op, x_array, w_array, dy),
        }


FRAMEWORK = Ours
