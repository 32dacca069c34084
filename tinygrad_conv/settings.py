"""Options of layers, optimisers, schedules and loaders: their types and ranges, checked where they are given.

`owner` is who takes the option, as messages name it. What has another type is a TypeError, what is out of its
range a ValueError.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def check_flag(owner: str, name: str, value: Any) -> None:
    """Refuse what is neither True nor False; 1 and 0 may stand for them."""
    if not isinstance(value, (int, np.bool_, np.integer)) or value not in (0, 1):
        raise TypeError(f"{owner}: {name} must be True or False, not {value!r}")


def check_number(
    owner: str, name: str, value: Any, least: float | None = None, most: float | None = None
) -> None:
    """Refuse what is no real number, NaN, and what is outside of its range (both ends belong to it)."""
    if not is_number(value):
        raise TypeError(f"{owner}: {name} must be a number, not {value!r}")
    below = not value >= least if least is not None else value != value
    if below or (most is not None and not value <= most):
        raise ValueError(f"{owner}: {name} must {range_words(least, most)}, not {value!r}")


def check_count(owner: str, name: str, value: Any, least: int | None = None) -> None:
    """Refuse what is no whole number, and what is too small."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{owner}: {name} must be a whole number, not {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{owner}: {name} must be at least {least}, not {value!r}")


def check_word(owner: str, name: str, value: Any, words: tuple[str, ...]) -> None:
    """Refuse all but these words."""
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{owner}: {name} must be {' or '.join(map(repr, words))}, not {value!r}")


def is_number(value: Any) -> bool:
    """Whether it is a real number: Python's, NumPy's, or an array of no dimensions."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iuf"
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def range_words(least: float | None, most: float | None) -> str:
    """A range in words, to stand after `must`."""
    if least is not None and most is not None:
        return f"lie in [{least}, {most}]"
    if least is not None:
        return f"be at least {least}"
    return f"be at most {most}" if most is not None else "be a number"
