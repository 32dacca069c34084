"""Rates that rise and fall again, and momenta that do the opposite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ..optimizer import Group, Optimizer
from .scheduler import ClosedForm, for_each_group

Rates: TypeAlias = "float | list[float]"


class Cycle(ClosedForm):
    """What both share: where it is wanted, the momentum (or the first of the betas) follows too."""

    def set_momenta(self, optimizer: Optimizer, cycle_momentum: bool, base: Any, most: Any) -> None:
        """Keep the bounds of the momentum, if it is to follow."""
        kind = type(self).__name__
        self.cycle_momentum = cycle_momentum
        self.base_momentums = for_each_group(kind, "base_momentum", base, optimizer)
        self.max_momentums = for_each_group(kind, "max_momentum", most, optimizer)
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not (self.use_beta1 or "momentum" in optimizer.defaults):
            raise ValueError(
                f"{kind}: {type(optimizer).__name__} has neither a momentum nor betas to cycle; "
                "pass cycle_momentum=False"
            )

    def prepare(self, number: int, group: Group) -> None:
        if self.cycle_momentum:
            most, least = self.max_momentums[number], self.base_momentums[number]
            group.update(max_momentum=most, base_momentum=least)
        super().prepare(number, group)

    def with_momentum(self, lr: float, momentum: float, group: Group) -> Group:
        """A rate, and the momentum that goes with it, as options of a group."""
        if not self.cycle_momentum:
            return {"lr": lr}
        if self.use_beta1:
            return {"lr": lr, "betas": (momentum, *group["betas"][1:])}
        return {"lr": lr, "momentum": momentum}


class Phase(NamedTuple):
    """A part of the cycle: the last step of it, and between which options of a group rate and momentum go."""

    end: float
    lrs: tuple[str, str]
    momenta: tuple[str, str]


class OneCycleLR(Cycle):
    """Up from max_lr / div_factor to max_lr, and down to a final_div_factor-th of the first rate.

    Call `step()` after each batch: there are total_steps, or epochs · steps_per_epoch, of which the rise has
    the part pct_start. three_phase: down to the first rate in as many steps again, then to the last one. The
    momentum goes from max_momentum to base_momentum as the rate rises, and back. (Smith and Topin 2019.)

    Raises ValueError in the step after the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Rates,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Rates = 0.85,
        max_momentum: Rates = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: pass total_steps, or epochs and steps_per_epoch")
        self.total_steps = total_steps if total_steps is not None else (epochs or 0) * (steps_per_epoch or 0)
        self.pct_start, self.anneal_strategy, self.three_phase = pct_start, anneal_strategy, three_phase
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.max_lrs = for_each_group("OneCycleLR", "max_lr", max_lr, optimizer)
        self.set_momenta(optimizer, cycle_momentum, base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def prepare(self, number: int, group: Group) -> None:
        most = self.max_lrs[number]
        first = most / self.div_factor
        group.update(initial_lr=first, max_lr=most, min_lr=first / self.final_div_factor)
        super().prepare(number, group)

    def checked_state(self, state_dict: Any) -> dict[str, Any]:
        loaded = super().checked_state(state_dict)
        if loaded["last_epoch"] > loaded["total_steps"]:
            steps = f"step {loaded['last_epoch']} of {loaded['total_steps']} (total_steps)"
            raise ValueError(f"OneCycleLR: the state dict is of {steps}, which there is not")
        return loaded

    def phases(self) -> list[Phase]:
        """The parts of the cycle."""
        last, turn = self.total_steps - 1, self.pct_start * self.total_steps
        rise = Phase(turn - 1, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
        if not self.three_phase:
            return [rise, Phase(last, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
        fall = Phase(2 * turn - 2, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum"))
        return [rise, fall, Phase(last, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))]

    def next_options(self, number: int, group: Group) -> Group:
        if self.last_epoch > self.total_steps:
            steps = f"step {self.last_epoch} of {self.total_steps} (total_steps)"
            raise ValueError(f"OneCycleLR: {steps}; call scheduler.step() once a batch, or count all batches")
        *earlier, last = self.phases()
        begins = 0.0
        for phase in earlier:
            if self.last_epoch <= phase.end:
                break
            begins = phase.end
        else:
            phase = last
        steps_of_phase = phase.end - begins
        part = (self.last_epoch - begins) / steps_of_phase if steps_of_phase else 1.0
        lr = self.between(group, phase.lrs, part)
        momentum = self.between(group, phase.momenta, part) if self.cycle_momentum else 0.0
        return self.with_momentum(lr, momentum, group)

    def between(self, group: Group, ends: tuple[str, str], part: float) -> float:
        """What has gone this part of the way from one option of a group to another."""
        start, end = (float(group[name]) for name in ends)
        if self.anneal_strategy == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


class CyclicLR(Cycle):
    """Between base_lr and max_lr, up in step_size_up steps and down in step_size_down, again and again.

    mode: 'triangular', 'triangular2' (each cycle half as high as the one before) or 'exp_range' (gamma^step
    as high); or scale_fn, a function of the number of the cycle, from 1, or of the step, as scale_mode says.
    The momentum goes the other way, from max_momentum to base_momentum. (Smith 2017.)
    """

    functions = ("scale_fn",)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Rates,
        max_lr: Rates,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Rates = 0.8,
        max_momentum: Rates = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.low_lrs = for_each_group("CyclicLR", "base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group("CyclicLR", "max_lr", max_lr, optimizer)
        self.step_size_up = step_size_up
        self.step_size_down = step_size_up if step_size_down is None else step_size_down
        self.mode, self.gamma, self.scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self.set_momenta(optimizer, cycle_momentum, base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = self.low_lrs

    def prepare(self, number: int, group: Group) -> None:
        group["lr"] = self.low_lrs[number]
        super().prepare(number, group)

    def next_options(self, number: int, group: Group) -> Group:
        total = float(self.step_size_up + self.step_size_down)
        cycle = math.floor(1 + self.last_epoch / total)
        part, turn = 1.0 + self.last_epoch / total - cycle, self.step_size_up / total
        height = (part / turn if part <= turn else (part - 1) / (turn - 1)) * self.scale(cycle)
        low, high = self.low_lrs[number], self.max_lrs[number]
        least, most = self.base_momentums[number], self.max_momentums[number]
        return self.with_momentum(low + (high - low) * height, most - (most - least) * height, group)

    def scale(self, cycle: int) -> float:
        """How high a cycle is, as a part of the whole."""
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.mode == "exp_range":
            return float(self.gamma**self.last_epoch)
        return 1 / 2.0 ** (cycle - 1) if self.mode == "triangular2" else 1.0
