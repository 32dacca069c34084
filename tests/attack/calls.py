"""Bad calls of everything public: refused with an error that names the function, or right, and fast in both.

A case is a good call with one or two arguments replaced by hostile ones. The good ones of ops are those on
which their gradients are checked (checks/samples/); the others stand here. A layer that is made is called,
an optimiser and a schedule make a step: what a constructor takes must serve.
"""

from __future__ import annotations

import inspect
import itertools
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
from tinygrad_conv.errors import DtypeError
from tinygrad_conv.optim import lr_scheduler
from tinygrad_conv.options import message_of

from .campaign import Campaign
from .good_calls.functions import FUNCTIONS
from .good_calls.inputs import floats
from .good_calls.layers import LAYERS

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

NAMES = {*OPS, *COMPOSITES, *vars(tg), *vars(nn.init)}
"""What a message may begin with, beside what was called: the part of it that refused."""

EPOCH = 10_000  # as much of an epoch as is looked at

DOCUMENTED = (TypeError, ValueError, LookupError, ArithmeticError, MemoryError, RuntimeError, AttributeError)
DOCUMENTED += (BufferError,)  # which the protocol of DLPack has


"""A good call of each function, by the names of its arguments."""

OPTIMIZERS = ("SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop")
SCHEDULES: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 3]},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 3},
    "LinearLR": {},
    "ReduceLROnPlateau": {},
    **dict.fromkeys(("ConstantLR", "PolynomialLR"), {}),
    **dict.fromkeys(("LambdaLR", "MultiplicativeLR"), {"lr_lambda": lambda epoch: 0.5**epoch}),
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "OneCycleLR": {"max_lr": 1.0, "total_steps": 5},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0},
}
COMPOSITES: dict[str, dict[str, Any]] = {"ChainedScheduler": {}, "SequentialLR": {"milestones": [2]}}
INITIALISERS: dict[str, dict[str, Any]] = {
    "constant_": {"val": 1.0},
    **dict.fromkeys(("uniform_", "normal_", "zeros_", "ones_", "xavier_uniform_", "xavier_normal_"), {}),
    **dict.fromkeys(("kaiming_uniform_", "kaiming_normal_", "orthogonal_"), {}),
}


def leaf() -> nn.Parameter:
    """A parameter with a gradient."""
    parameter = nn.Parameter(np.ones((2, 3), np.float32))
    parameter.grad = np.ones((2, 3), np.float32)
    return parameter


def defaults(function: Any) -> dict[str, Any]:
    """The arguments that can be left out."""
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not parameter.empty
    }


def two_schedules() -> dict[str, Any]:
    """An optimiser, and two schedules of it."""
    optimizer = optim.SGD([leaf()], 0.1)
    return {
        "optimizer": optimizer,
        "schedulers": [lr_scheduler.StepLR(optimizer, 2), lr_scheduler.ExponentialLR(optimizer, 0.9)],
    }


OWNERS: dict[str, Callable[[], Any]] = {
    "Linear": lambda: nn.Linear(3, 2, rng=0),
    "BatchNorm1d": lambda: nn.BatchNorm1d(3),
    "Sequential": lambda: nn.Sequential(nn.ReLU(), nn.Tanh()),
    "ModuleDict": lambda: nn.ModuleDict({"first": nn.ReLU()}),
    "Adam": lambda: optim.Adam([leaf()], 0.1),
    "StepLR": lambda: lr_scheduler.StepLR(optim.SGD([leaf()], 0.1), 1),
    "ReduceLROnPlateau": lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([leaf()], 0.1)),
}
METHODS: dict[str, Callable[[], dict[str, Any]]] = {
    "Linear.to": lambda: {"dtype": np.float64},
    "Linear.train": lambda: {"mode": True},
    "Linear.requires_grad_": lambda: {"requires_grad": True},
    "Linear.zero_grad": lambda: {"set_to_none": True},
    "Linear.get_parameter": lambda: {"target": "bias"},
    "BatchNorm1d.get_buffer": lambda: {"target": "running_mean"},
    "Linear.load_state_dict": lambda: {"state_dict": OWNERS["Linear"]().state_dict(), "strict": True},
    "Linear.register_buffer": lambda: {"name": "seen", "tensor": tg.ones(2), "persistent": True},
    "Linear.register_parameter": lambda: {"name": "scale", "param": leaf()},
    "Linear.add_module": lambda: {"name": "next", "module": nn.ReLU()},
    "Linear.get_submodule": lambda: {"target": ""},
    "Linear.reset_parameters": lambda: {"rng": 0},
    "Sequential.append": lambda: {"module": nn.ReLU()},
    "Sequential.extend": lambda: {"modules": [nn.ReLU()]},
    "Sequential.insert": lambda: {"index": 0, "module": nn.ReLU()},
    "ModuleDict.update": lambda: {"modules": {"second": nn.ReLU()}},
    "Adam.add_param_group": lambda: {"param_group": {"params": [leaf()]}},
    "Adam.load_state_dict": lambda: {"state_dict": OWNERS["Adam"]().state_dict()},
    "Adam.zero_grad": lambda: {"set_to_none": True},
    "StepLR.load_state_dict": lambda: {"state_dict": OWNERS["StepLR"]().state_dict()},
    "ReduceLROnPlateau.step": lambda: {"metrics": 1.0},
}


MAKE: dict[str, Callable[[], dict[str, Any]]] = {
    **{name: lambda given=given: given for name, given in FUNCTIONS.items()},
    **{name: lambda needed=needed: needed[0] for name, needed in LAYERS.items()},
    **{name: lambda: {"params": [leaf()]} for name in OPTIMIZERS},
    **{
        name: lambda given=given: {"optimizer": optim.SGD([leaf()], 0.1), **given}
        for name, given in SCHEDULES.items()
    },
    **{name: lambda given=given: {**two_schedules(), **given} for name, given in COMPOSITES.items()},
    **{name: lambda given=given: {"tensor": leaf(), **given} for name, given in INITIALISERS.items()},
    **METHODS,
    "calculate_gain": lambda: {"nonlinearity": "leaky_relu", "param": 0.1},
    "clip_grad_norm_": lambda: {"parameters": [leaf()], "max_norm": 1.0},
}
"""What each function, or constructor, must be given."""

PLACES = (tg, tg.interop, data, nn, optim, lr_scheduler, nn.init, nn.utils)

SPREAD = dict.fromkeys(("zeros", "ones", "empty", "rand", "randn"), "size")
SPREAD |= {"meshgrid": "tensors", "Sequential": "modules", "TensorDataset": "tensors"}
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
        names = [*(f"ops.{name}" for name in sorted(CASES)), *MAKE, *MAKE]
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
                made = apply(case.function, given)
                use(case.function, made)
            assert not (flags := replaced_flags(case)), f"taken in silence: {flags}"
        except DOCUMENTED as error:
            name = case.function.removeprefix("ops.")
            words = message_of(error).replace("(", " ").replace(":", " ").split()
            assert {*name.split("."), name.removeprefix("Lazy")} & {*words} or {*words[:1]} & NAMES, (
                f"{type(error).__name__} names no op: {error}"
            )

    def smaller(self, case: Case) -> Iterable[Case]:
        for name in case.replaced if len(case.replaced) > 1 else ():
            fewer = {other: value for other, value in case.replaced.items() if other != name}
            yield Case(case.function, case.sample, fewer)


def replaced_flags(case: Case) -> list[str]:
    """Which of the replaced arguments were True or False, and are neither now."""
    good = good_call(case.function, case.sample)
    zero_too = {*LAYERS, *OPTIMIZERS, *METHODS}  # which take 0 for False
    taken = ("True", "0") if case.function in zero_too else ("True",)
    return [name for name, value in case.replaced.items() if type(good[name]) is bool and value not in taken]


def good_call(function: str, sample: int) -> dict[str, Any]:
    """The arguments of a good call, by name; of `*several` under their numbers."""
    if not function.startswith("ops."):
        made = function not in FUNCTIONS
        return {**(defaults(named(function)) if made else {}), **MAKE[function]()}
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
    if function in SPREAD:
        several = given.pop(SPREAD[function])
        return named(function)(several, **given)
    return named(function)(**given)


def named(function: str) -> Any:
    """A public function or class, or the method of an object."""
    owner, _, method = function.rpartition(".")
    if owner:
        return getattr(OWNERS[owner](), method)
    return next(vars(place)[function] for place in PLACES if function in vars(place))


def use(function: str, made: Any) -> None:
    """Have what a constructor made do its work on good arguments: it took none that it cannot use."""
    try:
        if function in LAYERS and LAYERS[function][1:]:
            made(*(floats(*given) if isinstance(given, tuple) else given for given in LAYERS[function][1:]))
        elif function == "ReduceLROnPlateau":
            made.step(1.0)
        elif function in {*OPTIMIZERS, *SCHEDULES, *COMPOSITES}:
            made.step()
        elif function == "DataLoader" or function.endswith("Sampler"):
            list(itertools.islice(made, EPOCH))  # which may be of 10¹²
    except DtypeError:
        raise
    except TypeError as error:
        raise AssertionError(f"{function} took what it cannot use: {error}") from error


CAMPAIGN = Calls()
