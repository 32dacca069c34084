"""Rates that fall as a cosine does, from 0 to π."""

from __future__ import annotations

import copy
import math

from ...engine.commit import Changes
from ...engine.observed import observable
from ...options import check_option
from ..optimizer import Group, Optimizer
from ..options import PLACE
from .scheduler import ByFormula, ClosedForm


class CosineAnnealingLR(ByFormula):
    """eta_min + ½ (initial - eta_min) (1 + cos(π epoch / T_max)): down in T_max epochs, and up again after.

    (Loshchilov and Hutter 2017, without restarts.)
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        was_lowest = (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0
        if was_lowest:  # at eta_min, which a factor cannot leave
            return lr + (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        height, before = (
            1 + math.cos(math.pi * epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        return height / before * (lr - self.eta_min) + self.eta_min

    def lr_at(self, base_lr: float) -> float:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return self.eta_min + (base_lr - self.eta_min) * height / 2


class CosineAnnealingWarmRestarts(ClosedForm):
    """eta_min + ½ (initial - eta_min) (1 + cos(π T_cur / T_i)), which begins anew every T_i epochs.

    T_i is T_0 at first, and T_mult times as long after each restart. `step()` begins the next epoch;
    `step(epoch + batch / batches)` says where one is, for rates that fall within an epoch. (Loshchilov and
    Hutter 2017.)
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i: float = T_0
        self.T_cur: float = 0
        if last_epoch >= 0:
            self.T_cur = last_epoch + 1
            self.restart_if_due()
        super().__init__(optimizer, last_epoch)

    @observable
    def step(self, epoch: float | None = None) -> None:
        """Begin the next epoch, or go to a place in one, which is counted from 0."""
        if epoch is None:
            return super().step()
        check_option(type(self).__name__, "epoch", PLACE, epoch)

        def move(groups: list[Group], changes: Changes) -> None:
            self.settle(after, after.next_options, groups, changes)

        after = self.at(epoch)
        return self.commit_step(move)

    def advance(self) -> None:
        self.last_epoch += 1
        self.T_cur = self.T_cur + 1 if self.last_epoch else 0
        self.restart_if_due()

    def restart_if_due(self) -> None:
        """Begin the next cycle where this one is over."""
        if self.T_cur >= self.T_i:
            self.T_cur %= self.T_i
            self.T_i *= self.T_mult

    def at(self, epoch: float) -> CosineAnnealingWarmRestarts:
        """This schedule as it is at a place in an epoch."""
        after = copy.copy(self)
        after.last_epoch, after.T_cur, after.T_i = math.floor(epoch), epoch, self.T_0
        if epoch >= self.T_0 and self.T_mult == 1:
            after.T_cur = epoch % self.T_0
        elif epoch >= self.T_0:
            growth = self.T_mult - 1
            restarts = int(math.log(epoch / self.T_0 * growth + 1, self.T_mult))
            after.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / growth
            after.T_i = self.T_0 * self.T_mult**restarts
        return after

    def next_lr(self, lr: float, base_lr: float) -> float:
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
