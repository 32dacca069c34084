"""The options of optimisers and schedules: what each may be, where tinygrad_conv/options is silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..options import (
    FLAG,
    NUMBER,
    NUMBERS,
    SWITCH,
    Option,
    check_option,
    choice,
    count,
    is_integers,
    is_real,
    is_sequence,
    is_switch,
    number,
    optional,
)


def is_off(value: Any) -> bool:
    """Whether it is False, or nothing."""
    return value is None or (is_switch(value) and not value)


IMPLEMENTATION = {
    **dict.fromkeys(("foreach", "fused"), optional(SWITCH)),
    "capturable": Option("False: there is no GPU whose work could be captured", is_off),
    "differentiable": Option("False: steps are not recorded", is_off),
    "decoupled_weight_decay": Option("False: use AdamW for it", is_off),
}
"""What PyTorch's optimisers are told about how to compute."""

REAL = number(has_type=is_real)
NOT_NEGATIVE = number(0.0, has_type=is_real)

NOTES = dict.fromkeys(("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"), REAL)
"""What schedules note in groups."""

METRIC = NUMBER._replace(expected="a number, or a Tensor of one")


def are_betas(value: Any) -> bool:
    """Whether it is two numbers."""
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(map(is_real, value))


def are_milestones(value: Any) -> bool:
    """Whether it is integers, or what may yet give some."""
    return isinstance(value, Iterator) or (is_sequence(value) and is_integers(value))


def are_functions(value: Any) -> bool:
    """Whether it is a function, or a sequence of them."""
    return callable(value) or (is_sequence(value) and all(map(callable, value)))


OPTIMIZERS: dict[str, Option] = {
    **dict.fromkeys(("lr", "momentum", "weight_decay", "eps", "alpha", "lr_decay"), NOT_NEGATIVE),
    "momentum_decay": NOT_NEGATIVE,
    "initial_accumulator_value": NOT_NEGATIVE,
    "rho": number(0, 1, has_type=is_real),
    "dampening": REAL,
    "betas": Option(
        "two numbers, such as (0.9, 0.999)",
        are_betas,
        lambda value: all(0.0 <= beta < 1.0 for beta in value),
        refusal=ValueError,
        limits="lie in [0, 1)",
    ),
    **dict.fromkeys(("nesterov", "maximize", "amsgrad", "centered", "decoupled_weight_decay"), SWITCH),
}

BESIDE_OPTIONS = ("self", "params", "implementation", "__class__")


def group_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The options among the arguments of an optimiser's constructor, which hands over its `locals()`."""
    return {name: value for name, value in arguments.items() if name not in BESIDE_OPTIONS}


CLOSURE = Option("a function that computes the loss again, and returns it", callable)


def check_implementation(kind: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse an option that an optimiser does not have, and a way to compute that there is not."""
    unknown = [name for name in given if name not in IMPLEMENTATION]
    if unknown:
        raise TypeError(f"{kind}: no option {', '.join(unknown)}; it has {', '.join(defaults)}")
    for name, value in given.items():
        check_option(kind, name, IMPLEMENTATION[name], value)


EPOCH = count(0)
PLACE = number(0, has_type=is_real)
FUNCTION = Option("a function", callable)
POSITIVE = REAL._replace(in_range=lambda value: bool(value > 0), limits="be positive")

SCHEDULES: dict[str, Option] = {
    **dict.fromkeys(("step_size", "T_max", "T_0", "T_mult", "step_size_up", "step_size_down"), count(1)),
    **dict.fromkeys(("total_steps", "epochs", "steps_per_epoch"), count(1)),
    **dict.fromkeys(("base_lr", "max_lr", "base_momentum", "max_momentum"), NUMBERS),
    **dict.fromkeys(("div_factor", "final_div_factor"), POSITIVE),
    **dict.fromkeys(("cycle_momentum", "three_phase"), FLAG),
    "lr_lambda": Option("a function of the epoch, or a list of one for each group", are_functions),
    "scale_fn": FUNCTION,
    "scale_mode": choice("cycle", "iterations"),
    "anneal_strategy": choice("cos", "linear"),
    "pct_start": number(0, 1, has_type=is_real),
    "power": REAL,
    "schedulers": Option("a list of schedules", is_sequence),
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

SCHEDULES_OWN: dict[str, dict[str, Option]] = {
    "ConstantLR": {"factor": number(0, 1, has_type=is_real)},
    "CyclicLR": {"mode": choice("triangular", "triangular2", "exp_range")},
}
"""By schedule: its own meaning of some arguments."""
