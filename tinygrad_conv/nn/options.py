"""The options of layers: what each may be, where tinygrad_conv/options is silent."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from functools import wraps
from typing import Any, TypeGuard

import numpy as np

from ..dtypes import CODES, FLOATS
from ..errors import DtypeError
from ..foreign import is_own
from ..options import (
    ARRAY,
    DEVICE,
    FLAG,
    INTEGER,
    NUMBER,
    SWITCH,
    Option,
    check_option,
    choice,
    count,
    is_array,
    is_integer,
    is_integers,
    is_known_dtype,
    is_sequence,
    is_switch,
    number,
    optional,
    show_given,
)
from ..randomness.seeds import SEED


def take_device(cls: Any) -> None:
    """Have a layer with parameters take `device=` as PyTorch's does: "cpu", the only one, changes nothing.

    It may come by position, as `dtype` may after it: classes made of a layer hand both on like that.
    """
    constructor = vars(cls).get("__init__")
    if constructor is None or not is_own(cls):
        return
    parameters = inspect.signature(constructor).parameters
    if "dtype" not in parameters:
        return
    own = sum(parameter.kind == parameter.POSITIONAL_OR_KEYWORD for parameter in parameters.values()) - 1

    @wraps(constructor)
    def construct(self: Any, *arguments: Any, **options: Any) -> None:
        if own < len(arguments) <= own + 2:
            last = dict(zip(("device", "dtype"), arguments[own:]))
            if last.keys() & options.keys():
                raise TypeError(f"{type(self).__name__}: {list(last)[-1]} is given twice")
            arguments, options = arguments[:own], {**options, **last}
        device = options.pop("device", None)
        if device is not None:
            check_option(type(self).__name__, "device", DEVICE, device)
        constructor(self, *arguments, **options)

    cls.__init__ = construct


def sizes_option(
    least: int, counts: tuple[int, ...] = (1, 2), expected: str = "an int or a pair of ints"
) -> Option:
    """An integer, or a sequence of so many of them, `expected` in words."""
    return Option(
        f"{expected}, at least {least}",
        lambda value: is_integer(value) or (is_plain(value) and is_integers(value) and len(value) in counts),
        lambda value: min(value if is_plain(value) else (value,), default=least) >= least,
        refusal=ValueError,
    )


def is_plain(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether it is a tuple or a list."""
    return isinstance(value, (tuple, list))


def is_padding(value: Any) -> bool:
    """Whether it says how much to pad an axis or two, on both sides of each or on every side."""
    if isinstance(value, str):
        return value in ("valid", "same")
    return is_integer(value) or (
        is_plain(value) and len(value) in (1, 2) and (is_integers(value) or all(map(is_integers, value)))
    )


def least_padding(value: Any) -> Any:
    """The smallest number of a padding."""
    if isinstance(value, str):
        return 0
    return min(map(least_padding, value)) if is_plain(value) else value


def is_output_size(value: Any) -> bool:
    """Whether it says into how many cells to pool two axes."""
    sizes = value if is_plain(value) else (value,)
    return len(sizes) in (1, 2) and all(size is None or is_integer(size) for size in sizes)


def is_array_like(value: Any) -> bool:
    """Whether it is an array of a dtype that tensors have, or what NumPy makes one of."""
    try:
        dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    except (TypeError, ValueError, OverflowError):
        return False
    return getattr(dtype, "char", "") in CODES and not isinstance(value, np.ma.MaskedArray)


FLOAT_DTYPE = Option(
    "float16, float32 or float64",
    lambda value: is_known_dtype(value) and np.dtype(value) in FLOATS,
    refusal=DtypeError,
)
WEIGHTS = optional(Option("numbers: a Tensor, an array or a list of them", is_array_like))

PADDING = Option(
    "an int, a pair of ints or of such pairs, 'valid' or 'same', at least 0",
    is_padding,
    lambda value: least_padding(value) >= 0,
    refusal=ValueError,
)
SIZE = sizes_option(1)
SINGLE_SIZE = sizes_option(1, (1,), "an int")
CELLS = Option(
    "an int, a pair of ints or None for as it is, at least 0",
    is_output_size,
    lambda value: all(size is None or size >= 0 for size in (value if is_plain(value) else (value,))),
)
ONE_CELL = Option(
    "an int, or None for as it is, at least 0",
    lambda value: is_output_size(value) and len(value if is_plain(value) else (value,)) == 1,
    CELLS.in_range,
)
SHAPE = Option(
    "an int or a sequence of ints from 0",
    is_integers,
    lambda value: min(value if is_sequence(value) else (value,), default=0) >= 0,
)
FOUR_SIDES = Option(
    "an int or (left, right, top, bottom)",
    lambda value: is_integer(value) or (is_plain(value) and is_integers(value) and len(value) == 4),
    refusal=ValueError,
)

DICT = Option("a dict", lambda value: isinstance(value, dict))
NO_ASSIGNING = Option(
    "False: numbers are copied into the tensors there are; before that, net.to(dtype) changes their dtype",
    lambda value: is_switch(value) and not value,
    at_once=True,
)

LAYERS: dict[str, Option] = {
    **dict.fromkeys(("affine", "elementwise_affine", "track_running_stats", "bias"), SWITCH),
    **dict.fromkeys(("in_features", "out_features", "in_channels", "out_channels"), INTEGER),
    **dict.fromkeys(("num_features", "num_channels", "num_parameters"), count(0)),
    **dict.fromkeys(("num_embeddings", "embedding_dim"), count(0)),
    **dict.fromkeys(("lambd", "k"), NUMBER),
    "padding_idx": INTEGER,
    "unflattened_size": Option("a sequence of ints", lambda value: is_sequence(value) and is_integers(value)),
    "log_target": FLAG,
    "normalized_shape": SHAPE,
    "momentum": optional(number(0.0)),
    "label_smoothing": number(0, 1),
    "init": NUMBER,
    "dtype": FLOAT_DTYPE,
    "rng": SEED,
    **dict.fromkeys(("weight", "pos_weight"), WEIGHTS),
    **dict.fromkeys(("kernel_size", "dilation"), SIZE),
    "stride": SIZE._replace(has_type=lambda value: SIZE.has_type(value) or (is_plain(value) and not value)),
    "output_padding": sizes_option(0),
    "padding": PADDING,
    "divisor_override": INTEGER._replace(in_range=bool, limits="not be 0"),
    "upscale_factor": count(1),
}
"""By argument."""

OWN: dict[str, dict[str, Option]] = {
    "MaxPool1d": dict.fromkeys(("kernel_size", "stride", "dilation"), SINGLE_SIZE),
    "AvgPool1d": {"padding": sizes_option(0, (1,), "an int")}
    | dict.fromkeys(("kernel_size", "stride", "dilation"), SINGLE_SIZE),
    "AdaptiveAvgPool2d": {"output_size": optional(CELLS)},
    "AdaptiveMaxPool2d": {"output_size": optional(CELLS)},
    **dict.fromkeys(("AlongDim", "CosineSimilarity", "GLU", "Unflatten"), {"dim": INTEGER}),
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveMaxPool1d"), {"output_size": optional(ONE_CELL)}),
    "LocalResponseNorm": {"size": count(1)},
    "Shrink": {"lambd": NUMBER},
    **dict.fromkeys(("PairwiseDistance", "TripletMarginLoss"), {"p": NUMBER}),
    "KLDivLoss": {"reduction": choice("none", "sum", "mean", "batchmean")},
    "Fold": {"output_size": sizes_option(0)},
    **dict.fromkeys(("Pad2d", "ConstantPad2d"), {"padding": FOUR_SIDES}),
    "HuberLoss": {"delta": NUMBER._replace(in_range=lambda value: bool(value > 0), limits="be positive")},
    "SmoothL1Loss": {"beta": number(0)},
    "Upsample": {
        "size": sizes_option(1, (1, 2, 3), "an int or one for each axis"),
        "mode": choice("nearest", "nearest-exact", "linear", "bilinear", "trilinear"),
    },
}
"""By layer: its own meaning of some arguments."""


PYTORCHS_INPUTS = {"x": "input", "x1": "input1", "x2": "input2"}


def other_names(cls: Any) -> dict[str, str]:
    """By PyTorch's names of the inputs of our layers, as in `loss(input=y, target=t)`, ours."""
    if not is_own(cls.forward):
        return {}
    code = cls.forward.__code__
    names = code.co_varnames[1 : code.co_argcount]
    return {other: own for own, other in PYTORCHS_INPUTS.items() if own in names and other not in names}


def check_inputs(layer: Any, inputs: Iterable[Any], error: AttributeError) -> None:
    """Refuse an input for what it is, where a layer of this package missed an attribute in it."""
    layers = [member for member in vars(layer).values() if hasattr(member, "forward")]
    if layers or not is_own(type(layer)):
        return
    for given in inputs:
        if given is error.obj and not is_array(given):
            name, kind = type(layer).__name__, ARRAY.expected
            raise TypeError(f"{name}: the input must be {kind}, not {show_given(given)}") from error
