"""The options of optimisers and schedules: what each may be, where tinygrad_conv/options.py is silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..options import (
    NUMBER,
    NUMBERS,
    SWITCH,
    Option,
    choice,
    count,
    is_integers,
    is_real,
    is_sequence,
    number,
)

REAL = number(has_type=is_real)
NOT_NEGATIVE = number(0.0, has_type=is_real)

METRIC = NUMBER._replace(expected="a number, or a Tensor of one", at_once=False)


def are_betas(value: Any) -> bool:
    """Whether it is two numbers."""
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(map(is_real, value))


def are_milestones(value: Any) -> bool:
    """Whether it is integers, or what may yet give some."""
    return isinstance(value, Iterator) or (is_sequence(value) and is_integers(value))


OPTIMIZERS: dict[str, Option] = {
    **dict.fromkeys(("lr", "momentum", "weight_decay", "eps", "alpha"), NOT_NEGATIVE),
    "dampening": REAL,
    "betas": Option(
        "two numbers, such as (0.9, 0.999)",
        are_betas,
        lambda value: all(0.0 <= beta < 1.0 for beta in value),
        refusal=ValueError,
        limits="lie in [0, 1)",
    ),
    **dict.fromkeys(("nesterov", "maximize", "amsgrad", "centered"), SWITCH),
}

SCHEDULES: dict[str, Option] = {
    **dict.fromkeys(("step_size", "T_max"), count(1)),
    "last_epoch": count(-1),
    "total_iters": count(0),
    "milestones": Option("a sequence of ints", are_milestones),
    **dict.fromkeys(("gamma", "eta_min", "threshold"), REAL),
    "start_factor": REAL._replace(in_range=lambda value: bool(0 < value <= 1), limits="lie in (0, 1]"),
    "end_factor": number(0, 1, has_type=is_real),
    "factor": REAL._replace(in_range=lambda value: bool(value < 1), limits="be below 1"),
    **dict.fromkeys(("patience", "cooldown", "eps"), number(0, has_type=is_real)),
    "min_lr": NUMBERS,
    "mode": choice("min", "max"),
    "threshold_mode": choice("rel", "abs"),
}
