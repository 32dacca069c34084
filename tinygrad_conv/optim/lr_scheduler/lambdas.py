"""Rates that a function of the user's says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ...options import NUMBER, check_option
from ..optimizer import Group, Optimizer
from .scheduler import ClosedForm, LRScheduler, for_each_group

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
