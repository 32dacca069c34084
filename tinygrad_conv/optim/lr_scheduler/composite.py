"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.commit import Changes
from ...engine.observed import observable
from ..optimizer import Group, Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, check_optimizer, drafts_of, write


class Composite(LRScheduler):
    """What both share: parts of one optimiser, whose states are saved and loaded with theirs."""

    _schedulers: list[LRScheduler]

    @observable
    def step(self) -> None:  # type: ignore[override]
        """Begin the next epoch."""
        self.commit_step(self.move)

    def check_parts(self, schedulers: Sequence[Any], optimizer: Any, refused: tuple[type, ...]) -> None:
        """Refuse no parts, parts of other optimisers, and those that cannot be stepped here."""
        kind = type(self).__name__
        if not schedulers:
            raise ValueError(f"{kind}: pass one schedule or more")
        for number, part in enumerate(schedulers):
            if not isinstance(part, LRScheduler):
                raise TypeError(f"{kind}: schedulers[{number}] is a {type(part).__name__}, not a schedule")
            if isinstance(part, refused):
                raise ValueError(f"{kind}: schedulers[{number}] is a {type(part).__name__}; step it yourself")
            if part.optimizer is not optimizer:
                raise ValueError(f"{kind}: schedulers[{number}] is of another optimizer")

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, copied, with the state dicts of the parts."""
        apart = ("optimizer", "_schedulers")
        own = copy.deepcopy({name: value for name, value in vars(self).items() if name not in apart})
        return {**own, "_schedulers": [part.state_dict() for part in self._schedulers]}

    def _load(self, state_dict: Mapping[str, Any], changes: Changes) -> None:
        loaded = self.checked_state(state_dict)
        states = loaded.pop("_schedulers")
        if len(states) != len(self._schedulers):
            counts = f"{len(states)} schedules, not {len(self._schedulers)}"
            raise ValueError(f"{type(self).__name__}: the state dict is of {counts}")
        for part, state in zip(self._schedulers, states):
            part._load(state, changes)
        changes.update(vars(self), loaded)


class ChainedScheduler(Composite):
    """All schedules at once: `step()` steps each of them, in their order, so that their factors multiply."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.check_parts(schedulers, optimizer or next((part.optimizer for part in schedulers), None), ())
        self.optimizer, self._schedulers = schedulers[0].optimizer, list(schedulers)

    def move(self, groups: list[Group], changes: Changes) -> None:
        for part in self._schedulers:
            part.move(groups, changes)


class SequentialLR(Composite):
    """One schedule after the other: the next one begins, in its epoch 0, at each of the milestones.

    There is one milestone, a number of epochs, between each two schedules.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SequentialLR", optimizer)
        self.check_parts(schedulers, optimizer, (ReduceLROnPlateau, Composite))
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            counts = f"{len(schedulers)} schedules need {len(schedulers) - 1}"
            raise ValueError(f"SequentialLR: {counts} increasing milestones, not {list(milestones)}")
        self.optimizer, self.last_epoch = optimizer, last_epoch + 1
        self._schedulers, self._milestones = list(schedulers), list(milestones)
        groups, changes = drafts_of(optimizer), Changes()
        for group in groups:
            group["lr"] = group["initial_lr"]
        first = schedulers[bisect_right(self._milestones, 0)]
        for part in schedulers:
            if part is first:
                part.settle(part, part.begin, groups, changes)
            else:
                changes.update(vars(part), {"last_epoch": part.last_epoch - 1})
        write(groups, optimizer, changes)

    def move(self, groups: list[Group], changes: Changes) -> None:
        epoch = self.last_epoch + 1
        number = bisect_right(self._milestones, epoch)
        part = self._schedulers[number]
        if number and self._milestones[number - 1] == epoch:
            after = copy.copy(part)
            after.last_epoch = 0
            part.settle(after, after.options_at, groups, changes)
        else:
            part.move(groups, changes)
        changes.update(vars(self), {"last_epoch": epoch})
