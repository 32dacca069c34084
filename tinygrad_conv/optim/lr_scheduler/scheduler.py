"""What all schedules share: the epoch they are in, the rates they begin with, and a step of all groups."""

from __future__ import annotations

import copy
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...engine.commit import Changes
from ...engine.observed import observable
from ...errors import SHORT
from ...options import check_option, is_number, is_sequence, option_error, wrap_constructor
from ..loading import shown_keys
from ..optimizer import Group, Optimizer
from ..options import EPOCH, SCHEDULES, SCHEDULES_OWN


class LRScheduler:
    """The base of all schedules: one by epoch says in `first_lr` and `next_lr` what a group's rate becomes.

    Or, as in PyTorch, in `get_lr()`, which returns the rates of all groups in epoch `last_epoch`.

    A group's `initial_lr` is its rate when its first schedule was made. last_epoch: -1, or the epoch to go on
    from, for an optimiser whose groups have an `initial_lr` already; else raises KeyError.
    """

    begins_anew = False  # whether going on from an epoch makes the step into the next, as PyTorch's does
    functions: tuple[str, ...] = ()  # attributes that are functions: a state dict has what they hold

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        wrap_constructor(cls, SCHEDULES, SCHEDULES_OWN)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        self.optimizer, self.last_epoch = optimizer, last_epoch + 1
        groups = drafts_of(optimizer)
        for number, group in enumerate(groups):
            if last_epoch == -1:
                self.prepare(number, group)
            elif "initial_lr" not in group:
                advice = "load the optimiser's state first"
                raise KeyError(f"{type(self).__name__}: group {number} has no 'initial_lr'; {advice}")
        self.base_lrs: list[Any] = [group["initial_lr"] for group in groups]
        for number, group in enumerate(groups):
            group.update(self.begin(number, group))
        write(groups, optimizer, Changes())

    def prepare(self, number: int, group: Group) -> None:
        """Note in a copy of a group what it is to begin with."""
        group.setdefault("initial_lr", group["lr"])

    def begin(self, number: int, group: Group) -> Group:
        """Which options of a group change as the schedule is made, and to what."""
        if self.last_epoch:
            return self.next_options(number, group) if self.begins_anew else {}
        return {"lr": self.rate(number, self.first_lr, group["lr"])}

    def next_options(self, number: int, group: Group) -> Group:
        """Which options of a group change in epoch `last_epoch`, and to what."""
        return {"lr": self.rate(number, self.next_lr, group["lr"], self.base_lrs[number])}

    def rate(self, number: int, by: Callable[..., float], *rates: float) -> float:
        """The rate of a group in epoch `last_epoch`: by a function of rates, or by `get_lr` as in PyTorch."""
        get_lr: Callable[[], Sequence[float]] | None = getattr(self, "get_lr", None)
        if get_lr is None:
            return by(*rates)
        return for_each_group(type(self).__name__, "rates of get_lr", get_lr(), self.optimizer)[number]

    def first_lr(self, lr: float) -> float:
        """The rate in epoch 0."""
        return lr

    def next_lr(self, lr: float, base_lr: float) -> float:
        """The rate in epoch `last_epoch`, from that in the epoch before."""
        raise NotImplementedError(
            f"{type(self).__name__} has no next_lr: define `def next_lr(self, lr, base_lr)`, or get_lr"
        )

    def options_at(self, number: int, group: Group) -> Group:
        """The same where it goes to an epoch, which need not be the next one: by `step(epoch)`, or where it
        follows another schedule.
        """
        if self.last_epoch:
            return self.next_options(number, group)
        return {"lr": self.rate(number, self.first_lr, self.base_lrs[number])}

    @observable
    def step(self, epoch: int | None = None) -> None:
        """Begin the next epoch, or go to one, which is counted from 0.

        There the rate is what it is in that epoch if nobody else has changed it.
        """
        if epoch is None:
            return self.commit_step(self.move)
        check_option(type(self).__name__, "epoch", EPOCH, epoch)

        def move(groups: list[Group], changes: Changes) -> None:
            self.settle(after, after.options_at, groups, changes)

        after = copy.copy(self)
        after.last_epoch = operator.index(epoch)
        return self.commit_step(move)

    def commit_step(self, move: Callable[[list[Group], Changes], None]) -> None:
        """Have `move` change copies of the groups; it takes effect as a whole."""
        groups, changes = drafts_of(self.optimizer), Changes()
        move(groups, changes)
        write(groups, self.optimizer, changes)

    def move(self, groups: list[Group], changes: Changes) -> None:
        """Begin the next epoch in copies of the groups; what of the schedule changes goes to `changes`."""
        after = copy.copy(self)
        after.advance()
        self.settle(after, after.next_options, groups, changes)

    def settle(
        self,
        after: LRScheduler,
        options: Callable[[int, Group], Group],
        groups: list[Group],
        changes: Changes,
    ) -> None:
        """Put the options of an epoch into copies of the groups; this schedule is to become as `after`."""
        if len(groups) != len(self.base_lrs):
            counts = f"{len(groups)} groups, the schedule was made for {len(self.base_lrs)}"
            raise ValueError(f"{type(self).__name__}: the optimiser has {counts}; make a new schedule")
        for number, group in enumerate(groups):
            group.update(options(number, group))
        changes.update(vars(self), vars(after))

    def advance(self) -> None:
        """Count one more epoch."""
        self.last_epoch += 1

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, copied."""
        own = {name: value for name, value in vars(self).items() if name != "optimizer"}
        return copy.deepcopy({name: held(own[name]) if name in self.functions else own[name] for name in own})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state dict. The rates themselves are in the optimiser's.

        Raises ValueError, with everything as it was, for another schedule's, or for other groups'.
        """
        changes = Changes()
        self._load(state_dict, changes)
        changes.commit()

    def _load(self, state_dict: Mapping[str, Any], changes: Changes) -> None:
        """Check a state dict; what it changes goes to `changes`."""
        loaded = self.checked_state(state_dict)
        for name in self.functions:
            restore(vars(self)[name], loaded.pop(name), changes)
        changes.update(vars(self), loaded)

    def checked_state(self, state_dict: Any) -> dict[str, Any]:
        """A copy of what is in a state dict of this schedule."""
        kind, own = type(self).__name__, {name for name in vars(self) if name != "optimizer"}
        if not isinstance(state_dict, Mapping) or not own <= state_dict.keys():
            given = shown_keys(state_dict)
            raise ValueError(f"{kind}: a state dict of this schedule has {sorted(own)}; got {given}")
        loaded = copy.deepcopy({name: state_dict[name] for name in own})
        for name, value in loaded.items():
            option = None if name in self.functions else SCHEDULES.get(name)
            if option is not None and option_error(kind, name, option, vars(self)[name]) is None:
                check_option(kind, name, option, value)  # as the constructor does
            if not is_alike(value, vars(self)[name]):
                given, own_value = SHORT.repr(value), SHORT.repr(vars(self)[name])
                raise ValueError(f"{kind}: {name} is {given} in the state dict, here {own_value}")
            if name == "base_lrs" and len(value) != len(self.base_lrs):
                counts = f"{len(value)} groups, not {len(self.base_lrs)}"
                raise ValueError(f"{kind}: the state dict is of {counts}")
        return loaded


class ByFormula(LRScheduler):
    """A schedule by factors on the rate before, which has a formula of the epoch too."""

    def options_at(self, number: int, group: Group) -> Group:
        return {"lr": self.lr_at(self.base_lrs[number])}

    def lr_at(self, base_lr: float) -> float:
        """The rate in epoch `last_epoch`, from that at the beginning."""
        raise NotImplementedError(f"{type(self).__name__} has no lr_at: define `def lr_at(self, base_lr)`")


class ClosedForm(LRScheduler):
    """A schedule whose rates follow from the epoch alone, whatever they were before."""

    def begin(self, number: int, group: Group) -> Group:
        return self.next_options(number, group)

    options_at = begin


def drafts_of(optimizer: Optimizer) -> list[Group]:
    """Copies of an optimiser's groups."""
    return [dict(group) for group in optimizer.param_groups]


def write(groups: list[Group], optimizer: Optimizer, changes: Changes) -> None:
    """Put copies of an optimiser's groups in their place, and make all other changes."""
    for group, draft in zip(optimizer.param_groups, groups, strict=True):
        changes.update(group, draft)
    changes.commit()


def is_alike(loaded: Any, own: Any) -> bool:
    """Whether what was loaded may take the place of one's own: a number that of a number."""
    if isinstance(own, (list, tuple)):
        return isinstance(loaded, (list, tuple)) and all(is_alike(value, own[0]) for value in loaded if own)
    if isinstance(own, str) or isinstance(loaded, (list, str)):
        return isinstance(own, str) and isinstance(loaded, str)
    return is_number(loaded) or not is_number(own)


def held(value: Any) -> Any:
    """What a callable object, or each of a list, holds; None for a function."""
    if isinstance(value, list):
        return [held(function) for function in value]
    return None if isinstance(value, types.FunctionType) else dict(getattr(value, "__dict__", {}))


def restore(value: Any, state: Any, changes: Changes) -> None:
    """Have a callable object, or each of a list, hold what a state dict has of it."""
    if isinstance(value, list):
        for function, its_state in zip(value, state):
            restore(function, its_state, changes)
    elif state:
        changes.update(vars(value), state)


def for_each_group(schedule: str, name: str, value: Any, optimizer: Any) -> list[Any]:
    """One value for all groups of an optimiser, or a list with one for each, as a list."""
    check_optimizer(schedule, optimizer)
    groups = len(optimizer.param_groups)
    values: Sequence[Any] = value if is_sequence(value) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{schedule}: {len(values)} {name} for {groups} parameter groups")
    return list(values)


def check_optimizer(schedule: str, optimizer: Any) -> None:
    """Refuse to change the rates of anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{schedule}: optimizer must be an Optimizer, not {type(optimizer).__name__}")
