"""How the numbers of a tensor are printed, and `set_printoptions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..options import COUNT, FLAG, check_option, choice, optional

DEFAULT: dict[str, Any] = {"precision": None, "threshold": 200, "edgeitems": None, "linewidth": None}
PROFILES: dict[str, dict[str, Any]] = {
    "default": DEFAULT,
    "short": {**DEFAULT, "precision": 2, "edgeitems": 2},
    "full": {**DEFAULT, "threshold": 2**62},
}

chosen: dict[str, Any] = {**DEFAULT, "sci_mode": None}
"""What holds at the moment; None: as NumPy's print options say, and of edgeitems, as many as fit."""


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed from here on; what is None stays as it is.

    precision: digits behind the point. threshold: how many numbers are printed in full, edgeitems: how many
    at each end of a dimension otherwise. linewidth: characters in a line. profile: "default", "short" or
    "full", to begin with. sci_mode: whether as 1.0e-03; None: where NumPy would. Arrays, such as `.data`, are
    printed as `numpy.set_printoptions` says.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        check_option("set_printoptions", name, optional(COUNT), value)
    check_option("set_printoptions", "profile", optional(choice("default", "short", "full")), profile)
    check_option("set_printoptions", "sci_mode", optional(FLAG), sci_mode)
    if profile is not None:
        chosen.update(PROFILES[profile])
    chosen.update({name: value for name, value in given.items() if value is not None})
    chosen["sci_mode"] = sci_mode


def show_numbers(array: Array, prefix: str) -> str:
    """The numbers of an array as its tensor prints them."""
    ends = 3 if array.ndim <= 2 else 1  # how many numbers at each end of a dimension
    digits = chosen["precision"]
    formats: Any = {}
    if chosen["sci_mode"]:
        formats = {"float_kind": f"{{:.{4 if digits is None else digits}e}}".format}
    return np.array2string(
        array,
        separator=", ",
        prefix=prefix,
        threshold=chosen["threshold"],
        edgeitems=ends if chosen["edgeitems"] is None else chosen["edgeitems"],
        precision=digits,
        max_line_width=chosen["linewidth"],
        suppress_small=None if chosen["sci_mode"] is None else not chosen["sci_mode"],
        formatter=formats or None,
    )
