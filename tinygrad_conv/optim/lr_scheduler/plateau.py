"""Rates that fall when a metric has stopped improving."""

from __future__ import annotations

import copy
import math
import operator
from typing import Any

from ...engine.commit import Changes
from ...engine.observed import observable
from ...options import checked, optional
from ..optimizer import Group, Optimizer
from ..options import EPOCH, METRIC
from .scheduler import LRScheduler, for_each_group


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
        self.min_lrs = for_each_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    @observable
    @checked(metrics=METRIC, epoch=optional(EPOCH))
    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of an epoch's metric, a number or a Tensor of one, and cut the rate if it is time.

        epoch: which one it is of; by default the next.
        """
        value, epoch = float(metrics), self.last_epoch + 1 if epoch is None else operator.index(epoch)
        self.commit_step(lambda groups, changes: self.note(value, epoch, groups, changes))

    def note(self, value: float, epoch: int, groups: list[Group], changes: Changes) -> None:
        """Take note of a metric in copies of the groups."""
        after = copy.copy(self)
        after.last_epoch = epoch
        options = self.cut_options if after.takes_note(value) else self.same_options
        self.settle(after, options, groups, changes)

    def takes_note(self, value: float) -> bool:
        """Count this metric as good or bad; whether it is time to cut."""
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

    def cut_options(self, number: int, group: Group) -> Group:
        """A group's options when it is time to cut."""
        return {"lr": self.cut(group["lr"], self.min_lrs[number])}

    def same_options(self, number: int, group: Group) -> Group:
        """A group's options while it is not."""
        return {}

    def cut(self, lr: float, least: float) -> float:
        """A lower rate, if that changes it noticeably."""
        lower = max(lr * self.factor, least)
        return lower if lr - lower > self.eps else lr
