"""Looking on while a model is trained: what each step was like, layer by layer, in a few numbers.

A `TrainingObserver` sees the forwards of one model, the backwards that reach its parameters, and the steps of
optimisers that move them. It changes nothing: the hooks that it puts on modules only tell that the model is
running, copies of the model have none, and they are gone in the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...dtypes import Array
from ...engine.backward import Gradients
from ...engine.node import Node, Output
from ...engine.observe import Call, Observer
from ...engine.tensor import Tensor
from ...nn import Module
from ...nn.uninitialized import is_uninitialized
from ...options import Option, check_option, count, optional
from ..flow import known, mean_and_std, ratio, share_of_zeros, size

MOST_LAYERS = 200  # of which numbers are kept

EVERY = optional(count(1))
MODEL = Option("an nn.Module", lambda value: isinstance(value, Module))


@dataclass
class Layer:
    """A layer at one step; |x| is the root mean square of x. None: not looked at, or there is no such thing.

    y, zeros, mean, std: of what it made, its size, the share of zeros, mean and standard deviation. dy: of
    the gradient that arrived there. w, dw, update: of its weight, the weight's gradient, and what the step
    added to it.
    """

    y: float | None = None
    zeros: float | None = None
    mean: float | None = None
    std: float | None = None
    dy: float | None = None
    w: float | None = None
    dw: float | None = None
    update: float | None = None

    @property
    def relative(self) -> float | None:
        """|dw| / |w|."""
        return ratio(self.dw, self.w)

    @property
    def progress(self) -> float | None:
        """How much of itself the weight was moved by: |update| / |w|."""
        return ratio(self.update, self.w)


@dataclass
class Moment:
    """One step of a training: its number (from 1 on), the loss that it was taken for, and the layers."""

    step: int
    loss: float | None = None
    lr: Any = None  # a number, or a list of them where groups of parameters differ
    layers: dict[str, Layer] = field(default_factory=dict)


class RunningHook:
    """A module's hook, which only tells; a copy of the module has one that tells nobody."""

    def __init__(self, tell: Any = None) -> None:
        self._tell = tell

    def __call__(self, module: Module, *call: Any) -> None:
        if self._tell is not None:
            self._tell(module)

    def __reduce__(self) -> Any:
        return RunningHook, ()


class TrainingObserver(Observer):
    """Watches the training of a model from the moment that it is made until `close()`, or the block's end.

    A step is complete when each parameter that has a gradient has been moved, by however many optimisers, or
    when the model's next forward begins. Its loss is what `backward` was called on since the step before, the
    sum where that was several times. Every `every`-th step is looked at closely, and handed to `take`.
    """

    def __init__(self, model: Module, every: int | None) -> None:
        owner = type(self).__name__
        check_option(owner, "model", MODEL, model)
        check_option(owner, "every", EVERY, every)
        self.model, self.every, self.step, self.closed = model, every, 0, False
        self._depth = 0  # of calls of the model's modules that are running
        self._calls: Counter[str] = Counter()  # by the name of what an op made, in this forward
        self._optimizer_end: Any = None  # the last parameter that the running step of an optimiser moves
        self._own: set[Any] = set()  # the model's parameters, then
        self._latest: Moment | None = None  # the step that was completed last, if it was looked at
        self._scalars: WeakKeyDictionary[Node, list[float | None]] = WeakKeyDictionary()
        self._forget()
        hooks = [(module, RunningHook(self._entered), RunningHook(self._left)) for module in model.modules()]
        self._handles = [module.register_forward_pre_hook(before) for module, before, _ in hooks]
        self._handles += [module.register_forward_hook(after) for module, _, after in hooks]
        super().__enter__()

    def __enter__(self: Any) -> Any:
        if self.closed:
            raise RuntimeError(f"{type(self).__name__}: it has been closed; make another one")
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Look on no longer. What was seen stays."""
        if self.closed:
            return
        try:
            self._finish()
        finally:
            self.closed = True
            super().__exit__()
            for handle in self._handles:
                handle.remove()

    def take(self, moment: Moment) -> None:
        """A step that was looked at is complete."""

    def passed(self, step: int, loss: float | None) -> None:
        """A step is complete, looked at or not."""

    def is_wanted(self, step: int) -> bool:
        """Whether a step is looked at."""
        return self.every is None or step % self.every == 0

    def _forget(self) -> None:
        """Begin another step."""
        self._loss: float | None = None
        self._seeds: list[Any] = []
        self._swept = False
        self._moved: dict[Any, dict[str, Any]] = {}  # the parameters that were moved, with their groups
        self._before: dict[Any, Array] = {}  # their numbers before
        self._layers: dict[str, Layer] = {}
        self._made_by: dict[str, int] = {}  # the index of the node that made what a layer made
        self._layer_of: dict[int, str] = {}  # the same the other way round
        self._wanted = self.is_wanted(self.step + 1)

    def _entered(self, module: Module) -> None:
        """A module's forward begins."""
        if module is self.model or not self._depth:
            self._depth = 0
            name = name_in(self.model, module._path)
            for key in [key for key in self._calls if key.startswith(name)]:
                del self._calls[key]
            if self._moved:
                self._finish()
        self._depth += 1

    def _left(self, module: Module) -> None:
        """It has ended."""
        self._depth = max(self._depth - 1, 0)

    def after_op(self, call: Call) -> None:
        node = call.node
        if node is None:  # as in an evaluation under no_grad
            return
        values = [float(output.item()) if output.data.size == 1 else None for output in call.outputs]
        if any(value is not None for value in values):
            self._scalars[node] = values
        if self._wanted and self._depth:
            self._look(call, node)

    def _look(self, call: Call, node: Node) -> None:
        """Measure what a layer has made."""
        name = name_of_call(self.model, call.layer, call.op, self._calls)
        if name not in self._layers and len(self._layers) >= MOST_LAYERS:
            return
        outputs = known(call.outputs)
        mean, std = mean_and_std(outputs[0])
        self._layers[name] = Layer(size(outputs), share_of_zeros(outputs), mean, std)
        self._made_by[name] = node.index

    def before_sweep(self, gradients: Gradients) -> None:
        self._seeds = list(gradients.arrived)
        self._layer_of = {index: name for name, index in self._made_by.items()}

    def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
        name = self._layer_of.get(node.index)
        if name is not None:
            self._layers[name].dy = size(known(dy))

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        params = [param for param in self.model.parameters() if param in gradients]
        if not params:
            return
        if self._moved:
            self._finish()
        self._swept = True
        losses = [self._scalars[edge.node][edge.slot] for edge in self._seeds if self._is_scalar(edge)]
        for loss in losses:
            if loss is not None:
                self._loss = loss + (self._loss or 0.0)
        if self._wanted:
            for param in params:
                if param not in self._before:
                    self._before[param] = param.data.copy()

    def _is_scalar(self, edge: Any) -> bool:
        return type(edge) is Output and edge.node in self._scalars

    def after_update(self, optimizer: Any, param: Tensor, group: dict[str, Any]) -> None:
        if self._optimizer_end is None:
            self._optimizer_end = optimizer.moved()[-1][0]
            self._own = set(self.model.parameters())
        if param in self._own:
            self._moved[param] = group
        if param is self._optimizer_end:
            self._optimizer_end = None
            with_gradient = [own for own in self.model.parameters() if own.grad is not None]
            if self._moved and all(own in self._moved for own in with_gradient):
                self._finish()

    def _finish(self) -> None:
        """The step is complete, if there was one."""
        if not self._moved:
            return
        self.step += 1
        self._depth = 0
        moment, loss = self.moment() if self._wanted else None, self._loss
        self._forget()
        self._latest = moment
        self.passed(self.step, loss)
        if moment is not None and self.every is not None:
            self.take(moment)
            self._wanted = self.is_wanted(self.step + 1)  # which may have changed `every`

    def now(self) -> Moment:
        """What there is now; where there has been a backward, and no optimiser since, it is a new step."""
        self._finish()
        if self._latest is not None and not self._swept:
            return self._latest
        if self._swept:
            self.step += 1
            self.passed(self.step, self._loss)
        moment = self.moment()
        self._forget()
        return moment

    def moment(self) -> Moment:
        """The step as far as it is known."""
        layers = dict(self._layers)
        for name, param in weights_of(self.model):
            layer = layers.setdefault(name, Layer())
            layer.w = size([param.data])
            layer.dw = size([np.asarray(param.grad)]) if param.grad is not None else None
            before = self._before.get(param)
            if before is not None and before.shape == param.data.shape:
                with np.errstate(all="ignore"):
                    layer.update = size([param.data.astype(np.float64) - before])
        return Moment(self.step, self._loss, rates_of(list(self._moved.values())), layers)


def name_in(model: Module, path: str) -> str:
    """What a module is called from the model on: "" for itself."""
    if path == model._path:
        return ""
    return path.removeprefix(f"{model._path}.")


def name_of_call(model: Module, path: str, op: str, calls: Counter[str]) -> str:
    """What the result of an op is called: by its layer, or `block.relu()` where a container calls it itself.

    calls: how often each name was given in this forward; a second one is `relu() #2`.
    """
    name = name_in(model, path)
    layer: Any = model
    for part in name.split(".") if name else ():
        layer = layer._own_modules().get(part) if layer is not None else None
    if layer is not None and not list(layer.children()):
        return name or type(model).__name__.lower()
    key = f"{name}.{op}()".removeprefix(".")
    calls[key] += 1
    return key if calls[key] == 1 else f"{key} #{calls[key]}"


def weights_of(model: Module) -> Iterator[tuple[str, Any]]:
    """(name of the layer, its largest parameter) for each layer that has parameters of its own."""
    for path, module in model.named_modules():
        own = [param for param in module._own_parameters().values() if not is_uninitialized(param)]
        if own:
            yield path or type(model).__name__.lower(), max(own, key=lambda param: param.data.size)


def rates_of(groups: Sequence[dict[str, Any]]) -> Any:
    """The learning rate of these groups, or a list of them where they differ."""
    rates = [float(rate) for rate in dict.fromkeys(group.get("lr") for group in groups) if rate is not None]
    return rates if len(rates) > 1 else next(iter(rates), None)


def as_json(number: Any, digits: int) -> Any:
    """A number, or each of a list, as JSON has it, with so many digits; one that is not finite in words."""
    if isinstance(number, list):
        return [as_json(each, digits) for each in number]
    if number is None:
        return None
    if math.isfinite(number):
        return float(f"{number:.{digits}g}")
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
