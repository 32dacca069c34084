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
from typing import Any, TypeAlias

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

Wrappers: TypeAlias = list[tuple[Any, str, Callable[[Any], Any]]]  # owner, name of the attribute, wrapper

WATCH: ContextVar[Watch | None] = ContextVar("the doctor's observer", default=None)


@contextmanager
def telling(watch: Watch) -> Iterator[None]:
    """Inside, optimisers and modules tell the observer."""
    token = WATCH.set(watch)
    wrappers: Wrappers = [
        (Optimizer, "__init__", tells(made)),
        (Module, "load_state_dict", tells(loaded)),
        (Module, "__init__", tells(made_module)),
        (Module, "__call__", tells_of_call),
        (Module, "train", tells(set_mode)),
        (DataLoader, "__init__", tells(made_loader)),
        (LRScheduler, "__init__", tells(made)),
        (LRScheduler, "step", tells(stepped_schedule)),
        (ReduceLROnPlateau, "__init__", tells(made)),
        (ReduceLROnPlateau, "step", tells(told_metric)),
        (sys.modules[creation.__package__], "from_numpy", tells(wrapped)),
    ]
    wrappers += [(init, name, tells(begun)) for name in INITIALISERS]
    wrappers += [(utils, name, tells(clipped)) for name in CLIPPERS]
    wrappers += [
        (stepping, "step", tells_of_step) for stepping in classes_below(Optimizer) if "step" in vars(stepping)
    ]
    try:
        with wrapped_by(wrappers):
            yield
    finally:
        WATCH.reset(token)


@contextmanager
def wrapped_by(wrappers: Wrappers) -> Iterator[None]:
    """Inside, attributes of these owners are what a wrapper makes of them."""
    replaced = [(owner, name, getattr(owner, name), wrapper) for owner, name, wrapper in wrappers]
    try:
        for owner, name, function, wrapper in replaced:
            setattr(owner, name, wrapper(function))
        yield
    finally:
        for owner, name, function, _ in replaced:
            setattr(owner, name, function)


def classes_below(base: type) -> list[type]:
    """A class and all that derive from it."""
    derived: list[type] = base.__subclasses__()
    return [base, *(inner for each in derived for inner in classes_below(each))]


def tells(note: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a method one that tells once it has run: `note` gets the observer, what it returned, and what it
    was called with.
    """

    def telling_method(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def told(*inputs: Any, **options: Any) -> Any:
            returned = method(*inputs, **options)
            watch = WATCH.get()
            if watch is not None:
                note(watch, returned, *inputs, **options)
            return returned

        return told

    return telling_method


def made(watch: Watch, _: None, maker: Any, *rest: Any, **options: Any) -> None:
    """Where an optimiser or a schedule was made."""
    watch.history.made[maker] = user_where()
    if watch.is_resting and isinstance(maker, Optimizer):
        watch.wake()


def made_module(watch: Watch, _: None, module: Module, *rest: Any, **options: Any) -> None:
    """Where a module was made, and how many of its class were there."""
    where = watch.history.modules[module] = user_where()
    watch.history.making[type(module).__name__, where] += 1


def made_loader(watch: Watch, _: None, loader: DataLoader, *rest: Any, **options: Any) -> None:
    """Where a loader was made, and how many batches it has."""
    watch.history.loaders.append(user_where())
    with suppress(TypeError):  # data that come one by one have no length
        watch.history.lengths.append(len(loader))


def set_mode(watch: Watch, _: Any, module: Module, *rest: Any, **options: Any) -> None:
    """Where a module was last put into eval mode."""
    if not module.training:
        watch.history.evals[module] = user_where()


def stepped_schedule(watch: Watch, _: None, schedule: LRScheduler, *rest: Any, **options: Any) -> None:
    """Where a schedule was asked to step."""
    if not watch.is_resting:
        watch.history.scheduled.append(Scheduled(schedule, user_where()))


def told_metric(watch: Watch, _: None, schedule: Any, *rest: Any, **options: Any) -> None:
    """What a schedule that waits for a plateau is told."""
    value = float([*rest, *options.values()][0])
    history = watch.history
    earlier = sum(len(metric.losses) for metric in history.watched if metric.scheduler is schedule)
    losses = [sweep.loss for sweep in history.sweeps if sweep.loss is not None and sweep.writes]
    rate = float(schedule.optimizer.param_groups[0]["lr"])
    compared = is_compared(history.ops, value)
    history.watched.append(Metric(schedule, user_where(), value, losses[earlier:], compared, rate))


def is_compared(ops: list[OpSeen], value: float) -> bool:
    """Whether a number is what comes of a comparison, as an accuracy is."""
    maker = next((op for op in reversed(ops[-LOOKED_THROUGH:]) if op.value == value), None)
    while maker is not None and maker.op not in LOSSES:
        if maker.op == "eq":
            return True
        maker = next((given.producer for given in maker.inputs if given.producer is not None), None)
    return False


def begun(watch: Watch, tensor: Any, *rest: Any, **options: Any) -> None:
    """Where a function of `nn.init` was called, which returns its tensor."""
    watch.history.begun[tensor] = user_where()


def clipped(watch: Watch, *rest: Any, **options: Any) -> None:
    """Where gradients were clipped."""
    watch.history.clips.append(user_where())


def wrapped(watch: Watch, _: Any, array: Any) -> None:
    """Where `from_numpy` was called, and the memory that is shared."""
    watch.history.wrapped[int(array.__array_interface__["data"][0])] = user_where()


def loaded(watch: Watch, returned: Any, module: Module, *rest: Any, **options: Any) -> None:
    """What a state dict left out, and what of it came from another layer."""
    missing, unexpected = list(returned.missing_keys), list(returned.unexpected_keys)
    root, own = root_of(module), set(module.parameters())
    others = list(watch.keys_elsewhere(root, own))
    if not others and root is not module:
        root, others = module, list(watch.keys_elsewhere(module, own))
    watch.history.loads.append(Loaded(module, user_where(), missing, unexpected, others, root))


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
