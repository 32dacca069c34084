"""Rates that fall, or rise, by factors: their own, or those that a function of the user's says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from ...options import NUMBER, check_option
from ..optimizer import Group, Optimizer
from .scheduler import ByFormula, ClosedForm, LRScheduler, for_each_group


class StepLR(ByFormula):
    """The rate times gamma every step_size epochs."""

    begins_anew = True

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr if self.last_epoch % self.step_size else lr * self.gamma

    def lr_at(self, base_lr: float) -> float:
        return base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(ByFormula):
    """The rate times gamma at each of the milestones, which count epochs.

    At once for 0, twice for one given twice.
    """

    begins_anew = True

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        return self.next_lr(lr, lr)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr * self.gamma ** self.milestones.count(self.last_epoch)

    def lr_at(self, base_lr: float) -> float:
        return base_lr * self.gamma ** bisect_right(self.milestones, self.last_epoch)


class ExponentialLR(ByFormula):
    """The rate times gamma every epoch: initial · gamma^epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        return lr * self.gamma

    def lr_at(self, base_lr: float) -> float:
        return base_lr * self.gamma**self.last_epoch


class LinearLR(ByFormula):
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

    def lr_at(self, base_lr: float) -> float:
        return base_lr * self.factor(min(self.last_epoch, self.total_iters))

    def factor(self, epoch: int) -> float:
        """The factor in an epoch up to total_iters: never negative, and exact at both ends."""
        part = epoch / self.total_iters
        return self.start_factor * (1 - part) + self.end_factor * part


class ConstantLR(ByFormula):
    """The rate times factor for the first total_iters epochs."""

    begins_anew = True

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        return lr * self.factor

    def next_lr(self, lr: float, base_lr: float) -> float:
        if self.last_epoch != self.total_iters:
            return lr
        return lr * (1.0 / self.factor) if self.factor else base_lr

    def lr_at(self, base_lr: float) -> float:
        return base_lr * self.factor if self.last_epoch < self.total_iters else base_lr


class PolynomialLR(ByFormula):
    """initial · (1 - epoch / total_iters)^power, and 0 after total_iters epochs."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base_lr: float) -> float:
        if self.last_epoch > self.total_iters:
            return lr
        before, now = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch - 1, self.last_epoch))
        return lr * float((now / before) ** self.power)

    def lr_at(self, base_lr: float) -> float:
        left = 1.0 - min(self.last_epoch, self.total_iters) / self.total_iters
        return base_lr * float(left**self.power)


Factor: TypeAlias = Callable[[int], float]


class ByFunction(LRScheduler):
    """What schedules by a function share: lr_lambda(epoch) is a factor; one for all groups, or one for each.

    A state dict has what callable objects hold; functions themselves stay those of the schedule it is loaded
    into.
    """

    functions = ("lr_lambdas",)

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = for_each_group(type(self).__name__, "lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def factor(self, number: int) -> float:
        """What the function of a group says of epoch `last_epoch`."""
        factor = self.lr_lambdas[number](self.last_epoch)
        check_option(type(self).__name__, f"lr_lambda({self.last_epoch})", NUMBER, factor)
        return float(factor)


class LambdaLR(ByFunction, ClosedForm):
    """initial · lr_lambda(epoch)."""

    def next_options(self, number: int, group: Group) -> Group:
        return {"lr": self.base_lrs[number] * self.factor(number)}


class MultiplicativeLR(ByFunction):
    """The rate times lr_lambda(epoch) every epoch, from epoch 1 on."""

    def options_at(self, number: int, group: Group) -> Group:
        return self.next_options(number, group)

    def next_options(self, number: int, group: Group) -> Group:
        return {"lr": group["lr"] * self.factor(number)}
