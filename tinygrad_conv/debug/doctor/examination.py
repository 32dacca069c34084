"""`Doctor`: watches a training, and says what is wrong with it."""

from __future__ import annotations

from bdb import BdbQuit
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from ...engine.backpropagation import enter_seeds
from ...engine.backward import sweep
from ...engine.observe import Observation, ObservedGradients
from ...engine.observed import observed_by
from ...engine.registry import if_open
from ...engine.tensor import Tensor
from ...errors import show_count, show_value
from ...nn.module import Module
from ...optim.optimizer import Optimizer
from . import (
    cuts,
    data,
    divergences,
    flow,
    guesses,
    initial,
    losses,
    models,
    modes,
    not_finite,
    orders,
    padding,
    parameters,
    recurrence,
    reshapes,
    schedules,
    signs,
    state_dicts,
    statistics,
    steps,
    stops,
)
from .finding import Finding, report, worst_first
from .flow import Flow
from .patches import telling
from .seen import History
from .shuffles import telling_of_shuffles
from .untouched import untouched
from .watch import Watch

SUBJECTS = (
    *(stops, modes, not_finite, state_dicts, steps, parameters, cuts, losses, divergences, signs, data),
    *(orders, padding, reshapes, flow, initial, recurrence, schedules, statistics),
)


class Doctor:
    """An examination: `with` it around steps of a training, then `print(d)`, `d.findings`, `d.flow`."""

    def __init__(
        self,
        models: Sequence[Any] = (),
        optimizers: Sequence[Any] = (),
        after_round: Callable[[], None] | None = None,
        prints: bool = True,
    ) -> None:
        self.history = History(models=list(models), optimizers=list(optimizers), given=bool(models))
        self.watch = Watch(self.history, after_round)
        self.prints = prints

    def __enter__(self) -> Doctor:
        models.find(self.history)
        with ExitStack() as stack:
            stack.enter_context(telling(self.watch))
            stack.enter_context(telling_of_shuffles())
            stack.enter_context(self.watch)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, place: Any) -> None:
        self._stack.close()
        if isinstance(error, Exception) and not isinstance(error, BdbQuit):
            self.history.error = error
        self.close()
        if self.prints and self.findings:
            print(self)

    def close(self) -> None:
        """Look a last time; what is asked for from now on is about all that was seen."""
        models.find(self.history)
        vars(self).pop("findings", None)
        vars(self).pop("flow", None)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is wrong, the worst first, and notes at the end; empty where nothing is."""
        findings = [finding for subject in SUBJECTS for finding in subject.examine(self.history)]
        if not any(finding.is_alarm for finding in findings):
            findings += guesses.examine(self.history)
        return worst_first(findings)

    @cached_property
    def flow(self) -> Flow:
        """The gradient flow by layer: values, gradients and steps, as a table and as bars."""
        return flow.flow_of(self.history)

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing but notes."""
        return not any(finding.is_alarm for finding in self.findings)

    @property
    def watched(self) -> str:
        """How much was seen."""
        counts = [show_count(self.history.rounds, "step")] if self.history.rounds else []
        return ", ".join([*counts, show_count(len(self.history.sweeps), "backward")])

    def __str__(self) -> str:
        return report(self.findings, self.watched)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str | None:
        return if_open("doctor_html", self)


def split_arguments(
    model: Any, batch: Sequence[Any], optimizer: Any
) -> tuple[list[Any], list[Any], list[Any]]:
    """The models, the optimisers and the batch among what `doctor` was given."""
    given = list(model) if isinstance(model, (list, tuple)) else [model]
    for each in given:
        if not isinstance(each, Module):
            raise TypeError(f"doctor: model must be an nn.Module, not {show_value(each)}")
    optimizers: list[Any] = []
    values: list[Any] = []
    for each in batch:
        several = each if isinstance(each, (list, tuple)) else [each]
        if several and all(isinstance(member, Optimizer) for member in several):
            optimizers += several
        else:
            values.append(each)
    named = optimizer if isinstance(optimizer, (list, tuple)) else [] if optimizer is None else [optimizer]
    for each in named:
        if not isinstance(each, Optimizer):
            raise TypeError(f"doctor: optimizer must be of tg.optim, not {show_value(each)}")
    return given, [*optimizers, *named], values


def examine_once(
    given: list[Any], optimizers: list[Any], values: list[Any], loss_fn: Callable[..., Any] | None
) -> Doctor:
    """One forward, loss and backward, and a step that is worked out but not taken."""
    doctor = Doctor(given, optimizers)
    modules = [*given, loss_fn] if isinstance(loss_fn, Module) else given
    with untouched(modules, optimizers, values):
        with doctor.watch:
            loss = loss_of(given[0], values, loss_fn)
            gradients = go_backward(loss, doctor.watch)
        take_steps(doctor, gradients, optimizers)
        doctor.close()
        doctor.findings, doctor.flow  # noqa: B018 (looked at while all is as it was seen)
    return doctor


def loss_of(model: Any, values: list[Any], loss_fn: Callable[..., Any] | None) -> Tensor:
    """The loss of a batch. Raises TypeError for what is no loss."""
    if loss_fn is None:
        loss = model(*values)
    elif not values:
        raise TypeError("doctor: loss_fn needs a batch: doctor(model, x, y, loss_fn=…)")
    elif len(values) == 1:
        loss = loss_fn(model(values[0]))
    else:
        loss = loss_fn(model(*values[:-1]), values[-1])
    if not isinstance(loss, Tensor) or loss.data.size != 1:
        raise TypeError(
            f"doctor: the loss must be a Tensor of one number, not {show_value(loss)}; pass loss_fn=…, which "
            "is called with the model's output and the last of the batch"
        )
    return loss


def go_backward(loss: Tensor, watch: Watch) -> dict[Any, Any]:
    """The gradients of a loss, without writing any."""
    with observed_by(None):
        gradients = ObservedGradients((watch,))
        enter_seeds(gradients, [loss], [None])
        return sweep(gradients)


def take_steps(doctor: Doctor, gradients: dict[Any, Any], optimizers: list[Any]) -> None:
    """Have each optimiser step with these gradients, inside of what is undone."""
    for leaf, gradient in gradients.items():
        if isinstance(leaf, Tensor):
            leaf.grad = gradient.copy()
    for optimizer in optimizers:
        state = optimizer.state_dict()
        before = {param: dict(numbers) for param, numbers in optimizer.state.items()}
        try:
            moved = optimizer.moved()
            with observed_by(Observation((doctor.watch,))):
                optimizer.step()
            doctor.watch.stepped(optimizer, len(moved))
        finally:
            if before:
                optimizer.load_state_dict(state)
            else:
                optimizer.state.clear()
                optimizer._dtypes.clear()
