"""Which option is of which kind, by its name: it means the same wherever it occurs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .kinds import (
    ARRAY,
    DEVICE,
    DTYPE,
    FLAG,
    INTEGER,
    INTEGERS,
    NOT_NEGATIVE,
    NUMBER,
    NUMBERS,
    OPERAND,
    PADDING,
    PROBABILITY,
    SIZES,
    SWITCH,
    TEXT,
    Option,
    choice,
    optional,
)

__all__ = ["OPTIONS", "options_of"]

OPTIONS: dict[str, Option] = {
    **dict.fromkeys(("dim", "dims", "shifts", "split_size_or_sections"), INTEGERS),
    **dict.fromkeys(("shape", "repeats", "normalized_shape", "sides", "pad", "kernel_size"), INTEGERS),
    **dict.fromkeys(("dim0", "dim1", "dim2", "start_dim", "end_dim", "chunks", "groups"), INTEGER),
    **dict.fromkeys(("num_groups", "num_classes", "classes", "ignore_index"), INTEGER),
    **dict.fromkeys(("upscale_factor", "downscale_factor", "divisor_override"), INTEGER),
    **dict.fromkeys(("stride", "dilation", "output_padding", "input_size", "size"), INTEGERS),
    "output_size": SIZES,
    "padding": PADDING,
    **dict.fromkeys(("keepdim", "training", "ceil_mode", "count_include_pad", "align_corners"), FLAG),
    **dict.fromkeys(("return_indices", "use_input_stats", "unbiased", "recompute_scale_factor"), FLAG),
    **dict.fromkeys(("requires_grad", "inplace", "shuffle", "drop_last", "pin_memory", "non_blocking"), FLAG),
    **dict.fromkeys(("largest", "sorted", "descending", "stable", "as_tuple", "log_target"), FLAG),
    **dict.fromkeys(
        ("log_input", "full", "swap", "include_self", "right", "out_int32", "with_replacement"), FLAG
    ),
    **dict.fromkeys(("equal_nan", "invert", "assume_unique", "return_inverse", "return_counts"), FLAG),
    **dict.fromkeys(("k", "n", "diagonal", "offset", "start", "length", "decimals", "minlength"), INTEGER),
    **dict.fromkeys(("set_to_none", "strict", "persistent"), SWITCH),
    **dict.fromkeys(("alpha", "beta", "threshold", "lambd", "negative_slope", "min_val", "max_val"), NUMBER),
    **dict.fromkeys(("delta", "label_smoothing", "correction", "momentum", "value", "margin"), NUMBER),
    **dict.fromkeys(("eps", "rtol", "atol"), NOT_NEGATIVE),
    "p": PROBABILITY,
    **dict.fromkeys(("scale", "scale_factor"), NUMBERS),
    "reduction": choice("none", "sum", "mean"),
    "approximate": choice("none", "tanh"),
    **dict.fromkeys(("mode", "equation"), TEXT),
    "dtype": DTYPE,
    **dict.fromkeys(
        ("input", "weight", "bias", "pos_weight", "index", "mat2", "mask", "src", "vec", "vec2"), ARRAY
    ),
    "device": DEVICE,
    **dict.fromkeys(("running_mean", "running_var", "statistics", "kept", "tap"), ARRAY),
    **dict.fromkeys(("weight", "pos_weight"), ARRAY._replace(plain=frozenset({list}))),  # ops refuse lists
    "condition": OPERAND,
}


def options_of(function: Callable[..., Any], **own: Option) -> dict[str, Option]:
    """What the arguments of a function may be: by their names, but for those that are given as its own."""
    options: dict[str, Option] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        option = own.get(name, OPTIONS.get(name))
        if option is not None:
            options[name] = optional(option) if parameter.default is None else option
    return options
