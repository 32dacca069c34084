"""Bad calls of everything public: refused with an error that names the function, or right, and fast in both.

A case is a good call with one or two arguments replaced by hostile ones. The good ones of ops are those on
which their gradients are checked (checks/samples.py); the others stand here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim
from tinygrad_conv.checks import samples  # noqa: F401 (importing it enters the cases)
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.engine.registry import COMPOSITES, OPS

from .campaign import Campaign

HOSTILE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "'no'": lambda: "no",
    "''": lambda: "",
    "True": lambda: True,
    "-5": lambda: -5,
    "0": lambda: 0,
    "1.5": lambda: 1.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "10**12": lambda: 10**12,
    "10**400": lambda: 10**400,
    "2j": lambda: 2j,
    "[]": lambda: [],
    "()": lambda: (),
    "[1, 2.5]": lambda: [1, 2.5],
    "(None,)": lambda: (None,),
    "(0, 0, 0)": lambda: (0, 0, 0),
    "{}": dict,
    "object()": object,
    "int": lambda: int,
    "np.float32(nan)": lambda: np.float32("nan"),
    "array 0-d": lambda: np.array(1.0, np.float32),
    "array [0]": lambda: np.zeros(0, np.float32),
    "array [3]": lambda: np.ones(3, np.float32),
    "array int [2,2]": lambda: np.ones((2, 2), np.int64),
    "array [1]*6": lambda: np.ones((1,) * 6, np.float32),
    "array bool": lambda: np.ones((2, 3), bool),
    "array object": lambda: np.array([None, "a"], object),
    "array complex": lambda: np.ones((2, 3), complex),
    "array longdouble": lambda: np.ones((2, 3), np.longdouble),
    "array str": lambda: np.array(["a", "b"]),
    "array structured": lambda: np.zeros(3, [("a", float), ("b", int)]),
    "array masked": lambda: np.ma.masked_array(np.ones(3), mask=[0, 1, 0]),
    "tensor 0-d": lambda: tg.tensor(1.0, requires_grad=True),
    "tensor [2,3]": lambda: tg.ones(2, 3, requires_grad=True),
}
"""By what a failure prints."""

DOCUMENTED = (TypeError, ValueError, IndexError, OverflowError, MemoryError, ZeroDivisionError, RuntimeError)


def floats(*shape: int) -> tg.Tensor:
    return tg.tensor(np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape), requires_grad=True)


LABELS = np.array([0, 2])
IMAGE, ROW = (1, 2, 5, 5), (1, 2, 6)

FUNCTIONS: dict[str, dict[str, Any]] = {
    "softmax": {"input": floats(2, 3), "dim": 1},
    "sum": {"input": floats(2, 3), "dim": 1, "keepdim": True},
    "mean": {"input": floats(2, 3), "dim": 1, "keepdim": True},
    "prod": {"input": floats(2, 3), "dim": 1},
    "var": {"input": floats(2, 3), "dim": 1, "unbiased": True, "keepdim": False},
    "norm": {"input": floats(2, 3), "p": 2, "dim": 1, "keepdim": False},
    "max": {"input": floats(2, 3), "dim": 1, "keepdim": False},
    "add": {"input": floats(2, 3), "other": floats(3), "alpha": 2},
    "where": {"condition": np.ones((2, 3), bool), "input": floats(2, 3), "other": floats(3)},
    "clamp": {"input": floats(2, 3), "min": 0.2, "max": 0.5},
    "masked_fill": {"input": floats(2, 3), "mask": np.ones((2, 3), bool), "value": 0.5},
    "bmm": {"input": floats(2, 2, 3), "mat2": floats(2, 3, 2)},
    "conv1d": {
        "input": floats(*ROW),
        "weight": floats(3, 2, 2),
        "bias": floats(3),
        "stride": 1,
        "padding": 1,
    },
    "conv2d": {
        "input": floats(*IMAGE),
        "weight": floats(3, 2, 2, 2),
        "padding": 1,
        "dilation": 1,
        "groups": 1,
    },
    "conv_transpose2d": {"input": floats(*IMAGE), "weight": floats(2, 3, 2, 2), "stride": 2, "padding": 0},
    "batch_norm": {"input": floats(*IMAGE), "running_mean": None, "running_var": None, "training": True}
    | {"momentum": 0.1, "eps": 1e-5},
    "instance_norm": {"input": floats(*IMAGE), "use_input_stats": True, "eps": 1e-5},
    "layer_norm": {"input": floats(2, 3), "normalized_shape": (3,), "weight": floats(3), "eps": 1e-5},
    "group_norm": {"input": floats(*IMAGE), "num_groups": 1, "weight": floats(2), "eps": 1e-5},
    "dropout": {"input": floats(2, 3), "p": 0.5, "training": True},
    "dropout2d": {"input": floats(*IMAGE), "p": 0.5, "training": True},
    "max_pool2d": {"input": floats(*IMAGE), "kernel_size": 2, "stride": 1, "padding": 1, "ceil_mode": False},
    "avg_pool1d": {"input": floats(*ROW), "kernel_size": 2, "stride": 1, "padding": 1, "ceil_mode": False},
    "adaptive_avg_pool2d": {"input": floats(*IMAGE), "output_size": 2},
    "adaptive_max_pool2d": {"input": floats(*IMAGE), "output_size": 2, "return_indices": False},
    "pad": {"input": floats(2, 3), "pad": (1, 1), "mode": "constant", "value": 0.5},
    "interpolate": {"input": floats(*IMAGE), "size": 3, "mode": "bilinear", "align_corners": None},
    "cross_entropy": {"input": floats(2, 3), "target": LABELS, "reduction": "mean", "label_smoothing": 0.1},
    "scatter_add": {"input": floats(2, 3), "dim": 1, "index": LABELS[:, None], "src": floats(2, 1)},
    "zeros": {"size": (2, 3), "dtype": np.float32, "requires_grad": False},
    "full": {"size": (2, 3), "fill_value": 1.0, "dtype": np.float32, "requires_grad": False},
    "zeros_like": {"input": floats(2, 3), "dtype": np.float32, "requires_grad": False},
    "tensor": {"data": [1.0, 2.0], "dtype": np.float32, "requires_grad": False},
    "from_numpy": {"array": np.ones(3)},
    "arange": {"start": 0, "end": 5, "step": 1},
    "linspace": {"start": 0.0, "end": 1.0, "steps": 5},
    "eye": {"n": 3, "m": 2},
    "rand": {"size": (2, 3), "dtype": np.float32},
    "randn": {"size": (2, 3), "dtype": np.float32},
    "randint": {"low": 0, "high": 5, "size": (2,), "dtype": np.int64},
    "randperm": {"n": 5},
    "manual_seed": {"seed": 3},
    "TensorDataset": {"tensors": np.ones((3, 2))},
    "DataLoader": {"dataset": data.TensorDataset(np.ones((3, 2))), "batch_size": 2, "drop_last": False},
    "shapes": {"n": 3, "size": 8, "noise": 0.1, "seed": 0},
    "bars": {"n": 3, "size": 8, "noise": 0.1, "seed": 0},
    "stratified_split": {"images": np.ones((4, 2)), "labels": np.array([0, 1, 0, 1]), "test_fraction": 0.5},
}
"""A good call of each function, by the names of its arguments."""

SPREAD = {"zeros": "size", "rand": "size", "randn": "size", "TensorDataset": "tensors"}
"""Functions that take one argument as `*several`."""


@dataclass
class Case:
    """A call with some arguments replaced: `replaced` says by its name which hostile value each became."""

    function: str
    sample: int
    replaced: dict[str, str]


class Calls(Campaign):
    """Whatever is given: a result, or an error of a documented class that says whose it is."""

    def make(self, random: np.random.Generator) -> Case:
        names = [*(f"ops.{name}" for name in sorted(CASES)), *FUNCTIONS, *FUNCTIONS]
        function = str(random.choice(names))
        samples_of = CASES.get(function.removeprefix("ops."), [None])
        sample = int(random.integers(len(samples_of))) if function.startswith("ops.") else 0
        arguments = list(good_call(function, sample))
        count = min(len(arguments), int(random.integers(1, 3)))
        chosen = random.choice(len(arguments), count, replace=False)
        values = random.choice(list(HOSTILE), count)
        return Case(function, sample, {arguments[at]: str(value) for at, value in zip(chosen, values)})

    def check(self, case: Case) -> None:
        given = good_call(case.function, case.sample)
        given.update({name: HOSTILE[value]() for name, value in case.replaced.items()})
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                apply(case.function, given)
            assert not (flags := replaced_flags(case)), f"taken in silence: {flags}"
        except DOCUMENTED as error:
            name = case.function.removeprefix("ops.")
            words = str(error).replace("(", " ").replace(":", " ").split()
            assert name in words or {*words[:1]} & {*OPS, *COMPOSITES}, (
                f"{type(error).__name__} names no op: {error}"
            )

    def smaller(self, case: Case) -> Iterable[Case]:
        for name in case.replaced if len(case.replaced) > 1 else ():
            fewer = {other: value for other, value in case.replaced.items() if other != name}
            yield Case(case.function, case.sample, fewer)


def replaced_flags(case: Case) -> list[str]:
    """Which of the replaced arguments were True or False, and are neither now."""
    good = good_call(case.function, case.sample)
    return [name for name, value in case.replaced.items() if type(good[name]) is bool and value != "True"]


def good_call(function: str, sample: int) -> dict[str, Any]:
    """The arguments of a good call, by name; of `*several` under their numbers."""
    if not function.startswith("ops."):
        return dict(FUNCTIONS[function])
    chosen = CASES[function.removeprefix("ops.")][sample]
    drawn = chosen.random(np.random.default_rng(0))
    tensors = [
        value if value is None else tg.tensor(value, requires_grad=np.asarray(value).dtype.kind == "f")
        for value in drawn.inputs
    ]
    return {**{str(position): value for position, value in enumerate(tensors)}, **drawn.params}


def apply(function: str, given: dict[str, Any]) -> Any:
    """The call."""
    if function.startswith("ops."):
        inputs = [value for name, value in given.items() if name.isdigit()]
        params = {name: value for name, value in given.items() if not name.isdigit()}
        return OPS[function.removeprefix("ops.")](*inputs, **params)
    called = next(vars(place)[function] for place in (tg, data, nn, optim) if function in vars(place))
    if function in SPREAD:
        several = given.pop(SPREAD[function])
        return called(several, **given)
    return called(**given)


CAMPAIGN = Calls()
