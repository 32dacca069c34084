"""What no observer is told of: that an optimiser was made or asked to step, and that a state dict was loaded.

While a doctor watches, these methods tell it first; at its end they are what they were. Only the doctor of
the same context is told, so that other threads are not watched.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from ... import creation
from ...data.loader import DataLoader
from ...engine.location import user_where
from ...engine.numpy_calls import tensors_in
from ...nn import init, utils
from ...nn.module import Module
from ...optim.lr_scheduler.plateau import ReduceLROnPlateau
from ...optim.lr_scheduler.scheduler import LRScheduler
from ...optim.optimizer import Optimizer
from .models import root_of
from .seen import LOSSES, Loaded, Metric, OpSeen, Scheduled
from .watch import Watch

INITIALISERS = [name for name in vars(init) if name.endswith("_") and not name.startswith("_")]
LOOKED_THROUGH = 400  # ops among which the one is looked for that made a metric
CLIPPERS = ("clip_grad_norm_", "clip_grad_value_")

WATCH: ContextVar[Watch | None] = ContextVar("the doctor's observer", default=None)


@contextmanager
def telling(watch: Watch) -> Iterator[None]:
    """Inside, optimisers and modules tell the observer."""
    token = WATCH.set(watch)
    replaced: list[tuple[Any, str, Any, Any]] = [
        (Optimizer, "__init__", Optimizer.__init__, tells_of_making),
        (Module, "load_state_dict", Module.load_state_dict, tells_of_loading),
        (Module, "__init__", Module.__init__, tells_of_module),
        (Module, "__call__", Module.__call__, tells_of_call),
        (Module, "train", Module.train, tells_of_mode),
        (DataLoader, "__init__", DataLoader.__init__, tells_of_loader),
        (LRScheduler, "__init__", LRScheduler.__init__, tells_of_making),
        (LRScheduler, "step", LRScheduler.step, tells_of_schedule),
        (ReduceLROnPlateau, "__init__", ReduceLROnPlateau.__init__, tells_of_making),
        (ReduceLROnPlateau, "step", ReduceLROnPlateau.step, tells_of_metric),
        (sys.modules[creation.__package__], "from_numpy", creation.from_numpy, tells_of_wrapping),
    ]
    replaced += [(init, name, getattr(init, name), tells_of_beginning) for name in INITIALISERS]
    replaced += [(utils, name, getattr(utils, name), tells_of_clipping) for name in CLIPPERS]
    replaced += [
        (stepping, "step", vars(stepping)["step"], tells_of_step)
        for stepping in classes_below(Optimizer)
        if "step" in vars(stepping)
    ]
    try:
        for owner, name, method, wrapper in replaced:
            setattr(owner, name, wrapper(method))
        yield
    finally:
        for owner, name, method, _ in replaced:
            setattr(owner, name, method)
        WATCH.reset(token)


def classes_below(base: type) -> list[type]:
    """A class and all that derive from it."""
    derived: list[type] = base.__subclasses__()
    return [base, *(inner for each in derived for inner in classes_below(each))]


def tells_of_making(method: Callable[..., None]) -> Callable[..., None]:
    """`__init__` of an optimiser or a schedule, which notes the user's line."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> None:
        method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is not None:
            watch.history.made[self] = user_where()
            if watch.is_resting and isinstance(self, Optimizer):
                watch.wake()

    return told


def tells_of_module(method: Callable[..., None]) -> Callable[..., None]:
    """`Module.__init__`, which notes the user's line."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> None:
        method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is not None:
            where = watch.history.modules[self] = user_where()
            watch.history.making[type(self).__name__, where] += 1

    return told


def tells_of_loader(method: Callable[..., None]) -> Callable[..., None]:
    """`DataLoader.__init__`, which notes the user's line."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> None:
        method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is not None:
            watch.history.loaders.append(user_where())
            with suppress(TypeError):  # data that come one by one have no length
                watch.history.lengths.append(len(self))

    return told


def tells_of_call(method: Callable[..., Any]) -> Callable[..., Any]:
    """`Module.__call__`, which notes what the outermost module is given."""

    @functools.wraps(method)
    def told(self: Any, *inputs: Any, **options: Any) -> Any:
        watch = WATCH.get()
        if watch is None or watch.given is not None:
            return method(self, *inputs, **options)
        given = list(tensors_in((inputs, options)))
        watch.given = {id(tensor._data) for tensor in given} if given else None
        before, watch.called = watch.called, watch.called or user_where()
        try:
            return method(self, *inputs, **options)
        finally:
            watch.given, watch.called = None, before

    return told


def tells_of_mode(method: Callable[..., Any]) -> Callable[..., Any]:
    """`train`, which notes where a module was last put into eval mode."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> Any:
        returned = method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is not None and not self.training:
            watch.history.evals[self] = user_where()
        return returned

    return told


def tells_of_schedule(method: Callable[..., None]) -> Callable[..., None]:
    """`step` of a schedule, which notes the user's line."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> None:
        method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is not None and not watch.is_resting:
            watch.history.scheduled.append(Scheduled(self, user_where()))

    return told


def tells_of_metric(method: Callable[..., None]) -> Callable[..., None]:
    """`ReduceLROnPlateau.step`, which notes what it is told."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> None:
        method(self, *arguments, **options)
        watch = WATCH.get()
        if watch is None:
            return
        value = float([*arguments, *options.values()][0])
        history = watch.history
        earlier = sum(len(metric.losses) for metric in history.watched if metric.scheduler is self)
        losses = [sweep.loss for sweep in history.sweeps if sweep.loss is not None and sweep.writes]
        rate = float(self.optimizer.param_groups[0]["lr"])
        compared = is_compared(history.ops, value)
        history.watched.append(Metric(self, user_where(), value, losses[earlier:], compared, rate))

    return told


def is_compared(ops: list[OpSeen], value: float) -> bool:
    """Whether a number is what comes of a comparison, as an accuracy is."""
    maker = next((op for op in reversed(ops[-LOOKED_THROUGH:]) if op.value == value), None)
    while maker is not None and maker.op not in LOSSES:
        if maker.op == "eq":
            return True
        maker = next((given.producer for given in maker.inputs if given.producer is not None), None)
    return False


def tells_of_beginning(method: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `nn.init`, which notes the user's line."""

    @functools.wraps(method)
    def told(tensor: Any, *arguments: Any, **options: Any) -> Any:
        watch = WATCH.get()
        if watch is not None:
            watch.history.begun[tensor] = user_where()
        return method(tensor, *arguments, **options)

    return told


def tells_of_clipping(method: Callable[..., Any]) -> Callable[..., Any]:
    """A function that clips gradients, which notes the user's line."""

    @functools.wraps(method)
    def told(*arguments: Any, **options: Any) -> Any:
        watch = WATCH.get()
        if watch is not None:
            watch.history.clips.append(user_where())
        return method(*arguments, **options)

    return told


def tells_of_wrapping(method: Callable[..., Any]) -> Callable[..., Any]:
    """`from_numpy`, which notes the user's line and the memory that is shared."""

    @functools.wraps(method)
    def told(array: Any) -> Any:
        watch = WATCH.get()
        if watch is not None and hasattr(array, "__array_interface__"):
            watch.history.wrapped[int(array.__array_interface__["data"][0])] = user_where()
        return method(array)

    return told


def tells_of_step(method: Callable[..., Any]) -> Callable[..., Any]:
    """`step`, which notes that it was called."""

    @functools.wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> Any:
        watch = WATCH.get()
        if watch is None or watch.is_stepping:
            return method(self, *arguments, **options)
        before, watch.is_stepping = len(watch.history.updates), True
        try:
            returned = method(self, *arguments, **options)
        finally:
            watch.is_stepping = False
        watch.stepped(self, len(watch.history.updates) - before)
        return returned

    return told


def tells_of_loading(method: Callable[..., Any]) -> Callable[..., Any]:
    """`load_state_dict`, which notes what was left out, and what came from another layer."""

    @functools.wraps(method)
    def told(self: Any, state_dict: Any, *arguments: Any, **options: Any) -> Any:
        returned = method(self, state_dict, *arguments, **options)
        watch = WATCH.get()
        if watch is not None:
            missing, unexpected = list(returned.missing_keys), list(returned.unexpected_keys)
            root, loaded = root_of(self), set(self.parameters())
            others = list(watch.keys_elsewhere(root, loaded))
            if not others and root is not self:
                root, others = self, list(watch.keys_elsewhere(self, loaded))
            watch.history.loads.append(Loaded(self, user_where(), missing, unexpected, others, root))
        return returned

    return told
