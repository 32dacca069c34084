"""What the arguments of transforms may be."""

from __future__ import annotations

import math
from typing import Any

from ...options import FLAG, PROBABILITY, Option, choice, is_integer, is_number, is_sequence
from ...randomness.seeds import SEED


def is_finite(value: Any) -> bool:
    """Whether it is a finite number."""
    return is_number(value) and math.isfinite(value)


def has_numbers(value: Any, *counts: int) -> bool:
    """Whether it is a sequence of so many finite numbers."""
    return is_sequence(value) and len(value) in counts and all(map(is_finite, value))


def has_integers(value: Any, *counts: int) -> bool:
    """Whether it is a sequence of so many integers."""
    return is_sequence(value) and len(value) in counts and all(map(is_integer, value))


def all_from(least: float, value: Any) -> bool:
    """Whether a number, or each of several, is at least that."""
    return all(number >= least for number in (value if is_sequence(value) else [value]))


def is_channel_numbers(value: Any) -> bool:
    """Whether it is a finite number, or one for each channel."""
    return is_finite(value) or (is_sequence(value) and len(value) > 0 and all(map(is_finite, value)))


SIDES = Option(
    "an int from 0 or a sequence of 2 or 4",
    lambda value: is_integer(value) or has_integers(value, 1, 2, 4),
    lambda value: all_from(0, value),
)
SIZE = Option(
    "an int from 1 or a pair (height, width)",
    lambda value: is_integer(value) or has_integers(value, 1, 2),
    lambda value: all_from(1, value),
)
CHANNEL_NUMBERS = Option("a number, or one for each channel", is_channel_numbers)
DEGREES = Option(
    "a number from 0 or a pair (least, most)",
    lambda value: is_finite(value) or has_numbers(value, 2),
    lambda value: value >= 0 if is_finite(value) else value[0] <= value[1],
)
SHARES = Option(
    "a pair of numbers from 0 to 1",
    lambda value: has_numbers(value, 2),
    lambda value: all(0 <= share <= 1 for share in value),
)
SCALES = Option(
    "a pair of positive numbers (least, most)",
    lambda value: has_numbers(value, 2),
    lambda value: 0 < value[0] <= value[1],
)
AREAS = Option(
    "a pair (least, most) of shares of the area, from 0 to 1",
    lambda value: has_numbers(value, 2),
    lambda value: 0 <= value[0] <= value[1] <= 1,
)
SHEARS = Option(
    "a number from 0, a pair (least, most) or two such pairs",
    lambda value: is_finite(value) or has_numbers(value, 2, 4),
    lambda value: (
        value >= 0 if is_finite(value) else all(low <= high for low, high in zip(value[::2], value[1::2]))
    ),
)
CENTER = Option("a pair (x, y) of numbers", lambda value: has_numbers(value, 2))
ERASED = Option(
    "a number, one for each channel or 'random'", lambda value: value == "random" or is_channel_numbers(value)
)

TRANSFORM: dict[str, Option] = {
    "size": SIZE,
    "padding": SIDES,
    "fill": CHANNEL_NUMBERS,
    "padding_mode": choice("constant", "edge", "reflect", "symmetric"),
    "interpolation": choice("nearest", "bilinear"),
    **dict.fromkeys(("inplace", "pad_if_needed", "expand", "antialias"), FLAG),
    "p": PROBABILITY,
    **dict.fromkeys(("mean", "std"), CHANNEL_NUMBERS),
    "degrees": DEGREES,
    "translate": SHARES,
    "shear": SHEARS,
    "center": CENTER,
    "value": ERASED,
    "lambd": Option("a function of an image", callable),
    "transforms": Option(
        "a sequence of transforms, or of functions",
        lambda value: is_sequence(value) and all(map(callable, value)),
    ),
    "max_size": Option("an int from 1", is_integer, lambda value: value >= 1),
    **dict.fromkeys(("generator", "seed"), SEED),
}
"""By argument."""

BY_CLASS: dict[str, dict[str, Option]] = {
    "RandomAffine": {"scale": SCALES},
    "RandomErasing": {"scale": AREAS, "ratio": SCALES},
}
"""By class, where an argument means something else."""
