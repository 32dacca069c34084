"""Schedules of the learning rate: call `scheduler.step()` after each epoch's last `optimizer.step()`.

Each goes on from the rate that a group has, as PyTorch's do, so several schedules of one optimiser multiply.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..engine.commit import Changes
from ..options import check_constructor, check_option, checked, count, is_sequence
from .optimizer import Optimizer
from .options import METRIC, SCHEDULES


class LRScheduler:
    """The base of all schedules: one by epoch says in `first_lr` and `next_lr` what a group's rate becomes.

    A group's `initial_lr` is its rate when its first schedule was made. last_epoch: -1, or the epoch to go on
    from, for an optimiser whose groups have an `initial_lr` already; else raises KeyError.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_constructor(cls, SCHEDULES)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        self.optimizer, self.last_epoch, groups = optimizer, last_epoch + 1, optimizer.param_groups
        for number, group in enumerate(groups):
            if last_epoch != -1 and "initial_lr" not in group:
                advice = "load the optimiser's state first"
                raise KeyError(f"{type(self).__name__}: group {number} has no 'initial_lr'; {advice}")
        self.base_lrs: list[Any] = [group.get("initial_lr", group["lr"]) for group in groups]
        changes = Changes()
        for group, base_lr in zip(groups, self.base_lrs) if last_epoch == -1 else ():
            changes.update(group, {"initial_lr": base_lr, "lr": self.first_lr(group["lr"])})
        changes.commit()

    def first_lr(self, lr: float) -> float:
        """The rate in epoch 0."""
        return lr

    def next_lr(self, lr: float, base_lr: float) -> float:
        """The rate in epoch `last_epoch`, from that in the epoch before."""
        raise NotImplementedError(
            f"{type(self).__name__} has no next_lr: define `def next_lr(self, lr, base_lr)`"
        )

    def step(self) -> None:
        """Begin the next epoch."""
        after, changes = copy.copy(self), Changes()
        after.last_epoch += 1
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            changes.update(group, {"lr": after.next_lr(group["lr"], base_lr)})
        changes.update(vars(self), vars(after))
        changes.commit()

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, copied."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "optimizer"})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state dict. The rates themselves are in the optimiser's.

        Raises ValueError, with everything as it was, for another schedule's, or for other groups'.
        """
        kind, own = type(self).__name__, {name for name in vars(self) if name != "optimizer"}
        if not isinstance(state_dict, Mapping) or not own <= state_dict.keys():
            given = list(state_dict) if isinstance(state_dict, Mapping) else type(state_dict).__name__
            raise ValueError(f"{kind}: a state dict of this schedule has {sorted(own)}; got {given}")
        loaded = copy.deepcopy({name: state_dict[name] for name in own})
        check_option(kind, "last_epoch", count(0), loaded["last_epoch"])
        for name, value in loaded.items():
            if isinstance(value, (list, str)) != isinstance(vars(self)[name], (list, str)):
                raise ValueError(f"{kind}: {name} is {value!r} in the state dict, here {vars(self)[name]!r}")
        if len(loaded["base_lrs"]) != len(self.base_lrs):
            given_count = len(loaded["base_lrs"])
            raise ValueError(f"{kind}: the state dict is of {given_count} groups, not {len(self.base_lrs)}")
        vars(self).update(loaded)


class StepLR(LRScheduler):
    """The rate times gamma every step_size epochs."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr if self.last_epoch % self.step_size else lr * self.gamma


class MultiStepLR(LRScheduler):
    """The rate times gamma at each of the milestones, which count epochs.

    At once for 0, twice for one given twice.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        return self.next_lr(lr, lr)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr * self.gamma ** self.milestones.count(self.last_epoch)


class ExponentialLR(LRScheduler):
    """The rate times gamma every epoch: initial · gamma^epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr * self.gamma


class CosineAnnealingLR(LRScheduler):
    """eta_min + ½ (initial - eta_min) (1 + cos(π epoch / T_max)): down in T_max epochs, and up again after.

    (Loshchilov and Hutter 2017, without restarts.)
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        if (self.last_epoch - 1 - self.T_max) % (
            2 * self.T_max
        ) == 0:  # the rate was eta_min, which a factor cannot leave
            return lr + (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        height, before = (
            1 + math.cos(math.pi * epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        return height / before * (lr - self.eta_min) + self.eta_min


class LinearLR(LRScheduler):
    """A warm-up: a factor on the rate that goes from start_factor to end_factor in total_iters steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        return lr * self.start_factor

    def next_lr(self, lr: float, base_lr: float) -> float:
        if self.last_epoch > self.total_iters:
            return lr
        before, now = self.factor(self.last_epoch - 1), self.factor(self.last_epoch)
        if lr == base_lr * before:  # nobody else changed it; quotients would add up their roundings
            return base_lr * now
        return lr * (now / before)

    def factor(self, epoch: int) -> float:
        """The factor in an epoch up to total_iters: never negative, and exact at both ends."""
        part = epoch / self.total_iters
        return self.start_factor * (1 - part) + self.end_factor * part


class ReduceLROnPlateau(LRScheduler):
    """The rate times factor once a metric has not improved for more than `patience` epochs.

    Call `step(metric)`. mode: 'min' if less is better, 'max' if more is. An improvement is one by more than
    threshold, a fraction of the best ('rel') or an amount ('abs'). cooldown: for how many epochs after a cut
    none is counted as bad. min_lr: the lowest rate, one for all groups, or a list with one for each. eps: a
    smaller change than this is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(type(self).__name__, optimizer)
        groups = len(optimizer.param_groups)
        self.min_lrs: list[Any] = list(min_lr) if is_sequence(min_lr) else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ValueError(f"ReduceLROnPlateau: {len(self.min_lrs)} min_lr for {groups} parameter groups")
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    @checked(metrics=METRIC)
    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Take note of an epoch's metric, a number or a Tensor of one, and cut the rate if it is time."""
        after, changes = copy.copy(self), Changes()
        if after.takes_note(float(metrics)):
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                changes.update(group, {"lr": self.cut(group["lr"], least)})
        changes.update(vars(self), vars(after))
        changes.commit()

    def takes_note(self, value: float) -> bool:
        """Count an epoch with this metric; whether it is time to cut."""
        self.last_epoch += 1
        if self.is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs <= self.patience:
            return False
        self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        return True

    def is_better(self, value: float) -> bool:
        """Whether the metric improves on the best by more than the threshold."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * value > sign * self.best * (1 + sign * self.threshold)
        return sign * value > sign * self.best + self.threshold

    def cut(self, lr: float, least: float) -> float:
        """A lower rate, if that changes it noticeably."""
        lower = max(lr * self.factor, least)
        return lower if lr - lower > self.eps else lr


def check_optimizer(schedule: str, optimizer: Any) -> None:
    """Refuse to change the rates of anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{schedule}: optimizer must be an Optimizer, not {type(optimizer).__name__}")
